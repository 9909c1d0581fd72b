"""A reply on its way out of a pool thread: head, framing, body, end, by the rules of HTTP.

Runs on pool threads. Knows the outbox as something that takes bytes; does not know WSGI, sockets or
which protocol brought the request beyond what ``Manner`` says of it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from time import time
from typing import Final

from penstock.codecs import http1_reply
from penstock.codecs.http1_reply import BODILESS, LAST_CHUNK, Fields, Said, chunk, status_line
from penstock.core.date import http_date
from penstock.handoff.exchange import Exchange
from penstock.handoff.inbox import Inbox
from penstock.handoff.lease import CLOSE, KEEP, MORE

JOIN: Final = 128 << 10  # bytes up to which head and first block are joined into one send; a copy is cheaper
CLOSE_LINE = b"Connection: close\r\n"
KEEP_LINE = b"Connection: keep-alive\r\n"  # HTTP/1.0 closes unless it is said

LENGTH: Final = "length"
CHUNKED: Final = "chunked"
UNTIL_CLOSE: Final = "close"
NONE: Final = "none"
"""How the client finds the end of the body (RFC 9112 §6.3)."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Manner:
    """How replies are given on one worker, decided at boot.

    ``extra``  header fields that go into every reply (uWSGI's ``add-header``), as checked lines
    ``warn``   called with (key, text) for what is worth one line in the log
    ``own``    gives the field lines that a reply has of its own (an id, its times); None for none
    ``plain``  there are none of all those fields; follows from the others
    """

    extra: Fields
    warn: Callable[[str, str], None]
    own: Callable[[Exchange, bytes], bytes] | None = None
    plain: bool = field(init=False)

    def __post_init__(self) -> None:
        plain = not self.extra.count and not self.extra.close and self.own is None
        object.__setattr__(self, "plain", plain)


class DateLine:
    """The Date field, made once a second (RFC 9110 §6.6.1)."""

    def __init__(self, now: Callable[[], float] = time) -> None:
        self.now = now
        self.made: tuple[int, bytes] = (0, b"")

    def __call__(self) -> bytes:
        second = int(self.now())
        # One tuple, replaced whole: two threads may both make it, and neither sees half of it.
        at, line = self.made
        if at != second:
            line = f"Date: {http_date(second)}\r\n".encode("ascii")
            self.made = (second, line)
        return line


date_line: Final = DateLine()


