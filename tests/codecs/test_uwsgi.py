"""The uwsgi codec over its corpus: whole, byte by byte, with bytes after; and its client side."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest

from penstock.codecs.decoder import END, Limits, base_environ
from penstock.codecs.uwsgi import ResponseDecoder, UwsgiDecoder, encode_request
from penstock.core.errors import ProtocolError
from penstock.core.request import Request
from tests.codecs.corpus import FOLDER

Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class Packet:
    """A packet and its verdict."""

    name: str
    raw: bytes
    verdict: int
    variables: Pairs = field(default_factory=list)
    expect: dict[str, Any] = field(default_factory=dict)


def block(pairs: Pairs) -> bytes:
    pieces = b""
    for key, value in pairs:
        name, text = key.encode("latin-1"), value.encode("latin-1")
        pieces += len(name).to_bytes(2, "little") + name + len(text).to_bytes(2, "little") + text
    return pieces


def packet(content: bytes, modifier: int = 0) -> bytes:
    return bytes((modifier, len(content) & 255, len(content) >> 8, 0)) + content


def packets() -> list[Packet]:
    data = tomllib.loads((FOLDER / "uwsgi.toml").read_text())
    found = []
    for entry in data["packet"]:
        pairs = [(key, value) for key, value in entry.get("vars", [])]
        content = entry["block"].encode("latin-1") if "block" in entry else block(pairs)
        raw = packet(content, entry.get("modifier", 0)) + entry.get("body", "").encode("latin-1")
        found.append(Packet(entry["name"], raw, entry["verdict"], pairs, entry))
    for number, group in enumerate(data["group"]):
        for case in group["cases"]:
            pairs, modifier = [("REQUEST_METHOD", "POST")], 0
            if group["field"] == "modifier":
                modifier = case
            elif group["field"] == "key":
                pairs.append((case, "x"))
            elif group["field"] == "twice":
                pairs += [(case, "5"), (case, "5")]
            else:
                pairs.append((group["field"], case))
            name = f"{group['rule']}-{number}-{case!r}"
            found.append(Packet(name, packet(block(pairs), modifier), group["verdict"], pairs))
    return found


CORPUS = packets()


@dataclass
class Outcome:
    """What the decoder made of some bytes."""

    status: int = 200
    reason: str = ""
    request: Request | None = None
    body: bytes = b""
    ended: bool = False

    def facts(self) -> Any:
        variables = self.request.vars if self.request and self.status == 200 else None
        return self.status, variables, self.body if variables else b"", self.ended


def decode(pieces: Iterable[bytes], limits: Limits | None = None) -> Outcome:
    decoder = UwsgiDecoder(base_environ(), limits)
    outcome = Outcome()
    try:
        for piece in pieces:
            for event in decoder.receive(piece):
                if isinstance(event, Request):
                    outcome.request = event
                elif event is END:
                    outcome.ended = True
                else:
                    outcome.body += event
    except ProtocolError as error:
        outcome.status, outcome.reason = error.status, error.reason
    return outcome


def test_the_corpus_is_large_enough() -> None:
    assert len(CORPUS) >= 60


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case.name)
def test_whole_bytewise_and_with_bytes_after(case: Packet) -> None:
    outcome = decode([case.raw])
    assert outcome.status == case.verdict, outcome.reason
    assert decode(case.raw[at : at + 1] for at in range(len(case.raw))).facts() == outcome.facts()
    assert decode([case.raw + b"\0\1\0\0more"]).facts() == outcome.facts()
    for at in range(1, len(case.raw), 3):
        assert decode([case.raw[:at], case.raw[at:]]).facts() == outcome.facts()
    if case.verdict == 200:
        check(case, outcome)


def check(case: Packet, outcome: Outcome) -> None:
    assert outcome.request is not None
    assert outcome.ended
    assert not outcome.request.keep_alive
    assert not outcome.request.expect
    expect = case.expect
    joined = expect.get("joined", {})
    variables = outcome.request.vars
    for name, value in case.variables:
        if name == expect.get("absent"):
            assert name not in variables
        else:
            assert variables[name] == joined.get(name, value)
    assert outcome.body == expect.get("decoded", expect.get("body", "")).encode("latin-1")
    assert variables["wsgi.url_scheme"] == expect.get("scheme", "http")


def test_http_on_a_uwsgi_port_is_named() -> None:
    assert "this looks like HTTP" in decode([b"GET / HTTP/1.1\r\n\r\n"]).reason


@pytest.mark.parametrize(("size", "status"), [(100, 200), (101, 400)])
def test_a_block_at_and_over_its_limit(size: int, status: int) -> None:
    pairs = [("REQUEST_METHOD", "GET"), ("X", "")]
    rest = size - len(block(pairs))
    raw = packet(block([pairs[0], ("X", "x" * rest)]))
    outcome = decode([raw], Limits(packet=100))
    assert outcome.status == status
    assert decode([raw[:4]], Limits(packet=100)).status == status, "refused before it is here"
    if status == 400:
        assert "invalid request block size: 101 (max 100)" in outcome.reason


@pytest.mark.parametrize(("size", "status"), [(50, 200), (51, 413)])
def test_a_body_at_and_over_its_limit(size: int, status: int) -> None:
    raw = packet(block([("REQUEST_METHOD", "POST"), ("CONTENT_LENGTH", str(size))]))
    assert decode([raw], Limits(body=50)).status == status


def test_the_log_is_told_the_size_and_the_count() -> None:
    outcome = decode([CORPUS[0].raw])
    assert outcome.request is not None
    assert outcome.request.count == 15
    assert outcome.request.size == len(CORPUS[0].raw) - 4


def test_a_full_packet_byte_by_byte_is_linear() -> None:
    raw = packet(block([("REQUEST_METHOD", "GET"), ("HTTP_X", "x" * 60_000)]))
    assert decode(raw[at : at + 1] for at in range(len(raw))).status == 200


@pytest.mark.parametrize(
    "variables", [{"": "x"}, {"X": "y" * 65_536}, {"X": "y" * 40_000, "Z": "y" * 40_000}]
)
def test_what_does_not_fit_a_packet_is_not_encoded(variables: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"cannot be carried|do not fit"):
        encode_request(variables)


@pytest.mark.parametrize(
    ("raw", "status", "reason", "headers", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nA: b\r\nC: d\r\n\r\nbody", 200, "OK", [("A", "b"), ("C", "d")], b"body"),
        (b"Status: 404 Not Found\r\n\r\n", 404, "Not Found", [], b""),
        (b"HTTP/1.0 204\r\n\r\n", 204, "", [], b""),
    ],
)
def test_replies_are_read(raw: bytes, status: int, reason: str, headers: Pairs, body: bytes) -> None:
    decoder = ResponseDecoder()
    for at in range(len(raw)):
        decoder.receive(raw[at : at + 1])
    decoder.eof()
    assert (decoder.status, decoder.reason, decoder.headers, bytes(decoder.body)) == (
        status,
        reason,
        headers,
        body,
    )


@pytest.mark.parametrize("raw", [b"", b"HTTP/1.1 200 OK\r\n", b"nonsense\r\n\r\n", b"HTTP/1.1 x\r\n\r\n"])
def test_what_is_no_reply_raises(raw: bytes) -> None:
    decoder = ResponseDecoder()
    with pytest.raises(ProtocolError):
        decoder.receive(raw)
        decoder.eof()


@pytest.mark.parametrize("name", ["wsgi.input", "wsgi.url_scheme", "wsgi.anything", "penstock.disconnected"])
def test_what_the_environ_says_of_the_server_is_not_the_packets_to_say(name: str) -> None:
    variables = {"REQUEST_METHOD": "GET", name: "theirs", "PATH_INFO": "/"}
    decoder = UwsgiDecoder(base_environ(**{name: "ours"}))
    for packet in (encode_request(variables), encode_request(variables | {name: "again"})):
        request = UwsgiDecoder(decoder.base).receive(packet)[0]
        assert isinstance(request, Request)
        assert (request.vars[name], request.vars["PATH_INFO"]) == ("ours", "/")
