"""A request passed on: what the client gets of the other server's reply, and what the server gets."""

import io
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from penstock.core.errors import BodyError, Disconnected, ProtocolError
from penstock.handoff.doorway import Doorway
from penstock.handoff.exchange import PASSED
from penstock.handoff.inbox import Inbox
from penstock.handoff.lease import CLOSE, KEEP
from penstock.serve.proxy.body import Body, body_of
from penstock.serve.proxy.link import UpstreamError
from penstock.serve.proxy.passing import pass_on
from penstock.serve.proxy.upstreams import Upstreams
from penstock.serve.wsgi.input import make_input
from tests.fakes import FakeLoop
from tests.serve.boxes import ListBox
from tests.serve.proxy.scripted import HELLO, OK, Said, answers, call_for, errand_of, server


@pytest.fixture
def upstreams() -> Any:
    store = Upstreams(timeout=5.0, connect_timeout=5.0)
    yield store
    store.close()


def lines(box: ListBox) -> list[bytes]:
    head = box.sent.partition(b"\r\n\r\n")[0]
    return [line for line in head.split(b"\r\n") if not line.startswith(b"Date: ")]


def body(box: ListBox) -> bytes:
    return box.sent.partition(b"\r\n\r\n")[2]


def inbox() -> Inbox:
    return Inbox(Doorway(FakeLoop()()), lambda: None)


# ---- What the client gets -------------------------------------------------------------------------------


