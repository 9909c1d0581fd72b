"""Accepting: one connection per readiness event, and a first read at once. Runs on the loop.

Accepting depends on connections, not on threads: below ``max-connections`` the loop always accepts, and
a full queue is answered with 503 by the connection itself. Where other processes take connections of the
same listener, this one steps aside for a moment while one of them should have the next.
"""

import errno
import os
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import Any

from penstock.handoff.exchange import Exchange
from penstock.handoff.sockets import Socket
from penstock.net.balance import ASIDE
from penstock.net.connection import Connection
from penstock.net.door import Door
from penstock.net.firstlook import first_request
from penstock.net.listener import Listener

AGAIN = 60.0  # seconds after which it is said again that the house is full
PAUSE = 0.1  # seconds without accepting after the process ran out of descriptors or memory
HASTE = 0.1  # seconds without waiting for first words after a client said none in time
STARVED = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}


class Acceptor:
    """Takes the connections of one listener."""

    def __init__(self, door: Door, listener: Listener) -> None:
        self.door = door
        self.listener = listener
        self.listening = False
        self.wanted = True
        self.ended = False
        self.aside = False
        self.looks = 0
        # Behind a connection of uwsgi comes one request; one of HTTP may stay idle for long.
        self.alone = listener.protocol == "uwsgi"
        self.balance = door.balance
        self.ready: Callable[[], object] = self.accept if self.balance is None else self.accept_in_turn
        self.hasty_until = 0.0
        self.full_at = self.starved_at = -AGAIN
        # socket.accept() would hand over a blocking socket with the application's own time-out after it
        # called socket.setdefaulttimeout(); the call beneath it gives the bare number.
        raw: Any = listener.sock
        self.take: Callable[[], tuple[int, Any]] = raw._accept
        # Asked once: each of these words is an enumeration's member that socket.socket looks up anew.
        self.socket: Callable[[int], Socket] = partial(Socket, int(raw.family), int(raw.type), raw.proto)
        self.spare = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        door.on_room.append(self.listen)

    def attend(self, on: bool) -> None:
        """Have the loop accept, or leave it to the thread at the door, whatever else would begin anew."""
        self.wanted = on
        if on:
            self.listen()
        else:
            self.pause()

    def listen(self) -> None:
        """Have the loop tell of new connections; again after a pause."""
        if self.wanted and not self.listening and not self.ended and not self.aside and self.door.room:
            self.keep_spare()
            self.listening = True
            self.door.loop.add_reader(self.listener.sock, self.ready)

    def pause(self) -> None:
        """Leave new connections in the kernel's queue."""
        if self.listening:
            self.listening = False
            self.door.loop.remove_reader(self.listener.sock)

    def accept(self) -> bool:
        """Take one connection; False when there was none (the loop ignores the answer)."""
        try:
            fd, address = self.take()
        except (BlockingIOError, InterruptedError):
            return False
        except OSError as error:
            if error.errno in STARVED:
                self.starved(error)
                return False
            return True  # ECONNABORTED and its kin: that client is gone, take the next event
        self.let_in(fd, address)
        if not self.door.room:
            self.pause()
            self.full()
        return True

    def let_in(self, fd: int, address: Any) -> None:
        """Begin with a connection that was accepted."""
        sock = self.socket(fd)
        try:
            Connection(self.door, self.listener, sock, address).open()
        except OSError as error:
            sock.close()
            self.door.report(f"{self.listener.name}: a connection could not be opened: {error}")

    def accept_in_turn(self) -> None:
        """A connection waits for this worker or a sibling: take it, or step aside for who should have it."""
        balance = self.balance
        assert balance is not None
        if balance.yields(self.alone, self.looks):
            self.looks += 1
            self.aside = True
            self.pause()  # declining without it would spin
            self.door.loop.call_later(ASIDE, self.step_back)
            return
        self.looks = 0
        if self.accept():
            balance.count()

    def step_back(self) -> None:
        """The moment is over. No other event may come, so this one must: the worker is not to end deaf."""
        self.aside = False
        self.listen()

    def full(self) -> None:
        """Say that nobody is let in any more, once a minute."""
        now = monotonic()
        if now - self.full_at >= AGAIN:
            self.full_at = now
            most = self.door.intake.max_connections
            self.door.report(
                f"{self.listener.name}: max-connections ({most}) reached: new ones wait in the kernel's queue"
            )

    def take_request(self) -> Exchange | bool:
        """The thread at the door (``Take``): accept one connection and have its first request."""
        listener, door = self.listener, self.door
        if self.balance is not None and self.balance.yields_door(self.alone):
            return False  # the loop steps aside
        # What was handed to the loop and is not in its table yet waits in the bell.
        if len(door.connections) + len(door.doorway.bell.calls) >= door.intake.max_connections:
            return False
        try:
            fd, address = self.take()
        except (BlockingIOError, InterruptedError):
            return True
        except OSError as error:
            return error.errno not in STARVED  # which the loop's own accept deals with
        sock = self.socket(fd)
        try:
            connection = Connection(door, listener, sock, address)
            wait = connection.opened_at >= self.hasty_until
            x = first_request(connection, wait)
            if wait and x is None:
                self.hasty_until = monotonic() + HASTE
            return x or True
        except OSError as error:
            sock.close()
            door.doorway.bell.ring(door.report, f"{listener.name}: a connection could not be opened: {error}")
            return True
        except BaseException:
            sock.close()
            raise  # a fault of ours: the porter tells of it

    def starved(self, error: OSError) -> None:
        """Out of descriptors: turn the first in the queue away with the spare one, then pause."""
        self.drop_spare()
        try:
            fd, _ = self.take()
            os.close(fd)
        except OSError:
            pass
        self.keep_spare()
        self.pause()
        now = monotonic()
        if now - self.starved_at >= PAUSE * 10:  # else it is the same shortage, and has been said
            self.door.report(
                f"{self.listener.name}: not accepting, trying again every {PAUSE} s: {error.strerror}"
            )
        self.starved_at = now
        self.door.loop.call_later(PAUSE, self.listen)

    def end(self, final: bool = True) -> None:
        """Listen no more. ``final``: nobody else will, so every connection whose handshake is complete is
        taken first; else what is in the kernel's queue is the siblings'."""
        self.ended = True
        self.pause()
        while final and self.accept():
            pass
        self.drop_spare()

    def keep_spare(self) -> None:
        """Have a descriptor to give up; none when somebody else was faster to take the last."""
        if self.spare < 0:
            try:
                self.spare = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
            except OSError:
                pass  # tried again after the next pause

    def drop_spare(self) -> None:
        """Give it up, once: its number may be another's at once."""
        if self.spare >= 0:
            spare, self.spare = self.spare, -1
            os.close(spare)
