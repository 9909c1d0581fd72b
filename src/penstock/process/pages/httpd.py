"""A small HTTP/1.1 server for pages about the server itself: GET and HEAD, one request on a connection.

Runs on the supervisor's loop, or on a single process's, and never holds it up (``visitors.py`` beside it).
It does not know what its pages say, nor who may read them: whoever answers looks at the request.
"""

import os
import re
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from time import time
from typing import Any

from penstock.codecs.decoder import Limits
from penstock.codecs.http1 import Http1Decoder
from penstock.codecs.target import host_of
from penstock.config.address import parse_address
from penstock.core.date import http_date
from penstock.core.errors import ConfigError, ProtocolError, StartError
from penstock.core.request import Request
from penstock.logs.setup import Diary
from penstock.net.listening import adopt, bind_tcp, bind_unix, inode_of, socket_name
from penstock.process.pages.visitors import AT_ONCE, Clock, Visitor, Visitors

BACKLOG = 64
MOST = 64  # visitors at a time
LIMITS = Limits(request_line=8 << 10, header_bytes=32 << 10, header_count=64)
LATEST = 30.0  # seconds until an answer that comes later is given up
LOOPBACK = ("127.", "::ffff:127.")
HERE = re.compile(r"localhost|127(?:\.\d{1,3}){3}|\[::1\]", re.ASCII)
NUMBER = re.compile(r"[0-9.]+|\[[0-9a-f:.]+\]")
"""What a Host may be that nobody can rebind to this machine, as an attacker can a name of their own, so that
their page could read the replies: this machine itself, or an address."""
NO_NAME = "a browser on this machine finds this by http://localhost or by an address"
PLAIN = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class PageRequest:
    """One request.

    ``method`` is GET or HEAD, "" on a listener that takes no requests; ``path`` decoded, as PATH_INFO;
    ``query`` as it was sent; ``headers`` by name in lower case, those that come twice joined by a comma;
    ``peer`` the client's address without its port, "" on a UNIX socket.
    """

    method: str
    path: str
    query: str
    headers: dict[str, str]
    peer: str

    @property
    def local(self) -> bool:
        """Whether the connection comes from this machine. (The request may still be a proxy's, or one that a
        page of another site has a browser send: look at the Host.)"""
        return self.peer in ("", "::1") or self.peer.startswith(LOOPBACK)

    @property
    def host(self) -> str:
        """The Host, without its port."""
        return host_of(self.headers.get("host", "").lower())

    @property
    def named_here(self) -> bool:
        """Whether the Host is this machine itself."""
        return HERE.fullmatch(self.host) is not None

    @property
    def rebound(self) -> bool:
        """Whether a browser here asks by a name: an attacker's may have been rebound to this machine, so that
        their page could read what is told. Browsers send Fetch Metadata only where there is TLS or
        ``localhost``, so not to a rebound name; which languages they take they always say, and other programs
        do not."""
        browser = "sec-fetch-mode" in self.headers or "accept-language" in self.headers
        return self.local and browser and not (self.named_here or NUMBER.fullmatch(self.host))


@dataclass(frozen=True, slots=True)
class PageReply:
    """``status`` is an int; ``headers`` (name, value) pairs beside type, length, date and connection."""

    status: int
    content_type: str
    body: bytes
    headers: Sequence[tuple[str, str]] = ()


class Deferred:
    """An answer that comes later: whoever is to give it calls ``done`` on the loop; only the first counts."""

    def __init__(self) -> None:
        self.reply: PageReply | None = None
        self.wanted: Callable[[PageReply], None] | None = None

    def done(self, reply: PageReply) -> None:
        """Here it is."""
        if self.reply is None:
            self.reply = reply
            if self.wanted is not None:
                self.wanted(reply)

    def hear(self, wanted: Callable[[PageReply], None]) -> None:
        """Call with the answer, at once where it is there."""
        self.wanted = wanted
        if self.reply is not None:
            wanted(self.reply)


Answer = Callable[[PageRequest], PageReply | Deferred]


@dataclass(slots=True)
class Place:
    """What is said on one listener; ``raw``: at once, without request and head."""

    answer: Answer
    raw: bool
    path: str = ""
    inode: tuple[int, int] = (0, 0)


@dataclass(slots=True)
class Call:
    """A visitor's request in the making."""

    place: Place
    peer: str
    decoder: Http1Decoder = field(default_factory=lambda: Http1Decoder({}, LIMITS))


