"""One sentence for both decoders: either the bytes parse, or they raise ProtocolError; and how they are
split changes nothing. HTTP verdicts are held against h11 as a reference."""

import tomllib
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import h11
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.codecs.decoder import END, Decoder, base_environ
from penstock.codecs.http1 import Http1Decoder
from penstock.codecs.uwsgi import OWN, ResponseDecoder, UwsgiDecoder, encode_request
from penstock.core.errors import ProtocolError
from penstock.core.request import Request
from tests.codecs.corpus import vectors

CORPUS = [vector.raw for vector in vectors("http1.toml")]
KNOWN = tomllib.loads((Path(__file__).parents[1] / "corpus" / "h11-differences.toml").read_text())


def facts(make: Callable[[], Decoder], pieces: list[bytes]) -> Any:
    """Everything a decoder says of some bytes, in a form that splitting must not change."""
    decoder = make()
    found: list[Any] = []
    try:
        for piece in pieces:
            events = decoder.receive(piece)
            while events:
                for event in events:
                    if isinstance(event, Request):
                        found.append([event.vars, event.content_length, event.keep_alive, b""])
                    elif event is END:
                        found[-1].append(event)
                    else:
                        found[-1][3] += event
                events = decoder.receive(b"") if events[-1] is END and decoder.buffered else []
    except ProtocolError as error:
        assert 400 <= error.status <= 599
        assert error.reason
        return error.status
    return found


def http() -> Decoder:
    return Http1Decoder(base_environ())


def uwsgi() -> Decoder:
    return UwsgiDecoder(base_environ())


def cut(raw: bytes, at: list[int]) -> list[bytes]:
    edges = sorted({0, len(raw), *(x % (len(raw) + 1) for x in at)})
    return [raw[a:b] for a, b in pairwise(edges)]


words = st.sampled_from(
    [b"GET", b"POST", b" ", b"/", b"HTTP/1.1", b"HTTP/1.0", b"\r\n", b"\n", b"\r", b"Host: a", b":", b"\t",
     b"Content-Length: 5", b"Transfer-Encoding: chunked", b"5\r\nhello\r\n", b"0\r\n\r\n", b"\r\n\r\n",
     b"hello", b"Connection: close", b"Expect: 100-continue", b"%00", b"?", b"X: y", b"Upgrade: x", b";a=b",
     b"\x00", b"\xff"]
)  # fmt: skip
soup = st.lists(words | st.binary(max_size=3), max_size=40).map(b"".join)
mutated = st.builds(
    lambda raw, at, new, keep: raw[: at % (len(raw) + 1)] + new + raw[at % (len(raw) + 1) + keep :],
    st.sampled_from(CORPUS),
    st.integers(0, 200),
    st.binary(max_size=4) | words,
    st.integers(0, 4),
)
cuts = st.lists(st.integers(0, 500), max_size=6)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(soup | mutated, cuts)
def test_http_parses_or_refuses_whatever_the_split(raw: bytes, at: list[int]) -> None:
    whole = facts(http, [raw])
    assert facts(http, cut(raw, at)) == whole
    assert facts(http, [raw[n : n + 1] for n in range(len(raw))]) == whole


token = st.text("abcdefghijklmnopqrstuvwxyzABCDXYZ0123456789-", min_size=1, max_size=12)
value = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0xFF, blacklist_characters="\x7f"), max_size=30
)
fields = st.lists(st.tuples(token.map(lambda name: "X-" + name), value), max_size=8)


