"""Leaving the terminal: the double fork, and the parent that waits until the daemon serves.

Runs on the main thread at start, before any thread of ours exists. The parent leaves with the daemon's
verdict, so that a start that fails is seen where it was asked for.
"""

import os
import select
import signal
import sys
import time
from contextlib import suppress
from typing import NoReturn

from penstock.core.errors import StartError

DIED = 1
LOOK = 1.0  # seconds between two looks at whether the daemon still lives
LONGEST = 1 << 20  # bytes of a failure that are passed on
GRACE = 0.2  # seconds in which the words of a daemon that is gone may still arrive


class Parent:
    """The process that was started, as the daemon sees it: waiting at the other end of a pipe.

    One of ``serving`` and ``failed`` is called once; later calls do nothing.
    """

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def serving(self) -> None:
        """We serve: the parent leaves with status 0."""
        self._tell(b"0\n")

    def failed(self, code: int, text: str) -> None:
        """The start failed: the parent writes ``text`` to its stderr and leaves with ``code``."""
        body = text.encode("utf-8", "backslashreplace")[:LONGEST]
        self._tell(f"{code} {len(body)}\n".encode() + body)

    def _tell(self, data: bytes) -> None:
        fd, self.fd = self.fd, -1
        if fd < 0:
            return
        with suppress(OSError):  # it was ended while it waited
            while data:
                data = data[os.write(fd, data) :]
        os.close(fd)


def detach(log: str) -> Parent:
    """Go on as a daemon: a session of its own and no way to a terminal. The process that was started never
    returns from here; ``log`` is the file that it names when the daemon dies without a word.

    Raises StartError when the system gives no process.
    """
    flush()
    reading, writing = os.pipe()
    # Unblocked by the parent when it knows whom to end, and by the daemon.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        child = os.fork()
    except OSError as error:
        raise StartError(f"daemonize: {error.strerror}") from error
    if child:
        os.close(writing)
        os.waitpid(child, 0)
        Waiting(reading, log).wait()
    os.close(reading)
    _leave_session(writing)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return Parent(writing)


def _leave_session(writing: int) -> None:
    """The second fork: only the leader of a session can get a terminal again (setsid(2))."""
    os.setsid()
    try:
        leader = os.fork()
    except OSError as error:
        Parent(writing).failed(DIED, f"penstock: daemonize: {error.strerror}\n")
        os._exit(DIED)
    if leader:
        os._exit(0)
    os.write(writing, f"{os.getpid()}\n".encode())


class Waiting:
    """The parent's part: read what the daemon says, and leave accordingly."""

    def __init__(self, fd: int, log: str) -> None:
        self.fd = fd
        self.log = log
        self.heard = b""
        self.ended = False
        self.daemon = 0

    def wait(self) -> NoReturn:
        """Until the verdict; then the process ends, without the application's or our own clean-up."""
        first = self.line()
        self.daemon = int(first) if first.isdigit() else 0
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.on_signal)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})
        words = self.line().split()
        if not words:
            self.leave(DIED, f"penstock: the daemon ended while it started; see {self.log}\n".encode())
        size = int(words[1]) if len(words) > 1 else 0
        while len(self.heard) < size and self.more():
            pass
        self.leave(int(words[0]), self.heard[:size])

    def leave(self, code: int, text: bytes) -> NoReturn:
        """End this process."""
        with suppress(OSError):
            while text:
                text = text[os.write(2, text) :]
        os._exit(code)

    def on_signal(self, number: int, frame: object) -> None:
        """Whoever ends us while we wait means the start."""
        with suppress(OSError):
            if self.daemon:
                os.kill(self.daemon, signal.SIGTERM)
        os._exit(128 + number)

    def line(self) -> bytes:
        """The next line without its end; b"" when the daemon is gone."""
        while b"\n" not in self.heard and self.more():
            pass
        found, _, self.heard = self.heard.partition(b"\n")
        return found

    def more(self) -> bool:
        """Wait for more; False when none will come."""
        while not self.ended:
            if select.select([self.fd], [], [], LOOK)[0]:
                data = os.read(self.fd, 1 << 16)
                self.heard += data
                self.ended = not data
                return bool(data)
            # A process that the application started may hold the pipe open when the daemon is gone.
            if self.daemon and not alive(self.daemon):
                time.sleep(GRACE)
                self.ended = not select.select([self.fd], [], [], 0)[0]
        return False


def alive(pid: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def hold_stdio() -> None:
    """Open 0, 1 and 2 where they are closed: a log or a socket with such a number would be written over."""
    for fd in (0, 1, 2):
        try:
            os.fstat(fd)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest number that is free


def flush() -> None:
    """What Python holds back of our output; with a descriptor that is closed there is no such object."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()


class Stdio:
    """Standard output and error: ``take`` points both at a log, as uWSGI does, so that what the application
    prints is there too."""

    def __init__(self) -> None:
        self.before: tuple[int, int] | None = None
        self.taken = False

    def take(self, fd: int) -> None:
        """Both are ``fd``'s file from now on."""
        flush()
        if not self.taken:
            self.before = (os.dup(1), os.dup(2))
            self.taken = True
        os.dup2(fd, 1)
        os.dup2(fd, 2)

    def leave(self, fd: int) -> None:
        """The same for a daemon: nothing of what they were stays open, and nothing can be read."""
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        self.take(fd)
        self._forget()

    def give_back(self) -> None:
        """Both as they were before ``take``; a daemon's stay."""
        if self.before is not None:
            flush()
            os.dup2(self.before[0], 1)
            os.dup2(self.before[1], 2)
        self._forget()

    def _forget(self) -> None:
        before, self.before = self.before, None
        for fd in before or ():
            os.close(fd)
