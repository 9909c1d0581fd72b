"""A log that never keeps its writer waiting: what cannot be written now waits here, within bounds.

Runs in the supervisor, on its one thread. It knows bytes and a descriptor, which may become another one.
"""

import os
import select
import stat
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from time import monotonic

from penstock.process.supervisor.watch import Timer, Watch

MOST = 4 << 20  # bytes that wait; what comes beyond them is lost, counted, and said
AGAIN, SLOWEST = 0.002, 0.1  # seconds until the next try, longer and longer where there is no room
PIECE = 4096  # bytes that a descriptor which is ready takes without waiting (pipe(7), PIPE_BUF)


class Outlet:
    """``number()`` says which descriptor it is by now."""

    def __init__(self, watch: Watch, number: Callable[[], int]) -> None:
        self.watch = watch
        self.number = number
        self.known: tuple[int, ...] = ()
        self.own = -1
        self.kind = 0
        self.waiting: deque[bytes] = deque()
        self.size = 0
        self.lost = 0
        self.timer: Timer | None = None
        self.pause = AGAIN

    def write(self, data: bytes) -> None:
        """Write it, now or as soon as there is room."""
        if self.size + len(data) > MOST:
            self.lost += data.count(b"\n") or 1
            return
        if data:
            self.waiting.append(data)
            self.size += len(data)
        if self.timer is None:
            self.flush()

    def flush(self) -> None:
        """Try what waits; come back to it where some of it stays."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        before = self.size
        self.empty()
        if self.waiting:
            self.pause = AGAIN if self.size < before else min(SLOWEST, 2 * self.pause)
            self.timer = self.watch.later(self.pause, self.flush)

    def empty(self) -> None:
        """Write until nothing waits or there is no room."""
        while self.waiting:
            data = self.waiting.popleft()
            try:
                count = self.put(data)
            except BlockingIOError:
                count = 0
            except OSError:
                # Whatever its kind: a log that cannot be written must not stop what it tells of.
                self.lost += data.count(b"\n") or 1
                self.size -= len(data)
                continue
            self.size -= count
            if count < len(data):
                self.waiting.appendleft(data[count:])
            if not count:
                return
            if self.lost and not self.waiting:  # it can be written again
                self.confess()

    def confess(self) -> None:
        """Say what is missing."""
        lost, self.lost = self.lost, 0
        text = f"penstock: {lost} lines of the log could not be written here\n".encode()
        self.waiting.append(text)
        self.size += len(text)

    def put(self, data: bytes) -> int:
        """As much of it as there is room for. Raises BlockingIOError for none, and OSError."""
        fd = self.look()
        if stat.S_ISREG(self.kind):
            return os.write(fd, data)
        if self.own >= 0:
            return os.write(self.own, data)
        if stat.S_ISSOCK(self.kind):
            return send(fd, data)
        ready = select.poll()
        ready.register(fd, select.POLLOUT)
        return os.write(fd, data[:PIECE]) if ready.poll(0) else 0

    def look(self) -> int:
        """Which descriptor it is by now; what it was is let go. Raises OSError."""
        fd = self.number()
        found = os.fstat(fd)
        now = (fd, found.st_dev, found.st_ino)
        if now != self.known:
            self.change(fd, found.st_mode)
            self.known = now
        return fd

    def change(self, fd: int, mode: int) -> None:
        """It is another file now. Whether writing waits belongs to an open file and not to a descriptor: who
        shares ours (a shell, a container's engine) would be surprised, so that we open our own."""
        self.close()
        self.kind = mode
        if not stat.S_ISREG(mode):
            flags = os.O_WRONLY | os.O_NONBLOCK | os.O_APPEND | os.O_NOCTTY | os.O_CLOEXEC
            with suppress(OSError):  # a socket, somebody else's pipe
                self.own = os.open(f"/proc/self/fd/{fd}", flags)

    def close(self) -> None:
        """What we have opened ourselves."""
        if self.own >= 0:
            os.close(self.own)
        self.own, self.known = -1, ()

    def end(self, seconds: float) -> None:
        """The end of the process: wait at most so long for what waits."""
        until = monotonic() + seconds
        self.empty()
        while self.waiting and monotonic() < until:
            select.select((), (), (), AGAIN)
            self.empty()
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        self.close()


def send(fd: int, data: bytes) -> int:
    """To a socket, as a service manager's log is one. Raises OSError."""
    import socket

    with socket.socket(fileno=os.dup(fd)) as line:
        return line.send(data, socket.MSG_DONTWAIT)
