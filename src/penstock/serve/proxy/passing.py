"""One request passed on: sent to another server, and its reply given to the client as it comes.

Runs on the pool thread that serves the request, from the first octet to the last. Both directions are bounded
in memory: each block goes on before the next is read. It does not know rules, nor what is in the head.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from select import POLLIN, POLLOUT

from penstock.codecs.http1_client import ReplyDecoder, ReplyHead
from penstock.serve.proxy.body import Body
from penstock.serve.proxy.link import Link, LinkError, UpstreamError
from penstock.serve.proxy.target import Target
from penstock.serve.proxy.upstreams import Upstreams
from penstock.serve.wsgi.call import Call

JOINED = 64 << 10  # octets of a body up to which it is sent with the head
SOON = 0.005  # seconds for the body to follow its head, so that both go out in one send
LAST_CHUNK = b"0\r\n\r\n"
# RFC 9110 §9.2.2, and WebDAV's (RFC 4918 §9): two of them are as good as one.
TWICE = "GET HEAD OPTIONS TRACE PUT DELETE PROPFIND PROPPATCH REPORT SEARCH QUERY"
IDEMPOTENT = frozenset(TWICE.split())


@dataclass(frozen=True, slots=True)
class Errand:
    """What is to be said, and to whom.

    ``method``  of the request that the server is asked, for how its reply ends
    ``head``    octets that go before the body
    ``uwsgi``   the server speaks uwsgi: a connection for each request
    """

    target: Target
    method: str
    head: bytes
    body: Body
    uwsgi: bool = False


class Stale(Exception):
    """The connection has ended with not one octet of a reply: a kept one had been closed before."""


def pass_on(call: Call, errand: Errand, upstreams: Upstreams) -> None:
    """Answer ``call`` with the other server's reply.

    Raises UpstreamError where that gives none, ProtocolError(502) for one that is none, BadReply; where
    ``call.sent_head`` then, the reply is incomplete. Raises Disconnected and BodyError for the client's part.
    """
    passing = Passing(call, errand, upstreams)
    try:
        passing.ask()
        passing.deliver()
    except TimeoutError:
        raise UpstreamError(504, f"nothing for {upstreams.timeout:g} s") from None
    finally:
        passing.release()


class Passing:
    """``pieces``: of the reply's body, not given to the client yet; ``sent``: the request went out whole."""

    __slots__ = ("call", "decoder", "errand", "link", "pieces", "sent", "upstreams", "x")

    def __init__(self, call: Call, errand: Errand, upstreams: Upstreams) -> None:
        self.call = call
        self.x = call.x
        self.errand = errand
        self.upstreams = upstreams
        self.link: Link | None = None
        self.decoder = ReplyDecoder(errand.method, errand.uwsgi)
        self.pieces: list[bytes] = []
        self.sent = False

    def release(self) -> None:
        """Keep the connection where it is good for another request, else end it; the server hears of it."""
        link, self.link = self.link, None
        if link is None:
            return
        if self.sent and self.decoder.reusable:
            self.upstreams.give(self.errand.target, link)
        else:
            link.close()

    # ---- The request ----------------------------------------------------------------------------------

    def ask(self) -> None:
        """Send the request and have the reply's head: over a kept connection where it may be sent twice."""
        errand = self.errand
        if not errand.uwsgi and errand.body.again and errand.method in IDEMPOTENT:
            self.link = self.upstreams.take(errand.target)
            if self.link is not None:
                try:
                    self.converse(self.link)
                    return
                except Stale:
                    self.release()
        self.link = self.upstreams.connect(errand.target, self.x)
        try:
            self.converse(self.link)
        except Stale as error:
            raise UpstreamError(502, str(error)) from None

    def converse(self, link: Link) -> None:
        """Send the request, and take what comes up to the reply's head. Raises Stale where nothing came."""
        self.sent = self.send(link)
        try:
            while self.decoder.head is None:
                self.hear(link)
        except LinkError as error:
            if self.decoder.touched:
                raise UpstreamError(502, str(error)) from None
            raise Stale(str(error)) from None

    def send(self, link: Link) -> bool:
        """The whole request; False where the reply was there before its end, or the connection's end: what
        was said before that is still to be had."""
        try:
            for number, block in enumerate(self.blocks()):
                data = memoryview(block)
                if not number:
                    data = data[link.send(data) :]
                while data:
                    events = link.wait(POLLIN | POLLOUT, self.x, self.upstreams.timeout)
                    if events & ~POLLOUT:
                        self.hear(link)
                        if self.decoder.head is not None:
                            return False
                    else:
                        data = data[link.send(data) :]
        except LinkError:
            return False
        return True

    def blocks(self) -> Iterator[bytes | memoryview]:
        """What goes out, in order."""
        head, body = self.errand.head, self.errand.body
        pieces = body.pieces()
        if body.length < 0:
            yield head
            for piece in pieces:
                yield b"".join((b"%x\r\n" % len(piece), piece, b"\r\n"))
            yield LAST_CHUNK
            return
        if body.again and body.length <= JOINED:
            yield b"".join((head, *pieces))
            return
        yield head
        yield from pieces

    # ---- The reply ------------------------------------------------------------------------------------

    def hear(self, link: Link) -> None:
        """Wait for what comes next, and take it in."""
        data = link.receive(self.x, self.upstreams.timeout)
        if data:
            self.pieces += self.decoder.receive(data)
        elif self.decoder.touched:
            self.decoder.eof()
        else:
            raise LinkError("the connection was closed before a reply")

    def taken(self) -> bytes:
        """The pieces that have come, as one."""
        pieces, self.pieces = self.pieces, []
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def deliver(self) -> None:
        """Give the client the reply whose head is there."""
        call, decoder, link = self.call, self.decoder, self.link
        head = decoder.head
        assert head is not None and link is not None
        call.begin(f"{head.status} {head.reason}", head.headers)
        data = self.taken()
        if not data and not decoder.done and not link.readable(SOON):
            call.flush_head()
        while not decoder.done and not call.finished:
            if data:
                call.block(data)
            self.more(link)
            data = self.taken()
        self.release()  # before the client has taken the rest: it may be slow
        if data:
            call.block(data, last=True)
        elif has_no_length(call, head):
            call.flush_head()
        call.end()

    def more(self, link: Link) -> None:
        """The next of the body."""
        try:
            self.hear(link)
        except LinkError as error:
            raise UpstreamError(502, f"in the middle of its reply: {error}") from None


def has_no_length(call: Call, head: ReplyHead) -> bool:
    """Whether a reply to HEAD says nothing of the body's length, and nothing may be said in its place."""
    return call.x.request.is_head and all(name.lower() != "content-length" for name, _ in head.headers)
