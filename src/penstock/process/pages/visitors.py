"""Connections of few who ask about the server: bounded in number, size and time, and never waited for.

Runs on the supervisor's loop, or on a single process's. It does not know what is asked: its trade does.
"""

import select
import socket
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any, Protocol

PATIENCE = 10.0  # seconds for a request to be there, and for each piece of the reply to be taken
WHOLE = 60.0  # seconds for all of a reply to be taken
SILENT = 2.0  # seconds after which one that has not said all makes room, where there is none for others
LOOK = 2.0  # seconds between two looks at who is slow
AT_ONCE = 1 << 16  # bytes of one turn
REPLY = 16 << 20  # bytes that may wait for one visitor


class Clock(Protocol):
    """What is needed of a loop; ``process/supervisor/watch.py`` is one."""

    def add(self, fd: int, call: Callable[[], None]) -> None:
        """Call when there is something to read."""

    def remove(self, fd: int) -> None:
        """Call no more."""

    def later(self, seconds: float, call: Callable[[], None]) -> Any:
        """Call once in so many seconds; what comes back has ``cancel()``."""


class Visitor:
    """One connection. ``came`` is what it said and nobody has taken yet; ``busy``: what it asked for is under
    way; ``heard_all``: it has shut its side, or nothing more of it is wanted; ``moved``: time.monotonic when
    it came, was sent a reply, or took some of it (what it says piece by piece does not count, or it could go
    on for ever); ``since``: when what it is being sent began to wait."""

    def __init__(self, sock: socket.socket, who: str) -> None:
        self.sock = sock
        self.who = who
        self.came = bytearray()
        self.waits = bytearray()
        self.busy = False
        self.heard_all = False
        self.gone = False
        self.moved = self.since = monotonic()
        self.interest = 0
        self.listener: socket.socket | None = None

    @property
    def slow(self) -> bool:
        """Whether it keeps us waiting; while its command runs it is we who do."""
        now = monotonic()
        if self.waits and now - self.since > WHOLE:
            return True
        return (not self.busy or bool(self.waits)) and now - self.moved > PATIENCE


class Trade(Protocol):
    """What visitors come for."""

    def enter(self, sock: socket.socket, address: Any, full: bool) -> tuple[str, bytes]:
        """Who it is, and b""; or a refusal that is sent before the end. ``full``: there are as many as there
        may be, and it must be refused."""

    def met(self, visitor: Visitor) -> None:
        """It is in; it has said nothing yet."""

    def heard(self, visitor: Visitor) -> None:
        """``came`` has grown, or ``heard_all`` has become true."""


