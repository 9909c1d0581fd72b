"""Replies by the rules of HTTP: how a body ends, what is declared, what never leaves."""

from functools import partial
from typing import Any

import pytest

from penstock.codecs.http1_reply import BadReply, fields
from penstock.core.errors import Disconnected
from penstock.handoff.doorway import Doorway
from penstock.handoff.inbox import Inbox
from penstock.handoff.lease import CLOSE, KEEP, MORE
from penstock.serve.send import JOIN, DateLine, Manner, Reply
from tests.fakes import FakeLoop
from tests.serve.boxes import ListBox, exchange, manner


def begun(
    *headers: tuple[str, str], status: str = "200 OK", extra: tuple[tuple[str, str], ...] = (), **request: Any
) -> tuple[Reply, ListBox]:
    """A reply with its status and headers set, and the box it goes to."""
    box = ListBox()
    reply = Reply(exchange(box, **request), manner(*extra))
    reply.begin(status, list(headers))
    return reply, box


def lines(box: ListBox) -> list[bytes]:
    """The head's lines without the status line and the Date."""
    head, found, _ = box.sent.partition(b"\r\n\r\n")
    assert found
    return [line for line in head.split(b"\r\n")[1:] if not line.startswith(b"Date: ")]


def body(box: ListBox) -> bytes:
    return box.sent.partition(b"\r\n\r\n")[2]


LENGTH_6 = ("Content-Length", "6")

# ---- A body of known length --------------------------------------------------------------------------


def test_a_whole_body_is_one_send_with_its_length() -> None:
    reply, box = begun(("X", "y"))
    assert reply.whole(b"body")
    assert len(box.puts) == 1 and box.puts[0][1] == KEEP
    assert lines(box) == [b"X: y", b"Content-Length: 4"]
    assert body(box) == b"body"
    assert (reply.body_sent, reply.head_size) == (4, len(box.sent) - 4)


def test_a_large_body_is_not_copied_behind_its_head() -> None:
    reply, box = begun()
    data = b"x" * (JOIN + 1)
    reply.whole(data)
    (head, first), (sent, second) = box.puts
    assert head.endswith(b"\r\n\r\n") and (first, second) == (MORE, KEEP)
    assert sent is data


def test_no_body_at_all_has_length_0() -> None:
    reply, box = begun()
    assert reply.end()
    assert lines(box) == [b"Content-Length: 0"]
    assert [then for _, then in box.puts] == [KEEP]


@pytest.mark.parametrize("blocks", [[b"123456"], [b"123", b"456"], [b"1", b"", b"23456"]])
def test_a_declared_length_that_is_met(blocks: list[bytes]) -> None:
    reply, box = begun(LENGTH_6)
    for block in blocks:
        reply.block(block)
    assert reply.finished, "before the application is asked for more"
    assert reply.end()
    assert lines(box) == [b"Content-Length: 6"]
    assert body(box) == b"123456"
    assert [then for _, then in box.puts][-1] == KEEP
    assert [then for _, then in box.puts].count(KEEP) == 1


@pytest.mark.parametrize(
    "blocks", [[b"123456789"], [b"1234", b"56789"], [b"123456", b"789"], [b"123456", b"7", b"89"]]
)
def test_what_is_beyond_the_declared_length_never_leaves(blocks: list[bytes]) -> None:
    reply, box = begun(LENGTH_6)
    for block in blocks:
        reply.block(block)
    assert reply.end()
    assert body(box) == b"123456"
    assert (reply.overrun, reply.body_sent) == (3, 6)
    assert [then for _, then in box.puts].count(KEEP) == 1


@pytest.mark.parametrize("data", [b"", b"123", b"123456789"])
def test_a_whole_body_that_is_not_as_long_as_declared(data: bytes) -> None:
    reply, box = begun(LENGTH_6)
    assert reply.whole(data) == (len(data) >= 6)
    assert body(box) == data[:6]
    assert box.abandoned == ([False] if len(data) < 6 else [])
    assert (KEEP in [then for _, then in box.puts]) == (len(data) >= 6)


@pytest.mark.parametrize("blocks", [[], [b"1"], [b"12", b"345"]])
def test_a_body_that_ends_before_its_length_ends_the_connection(blocks: list[bytes]) -> None:
    """RFC 9112 §8: the client must not take the next reply for the rest."""
    reply, box = begun(LENGTH_6)
    for block in blocks:
        reply.block(block)
    assert not reply.end()
    assert box.abandoned == [False]
    assert {then for _, then in box.puts} <= {MORE}


def test_a_declared_length_of_0_takes_no_body() -> None:
    reply, box = begun(("Content-Length", "0"))
    reply.block(b"surplus")
    assert reply.end()
    assert body(box) == b""
    assert (reply.overrun, box.puts[-1][1]) == (7, KEEP)


