"""One client's connection: bytes to requests, requests to the pool, and what follows their replies.

Runs on the loop; the threads see only its outbox. It does not know what a reply is made of. Its life is
the table ``LIFE``, its clocks those of ``Timed``, its bodies come as ``Taking`` has it; whether the write
lease is out is the outbox's to say.
"""

import socket
from time import monotonic
from typing import Final

from penstock.codecs.decoder import END, Event
from penstock.core.errors import ProtocolError
from penstock.core.request import Request
from penstock.handoff.exchange import Body, Exchange
from penstock.handoff.inbox import Inbox
from penstock.handoff.lease import CLOSE, KEEP
from penstock.net.body import Streaming
from penstock.net.life import LIFE, OPEN, Life
from penstock.net.taking import Taking

RECEIVE: Final = 8 << 10  # bytes of one read of a head; larger blocks cost an allocation per request
READS = 8  # reads of a body in one turn of the loop
RECEIVE_BODY: Final = 64 << 10  # bytes of one read while a body comes
LINGER_LONG = 30.0  # seconds that an upload which was answered early is read and thrown away


class Connection(Taking):
    """A client on one listener. ``address`` is accept()'s second word. ``ahead``: bytes of following requests
    that were read while one is answered."""

    ahead = b""

    def open(self, data: bytes = b"") -> None:
        """Take the connection into the table and read at once: behind a proxy the request is there.

        ``data`` is what a thread at the door has read already.
        """
        self.adopt()
        if not self.allowed:
            self.door.report(f"{self.who}: refused: not in uwsgi-allow")
            self.close()
            return
        if data:
            self.ahead = data
            self.next_request()
            return
        self.on_readable()
        if not self.away and not self.closed and not self.outbox.registered:
            self.read_on()
        if self.outbox.registered and not self.bucket and not self.closed:
            self.door.buckets.file(self, self.opened_at + self.door.look)

    # ---- Bytes in -----------------------------------------------------------------------------------

    def on_readable(self) -> None:
        if self.read_once() and self.intake is not None:
            self.read_rest()

    def read_rest(self) -> None:
        """While a body comes, read until there is nothing: uvloop tells of a reset once, also when bytes
        stand before it, and a thread would wait for the rest of the body until its time-out."""
        for _ in range(READS):
            if self.intake is None or self.stored or not self.reading or not self.read_once():
                return
        self.loop.call_soon(self.read_more)

    def read_more(self) -> None:
        """There were more bytes of a body than one turn of the loop takes."""
        if self.reading:
            self.on_readable()

    def read_once(self) -> bool:
        """One recv, and what follows from it; False when nothing was there."""
        try:
            data = self.sock.recv(RECEIVE if self.intake is None else RECEIVE_BODY)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError:
            self.outbox.broken = True
            self.lost()
            return False
        try:
            if not data:
                self.on_eof()
            elif self.life is not OPEN:
                pass  # lingering: read and thrown away
            elif self.intake is not None and not self.stored:
                self.advance(data)  # of the body that is being taken in
            elif self.stored or self.resuming or self.outbox.hear():
                self.keep(data)
            else:
                self.advance(data)
        except Exception as error:
            self.door.fault(self, error)
        return True

    def keep(self, data: bytes) -> None:
        """Bytes of a following request while one is answered stay raw, up to the mark: a decoder that
        saw them could refuse them, and the refusal must not overtake the answer to what came before."""
        self.ahead += data
        if len(self.ahead) >= self.door.intake.read_ahead:
            self.read_off()

    def on_eof(self) -> None:
        """The client sends no more; one that closed only its side still waits for its reply."""
        self.outbox.eof = True
        self.read_off()  # an armed reader at the end of a stream spins
        if self.stored:
            return  # ``resume`` goes on with it
        if self.intake is not None:
            self.intake.fail("the client closed the connection before the body was complete")
            self.drop_body()
        if self.life is not Life.LINGERING and (self.resuming or self.outbox.hear()):
            return
        if self.life is OPEN and (self.ahead or self.decoder.buffered):
            self.flushed()  # a request that came whole before the end did; its bell rings in vain
        else:
            self.lost()

    def advance(self, data: bytes) -> None:
        """Decode, and act on what is complete."""
        try:
            events = self.decoder.receive(data)
        except ProtocolError as error:
            self.refuse_protocol(error)
            return
        if len(events) == 2 and events[1] is END:
            request = events[0]
            if isinstance(request, Request) and not request.content_length:
                self.on_bodyless(request)
                return
        for event in events:
            if self.life is OPEN and not self.closed:
                self.on_event(event)
        if not events and self.request is None and self.outbox.exchange is None:
            self.head_incomplete()

    def on_event(self, event: Event) -> None:
        if event is END:
            self.body_complete()
        elif isinstance(event, bytes):
            self.on_body(event)
        else:
            self.on_head(event)

    # ---- A request ----------------------------------------------------------------------------------

    def on_bodyless(self, request: Request) -> None:
        """A request without a body, complete in one read: nearly all of them are."""
        self.forward(request)
        self.dispatch(request, None)

    def dispatch(self, request: Request, body: Body) -> None:
        """Give the request to the pool, and the write lease with it."""
        if request.vars.get("PATH_INFO") in self.door.pages:
            self.keep_to_lane(request, body)
            return
        if self.door.pool.full:
            self.refuse(503, "the queue is full", request)
            return
        self.request = None
        outbox = self.outbox
        streams = self.intake is not None
        x = Exchange(request, outbox, body, monotonic(), self.listener.interim)
        if self.began_at:
            x.began_at, self.began_at = self.began_at, 0.0
        if not outbox.registered:
            if streams or (request.keep_alive and not self.leaving):
                self.read_on()
                if self.closed:
                    return
            self.away = not outbox.registered
        ahead = bool(self.ahead) or len(self.decoder.held) > 0
        outbox.lend(x, streams or ahead or outbox.eof or self.leaving)
        if streams:
            self.watch_body()
        self.door.pool.submit(x)

    # ---- The lease comes back -----------------------------------------------------------------------

    def returned(self) -> None:
        """A reply has ended and somebody asked to hear of it (rung by the thread)."""
        outbox = self.outbox
        self.away = False
        if not outbox.adopted:
            self.adopt()
        if self.closed or outbox.exchange is not None:
            return
        if outbox.broken:
            self.lost()
        elif outbox.left:
            self.flush()
        else:
            self.flushed()

    def flushed(self) -> None:
        if self.outbox.closing:
            self.sent_last()
        else:
            self.next_request()

    def next_request(self) -> None:
        """Go on with what was read ahead, then with the socket."""
        outbox = self.outbox
        outbox.news = outbox.ended = self.resuming = False
        self.pace = None
        if self.leaving:
            self.linger_idle()
        ahead, self.ahead = self.ahead, b""
        if ahead or self.decoder.buffered:
            self.advance(ahead)
        if self.life is not OPEN or self.closed:
            return
        if outbox.eof and not (self.resuming or self.stored or outbox.hear()):
            self.lost()
            return
        self.read_on()
        if not self.bucket:
            self.door.buckets.file(self, monotonic() + self.door.look)

    def sent_last(self) -> None:
        """The last reply is with the kernel: end our side, and hear the client out."""
        if self.life is Life.LINGERING:
            return  # the writer's event was faster than the thread's bell
        if self.life is OPEN:
            self.move("last")
        self.move("sent")
        if self.intake is not None:
            self.intake.fail("the request was answered before its body was complete")
            self.drop_body()
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self.outbox.eof = True
        if self.outbox.eof:
            self.lost()
            return
        # Closing with bytes unread would reset the connection, and the reset overtake the reply
        # (RFC 9112 §9.6): nginx then shows 502 for an answer that it was given.
        now = monotonic()
        self.linger_until = now + (LINGER_LONG if self.unread else self.door.patience.linger)
        self.read_on()
        self.door.buckets.file(self, min(self.linger_until, now + self.door.look))

    # ---- Refusing -----------------------------------------------------------------------------------

    def refuse_protocol(self, error: ProtocolError) -> None:
        """What the client sent is not a request: say so where it will be understood, and close."""
        self.door.report(f"{self.who}: refused: {error}")
        if not self.end_stream(f"the body is malformed: {error.reason}"):
            if self.listener.interim or error.status == 413:
                self.refuse(error.status, error.reason, self.request)
            else:
                self.lost()

    def end_stream(self, reason: str) -> bool:
        """End a body that streams to an application at work: its next read raises, its reply still goes
        out and is the last one. False when no body streams."""
        intake = self.intake
        if not isinstance(intake, Streaming):
            return False
        intake.fail(reason)
        self.drop_body()
        self.read_off()
        # Where the reply has ended already, its bell has been rung: ``returned`` closes.
        self.outbox.hear()
        self.outbox.closing = True
        return True

    def refuse(self, status: int, reason: str, request: Request | None) -> None:
        """Answer without a thread; the lease must be the loop's."""
        outbox = self.outbox
        whole = request is not None and request.keep_alive and self.intake is None
        keep = whole and status == 503 and not self.leaving and not outbox.eof
        if self.intake is not None:
            self.intake.fail(reason)
            self.drop_body()
        self.request = None
        self.began_at = 0.0
        data = self.door.refusal(status, reason, request, keep)
        if request is not None:
            self.door.refused(request, status, len(data))
        outbox.say(data, KEEP if keep else CLOSE)
        if not keep:
            self.unread = True
            self.move("last")
            self.flush()
        else:
            # By way of the loop: many pipelined requests may be refused one after the other.
            self.resuming = True
            self.loop.call_soon(self.flush)

    def keep_to_lane(self, request: Request, body: Body) -> None:
        """A path that the loop answers by itself, now or later; until then what follows stays raw."""
        if isinstance(body, Inbox):
            self.refuse(413, "nothing here takes a body", request)
            return
        if body is not None and not isinstance(body, bytes):
            body.close()
        self.request = None
        self.began_at = 0.0
        self.resuming = True
        self.door.lane.visit(self, request)

    def willing(self, request: Request) -> bool:
        """Whether the connection may stay after a reply that the loop gives now."""
        return request.keep_alive and not self.leaving and not self.outbox.eof

    def answered(self, data: bytes, keep: bool) -> None:
        """A reply of the lane's."""
        self.outbox.say(data, KEEP if keep else CLOSE)
        if not keep:
            self.move("last")
        self.loop.call_soon(self.flush)

    def refuse_queued(self, x: Exchange) -> None:
        """An exchange waited too long for a thread; it was taken from the queue and is ours."""
        self.away = False
        if self.outbox.reclaim(x):
            if self.outbox.eof or self.outbox.broken:
                self.lost()
            else:
                waited = monotonic() - x.received_at
                x.request.vars["penstock.queue_time"] = (
                    x.request.vars.get("penstock.queue_time", 0.0) + waited
                )
                self.refuse(503, "no thread was free in time", x.request)

    # ---- Leaving ------------------------------------------------------------------------------------

    def leave(self) -> None:
        """The worker leaves: hear of the end of what runs; an idle connection lingers, so that a request
        already on its way is answered, with ``Connection: close``."""
        self.leaving = True
        if not self.outbox.hear() and self.life is OPEN:
            self.linger_idle()

    def move(self, event: str) -> None:
        """One step of ``LIFE``; an event that the table does not have there is a fault of ours."""
        self.life = LIFE[self.life][event]