class Visitors:
    """Those of one trade, on one or more listeners, ``most`` at a time."""

    def __init__(self, watch: Clock, trade: Trade, most: int) -> None:
        self.watch = watch
        self.trade = trade
        self.most = most
        self.here: dict[int, Visitor] = {}
        self.listeners: dict[int, socket.socket] = {}
        self.looking = False
        # One epoll of our own, because a supervisor's loop only looks at what can be read.
        self.poll = select.epoll()
        watch.add(self.poll.fileno(), self.turn)

    def listen(self, sock: socket.socket) -> None:
        """Let in who comes to a listening socket that does not block; it is ours to close from now on."""
        self.listeners[sock.fileno()] = sock
        self.poll.register(sock, select.EPOLLIN)

    def close(self) -> None:
        """End all connections and listeners; once or again."""
        for visitor in list(self.here.values()):
            self.drop(visitor)
        if not self.poll.closed:
            self.watch.remove(self.poll.fileno())
            self.poll.close()
        for sock in self.listeners.values():
            sock.close()
        self.listeners.clear()

    # ---- Turns --------------------------------------------------------------------------------------

    def turn(self) -> None:
        """Something happened on a listener, or with visitors."""
        # Who has which number is looked up first: one who leaves now may leave it to one who comes.
        found = [(self.here.get(fd), fd, events) for fd, events in self.poll.poll(0)]
        for visitor, fd, events in found:
            listener = self.listeners.get(fd)
            if visitor is not None:
                self.serve(visitor, events)
            elif listener is not None:
                self.accept(listener)

    def accept(self, listener: socket.socket) -> None:
        """One visitor comes in, if there is room and it may."""
        try:
            sock, address = listener.accept()
        except OSError:
            # Gone already; or no descriptor is left, and poll would say so at once again.
            self.poll.modify(listener, 0)
            self.watch.later(LOOK, self.resume)
            return
        sock.setblocking(False)
        if len(self.here) >= self.most:
            self.make_room()
        who, refusal = self.trade.enter(sock, address, len(self.here) >= self.most)
        if refusal:
            with suppress(OSError):
                sock.send(refusal)
            sock.close()
            return
        visitor = Visitor(sock, who)
        visitor.listener = listener
        self.here[sock.fileno()] = visitor
        self.poll.register(sock, 0)
        if not self.looking:
            self.looking = True
            self.watch.later(LOOK, self.look)
        self.trade.met(visitor)
        self.attend(visitor)

    def make_room(self) -> None:
        """Let go of who has been here for longest without saying what it wants, if that is long."""
        silent = [one for one in self.here.values() if not one.busy and not one.waits]
        oldest = min(silent, key=lambda one: one.moved, default=None)
        if oldest is not None and monotonic() - oldest.moved > SILENT:
            self.drop(oldest)

    def resume(self) -> None:
        """Look at the listeners again."""
        for listener in self.listeners.values():
            self.poll.modify(listener, select.EPOLLIN)

    def serve(self, visitor: Visitor, events: int) -> None:
        """A visitor has something for us, takes something, or is gone."""
        if visitor.gone:
            return
        if events & select.EPOLLIN and not visitor.heard_all:
            self.read(visitor)
        if events & (select.EPOLLERR | select.EPOLLHUP) and not visitor.gone:
            self.drop(visitor)
        if visitor.waits and not visitor.gone:
            self.write(visitor)
        self.attend(visitor)

    def attend(self, visitor: Visitor) -> None:
        """Watch for what is next, or let go of one with whom all is done."""
        if visitor.gone:
            return
        if visitor.heard_all and not visitor.busy and not visitor.waits:
            self.drop(visitor)
            return
        reading = 0 if visitor.heard_all else select.EPOLLIN
        interest = reading | (select.EPOLLOUT if visitor.waits else 0)
        if interest != visitor.interest:
            visitor.interest = interest
            self.poll.modify(visitor.sock, interest)

    def drop(self, visitor: Visitor) -> None:
        """End a connection. What was asked for on it goes on."""
        if visitor.gone:
            return
        visitor.gone = True
        del self.here[visitor.sock.fileno()]
        self.poll.unregister(visitor.sock)
        visitor.sock.close()

    def look(self) -> None:
        """Let go of those who keep us waiting."""
        for visitor in [visitor for visitor in self.here.values() if visitor.slow]:
            self.drop(visitor)
        self.looking = bool(self.here)
        if self.looking:
            self.watch.later(LOOK, self.look)

    # ---- Bytes --------------------------------------------------------------------------------------

    def read(self, visitor: Visitor) -> None:
        """What a visitor says, as far as it is there."""
        try:
            data = visitor.sock.recv(AT_ONCE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        visitor.heard_all = not data
        visitor.came += data
        self.trade.heard(visitor)

    def send(self, visitor: Visitor, data: bytes) -> None:
        """Send, or keep what does not go now; one for whom too much waits is let go."""
        if visitor.gone:
            return
        visitor.moved = monotonic()
        if not visitor.waits:
            visitor.since = visitor.moved
        visitor.waits += data
        if len(visitor.waits) > REPLY:
            self.drop(visitor)
            return
        self.write(visitor)
        self.attend(visitor)

    def write(self, visitor: Visitor) -> None:
        """Send what goes now."""
        try:
            count = visitor.sock.send(visitor.waits[:AT_ONCE])
        except BlockingIOError:
            return
        except OSError:
            self.drop(visitor)
            return
        visitor.moved = monotonic()
        del visitor.waits[:count]
