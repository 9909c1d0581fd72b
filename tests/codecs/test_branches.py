"""The codecs' rare ways: caches that are full, what is too long to be remembered, wrong types, no bytes.

What clients and applications send in ordinary stands in the corpora and in the fuzzer's grammars.
"""

from typing import Any

import pytest

from penstock.codecs import http1_reply, uwsgi
from penstock.codecs.cgi import REMEMBER
from penstock.codecs.decoder import END, base_environ
from penstock.codecs.http1 import Http1Decoder
from penstock.codecs.http1_reply import BadReply, fields, status_line
from penstock.codecs.target import valid_authority
from penstock.codecs.uwsgi import UwsgiDecoder, encode_request
from penstock.core.request import Request
from tests.fuzz.oracle import tables

MOST = 2048  # entries of any table that the codecs keep


def variables(raw: bytes, make: Any = Http1Decoder) -> dict[str, Any]:
    """What one request in ``raw`` says."""
    request = make(base_environ()).receive(raw)[0]
    assert isinstance(request, Request)
    return request.vars


# ---- Caches are bounded, and forgetting changes nothing ------------------------------------------------


def test_header_names_are_forgotten_when_they_are_many_or_long() -> None:
    long = "x" * 65
    for number in range(REMEMBER + 10):
        raw = f"GET / HTTP/1.1\r\nHost: a\r\nN-{number}: y\r\n{long}: z\r\n\r\n"
        found = variables(raw.encode())
        assert (found[f"HTTP_N_{number}"], found["HTTP_" + long.upper()]) == ("y", "z")
    assert max(map(len, tables())) <= MOST


def test_request_lines_are_forgotten_when_they_are_many_or_long() -> None:
    for number in [*range(1100), "a" * 1000, "a" * 1000]:
        assert variables(f"GET /{number} HTTP/1.1\r\nHost: a\r\n\r\n".encode())["PATH_INFO"] == f"/{number}"
    assert max(map(len, tables())) <= MOST


def test_authorities_are_forgotten_when_they_are_many_or_long() -> None:
    for number in range(600):
        assert valid_authority(f"a{number}:80")
        assert not valid_authority(f"a{number}:x")
    assert not valid_authority("a" * 301)
    assert max(map(len, tables())) <= MOST


def test_names_of_variables_are_forgotten_when_they_are_many_or_long() -> None:
    long = "X" * 65
    for number in range(uwsgi.REMEMBER + 10):
        packet = encode_request({"REQUEST_METHOD": "GET", f"X{number}": "y", long: "z"})
        found = variables(packet, UwsgiDecoder)
        assert (found[f"X{number}"], found[long]) == ("y", "z")
    assert max(map(len, tables())) <= MOST


# ---- No bytes are no end --------------------------------------------------------------------------------

POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n"
PACKET = encode_request({"REQUEST_METHOD": "POST", "CONTENT_LENGTH": "2"})


@pytest.mark.parametrize(("make", "head"), [(Http1Decoder, POST), (UwsgiDecoder, PACKET)])
def test_no_bytes_in_the_middle_of_a_body(make: Any, head: bytes) -> None:
    decoder = make(base_environ())
    assert decoder.receive(b"") == []
    assert decoder.idle
    assert [type(event) for event in decoder.receive(head)] == [Request]
    for octet in (b"a", b"b"):
        assert decoder.receive(b"") == []
        events = decoder.receive(octet)
    assert events == [b"b", END]
    assert decoder.receive(b"") == []


# ---- Replies --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "status", [200, None, b"200 OK", "1", "1000", "199 x", "OK", "", "200\tOK", "2000 OK"]
)
def test_what_is_no_status(status: Any) -> None:
    with pytest.raises(BadReply):
        status_line(status)


def test_statuses() -> None:
    assert status_line("200 OK") == status_line("200 OK") == (200, b"200 OK")
    assert status_line("404") == (404, b"404 Not Found")
    assert status_line("200  ") == (200, b"200  "), "an odd reason, but one"
    assert status_line("299") == (299, b"299 Unknown")
    for number in range(http1_reply.REMEMBER + 1):
        assert status_line(f"200 {number}")[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        None,
        (("A", "b"),),
        [["A", "b"]],
        ["A: b"],
        [("A", "b", "c")],
        [("A", 1)],
        [(b"A", "b")],
        [("A", ["b"])],
        [("A B", "c")],
        [("A", "b\nc")],
        [("A", "\u010a")],
        [("A", "\x7f")],
        [("Content-Length", "5x")],
        [("Content-Length", "1" * 19)],
        [("Content-Length", "5"), ("content-length", "5")],
    ],
)
def test_what_is_no_list_of_headers(headers: Any) -> None:
    for _ in range(2):  # it is not remembered either
        with pytest.raises(BadReply):
            fields(headers)


def test_header_lists_and_fields_are_forgotten_when_they_are_many_or_long() -> None:
    for number in range(http1_reply.LISTS + 1):
        assert fields([("X", str(number))]).lines == b"X: %d\r\n" % number
    for number in range(http1_reply.REMEMBER + 1):
        assert fields([("Y", str(number)), ("ETag", str(number))]).count == 2
    long = "z" * (http1_reply.LONG + 1)
    assert fields([("Z", long)]) == fields([("Z", long)])


def test_what_fields_are_to_the_framing() -> None:
    said = [("Connection", "x, Close"), ("Date", "now"), ("Content-Length", "5"), ("TE", "x"), ("A", "b")]
    found = fields(said)
    assert (found.close, found.dated, found.length, found.dropped) == (True, True, 5, ("TE",))
    assert found.lines == b"Date: now\r\nContent-Length: 5\r\nA: b\r\n"
    assert fields([("Connection", "keep-alive")]).dropped == ("Connection",)
    assert fields(said) is found, "remembered whole"


def test_a_chunk() -> None:
    assert http1_reply.chunk(b"hello" * 4) == b"14\r\nhellohellohellohello\r\n"
