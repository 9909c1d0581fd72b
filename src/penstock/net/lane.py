"""The lane: paths that the loop answers by itself, whatever the pool does (health, metrics, the status page).

Runs on the loop. A page is a call that is given the request and a ``Reply``; it says its reply at once or
later, on the loop. What pages say and what a reply's bytes are is given from outside.
"""

from asyncio import AbstractEventLoop
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Protocol

from penstock.core.request import Request

PATIENCE = 10.0  # seconds that a page may take before its visitor is told that it did not come
PLAIN = "text/plain; charset=utf-8"
METHODS = ("GET", "HEAD")

Fields = Sequence[tuple[str, str]]
"""Header fields of a reply, names and values; its lengths, date and connection are not the page's to say."""

Reply = Callable[[int, str, bytes, Fields], None]
"""``reply(status, content type, body, further fields)``; counts once, also when it comes too late."""

Page = Callable[[Request, Reply], None]
"""Answers a GET or HEAD (to which the body is left out) of one path; called on the loop, must not wait."""

Compose = Callable[[int, Fields, bytes, Request, bool], bytes]
"""``compose(status, fields, body, request, keep)``: the bytes of a reply."""


class Visitor(Protocol):
    """A connection, as far as the lane knows it: what is said to it goes through ``answered``, with whether
    it stays; ``willing(request)``: whether it could."""

    loop: AbstractEventLoop
    closed: bool

    def willing(self, request: Request) -> bool: ...
    def answered(self, data: bytes, keep: bool) -> None: ...


class Lane:
    """One per worker. ``pages`` by the exact path, as PATH_INFO has it; a path in it is not the
    application's. ``note(request, status, bytes, seconds)`` is told of each reply, ``served`` counts them.
    """

    def __init__(self, report: Callable[[str], None]) -> None:
        self.pages: dict[str, Page] = {}
        self.compose: Compose = _unset
        self.report = report
        self.note: Callable[[Request, int, int, float], None] | None = None
        self.served = 0

    def visit(self, visitor: Visitor, request: Request) -> None:
        """Have the request's page answer it."""
        visit = Visit(self, visitor, request)
        path = str(request.vars.get("PATH_INFO"))
        if request.vars.get("REQUEST_METHOD") not in METHODS:
            visit.reply(405, PLAIN, b"only GET and HEAD\n", [("Allow", ", ".join(METHODS))])
            return
        try:
            self.pages[path](request, visit.reply)
        except Exception as error:
            # A page of ours, on the loop: its fault must not become the end of what else is served.
            self.report(f"the page {path} failed: {error!r}")
            visit.reply(500, PLAIN, b"this page failed; the error log says how\n", ())
        if visit.open:
            visitor.loop.call_later(PATIENCE, visit.late)


class Visit:
    """One request on the lane, ``open`` until it is answered."""

    __slots__ = ("lane", "open", "request", "since", "visitor")

    def __init__(self, lane: Lane, visitor: Visitor, request: Request) -> None:
        self.lane = lane
        self.visitor = visitor
        self.request = request
        self.since = monotonic()
        self.open = True

    def reply(self, status: int, content_type: str, body: bytes, fields: Fields = ()) -> None:
        """The page's answer (``Reply``)."""
        if not self.open or self.visitor.closed:
            return
        lane, request = self.lane, self.request
        keep = self.visitor.willing(request)
        data = lane.compose(status, [("Content-Type", content_type), *fields], body, request, keep)
        self.open = False  # not before: what cannot be written is a fault of the page's, and is said so
        lane.served += 1
        if lane.note is not None:
            lane.note(request, status, len(data), monotonic() - self.since)
        self.visitor.answered(data, keep)

    def late(self) -> None:
        """The page has had its time."""
        self.reply(504, PLAIN, b"the answer did not come in time\n")


def _unset(status: int, fields: Fields, body: bytes, request: Request, keep: bool) -> bytes:
    raise RuntimeError("the lane was not told how replies are written")