@pytest.mark.parametrize(("reply", "head", "got"), [
    (HELLO, [b"HTTP/1.1 200 OK", b"Content-Length: 5"], b"hello"),
    (HELLO + b"surplus", [b"HTTP/1.1 200 OK", b"Content-Length: 5"], b"hello"),
    (OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
     [b"HTTP/1.1 200 OK", b"Content-Length: 5"], b"hello"),
    (b"HTTP/1.0 200 OK\r\n\r\nhello", [b"HTTP/1.1 200 OK", b"Transfer-Encoding: chunked"],
     b"5\r\nhello\r\n0\r\n\r\n"),
    (b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", [b"HTTP/1.1 204 No Content"], b""),
    (b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n", [b"HTTP/1.1 304 Not Modified", b"ETag: x"], b""),
    (b"HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n", [b"HTTP/1.1 404 Not Found", b"Content-Length: 0"], b""),
    (b"HTTP/1.1 299 \xe4\r\nX: \xe4\r\nConnection: X-A\r\nX-A: b\r\nContent-Length: 0\r\n\r\n",
     [b"HTTP/1.1 299 \xe4", b"X: \xe4", b"Content-Length: 0"], b""),
    (b"HTTP/1.1 100 Continue\r\n\r\n" + HELLO, [b"HTTP/1.1 200 OK", b"Content-Length: 5"], b"hello"),
])  # fmt: skip
def test_the_client_gets_the_reply(upstreams: Upstreams, reply: bytes, head: list[bytes], got: bytes) -> None:
    call, box = call_for()
    with server(answers(reply)) as other:
        pass_on(call, errand_of(call.x, other.target), upstreams)
    assert (lines(box), body(box)) == (head, got)
    assert call.finished and box.puts[-1][1] == KEEP and not box.abandoned


def test_a_small_reply_is_one_send(upstreams: Upstreams) -> None:
    call, box = call_for()
    with server(answers(HELLO)) as other:
        pass_on(call, errand_of(call.x, other.target), upstreams)
    assert len(box.puts) == 1


@pytest.mark.parametrize(("reply", "head"), [
    (OK + b"Content-Length: 5\r\n\r\n", [b"HTTP/1.1 200 OK", b"Content-Length: 5"]),
    (OK + b"Transfer-Encoding: chunked\r\n\r\n", [b"HTTP/1.1 200 OK"]),
])  # fmt: skip
def test_head_says_of_the_length_what_the_server_said(
    upstreams: Upstreams, reply: bytes, head: list[bytes]
) -> None:
    call, box = call_for(head=True)
    with server(answers(reply)) as other:
        pass_on(call, errand_of(call.x, other.target, "HEAD"), upstreams)
    assert (lines(box), body(box)) == (head, b"")
    assert box.puts[-1][1] == KEEP


def test_blocks_go_on_as_they_come(upstreams: Upstreams) -> None:
    """The second is not written before the client has the first."""
    seen = threading.Event()

    class Watched(ListBox):
        def put(self, x: Any, data: bytes, then: int = 0) -> None:
            super().put(x, data, then)
            if b"first" in data:
                seen.set()

    def script(said: Said) -> None:
        said.hear()
        said.say(OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        assert seen.wait(5)
        said.say(b"6\r\nsecond\r\n0\r\n\r\n")

    call, box = call_for(Watched())
    with server(script) as other:
        pass_on(call, errand_of(call.x, other.target), upstreams)
    assert body(box) == b"5\r\nfirst\r\n6\r\nsecond\r\n0\r\n\r\n"


def test_a_head_does_not_wait_for_its_body(upstreams: Upstreams) -> None:
    seen = threading.Event()

    class Watched(ListBox):
        def put(self, x: Any, data: bytes, then: int = 0) -> None:
            super().put(x, data, then)
            seen.set()

    def script(said: Said) -> None:
        said.hear()
        said.say(OK + b"Content-Type: text/event-stream\r\n\r\n")
        assert seen.wait(5)

    call, box = call_for(Watched())
    with server(script) as other:
        pass_on(call, errand_of(call.x, other.target), upstreams)
    assert lines(box)[1:] == [b"Content-Type: text/event-stream", b"Transfer-Encoding: chunked"]


def test_a_large_reply_is_whole(upstreams: Upstreams) -> None:
    data = bytes(range(256)) * 20_000
    call, box = call_for()
    with server(answers(OK + b"Content-Length: %d\r\n\r\n" % len(data) + data)) as other:
        pass_on(call, errand_of(call.x, other.target), upstreams)
    assert body(box) == data


# ---- What is no reply -----------------------------------------------------------------------------------

BROKEN: list[tuple[bytes, type[Exception], str]] = [
    (b"", UpstreamError, "before a reply"),
    (b"hello\r\n\r\n", ProtocolError, "not a status line"),
    (OK + b"X: y", ProtocolError, "before its reply"),
    (OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", ProtocolError, "more than once"),
    (OK + b"X: a\nSet-Cookie: b\r\n\r\n", ProtocolError, "not a header line"),
    (b"HTTP/1.1 101 Switching\r\n\r\n", ProtocolError, "switches"),
]


@pytest.mark.parametrize(("reply", "kind", "text"), BROKEN, ids=[text for _, _, text in BROKEN])
def test_what_is_no_reply_reaches_nobody(
    upstreams: Upstreams, reply: bytes, kind: type[Exception], text: str
) -> None:
    call, box = call_for()
    with server(answers(reply)) as other, pytest.raises(kind, match=text) as caught:
        pass_on(call, errand_of(call.x, other.target), upstreams)
    assert getattr(caught.value, "status", 0) == 502
    assert not call.sent_head and not box.puts


@pytest.mark.parametrize("reply", [
    OK + b"Content-Length: 9\r\n\r\nhello",
    OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nx\r\n",
])  # fmt: skip
def test_half_a_reply_is_said_to_be_half(upstreams: Upstreams, reply: bytes) -> None:
    call, box = call_for()
    with server(answers(reply)) as other, pytest.raises((ProtocolError, UpstreamError)):
        pass_on(call, errand_of(call.x, other.target), upstreams)
    assert not call.finished, "the caller is to cut it"
    assert not box.sent.endswith(b"0\r\n\r\n")


def reset(said: Said) -> None:
    said.hear()
    said.say(OK + b"Content-Length: 9\r\n\r\nhello")
    said.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def test_a_reset_in_the_middle_is_no_end(upstreams: Upstreams) -> None:
    call, _ = call_for()
    with server(reset) as other, pytest.raises(UpstreamError, match="in the middle"):
        pass_on(call, errand_of(call.x, other.target), upstreams)
    assert not call.finished


def test_a_server_that_says_nothing_is_504() -> None:
    call, _ = call_for()
    upstreams = Upstreams(timeout=0.1)
    with (
        server(wait_for_ever) as other,
        pytest.raises(UpstreamError) as caught,
    ):
        pass_on(call, errand_of(call.x, other.target), upstreams)
    assert caught.value.status == 504


def test_a_server_that_stops_in_the_middle_is_cut() -> None:
    def script(said: Said) -> None:
        said.hear()
        said.say(OK + b"Content-Length: 9\r\n\r\nhello")
        assert said.gone()

    call, box = call_for()
    with server(script) as other, pytest.raises(UpstreamError) as caught:
        pass_on(call, errand_of(call.x, other.target), Upstreams(timeout=0.1))
    assert (caught.value.status, body(box)) == (504, b"hello")


# ---- A client that leaves -------------------------------------------------------------------------------


def wait_for_ever(said: Said) -> None:
    said.hear()
    assert said.gone(), "the server hears of it"


def trickle(said: Said) -> None:
    said.hear()
    said.say(OK + b"\r\nhello")
    assert said.gone()


def leave(call: Any, box: ListBox) -> None:
    box.gone = True


def expire(call: Any, box: ListBox) -> None:
    call.x.deadline = PASSED


@pytest.mark.parametrize("script", [wait_for_ever, trickle])
@pytest.mark.parametrize("over", [leave, expire])
def test_when_nobody_waits_any_more_the_request_ends(
    script: Callable[[Said], None], over: Callable[[Any, ListBox], None]
) -> None:
    """Long before the server's own time is over."""
    call, box = call_for()
    upstreams = Upstreams(timeout=60.0)
    timer = threading.Timer(0.05, over, (call, box))
    with server(script) as other, pytest.raises(Disconnected):
        timer.start()
        pass_on(call, errand_of(call.x, other.target), upstreams)
    timer.join()
    assert not upstreams.kept


# ---- Bodies on their way to the server -------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 5, 65536, 65537, 1 << 20])
@pytest.mark.parametrize("kind", ["bytes", "file", "counted", "chunked"])
def test_the_server_gets_the_body(upstreams: Upstreams, tmp_path: Any, kind: str, size: int) -> None:
    data = bytes(range(251)) * (size // 251 + 1)
    data = data[:size]
    source: Any = data
    if kind == "file":
        (tmp_path / "body").write_bytes(data)
        source = open(tmp_path / "body", "rb", buffering=0)
    elif kind != "bytes":
        source = inbox()
        for at in range(0, size, 10_000):
            source.feed(data[at : at + 10_000])
        source.finish()
    call, box = call_for(body=source)
    call.x.request.content_length = size if kind == "counted" else -1
    reader: Any = make_input(source, None)
    with server(answers(HELLO)) as other:
        pass_on(call, errand_of(call.x, other.target, "POST", body_of(call.x, reader)), upstreams)
    if kind == "file":
        reader.close()
    assert other.seen[0].bodies == [data]
    assert (b"chunked" in other.seen[0].heads[0]) == (kind == "chunked")
    assert body(box) == b"hello"


def test_a_reply_before_the_end_of_the_body_is_taken(upstreams: Upstreams) -> None:
    """The rest is not sent, and the connection is not used again."""

    def script(said: Said) -> None:
        said.hear_head()
        said.say(b"HTTP/1.1 100 Continue\r\n\r\n")
        said.say(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig")
        assert said.rest() < len(large)

    large = b"x" * (32 << 20)
    call, box = call_for(body=large)
    with server(script) as other:
        pass_on(call, errand_of(call.x, other.target, "PUT"), upstreams)
    assert (lines(box)[0], body(box)) == (b"HTTP/1.1 413 Content Too Large", b"big")
    assert not upstreams.kept


def test_a_reply_of_a_server_that_closes_on_a_body_is_taken(upstreams: Upstreams) -> None:
    def script(said: Said) -> None:
        said.hear_head()
        said.say(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig")

    call, box = call_for(body=b"x" * (32 << 20))
    with server(script) as other:
        pass_on(call, errand_of(call.x, other.target, "POST"), upstreams)
    assert body(box) == b"big"


def test_interim_replies_do_not_stop_the_body(upstreams: Upstreams) -> None:
    def script(said: Said) -> None:
        said.say(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n")
        said.hear()
        said.say(HELLO)

    data = b"x" * (1 << 20)
    call, box = call_for(body=data)
    with server(script) as other:
        pass_on(call, errand_of(call.x, other.target, "POST"), upstreams)
    assert other.seen[0].bodies == [data]
    assert body(box) == b"hello"


def test_a_body_that_the_client_does_not_send_ends_it(upstreams: Upstreams) -> None:
    source = inbox()
    source.feed(b"hel")
    source.fail("the client left")
    call, box = call_for(body=source)
    call.x.request.content_length = 5
    gone: list[bool] = []

    def script(said: Said) -> None:
        said.hear_head()
        assert said.file.read(3) == b"hel"
        gone.append(said.gone())

    with server(script) as other, pytest.raises(BodyError, match="the client left"):
        pass_on(call, errand_of(call.x, other.target, "POST"), upstreams)
    assert gone == [True] and not box.puts


def test_an_early_reply_ends_the_clients_connection(upstreams: Upstreams) -> None:
    """What follows on it is not a request, but the rest of the body."""
    source = inbox()
    source.feed(b"hel")
    call, box = call_for(body=source)
    call.x.request.content_length = 5

    def script(said: Said) -> None:
        said.hear_head()
        said.say(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        source.feed(b"l")  # the thread that sends looks after each piece
        said.sock.shutdown(socket.SHUT_WR)
        said.file.read()

    with server(script) as other:
        pass_on(call, errand_of(call.x, other.target, "POST"), upstreams)
    assert lines(box) == [b"HTTP/1.1 403 Forbidden", b"Content-Length: 0", b"Connection: close"]
    assert box.puts[-1][1] == CLOSE


def test_a_body_may_be_read_twice() -> None:
    source = Body(io.BytesIO(b"hello"), 5)
    assert [b"".join(source.pieces()) for _ in range(2)] == [b"hello"] * 2


def test_a_body_that_is_shorter_than_it_was_is_no_body() -> None:
    with pytest.raises(BodyError, match="3 bytes early"):
        list(Body(io.BytesIO(b"he"), 5).pieces())


def test_a_server_that_goes_after_an_interim_reply(upstreams: Upstreams) -> None:
    def script(said: Said) -> None:
        said.hear()
        said.say(b"HTTP/1.1 100 Continue\r\n\r\n")
        said.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    call, _ = call_for()
    with server(script) as other, pytest.raises((UpstreamError, ProtocolError)) as caught:
        pass_on(call, errand_of(call.x, other.target), upstreams)
    assert getattr(caught.value, "status", 0) == 502 and not call.sent_head
