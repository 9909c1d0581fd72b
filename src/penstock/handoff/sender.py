"""The thread that sends files: it waits for all sockets where it is a file's turn, sends to those with room.

One per worker, started with the first file that a socket does not take at once. While it has a box, nobody
else drains that box or closes its socket; when the last byte is with the kernel it lets go, and rings only
where the loop must hear of that. A slow disk holds it for one slice at a time.
"""

import errno
import os
import select
import threading
from _thread import LockType, allocate_lock
from collections.abc import Callable
from contextlib import ExitStack
from time import monotonic, sleep
from typing import Any, Protocol

from penstock.handoff.remainder import Remainder
from penstock.handoff.sockets import Socket, send_slice
from penstock.handoff.spool import FilePart
from penstock.handoff.trail import taken_from

PAUSE = 0.001  # seconds; with twice as long buffers run empty, and it costs more than none
SEVERAL = 4  # sockets
ROOMY = 1 << 20  # bytes


class Box(Protocol):
    """What an ``Outbox`` shows of itself here. ``sending``: the sender has it."""

    sock: Socket
    doorway: Any
    exchange: Any
    remainder: Remainder
    sending: bool
    registered: bool
    broken: bool
    news: bool
    ended: bool
    closing: bool
    finished_at: float
    sent: int

    def at_low_mark(self) -> LockType | None: ...

    def ring(self, stuck: bool = False) -> None: ...


class Sender:
    """``lock`` is the worker's one lock; ``failed`` is told what the log is to say.

    ``door``    is held over changes of ``waiting`` and of what epoll is told; no other lock is taken under it
    ``waiting`` the boxes whose sockets are to have room, by descriptor
    ``roomy``   no socket took less than ROOMY bytes when it last had room. Such a one has megabytes of room
                and tells when a third of it is free: the rest lasts for longer than PAUSE. Where SEVERAL wait
                they are served a little later, all at once and with more each, which is a tenth less work
    """

    def __init__(self, lock: LockType, failed: Callable[[str], None]) -> None:
        self.lock = lock
        self.failed = failed
        self.door = allocate_lock()
        self.bell = -1
        self.thread: threading.Thread | None = None
        self.epoll: select.epoll
        self.roomy = False
        self.waiting: dict[int, Box] = {}

    # ---- Any thread ---------------------------------------------------------------------------------

    def start(self) -> None:
        """Have the thread run. Raises OSError where the system has none to give."""
        with self.door:
            if self.thread is not None:
                return
            with ExitStack() as undo:
                epoll = undo.enter_context(select.epoll())
                bell = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
                undo.callback(os.close, bell)
                epoll.register(bell, select.EPOLLIN)
                self.epoll, self.bell = epoll, bell
                thread = threading.Thread(target=self.run, name="penstock-sender", daemon=True)
                try:
                    thread.start()
                except RuntimeError as error:
                    self.bell = -1
                    raise OSError(errno.EAGAIN, "no thread can be started") from error
                self.thread = thread
                undo.pop_all()

    def submit(self, box: Box) -> None:
        """Have the files sent that stand first in ``box``, whose ``sending`` the caller has set. Wakes nobody
        before there is room."""
        fd = box.sock.fileno()
        with self.door:
            if self.bell < 0:
                return  # it has left
            self.waiting[fd] = box
            try:
                self.epoll.register(fd, select.EPOLLOUT)
                return
            except (OSError, ValueError):
                del self.waiting[fd]
        self.fail(box)
        self.let_go(box)

    def offer(self, box: Box) -> None:
        """Loop: it is a file's turn in ``box``; from here on only the loop may close it, and it will hear of
        the end. Raises OSError as ``start`` does."""
        self.start()
        with self.lock:
            if box.sending or box.broken or box.remainder.front_file() is None:
                return
            box.sending = box.registered = box.news = True
        self.submit(box)

    def stop(self, seconds: float) -> bool:
        """Leave when all is sent; False when the thread does not within ``seconds``."""
        if self.thread is None:
            return True
        with self.door:
            if self.bell >= 0:
                os.eventfd_write(self.bell, 1)
        self.thread.join(seconds)
        return not self.thread.is_alive()

    # ---- The thread ---------------------------------------------------------------------------------

    def run(self) -> None:
        """Until it is told to leave and nothing is left."""
        leaving = False
        while not (leaving and self.left()):
            ready = self.epoll.poll()
            if self.roomy and len(self.waiting) >= SEVERAL:
                sleep(PAUSE)
            self.roomy = True
            for fd, _ in ready:
                if fd == self.bell:
                    leaving = True
                    self.epoll.unregister(fd)
                else:
                    with self.door:
                        box = self.waiting[fd]
                    self.turn(fd, box)

    def left(self) -> bool:
        """Leave, unless something waits."""
        with self.door:
            if self.waiting:
                return False
            os.close(self.bell)
            self.bell = -1
            self.epoll.close()
            return True

    def turn(self, fd: int, box: Box) -> None:
        """One slice to a socket with room; the box is let go when nothing of a file is left in it."""
        try:
            part = self.front(box)
            if part is not None and self.sent(
                box, part, send_slice(box.sock, part.fd, part.offset, part.end)
            ):
                return
        except Exception as error:
            self.fail(box)
            if not isinstance(error, OSError) or error.errno == errno.EIO:
                self.failed(f"a file could not be sent: {error!r}; the reply was cut")
        # Before it is let go: the loop may close the socket then, and its number be another client's.
        with self.door:
            del self.waiting[fd]
            try:
                self.epoll.unregister(fd)
            except OSError:
                pass  # the application has closed it
        if not self.let_go(box):
            self.submit(box)

    def fail(self, box: Box) -> None:
        """The client is gone, or the file became shorter: the loop ends the connection."""
        with self.lock:
            box.broken = True

    def front(self, box: Box) -> FilePart | None:
        """The part whose turn it is; None where there is none, and where the client is gone."""
        with self.lock:
            return None if box.broken else box.remainder.front_file()

    def sent(self, box: Box, part: FilePart, count: int) -> bool:
        """Strike what was sent; whether a file's turn goes on."""
        with self.lock:
            box.sent += count
            done = box.remainder.strike_file(part, count)
            waiter = box.at_low_mark()
            more = box.remainder.front_file() is not None
            after = None
            if box.exchange is None and not box.remainder.pieces:
                # Here, not when it is let go: nothing is left, so the loop may lend the lease any moment.
                box.finished_at = monotonic()
                after = taken_from(box.remainder)
        if done:
            part.close()
        else:
            self.roomy = self.roomy and count >= ROOMY
        if waiter:
            waiter.release()
        if after is not None:
            after(True)
        return more

    def let_go(self, box: Box) -> bool:
        """Give the box back, and ring where the loop must hear of it; False where a file came behind."""
        with self.lock:
            if not box.broken and box.remainder.front_file() is not None:
                return False
            box.sending = False
            told = box.broken or bool(box.remainder.pieces) or (box.ended and (box.news or box.closing))
        if told:
            box.ring(stuck=True)
        return True