# ---- A body of unknown length ------------------------------------------------------------------------


def test_http_11_gets_chunks() -> None:
    reply, box = begun()
    reply.block(b"0123456789abcdef")
    reply.block(b"")
    reply.block(b"x")
    assert reply.end()
    assert lines(box) == [b"Transfer-Encoding: chunked"]
    assert body(box) == b"10\r\n0123456789abcdef\r\n1\r\nx\r\n0\r\n\r\n"
    assert [then for _, then in box.puts] == [MORE, MORE, KEEP]
    assert reply.body_sent == 17, "of the body, not of its framing"


def test_the_last_block_brings_the_last_chunk_with_it() -> None:
    reply, box = begun()
    reply.block(b"a")
    reply.block(b"b", last=True)
    assert reply.end() and reply.finished
    assert body(box) == b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n"
    assert [then for _, then in box.puts] == [MORE, KEEP]


def test_a_last_block_that_is_the_first_is_the_whole() -> None:
    reply, box = begun()
    reply.block(b"all", last=True)
    assert lines(box) == [b"Content-Length: 3"]


@pytest.mark.parametrize("request_", [{"http11": False}, {"http": False}, {"http": False, "http11": False}])
def test_http_10_and_uwsgi_end_with_the_connection(request_: dict[str, Any]) -> None:
    reply, box = begun(**request_)
    reply.block(b"a")
    reply.block(b"b")
    assert reply.end()
    assert b"chunked" not in box.sent and b"Content-Length" not in box.sent
    assert body(box) == b"ab"
    assert box.puts[-1][1] == CLOSE


def test_a_head_by_itself() -> None:
    reply, box = begun()
    reply.flush_head()
    reply.flush_head()
    assert len(box.puts) == 1
    reply.block(b"x")
    assert reply.end()
    assert body(box) == b"1\r\nx\r\n0\r\n\r\n"


# ---- No body ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
@pytest.mark.parametrize("blocks", [[], [b"forbidden"], [b"for", b"bidden"]])
def test_204_and_304_have_no_body(status: str, blocks: list[bytes]) -> None:
    reply, box = begun(status=status)
    for block in blocks:
        reply.block(block)
    assert reply.end()
    assert body(box) == b"" and lines(box) == []
    assert box.puts[-1][1] == KEEP
    assert reply.body_sent == 0


def test_304_keeps_the_length_of_what_it_does_not_send() -> None:
    reply, box = begun(LENGTH_6, status="304 Not Modified")
    assert reply.end()
    assert lines(box) == [b"Content-Length: 6"] and body(box) == b""


@pytest.mark.parametrize("blocks", [[b"123456"], [b"123", b"456"], []])
def test_head_has_the_headers_of_a_get_and_no_body(blocks: list[bytes]) -> None:
    reply, box = begun(LENGTH_6, head=True)
    for block in blocks:
        reply.block(block)
    assert reply.end(), "a HEAD is never too short"
    assert lines(box) == [b"Content-Length: 6"]
    assert body(box) == b"" and box.abandoned == [] and reply.overrun == 0


def test_head_of_a_whole_body_says_its_length() -> None:
    reply, box = begun(head=True)
    reply.whole(b"body")
    assert lines(box) == [b"Content-Length: 4"] and body(box) == b""


# ---- The head ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("http11", "keep", "draining", "headers", "line", "then"),
    [
        (True, True, False, [], None, KEEP),
        (True, False, False, [], b"Connection: close", CLOSE),
        (True, True, True, [], b"Connection: close", CLOSE),
        (True, True, False, [("Connection", "close")], b"Connection: close", CLOSE),
        (True, True, False, [("connection", "Close")], b"Connection: close", CLOSE),
        (False, True, False, [], b"Connection: keep-alive", KEEP),
        (False, False, False, [], None, CLOSE),
        (False, True, True, [], None, CLOSE),
    ],
)
def test_whether_the_connection_stays(
    http11: bool, keep: bool, draining: bool, headers: list[tuple[str, str]], line: bytes | None, then: int
) -> None:
    reply, box = begun(*headers, http11=http11, keep=keep)
    box.draining = draining
    reply.whole(b"x")
    assert [found for found in lines(box) if found.startswith(b"Connection")] == ([line] if line else [])
    assert box.puts[-1][1] == then


def test_an_answer_before_the_body_was_complete_is_the_last() -> None:
    inbox = Inbox(Doorway(FakeLoop()()), lambda: None)
    reply, box = begun(body=inbox)
    reply.whole(b"x")
    assert box.puts[-1][1] == CLOSE and b"Connection: close" in lines(box)
    inbox.finish()
    reply, box = begun(body=inbox)
    reply.whole(b"x")
    assert box.puts[-1][1] == KEEP