class Reply:
    """One reply.

    Status and headers may be set, and set again until the head went out (``started``, ``sent_head``); then
    ``body_sent`` counts body bytes, ``head_size`` the head's, and ``switches`` the blocks that the
    application gave (uWSGI's log). Raises Disconnected from every send when the client
    is gone, BadReply when status or headers cannot be sent.
    """

    __slots__ = (
        "body_sent",
        "close",
        "code",
        "fields",
        "finished",
        "framing",
        "head_size",
        "manner",
        "outbox",
        "overrun",
        "remaining",
        "sent_head",
        "started",
        "status",
        "switches",
        "via",
        "x",
    )

    def __init__(self, x: Exchange, manner: Manner) -> None:
        self.x = x
        self.outbox = x.outbox
        self.manner = manner
        self.status = b""
        self.code = 0
        self.fields: Fields | None = None
        self.framing = NONE
        self.remaining = 0
        self.close = False
        self.started = False
        self.sent_head = False
        self.finished = False
        self.overrun = 0
        self.body_sent = 0
        self.head_size = 0
        self.switches = 0
        self.via = ""

    def begin(self, status: Said, headers: Said) -> None:
        """Set status and headers; nothing is sent before the first block or the end."""
        checked = http1_reply.fields(headers)
        self.code, self.status = status_line(status)
        if self.code == 204 and checked.length >= 0:
            # RFC 9110 §8.6: it MUST NOT have one; frameworks set 0 on every reply.
            checked = http1_reply.fields([pair for pair in headers if pair[0].lower() != "content-length"])
        self.fields = checked
        if checked.dropped:
            self.warn_of_dropped(checked)

    def warn_of_dropped(self, checked: Fields) -> None:
        """One warning a name for what is between two neighbours only."""
        for name in checked.dropped:
            self.manner.warn(
                f"hop-by-hop {name.lower()}",
                f"the application sets {name}, a hop-by-hop header; it is not sent (PEP 3333)",
            )

    # ---- Head -------------------------------------------------------------------------------------

    def head(self, whole: int) -> bytes:
        """The head's bytes; ``whole`` is the length of the whole body if that is known, else -1."""
        fields = self.fields
        assert fields is not None
        x, extra = self.x, self.manner.extra
        http11 = x.request.http11
        framing = self.frame(whole, fields)
        close = self.last(fields, extra)
        date = connection = own = b""
        if self.manner.own is not None:
            own = self.manner.own(x, fields.lines)
        if x.http:
            if not (fields.dated or extra.dated):
                date = date_line()
            if close:
                connection = CLOSE_LINE if http11 else b""
            elif not http11:
                connection = KEEP_LINE
        self.close = close or not x.http
        self.sent_head = True
        version = b"HTTP/1.1 " if http11 else b"HTTP/1.0 "
        lines = (fields.lines, framing, extra.lines, own, date, connection)
        head = b"".join((version, self.status, b"\r\n", *lines, b"\r\n"))
        self.head_size = len(head)
        return head

    def last(self, fields: Fields, extra: Fields) -> bool:
        """Whether the connection ends with this reply."""
        x = self.x
        return (
            not x.request.keep_alive
            or fields.close
            or extra.close
            or self.framing is UNTIL_CLOSE
            or x.outbox.doorway.draining
            # An early answer: what follows is not a request but the rest of the body.
            or (isinstance(x.body, Inbox) and not x.body.complete)
        )

    def frame(self, whole: int, fields: Fields) -> bytes:
        """Choose the framing once (RFC 9112 §6.3); returns the field that announces it, b"" if none must."""
        request = self.x.request
        if request.is_head or self.code in BODILESS:
            self.framing = NONE
            # RFC 9110 §8.6: a 204 has no Content-Length; HEAD and 304 may have that of the GET.
            # Nothing at all may be what an application, or a file's head, leaves out of a HEAD's.
            if self.code in BODILESS or fields.length >= 0 or whole < 1:
                return b""
            return b"Content-Length: %d\r\n" % whole
        if fields.length >= 0:
            self.framing = LENGTH
            self.remaining = fields.length
            return b""
        if whole >= 0:
            self.framing = LENGTH
            self.remaining = whole
            return b"Content-Length: %d\r\n" % whole
        if request.http11 and self.x.http:
            self.framing = CHUNKED
            return b"Transfer-Encoding: chunked\r\n"
        self.framing = UNTIL_CLOSE
        return b""

    # ---- Body -------------------------------------------------------------------------------------

    def whole(self, body: bytes) -> bool:
        """Send a reply whose whole body is ``body``: one system call where it fits.

        False when it is shorter than was declared (the connection is ended).
        """
        data = self.ordinary(body)
        if data:
            self.outbox.put(self.x, data, CLOSE if self.close else KEEP)
            return True
        head = self.head(len(body))
        if self.framing is NONE:
            body = b""
        elif len(body) != self.remaining:
            self.block_after(head, body)
            return self.end()
        self.body_sent = len(body)
        self.remaining = 0
        self.finished = True
        then = self.fate()
        if len(body) <= JOIN:
            self.outbox.put(self.x, head + body, then)
        else:
            self.outbox.put(self.x, head)
            self.outbox.put(self.x, body, then)
        return True

    def ordinary(self, body: bytes) -> bytes:
        """Head and body of a whole reply with nothing peculiar about it, as nearly all are, with few steps
        and one copy; b"" where it has something, and ``head`` and ``frame`` are to be asked."""
        x, fields = self.x, self.fields
        if fields is None or x.body is not None or not x.request.ordinary or not self.manner.plain:
            return b""
        start = fields.starts.get(self.status)
        if start is None:
            start = fields.start(self.code, self.status)
        size, length = len(body), fields.length
        if not start or size > JOIN or (length >= 0 and length != size) or x.outbox.doorway.draining:
            return b""
        line = b"Content-Length: %d\r\n" % size if length < 0 else b""
        # A uwsgi reply has no Date of ours: the front server gives its own. Its connection ends with it.
        data = b"".join((start, line, date_line() if x.http else b"", b"\r\n", body))
        self.close = not x.http
        self.sent_head = self.finished = True
        self.framing = LENGTH
        self.body_sent = size
        self.head_size = len(data) - size
        return data

    def block(self, data: bytes, last: bool = False) -> None:
        """Send a block of the body, the head before the first one; ``last``: nothing follows it.

        Bytes beyond the declared Content-Length are not sent; they are counted in ``overrun``.
        """
        if not data:
            return
        if self.sent_head:
            self.block_after(b"", data, last)
        elif last or (self.fields is not None and self.fields.length == len(data)):
            self.whole(data)
        else:
            self.block_after(self.head(-1), data)

    def block_after(self, head: bytes, data: bytes, last: bool = False) -> None:
        """A block, with ``head`` before it."""
        framing = self.framing
        ended = last
        if framing is LENGTH:
            data = self.within(data)
            # The client has all it was told of: the lease goes back before the iterable ends.
            ended = self.remaining == 0 and not self.finished
        elif framing is NONE:
            data, ended = b"", False
        self.body_sent += len(data)
        if framing is CHUNKED:
            data = chunk(data) + LAST_CHUNK if last else chunk(data)
        if ended:
            self.finished = True
        if head or data:
            self.outbox.put(self.x, head + data, self.fate() if ended else MORE)

    def within(self, data: bytes) -> bytes:
        """No more of a block than was declared."""
        if self.remaining < len(data):
            self.overrun += len(data) - self.remaining
            data = data[: self.remaining]
        self.remaining -= len(data)
        return data

    def fate(self) -> int:
        """What becomes of the connection behind the reply."""
        return CLOSE if self.close else KEEP

    def flush_head(self) -> None:
        """Send the head by itself."""
        if not self.sent_head:
            self.outbox.put(self.x, self.head(-1))

    def end(self) -> bool:
        """The body is complete; False when it is shorter than was declared (the connection is ended)."""
        if self.finished:
            return True
        if not self.sent_head:
            return self.whole(b"")
        self.finished = True
        then = self.fate()
        if self.framing is CHUNKED:
            self.outbox.put(self.x, LAST_CHUNK, then)
        elif self.framing is LENGTH and self.remaining:
            self.outbox.abandon(self.x)
            return False
        else:
            self.outbox.put(self.x, b"", then)
        return True

    def fail(self) -> None:
        """The body cannot be completed: end the connection so that the client knows (RFC 9112 §8)."""
        self.finished = True
        self.outbox.abandon(self.x, reset=self.framing is UNTIL_CLOSE)

    def file(self, fd: int, offset: int, count: int) -> None:
        """Send ``count`` bytes of an open file as the whole body, by sendfile."""
        head = self.head(count)
        if self.framing is NONE or (count == 0 and not self.remaining):
            self.finished = True
            self.outbox.put(self.x, head, self.fate())
            return
        if self.framing is LENGTH and self.remaining < count:
            self.overrun = count - self.remaining
            count = self.remaining
        short = self.framing is LENGTH and self.remaining > count
        self.outbox.put(self.x, head)
        self.via = "sendfile()"
        self.body_sent = count
        self.remaining -= count
        self.outbox.put_file(self.x, fd, offset, count, MORE if short else self.fate())
        # Not before: the file itself may fail, or its dup(), and then the exchange is still to be ended.
        self.finished = not short