@settings(deadline=None)
@given(
    st.sampled_from(["GET", "POST", "PUT"]),
    st.text("abc/?=&%20.-~", max_size=20).map(lambda text: "/" + text.replace("%", "")),
    fields,
    st.binary(max_size=200),
    st.booleans(),
    cuts,
)
def test_a_legal_http_request_is_taken_as_it_is(
    method: str, target: str, given_fields: list[tuple[str, str]], body: bytes, chunk: bool, at: list[int]
) -> None:
    lines = [f"{method} {target} HTTP/1.1", "Host: a", *(f"{name}: {text}" for name, text in given_fields)]
    if chunk:
        lines.append("Transfer-Encoding: chunked")
        sent = b"".join(b"%x\r\n%b\r\n" % (len(p), p) for p in cut(body, at) if p) + b"0\r\n\r\n"
    else:
        lines.append(f"Content-Length: {len(body)}")
        sent = body
    raw = "\r\n".join([*lines, "", ""]).encode("latin-1") + sent
    ((variables, _, keep, received, end),) = facts(http, cut(raw, at))
    assert (variables["REQUEST_METHOD"], variables["REQUEST_URI"]) == (method, target)
    assert (keep, received, end) == (True, body, END)
    joined: dict[str, list[str]] = {}
    for name, text in given_fields:
        joined.setdefault("HTTP_" + name.upper().replace("-", "_"), []).append(text.strip(" \t"))
    assert {key: variables[key] for key in joined} == {key: ", ".join(texts) for key, texts in joined.items()}


def h11_takes(raw: bytes) -> bool:
    """Whether h11 takes the first request in ``raw``, whole."""
    server = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
    server.receive_data(raw)
    try:
        while True:
            event = server.next_event()
            if event is h11.NEED_DATA:
                return False
            if isinstance(event, h11.EndOfMessage | h11.ConnectionClosed) or event is h11.PAUSED:
                return isinstance(event, h11.EndOfMessage)
    except h11.RemoteProtocolError:
        return False


def test_hypothesis_free_verdicts_agree_with_h11_but_for_what_is_listed() -> None:
    stricter: dict[str, int] = {}
    laxer: dict[str, int] = {}
    for vector in vectors("http1.toml"):
        ours = vector.verdict == 200
        if ours == h11_takes(vector.raw):
            continue
        table = laxer if ours else stricter
        table[vector.rule] = table.get(vector.rule, 0) + 1
    assert set(stricter) == set(KNOWN["stricter"]), stricter
    assert set(laxer) == set(KNOWN["laxer"]), laxer


names = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0x7E, blacklist_characters="="), min_size=1, max_size=20
)
texts = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF), max_size=40)


@settings(deadline=None)
@given(st.dictionaries(names, texts, max_size=20), st.binary(max_size=100), cuts)
def test_a_legal_packet_is_taken_as_it_is(variables: dict[str, str], body: bytes, at: list[int]) -> None:
    for name in ("HTTP_PROXY", "HTTP_TRANSFER_ENCODING", "HTTPS", "UWSGI_SCHEME", "REQUEST_SCHEME"):
        variables.pop(name, None)
    variables = {name: text for name, text in variables.items() if not name.startswith(OWN)}
    variables |= {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": str(len(body))}
    raw = encode_request(variables) + body
    ((found, length, keep, received, end),) = facts(uwsgi, cut(raw, at))
    assert {name: found[name] for name in variables} == variables
    assert (length, keep, received, end) == (len(body), False, body, END)


@settings(deadline=None)
@given(st.binary(max_size=80) | st.binary(max_size=60).map(lambda b: bytes([0, len(b), 0, 0]) + b), cuts)
def test_uwsgi_parses_or_refuses_whatever_the_split(raw: bytes, at: list[int]) -> None:
    whole = facts(uwsgi, [raw])
    assert facts(uwsgi, cut(raw, at)) == whole
    assert facts(uwsgi, [raw[n : n + 1] for n in range(len(raw))]) == whole


@settings(deadline=None)
@given(
    st.sampled_from([b"HTTP/1.1 200 OK\r\nX: y\r\n\r\nbody", b"Status: 404 Nope\r\n\r\n"])
    | st.binary(max_size=60),
    cuts,
)
def test_the_client_side_reads_or_refuses_replies(raw: bytes, at: list[int]) -> None:
    def read(pieces: list[bytes]) -> Any:
        decoder = ResponseDecoder()
        try:
            for piece in pieces:
                decoder.receive(piece)
            decoder.eof()
        except ProtocolError as error:
            return error.status
        return decoder.status, decoder.reason, decoder.headers, bytes(decoder.body)

    assert read(cut(raw, at)) == read([raw])