@pytest.mark.parametrize(("http11", "version"), [(True, b"HTTP/1.1"), (False, b"HTTP/1.0")])
def test_the_version_is_the_client_s(http11: bool, version: bytes) -> None:
    reply, box = begun(status="404", http11=http11)
    reply.whole(b"")
    assert box.sent.startswith(version + b" 404 Not Found\r\n")
    assert reply.code == 404


def test_there_is_one_date_the_application_s_if_it_has_one() -> None:
    for headers, extra in (((), ()), ((("Date", "then"),), ()), ((), (("date", "then"),))):
        reply, box = begun(*headers, extra=extra)
        reply.whole(b"")
        assert box.sent.lower().count(b"\r\ndate: ") == 1
        assert (b": then\r\n" in box.sent) == bool(headers or extra)


def test_extra_headers_go_into_every_reply_and_may_close() -> None:
    reply, box = begun(("X", "1"), extra=(("Y", "2"), ("Connection", "close")))
    reply.whole(b"")
    assert lines(box) == [b"X: 1", b"Content-Length: 0", b"Y: 2", b"Connection: close"]


def test_status_and_headers_may_be_set_again_until_the_head_went_out() -> None:
    reply, box = begun(LENGTH_6, ("X", "first"))
    reply.begin("500 Oops", [("X", "second")])
    reply.whole(b"no")
    assert box.sent.startswith(b"HTTP/1.1 500 Oops\r\nX: second\r\nContent-Length: 2\r\n")
    assert b"first" not in box.sent


# ---- What never leaves ------------------------------------------------------------------------------

HOPS = [
    "Keep-Alive",
    "Proxy-Authenticate",
    "Proxy-Connection",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
]


def remember(said: list[tuple[str, str]], key: str, text: str) -> None:
    said.append((key, text))


@pytest.mark.parametrize("name", [*HOPS, "Connection"])
def test_a_hop_by_hop_header_is_left_out_with_a_warning_under_its_name(name: str) -> None:
    for spelling in (name, name.lower(), name.upper()):
        said: list[tuple[str, str]] = []
        box = ListBox()
        reply = Reply(exchange(box), Manner(fields([]), partial(remember, said)))
        reply.begin("200 OK", [(spelling, "chunked"), ("X", "y")])
        reply.whole(b"x")
        assert lines(box) == [b"X: y", b"Content-Length: 1"]
        assert [key for key, _ in said] == [f"hop-by-hop {name.lower()}"], "so that it is said once a name"
        assert spelling in said[0][1]


@pytest.mark.parametrize("bad", ["\r", "\n", "\0", "\r\n\r\n<html>", "\r\nSet-Cookie: a=b"])
def test_cr_lf_and_nul_are_refused_and_nothing_leaves(bad: str) -> None:
    for status, headers in (
        ("200 OK" + bad, []),
        ("200 OK", [("X", "y" + bad)]),
        ("200 OK", [("X" + bad, "y")]),
        ("200 OK", [("X", "y"), ("Location", bad + "/")]),
    ):
        box = ListBox()
        reply = Reply(exchange(box), manner())
        with pytest.raises(BadReply):
            reply.begin(status, headers)
        assert box.puts == []
        reply.begin("500 Internal Server Error", [])
        reply.whole(b"plain")
        assert b"html" not in box.sent and b"Set-Cookie" not in box.sent


# ---- Failing ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "request_", "reset"),
    [((), {}, False), ((LENGTH_6,), {}, False), ((), {"http11": False}, True), ((), {"http": False}, True)],
)
def test_a_reply_that_breaks_off_is_seen_to(headers: Any, request_: dict[str, Any], reset: bool) -> None:
    """Where the connection's end is the body's end, only a reset tells them apart."""
    reply, box = begun(*headers, **request_)
    reply.block(b"some")
    reply.fail()
    assert box.abandoned == [reset]
    assert b"0\r\n\r\n" not in box.sent and KEEP not in [then for _, then in box.puts]


def test_a_client_that_is_gone_is_the_senders_to_know() -> None:
    reply, box = begun()
    box.gone = True
    with pytest.raises(Disconnected):
        reply.block(b"x")


# ---- The clock --------------------------------------------------------------------------------------


def test_the_date_is_made_once_a_second() -> None:
    now = [784111777.9]  # the second of RFC 9110 §5.6.7's example
    line = DateLine(lambda: now[0])
    first = line()
    assert first == b"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
    now[0] = 784111777.1
    assert line() is first
    now[0] = 784111778.0
    assert line().endswith(b"08:49:38 GMT\r\n")


@pytest.mark.parametrize("length", ["0", "6"])
def test_204_never_has_a_length(length: str) -> None:
    box = ListBox()
    reply = Reply(exchange(box), manner())
    reply.begin("204 No Content", [("X", "y"), ("content-length", length)])
    assert reply.end()
    assert b"ength" not in box.sent and b"X: y\r\n" in box.sent
