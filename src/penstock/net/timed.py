"""A connection under the clock: what is due when, and what happens to a client that is too slow.

Runs on the loop, called by the tick; no timer is set per request. How a request is answered, or refused,
is the connection's own affair.
"""

import socket
from time import monotonic

from penstock.codecs.decoder import Decoder
from penstock.core.request import Request
from penstock.handoff.sockets import Socket
from penstock.net.body import Gathering, Intaking, Streaming
from penstock.net.door import Door
from penstock.net.life import OPEN, Life
from penstock.net.listener import Listener
from penstock.net.pace import Pace, often
from penstock.net.stream import Stream


class Timed(Stream):
    """``opened_at``, ``head_at`` and ``linger_until`` are readings of ``time.monotonic``: when it was
    accepted, when the head that is incomplete began, and until when it is heard out. ``began_at``: when a
    request began that did not come whole at once, 0.0 for none."""

    life: Life = OPEN
    request: Request | None = None
    intake: Intaking | None = None
    resuming = False
    began_at = 0.0
    linger_until = 0.0

    def __init__(self, door: Door, listener: Listener, sock: Socket, decoder: Decoder) -> None:
        super().__init__(door, sock)
        self.listener = listener
        self.decoder = decoder
        self.leaving = door.doorway.draining
        self.opened_at = self.head_at = monotonic()

    # ---- What a connection makes of it --------------------------------------------------------------

    @property
    def who(self) -> str:
        """The peer, for the log."""
        return self.listener.name

    @property
    def busy(self) -> bool:
        """Whether a request or a reply is under way; not where all was said and the client is heard out."""
        outbox = self.outbox
        if self.life is Life.LINGERING:
            return False
        return not self.decoder.idle or outbox.exchange is not None or bool(outbox.left)

    @property
    def stored(self) -> bool:
        """Whether a gathered body is complete and only the disk is waited for."""
        intake = self.intake
        return intake is not None and isinstance(intake, Gathering) and intake.ended

    def refuse(self, status: int, reason: str, request: Request | None) -> None:
        """Answer without a thread."""

    def end_stream(self, reason: str) -> bool:
        """End a body that streams to an application at work; False when none does."""
        return False

    def adopt(self) -> None:
        super().adopt()
        self.leaving = self.door.doorway.draining
        if self.leaving:
            self.linger_until = monotonic() + self.door.patience.linger

    # ---- Clocks that start --------------------------------------------------------------------------

    def head_incomplete(self) -> None:
        """The first bytes of a head start its clock; the tick looks at it."""
        if not self.began_at:
            self.began_at = monotonic()
        if self.head_at <= self.outbox.finished_at:
            self.head_at = monotonic()
            self.door.buckets.file(self, self.head_at + self.door.patience.head)
        if self.reading and self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            # A reset that came with bytes: uvloop tells of it once, and they were what was read.
            self.outbox.broken = True
            self.lost()

    def watch_body(self) -> None:
        """A body begins to come: its pace is watched from here on."""
        now = monotonic()
        self.pace = Pace(now)
        self.door.buckets.file(self, now + often(self.door.patience.body))

    def linger_idle(self) -> None:
        """The worker leaves: a request that is already on its way is still heard."""
        self.linger_until = monotonic() + self.door.patience.linger
        if self.decoder.idle:
            self.door.buckets.file(self, self.linger_until)

    # ---- Clocks that run out ------------------------------------------------------------------------

    def check(self, now: float) -> float | None:
        """The tick: act on what is due, say when to look again."""
        if self.closed or self.away:
            return None
        if self.outbox.left:
            return self.check_writing(now)
        if self.intake is not None:
            return self.check_body(now)
        if self.life is not OPEN:
            due = self.linger_until
        elif self.outbox.exchange is not None or self.resuming or self.outbox.news:
            return now + self.door.look  # with news: the end of a reply is still being told
        elif self.decoder.idle:
            due = self.idle_until()
        else:
            due = self.head_at + self.door.patience.head
            if now >= due:
                return self.too_slow("the request head did not come in time", now)
        if now >= due:
            self.lost()
        return None if self.closed else min(due, now + self.door.look)

    def idle_until(self) -> float:
        """When a connection without a request is closed."""
        if self.leaving:
            return self.linger_until
        finished = self.outbox.finished_at
        if finished:
            return finished + self.door.patience.keepalive
        return self.opened_at + self.door.patience.head

    def check_writing(self, now: float) -> float | None:
        patience = self.door.patience
        pace = self.pace
        if pace is None or self.unwatched:
            self.pace = pace = Pace(now, self.taken)
        allowed = self.door.press.allowed(self, patience.write)
        if pace.stalled(now, self.taken, patience.write, patience.rate, allowed):
            self.door.report(f"{self.who}: cut: it does not read its reply")
            self.cut()
        return None if self.closed else now + often(patience.write)

    @property
    def holds(self) -> bool:
        """Whether a thread that is at its request goes on only as the client does: it waits for room, writes
        to the file what the client does not take, or has had all that came of a body that streams."""
        intake = self.intake
        if self.outbox.waiter is not None or self.outbox.remainder.in_spool:
            return True
        return isinstance(intake, Streaming) and not intake.in_memory

    def still(self, now: float) -> float:
        """Seconds since the client moved; 0 where it is not its turn."""
        if self.pace is None:
            return 0.0
        if self.outbox.left:
            return self.pace.still(now, self.taken)
        intake = self.intake
        return self.pace.still(now, intake.total) if intake is not None and intake.waiting else 0.0

    def check_body(self, now: float) -> float | None:
        patience, intake = self.door.patience, self.intake
        allowed = self.door.press.allowed(self, patience.body)
        if intake is None or not intake.waiting or self.pace is None:
            # It is the application, or the disk, that is slow.
            self.pace = Pace(now, intake.total if intake else 0)
        elif self.pace.stalled(now, intake.total, patience.body, patience.rate, allowed):
            return self.too_slow("the request body did not come in time", now)
        return now + often(patience.body)

    def too_slow(self, reason: str, now: float) -> float | None:
        """408 where a reply can be given; else the end of the body, or of the connection."""
        if not self.end_stream(reason):
            if self.listener.interim and not self.outbox.eof:
                self.refuse(408, reason, self.request)
            else:
                self.door.report(f"{self.who}: {reason}")
                self.lost()
        return None if self.closed else now + 1.0

    def cut(self) -> None:
        """End it now, whatever is under way."""
        self.outbox.cut()
        self.lost()

    def lost(self) -> None:
        """Also whoever waits for the body is told: nobody else would wake that thread before its time-out."""
        self.fail_body("the client closed the connection before the body was complete")
        super().lost()

    def struck(self) -> None:
        super().struck()
        self.fail_body("the connection was closed")

    def fail_body(self, reason: str) -> None:
        """The rest of a body will not be taken in."""
        if self.intake is not None:
            self.intake.fail(reason)
            self.intake = self.pace = None
