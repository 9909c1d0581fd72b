"""A server's reply as a client takes it: one reading of where it ends, or none."""

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.codecs.http1_client import (
    CHUNKED,
    HEAD_BYTES,
    INTERIM,
    UNTIL_END,
    ReplyDecoder,
    ReplyHead,
    nominated,
    request_head,
)
from penstock.core.errors import ProtocolError

OK = b"HTTP/1.1 200 OK\r\n"


def read(data: bytes, method: str = "GET", cgi: bool = False, at: int = 0) -> tuple[ReplyDecoder, bytes]:
    """What is made of ``data``, given whole, or in pieces of ``at`` octets."""
    decoder = ReplyDecoder(method, cgi)
    step = at or max(1, len(data))
    pieces = [piece for n in range(0, len(data), step) for piece in decoder.receive(data[n : n + step])]
    assert all(pieces), "no piece is empty"
    return decoder, b"".join(pieces)


def head_of(decoder: ReplyDecoder) -> ReplyHead:
    assert decoder.head is not None
    return decoder.head


# ---- Where a reply ends ---------------------------------------------------------------------------------

REPLIES = [
    # the octets, the request's method, the body, the length, over by itself, good for another request
    (OK + b"Content-Length: 5\r\n\r\nhello", "GET", b"hello", 5, True, True),
    (OK + b"content-length:  5 \t\r\n\r\nhello", "GET", b"hello", 5, True, True),
    (OK + b"Content-Length: 0\r\n\r\n", "GET", b"", 0, True, True),
    (OK + b"Content-Length: 5\r\nConnection: close\r\n\r\nhello", "GET", b"hello", 5, True, False),
    (OK + b"Content-Length: 5\r\nConnection: x, CLOSE\r\n\r\nhello", "GET", b"hello", 5, True, False),
    (OK + b"Content-Length: 5\r\nConnection: keep-alive\r\n\r\nhello", "GET", b"hello", 5, True, True),
    (OK + b"Content-Length: 5\r\n\r\nhello!", "GET", b"hello", 5, True, False),
    (OK + b"Content-Length: 0\r\n\r\nx", "GET", b"", 0, True, False),
    (b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", "GET", b"hello", 5, True, False),
    (b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\nh", "GET", b"h", 1, True, False),
    (OK + b"\r\nhello", "GET", b"hello", UNTIL_END, False, False),
    (b"HTTP/1.0 200\r\n\r\nhello", "GET", b"hello", UNTIL_END, False, False),
    (OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "GET", b"hello", CHUNKED, True, True),
    (OK + b"transfer-encoding: CHUNKED\r\n\r\n3;a=b\r\nhel\r\n2\r\nlo\r\n0\r\nX: y\r\n\r\n", "GET", b"hello",
     CHUNKED, True, True),
    (OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nHTTP/1.1 200", "GET", b"", CHUNKED, True, False),
    (OK + b"Content-Length: 5\r\n\r\n", "HEAD", b"", 0, True, True),
    (OK + b"Transfer-Encoding: chunked\r\n\r\n", "HEAD", b"", 0, True, True),
    (OK + b"\r\n", "HEAD", b"", 0, True, True),
    (OK + b"Content-Length: 5\r\n\r\nhello", "HEAD", b"", 0, True, False),
    (b"HTTP/1.1 204 No Content\r\n\r\n", "GET", b"", 0, True, True),
    (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "GET", b"", 0, True, True),
    (b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 1\r\n\r\nh", "GET", b"h", 1, True, True),
    (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK + b"\r\nh", "GET", b"h", UNTIL_END, False, False),
]  # fmt: skip


@pytest.mark.parametrize("row", REPLIES, ids=[str(n) for n in range(len(REPLIES))])
@pytest.mark.parametrize("at", [0, 1, 2, 7])
def test_a_reply_ends_where_it_says(row: tuple[bytes, str, bytes, int, bool, bool], at: int) -> None:
    data, method, body, length, over, reusable = row
    decoder, got = read(data, method, at=at)
    assert (got, head_of(decoder).length, decoder.done, decoder.reusable) == (body, length, over, reusable)
    decoder.eof()
    assert decoder.done


@pytest.mark.parametrize("data", [
    b"",
    OK,
    OK + b"Content-Length: 5\r\n\r\nhell",
    OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
])  # fmt: skip
def test_a_reply_that_was_cut_is_none(data: bytes) -> None:
    decoder, _ = read(data)
    with pytest.raises(ProtocolError) as caught:
        decoder.eof()
    assert caught.value.status == 502


# ---- What is refused ------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [
    b"HTTP/1.1 200 OK\n\nhello\r\n\r\n",
    b"HTTP/2 200 OK\r\n\r\n",
    b"HTTP/1.1  200 OK\r\n\r\n",
    b"HTTP/1.1 20 OK\r\n\r\n",
    b"HTTP/1.1 099 No\r\n\r\n",
    b"HTTP/1.1 2000 OK\r\n\r\n",
    b"HTTP/1.1 200 O\0K\r\n\r\n",
    b"http/1.1 200 OK\r\n\r\n",
    b"\r\nHTTP/1.1 200 OK\r\n\r\n",
    b"hello\r\n\r\n",
    b"Status: 200 OK\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n",
    OK + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    OK + b"Content-Length: 5, 5\r\n\r\nhello",
    OK + b"Content-Length: +5\r\n\r\nhello",
    OK + b"Content-Length: -5\r\n\r\nhello",
    OK + b"Content-Length: 0x5\r\n\r\nhello",
    OK + b"Content-Length: \r\n\r\nhello",
    OK + b"Content-Length: 1234567890123456789\r\n\r\n",
    OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    OK + b"Transfer-Encoding: identity\r\n\r\nhello",
    OK + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    OK + b"Content-Length : 5\r\n\r\nhello",
    OK + b"X: a\r\n b\r\n\r\n",
    OK + b"X: a\nSet-Cookie: b\r\n\r\n",
    OK + b"X: a\rSet-Cookie: b\r\n\r\n",
    OK + b"X: a\0b\r\n\r\n",
    OK + b"X\r\n\r\n",
    OK + b": x\r\n\r\n",
    OK + b"X y: z\r\n\r\n",
    OK + b"Transfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n0\r\n\r\n",
    OK + b"Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n",
    OK + b"Transfer-Encoding: chunked\r\n\r\n-1\r\nhello\r\n0\r\n\r\n",
    OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhelloworld\r\n0\r\n\r\n",
])  # fmt: skip
@pytest.mark.parametrize("at", [0, 1])
def test_what_could_be_read_in_two_ways_is_refused(data: bytes, at: int) -> None:
    with pytest.raises(ProtocolError) as caught:
        read(data, at=at)
    assert caught.value.status == 502


def test_a_head_has_a_largest_size() -> None:
    filler = b"X: " + b"y" * 1000 + b"\r\n"
    fits = HEAD_BYTES // len(filler) - 1
    decoder, _ = read(OK + filler * fits + b"\r\n")
    assert len(head_of(decoder).headers) == fits
    for end in (b"\r\n", b""):
        with pytest.raises(ProtocolError, match="larger than"):
            read(OK + filler * (fits + 2) + end, at=9000)


def test_interim_replies_are_counted() -> None:
    interim = b"HTTP/1.1 102 Processing\r\n\r\n"
    assert head_of(read(interim * INTERIM + OK + b"\r\n")[0]).status == 200
    with pytest.raises(ProtocolError, match="interim"):
        read(interim * (INTERIM + 1))


# ---- What is passed on ----------------------------------------------------------------------------------


def test_what_is_for_the_next_neighbour_stays_here() -> None:
    fields = (
        b"Server: x\r\nConnection: close, X-Own, Set-Cookie\r\nX-Own: a\r\nKeep-Alive: timeout=5\r\nTE: a\r\n"
        b"Trailer: b\r\nUpgrade: h2c\r\nProxy-Connection: close\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\n"
        b"Date: now\r\nTransfer-Encoding: chunked\r\nX-Umlaut: \xe4\r\nEmpty:\r\n"
    )
    decoder, _ = read(OK + fields + b"\r\n0\r\n\r\n")
    assert head_of(decoder).headers == [
        ("Server", "x"),
        ("Set-Cookie", "a=b"),  # a reply's cookies are for the client, whoever nominates them
        ("Set-Cookie", "c=d"),
        ("Date", "now"),
        ("X-Umlaut", "\xe4"),
        ("Empty", ""),
    ]
    assert (head_of(decoder).status, head_of(decoder).reason) == (200, "OK")


@pytest.mark.parametrize(("data", "status", "reason"), [
    (b"HTTP/1.1 404 Not Found\r\n\r\n", 404, "Not Found"),
    (b"HTTP/1.0 404\r\n\r\n", 404, ""),
    (b"Status: 404 Not Found\r\nX: y\r\n\r\n", 404, "Not Found"),
    (b"X: y\r\nstatus:404\r\n\r\n", 404, ""),
    (b"HTTP/1.1 404 Not Found\r\nStatus: 200 OK\r\n\r\n", 404, "Not Found"),
])  # fmt: skip
def test_a_uwsgi_server_may_say_its_status_in_a_field(data: bytes, status: int, reason: str) -> None:
    decoder, _ = read(data, cgi=True)
    head = head_of(decoder)
    assert (head.status, head.reason) == (status, reason)
    assert all(name.lower() != "status" for name, _ in head.headers)
    assert not decoder.reusable


@pytest.mark.parametrize("data", [b"X: y\r\n\r\n", b"Status: 20\r\n\r\n", b"Status: OK\r\n\r\n"])
def test_a_uwsgi_server_must_say_a_status(data: bytes) -> None:
    with pytest.raises(ProtocolError, match="not a status line"):
        read(data, cgi=True)


def test_a_connection_field_takes_nothing_away_that_is_for_the_recipient() -> None:
    assert nominated(" Close ,\tX-Hop,Authorization, x-forwarded-for ") == {"close", "x-hop"}


def test_a_request_head() -> None:
    assert request_head("GET", "/a?b", [("Host", "c"), ("X", "\xe4")]) == (
        b"GET /a?b HTTP/1.1\r\nHost: c\r\nX: \xe4\r\n\r\n"
    )


@pytest.mark.parametrize(("method", "target", "field"), [
    ("GET /", "/", ("X", "y")),
    ("", "/", ("X", "y")),
    ("CONNECT", "/", ("X", "y")),
    ("GET", "/a b", ("X", "y")),
    ("GET", "/a\r\nX: y", ("X", "y")),
    ("GET", "/a#b", ("X", "y")),
    ("GET", "/\xe4", ("X", "y")),
    ("GET", "", ("X", "y")),
    ("GET", "/", ("X y", "y")),
    ("GET", "/", ("", "y")),
    ("GET", "/", ("X", "y\r\nZ: a")),
    ("GET", "/", ("X", "y\nZ: a")),
    ("GET", "/", ("X", "\0")),
    ("GET", "/", ("X", "\u20ac")),
])  # fmt: skip
def test_a_request_head_is_one_request(method: str, target: str, field: tuple[str, str]) -> None:
    with pytest.raises(ProtocolError) as caught:
        request_head(method, target, [("Host", "c"), field])
    assert caught.value.status == 400


# ---- However it is cut ----------------------------------------------------------------------------------

PARTS = [
    OK,
    b"HTTP/1.0 200 OK\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"Content-Length: 5\r\n",
    b"Content-Length: 0\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Connection: close\r\n",
    b"X: y\r\n",
    b"\r\n",
    b"\n",
    b"5\r\nhello\r\n",
    b"0\r\n\r\n",
    b"hello",
    b"\0",
]


def verdict(data: bytes, step: int) -> tuple[object, ...]:
    decoder = ReplyDecoder("GET")
    body = bytearray()
    try:
        for n in range(0, len(data), step):
            for piece in decoder.receive(data[n : n + step]):
                body += piece
    except ProtocolError as error:
        return (bytes(body), error.status)
    head = decoder.head
    return (
        bytes(body),
        head.status if head else 0,
        head.headers if head else [],
        decoder.done,
        decoder.surplus,
    )


@given(st.lists(st.sampled_from(PARTS), max_size=8), st.integers(1, 12))
def test_the_verdict_does_not_depend_on_how_the_octets_come(parts: list[bytes], step: int) -> None:
    data = OK + b"".join(parts)
    whole, split = verdict(data, len(data)), verdict(data, step)
    if len(whole) == len(split) == 2:  # refused: what was given of the body before that may differ
        assert whole[1] == split[1]
        return
    assert whole == split


# ---- What another reader makes of it --------------------------------------------------------------------

COMMON = [
    b"Content-Length: 5\r\n",
    b"Content-Length: 0\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Connection: close\r\n",
    b"X: y\r\n",
    b"Content-Length: 05\r\n",
    b"content-length:5\r\n",
    b"Transfer-Encoding: Chunked\r\n",
    b"Date: x\r\n",
]
BODIES = [
    b"hello",
    b"5\r\nhello\r\n0\r\n\r\n",
    b"1\r\nh\r\n4;a=b\r\nello\r\n0\r\nX: y\r\n\r\n",
    b"",
    b"0\r\n\r\n",
    b"hell",
]
LINES = [
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.0 200 OK\r\n",
    b"HTTP/1.1 204 No\r\n",
    b"HTTP/1.1 304 No\r\n",
    b"HTTP/1.1 404\r\n",
]


@given(
    st.sampled_from(LINES),
    st.lists(st.sampled_from(COMMON), max_size=4),
    st.sampled_from(BODIES),
    st.sampled_from(["GET", "HEAD"]),
)
def test_whoever_else_reads_it_reads_the_same(
    line: bytes, fields: list[bytes], body: bytes, method: str
) -> None:
    """h11 may take what is refused here, but nothing else for the reply than what is taken here."""
    data = line + b"".join(fields) + b"\r\n" + body
    try:
        decoder, got = read(data, method)
        decoder.eof()
    except ProtocolError:
        return
    other = h11.Connection(h11.CLIENT)
    other.send(h11.Request(method=method, target="/", headers=[("Host", "x")]))
    other.send(h11.EndOfMessage())
    other.receive_data(data)
    other.receive_data(b"")
    response = other.next_event()
    assert isinstance(response, h11.Response)
    assert response.status_code == head_of(decoder).status
    pieces = b""
    while isinstance(event := other.next_event(), h11.Data):
        pieces += bytes(event.data)
    assert isinstance(event, h11.EndOfMessage)
    assert pieces == got
