"""The HTTP/1 decoder over its corpus: each vector whole, byte by byte, cut anywhere, and with bytes after."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from penstock.codecs.decoder import END, Limits, base_environ
from penstock.codecs.http1 import Http1Decoder
from penstock.codecs.request_line import METHODS
from penstock.core.errors import ProtocolError
from penstock.core.request import Request
from tests.cases import each
from tests.codecs.corpus import Vector, vectors

CORPUS = vectors("http1.toml")


@dataclass
class Outcome:
    """What a decoder made of some bytes."""

    status: int = 200
    requests: list[Request] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    ended: int = 0

    def facts(self) -> Any:
        """What must not depend on how the bytes were split."""
        if self.status != 200:
            return self.status  # a head whose body is refused in the same piece is never reported
        heads = [(x.vars, x.content_length, x.keep_alive, x.expect, x.trailers) for x in self.requests]
        return self.status, heads, self.bodies, self.ended


def decode(pieces: Iterable[bytes], limits: Limits | None = None) -> Outcome:
    """Feed pieces to a decoder as a connection does: what is held is asked for after each END."""
    decoder = Http1Decoder(base_environ(), limits)
    outcome = Outcome()
    try:
        for piece in pieces:
            events = decoder.receive(piece)
            while events:
                take(outcome, events)
                again = events[-1] is END and decoder.buffered
                events = decoder.receive(b"") if again else []
    except ProtocolError as error:
        outcome.status = error.status
    return outcome


def take(outcome: Outcome, events: list[Any]) -> None:
    for event in events:
        if event is END:
            outcome.ended += 1
        elif isinstance(event, Request):
            assert all(event.vars), "a variable without a name"
            outcome.requests.append(event)
            outcome.bodies.append(b"")
        else:
            outcome.bodies[-1] += event
    assert sum(isinstance(event, Request) for event in events) <= 1, "one call, one request"


def bytewise(raw: bytes) -> Iterator[bytes]:
    return (raw[at : at + 1] for at in range(len(raw)))


def test_the_corpus_is_large_and_has_legal_requests() -> None:
    legal = sum(vector.verdict == 200 for vector in CORPUS)
    assert len(CORPUS) >= 300
    assert legal >= len(CORPUS) * 0.3


@each(CORPUS, lambda vector: str(vector.name))
def test_whole(vector: Vector) -> None:
    outcome = decode([vector.raw])
    assert outcome.status in vector.also, (vector.raw, vector.section)
    if vector.verdict == 200:
        assert outcome.requests, vector.raw
        check(vector, outcome)


def check(vector: Vector, outcome: Outcome) -> None:
    first = outcome.requests[0]
    expect = dict(vector.expect)
    assert outcome.ended == len(outcome.requests)
    assert len(outcome.requests) == expect.pop("requests", 1)
    if "body" in expect:
        assert outcome.bodies[0] == expect.pop("body").encode("latin-1")
    if "keep" in expect:
        assert first.keep_alive is expect.pop("keep")
    if expect.pop("trailers", False):
        assert first.trailers
    if "not_host" in expect:
        assert first.vars["HTTP_HOST"] != expect.pop("not_host")
        assert first.vars["HTTP_HOST"] in vector.raw.decode().lower()
    for name in expect.pop("absent", "").split():
        assert name not in first.vars
    for name, value in expect.items():
        assert first.vars[name] == value


@each(CORPUS, lambda vector: str(vector.name))
def test_byte_by_byte(vector: Vector) -> None:
    assert decode(bytewise(vector.raw)).facts() == decode([vector.raw]).facts(), vector.raw


@each(CORPUS, lambda vector: str(vector.name))
def test_cut_in_two_anywhere(vector: Vector) -> None:
    whole = decode([vector.raw]).facts()
    for at in range(1, len(vector.raw)):
        assert decode([vector.raw[:at], vector.raw[at:]]).facts() == whole, (vector.raw, at)


@each(CORPUS, lambda vector: str(vector.name))
def test_with_bytes_after_it(vector: Vector) -> None:
    """What follows a request changes nothing of it: another request, or half of one."""
    alone = decode([vector.raw])
    if vector.verdict != 200:
        assert decode([vector.raw + b"GET / HTTP/1.1\r\nHost: z\r\n\r\n"]).status == alone.status
        return
    for after in (b"GET /after HTTP/1.1\r\nHost: z\r\n\r\n", b"GET /aft"):
        followed = decode([vector.raw + after])
        count = len(alone.requests)
        assert followed.status == 200
        assert [x.vars for x in followed.requests[:count]] == [x.vars for x in alone.requests]
        assert followed.bodies[:count] == alone.bodies
        if alone.requests[-1].keep_alive and after.endswith(b"\r\n\r\n"):
            assert followed.requests[-1].vars["PATH_INFO"] == "/after"
        else:
            assert len(followed.requests) == count


def request(line: bytes = b"GET / HTTP/1.1", *fields: bytes) -> bytes:
    return b"\r\n".join([line, b"Host: a", *fields, b"", b""])


LIMITS = Limits(request_line=100, header_bytes=200, header_count=5, body=50, chunked_body=40)
LIMITS_TABLE = [
    (b"GET /" + b"a" * (100 - 14) + b" HTTP/1.1", 200),
    (b"GET /" + b"a" * (101 - 14) + b" HTTP/1.1", 414),
    (b"GET /" + b"a" * 5000 + b" HTTP/1.1", 414),
]


@pytest.mark.parametrize(("line", "status"), LIMITS_TABLE)
def test_the_request_line_at_and_over_its_limit(line: bytes, status: int) -> None:
    raw = request(line)
    assert decode([raw], LIMITS).status == status
    assert decode(bytewise(raw), LIMITS).facts() == decode([raw], LIMITS).facts()


@pytest.mark.parametrize(("size", "status"), [(200, 200), (201, 431), (202, 431), (5000, 431)])
def test_the_headers_at_and_over_their_limit(size: int, status: int) -> None:
    fields = b"Host: a\r\nX: "
    raw = b"GET / HTTP/1.1\r\n" + fields + b"x" * (size - len(fields) - 2) + b"\r\n\r\n"
    assert decode([raw], LIMITS).status == status
    assert decode(bytewise(raw), LIMITS).facts() == decode([raw], LIMITS).facts()
    if size > 1000:
        assert decode([raw[:-4]], LIMITS).status == 431, "refused before its end"


@pytest.mark.parametrize(("count", "status"), [(5, 200), (6, 431)])
def test_the_number_of_fields_at_and_over_its_limit(count: int, status: int) -> None:
    raw = request(b"GET / HTTP/1.1", *(b"X%d: 1" % n for n in range(count - 1)))
    assert decode([raw], LIMITS).status == status


@pytest.mark.parametrize(("size", "status"), [(50, 200), (51, 413), (10**15, 413)])
def test_a_length_at_and_over_the_limit_is_refused_at_the_head(size: int, status: int) -> None:
    assert decode([request(b"POST / HTTP/1.1", b"Content-Length: %d" % size)], LIMITS).status == status


@pytest.mark.parametrize(("sizes", "status"), [([40], 200), ([20, 20], 200), ([41], 413), ([20, 21], 413)])
def test_a_chunked_body_at_and_over_the_limit(sizes: list[int], status: int) -> None:
    chunks = b"".join(b"%x\r\n%b\r\n" % (size, b"x" * size) for size in sizes)
    raw = request(b"POST / HTTP/1.1", b"Transfer-Encoding: chunked") + chunks + b"0\r\n\r\n"
    assert decode([raw], LIMITS).status == status
    assert decode(bytewise(raw), LIMITS).status == status


SMALL = Limits(chunk_line=20, trailer_bytes=30, trailer_count=2)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"1;" + b"a" * 18 + b"\r\nx\r\n0\r\n\r\n", 200),
        (b"1;" + b"a" * 19 + b"\r\nx\r\n0\r\n\r\n", 400),
        (b"1;" + b"a" * 5_000_000, 400),
        (b"0\r\nX: " + b"a" * 27 + b"\r\n\r\n", 200),
        (b"0\r\nX: " + b"a" * 28 + b"\r\n\r\n", 400),
        (b"0\r\nX: 1\r\nY: 1\r\n\r\n", 200),
        (b"0\r\nX: 1\r\nY: 1\r\nZ: 1\r\n\r\n", 400),
    ],
)
def test_extensions_and_trailers_are_bounded(body: bytes, status: int) -> None:
    raw = request(b"POST / HTTP/1.1", b"Transfer-Encoding: chunked") + body
    assert decode([raw], SMALL).status == status
    if len(raw) < 1000:
        assert decode(bytewise(raw), SMALL).status == status


@pytest.mark.parametrize(
    "raw",
    [
        b"GET /" + b"a" * 1_000_000,
        b"GET / HTTP/1.1\r\nHost: " + b"a" * 1_000_000,
        b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 200_000,
        b"GET / HTTP/1.1\r\nHost: " + b"a:" * 30_000 + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5" + b" ;a" * 300_000,
        b'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a="' + b"\\" * 1_000_000,
    ],
)
@pytest.mark.timeout(3)
def test_a_megabyte_of_bad_input_is_judged_at_once(raw: bytes) -> None:
    assert decode([raw]).status in (400, 414, 431)
    assert decode(raw[at : at + 1000] for at in range(0, len(raw), 1000)).status in (400, 414, 431)


@pytest.mark.timeout(5)
def test_a_long_head_byte_by_byte_is_linear() -> None:
    raw = request(b"GET / HTTP/1.1", b"X: " + b"a" * 60_000)
    assert decode(bytewise(raw)).status == 200


def test_every_method_that_is_served_is_taken() -> None:
    for method in METHODS:
        assert decode([request(f"{method} / HTTP/1.1".encode())]).status == 200


def test_the_base_is_copied_and_never_changed() -> None:
    base = base_environ(REMOTE_ADDR="192.0.2.1")
    decoder = Http1Decoder(base)
    first = decoder.receive(request())[0]
    second = decoder.receive(request(b"GET /2 HTTP/1.1"))[0]
    assert isinstance(first, Request)
    assert isinstance(second, Request)
    assert first.vars["REMOTE_ADDR"] == second.vars["REMOTE_ADDR"] == "192.0.2.1"
    assert first.vars["PATH_INFO"] == "/"
    assert "PATH_INFO" not in base


def test_idle_and_buffered_tell_where_it_stands() -> None:
    decoder = Http1Decoder(base_environ())
    assert decoder.idle
    decoder.receive(b"GET / HT")
    assert not decoder.idle
    decoder.receive(b"TP/1.1\r\nHost: a\r\n\r\nGET /2")
    assert decoder.buffered == 6
    decoder.receive(b" HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n")
    assert not decoder.idle
    decoder.receive(b"ab\r\n")
    assert decoder.idle, "an empty line after a body is nothing"


def test_size_and_count_are_those_of_a_packet() -> None:
    events = Http1Decoder(base_environ()).receive(request(b"GET / HTTP/1.1", b"Accept: */*"))
    assert isinstance(events[0], Request)
    assert events[0].count == 11
    assert 100 < events[0].size < 300