class Pages:
    """All listeners of one process that tell of it; they share the number of visitors that there may be."""

    def __init__(self, watch: Clock, diary: Diary) -> None:
        self.watch = watch
        self.diary = diary
        self.places: dict[socket.socket, Place] = {}
        self.calls: dict[Visitor, Call] = {}
        self.visitors = Visitors(watch, self, MOST)

    def listen(
        self, address: str, answer: Answer, raw: bool = False, mode: int | None = None, owner: str = ""
    ) -> list[str]:
        """Listen at an address as the operator wrote it (TCP, UNIX, abstract, ``fd://N``); its names for
        people. ``mode`` and ``owner`` are a UNIX socket's. Raises StartError."""
        names = []
        for sock, path in bound(address, mode, owner):
            self.places[sock] = Place(answer, raw, path, inode_of(path) if path else (0, 0))
            self.visitors.listen(sock)
            names.append(socket_name(sock))
        return names

    def close(self) -> None:
        """Listen no more; once or again."""
        self.visitors.close()
        self.calls.clear()
        for place in self.places.values():
            if place.path and inode_of(place.path) == place.inode:
                with suppress(OSError):  # it is gone
                    os.unlink(place.path)
        self.places.clear()

    # ---- Visitors -----------------------------------------------------------------------------------

    def enter(self, sock: socket.socket, address: Any, full: bool) -> tuple[str, bytes]:
        """Everybody may, while there is room."""
        peer = str(address[0]) if isinstance(address, tuple) else ""
        return peer, reply_bytes(plain(503, "too many connections"), True) if full else b""

    def met(self, visitor: Visitor) -> None:
        """Where no request is waited for it is answered now."""
        self.forget()
        place = self.places[visitor.listener] if visitor.listener is not None else None
        if place is None:
            return
        if place.raw:
            self.ask(visitor, place, PageRequest("", "", "", {}, visitor.who), raw)
        else:
            self.calls[visitor] = Call(place, visitor.who)

    def forget(self) -> None:
        """Requests of visitors that have left."""
        for visitor in [visitor for visitor in self.calls if visitor.gone]:
            del self.calls[visitor]

    def heard(self, visitor: Visitor) -> None:
        """A piece of its request."""
        data = bytes(visitor.came)
        visitor.came.clear()
        call = self.calls.get(visitor)
        if call is None or visitor.heard_all:
            return
        try:
            events = call.decoder.receive(data)
        except ProtocolError as error:
            self.send(visitor, reply_bytes(plain(error.status, error.reason), True))
            return
        if events and isinstance(events[0], Request):
            self.requested(visitor, call, events[0])

    def requested(self, visitor: Visitor, call: Call, request: Request) -> None:
        """The head is complete; a body is not waited for, as nothing here takes one."""
        method = request.vars["REQUEST_METHOD"]
        if method not in ("GET", "HEAD"):
            reply = plain(405, "only GET and HEAD", (("Allow", "GET, HEAD"),))
            self.send(visitor, reply_bytes(reply, True))
            return
        self.ask(
            visitor, call.place, page_request(request, call.peer), partial(reply_bytes, whole=method == "GET")
        )

    def ask(
        self, visitor: Visitor, place: Place, request: PageRequest, shape: Callable[[PageReply], bytes]
    ) -> None:
        """Have it answered, now or later."""
        self.calls.pop(visitor, None)
        visitor.busy = True
        visitor.heard_all = True  # it has nothing more to say
        try:
            reply = place.answer(request)
        except BaseException:
            self.send(visitor, shape(plain(500, "a fault of penstock's own; its log has more")))
            raise
        if isinstance(reply, PageReply):
            self.send(visitor, shape(reply))
            return
        late = self.watch.later(LATEST, lambda: reply.done(plain(504, "no answer in time")))

        def ready(found: PageReply) -> None:
            late.cancel()
            self.send(visitor, shape(found))

        reply.hear(ready)

    def send(self, visitor: Visitor, data: bytes) -> None:
        """The answer, and the end of the connection once it is taken."""
        self.calls.pop(visitor, None)
        if visitor.gone:
            return
        # What it sent beyond its request would have the kernel answer with a reset, which takes our reply
        # away from it.
        with suppress(OSError):
            visitor.sock.recv(AT_ONCE)
        visitor.busy = False
        visitor.heard_all = True
        self.visitors.send(visitor, data)
        self.visitors.attend(visitor)


def bound(address: str, mode: int | None, owner: str) -> list[tuple[socket.socket, str]]:
    """Listening sockets of an address, each with its path or "". Raises StartError."""
    try:
        parsed = parse_address(address)
    except ConfigError as error:
        raise StartError(str(error)) from None
    if parsed.kind == "fd":
        return [(adopt(parsed.fd), "")]
    if parsed.kind == "abstract":
        return [(bind_unix("@" + parsed.path, BACKLOG), "")]
    if parsed.kind == "unix":
        path = os.path.abspath(parsed.path)
        return [(bind_unix(path, BACKLOG, mode, owner), path)]
    return [(sock, "") for sock in bind_tcp(parsed.host, parsed.port, BACKLOG)]


def page_request(request: Request, peer: str) -> PageRequest:
    """A request as pages see it."""
    variables = request.vars
    headers = {
        key[5:].replace("_", "-").lower(): value
        for key, value in variables.items()
        if key.startswith("HTTP_")
    }
    return PageRequest(
        variables["REQUEST_METHOD"], variables["PATH_INFO"], variables["QUERY_STRING"], headers, peer
    )


def plain(status: int, text: str, headers: Sequence[tuple[str, str]] = ()) -> PageReply:
    """A reply of one line of text."""
    return PageReply(status, PLAIN, text.encode("utf-8", "replace") + b"\n", headers)


def raw(reply: PageReply) -> bytes:
    """A reply as it is sent where no request was waited for."""
    return reply.body


def reply_bytes(reply: PageReply, whole: bool) -> bytes:
    """A reply as it is sent; without its body where that is not ``whole``."""
    head = [
        f"HTTP/1.1 {reply.status} {phrase(reply.status)}",
        f"Content-Type: {reply.content_type}",
        f"Content-Length: {len(reply.body)}",
        f"Date: {http_date(time())}",
        *(f"{name}: {value}" for name, value in reply.headers),
        "Connection: close",
    ]
    return "\r\n".join((*head, "", "")).encode("latin-1") + (reply.body if whole else b"")


def phrase(status: int) -> str:
    """What HTTP calls a status, "" for one without a name."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
