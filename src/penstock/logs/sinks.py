"""Where log lines go: a descriptor that nobody ever waits for.

Used by the service thread that writes the diary, and by any thread for a line of the error log. A sink
never raises and never waits: what there is no room for waits here, within bounds; what is beyond them is
counted, and said in its place as soon as writing works again.
"""

import os
import stat
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from errno import EDQUOT, ENOSPC
from select import PIPE_BUF, select
from time import monotonic, time

from penstock.core.errors import StartError
from penstock.core.opening import open_unled
from penstock.handoff.guard import in_forks, make_guard
from penstock.logs.wires import (
    UNKNOWN,
    claim,
    first_line,
    first_piece,
    has_room,
    identity,
    is_datagram,
    release,
    send_line,
    send_now,
)

MOST = 4 << 20  # bytes that wait
LAST = 1.0  # seconds at the end in which what waits may be written
AGAIN = 0.005  # seconds between two tries then
TURNS = 1.0  # seconds that another process may be in the middle of a line
TURN = 4096  # writes that one thread does for others before it goes on
NO_ROOM = {ENOSPC, EDQUOT}
"""A disk that is full may have room again: the line waits. Other errors are the end of it."""


class Sink:
    """Lines to a descriptor. ``path`` for a file that ``reopen`` opens anew, "" for one that is lent;
    ``aside`` is given what is written where somebody wants to see it first, and hands it to ``pass_on``;
    ``onward`` leads it elsewhere then.

    ``dropped`` counts the lines that were lost, ``size`` the bytes that wait; ``stalled`` is called when
    something waits that ``retry`` is to be called for, and ``finish`` with each file that is opened anew;
    ``encode`` makes of a line what all lines are here. ``failing`` is the time.monotonic since which nothing
    could be written, for ``reason``; 0.0 while it can.
    """

    by_line = False
    """Whether each line is to be put by itself."""

    def __init__(self, fd: int, path: str = "") -> None:
        self.fd = fd
        self.path = path
        self.dropped = 0
        self.size = 0
        self.full = self.given_up = self.within = False
        self.failing = 0.0
        self.reason = ""
        self.aside: Callable[[str], bool] | None = None
        self.onward: Callable[[bytes], bool] | None = None
        self.stalled: Callable[[], None] | None = None
        self.finish: Callable[[int], None] | None = None
        self.encode: Callable[[bytes], bytes] | None = None
        # A number stands for so many lines that were lost at this place.
        self.waiting: deque[bytes | int] = deque()
        self.busy = False
        self.guard = make_guard()
        self.known = UNKNOWN
        self.kind = 0
        self.datagrams = False
        self.own = -1
        self.owned = UNKNOWN
        in_forks(self.forked)

    def write(self, text: str) -> bool:
        """Write ``text`` (whole lines), now or as soon as there is room; False when it is lost."""
        return self.pass_on(text) if self.aside is None else self.aside(text)

    def pass_on(self, text: str) -> bool:
        """The same, whoever wants to see it."""
        data = text.encode("utf-8", "backslashreplace")
        return self.put(data) if self.onward is None else self.onward(data)

    def put(self, data: bytes) -> bool:
        """The same, as it is."""
        with self.guard:
            if self.size + len(data) > MOST:
                self.lose(lines_of(data))
                return False
            self.waiting.append(data)
            self.size += len(data)
            if self.busy:
                return True  # whoever writes takes it along
            self.busy = True
        return self.drain()

    def put_lines(self, lines: Sequence[bytes]) -> None:
        """Each of them."""
        self.put(b"".join(lines))

    def retry(self) -> None:
        """Try what waits. Called every quarter second."""
        if self.waiting:
            with self.guard:
                if self.busy:
                    return
                self.busy = True
            self.drain()

    @property
    def pending(self) -> bytes:
        """What waits."""
        with self.guard:
            return b"".join(data for data in self.waiting if isinstance(data, bytes))

    def begin_with(self, waiting: Sequence[bytes | int]) -> None:
        """What waited in the sink of another penstock comes first."""
        with self.guard:
            self.waiting.extendleft(reversed(waiting))
            self.size += sum(len(data) for data in waiting if isinstance(data, bytes))

    def settle(self, seconds: float) -> None:
        """Write what waits as fast as it is read, for so long. By a thread that nobody waits for: a pipe
        holds no more than what a busy server says in some milliseconds."""
        until = monotonic() + seconds
        while self.size and not self.full and monotonic() < until:
            before = self.size
            if has_room(self.fd, until - monotonic()):
                self.retry()
                if self.size == before:
                    select((), (), (), AGAIN)

    # ---- Whose turn it is to write: one thread, and no lock over its system calls ----------------------

    def drain(self) -> bool:
        """Write until nothing waits or there is no room; False when something was lost."""
        for _ in range(TURN):
            with self.guard:
                if not self.waiting:
                    self.busy = False
                    return True
                head = self.waiting[0]
            data = self.confession(head) if isinstance(head, int) else head
            try:
                count = self.send(data)
            except OSError as error:
                stays = self.no_room(error)
                self.note(error)
                self.stop(stays)
                return stays
            self.take(head, data, count)
        self.stop(True)
        return True

    def no_room(self, error: OSError) -> bool:
        """Whether there may be room later; any other error is the end of what waits, for a log that cannot be
        written must not stop what it tells of."""
        self.full = error.errno in NO_ROOM
        return self.full or isinstance(error, BlockingIOError)

    def note(self, error: OSError) -> None:
        """Why nothing can be written."""
        self.reason = (
            "nobody reads it" if isinstance(error, BlockingIOError) else error.strerror or repr(error)
        )
        self.failing = self.failing or monotonic()

    def stop(self, stays: bool) -> None:
        """Nothing more can be written now."""
        with self.guard:
            if not stays:
                self.lose_all()
            self.busy = False
        if self.stalled is not None:
            self.stalled()

    def lose_all(self) -> None:
        """What waits will never be written. The lock is held."""
        lost = sum(lines_of(data) for data in self.waiting if isinstance(data, bytes))
        before = sum(count for count in self.waiting if isinstance(count, int))
        self.waiting.clear()
        self.size = 0
        self.dropped += lost
        self.waiting.append(lost + before)

    def take(self, head: bytes | int, data: bytes, count: int) -> None:
        """So much of the first that waits is written."""
        rest = data[count:]
        self.failing = 0.0
        with self.guard:
            now = self.waiting.popleft()
            if isinstance(head, bytes):
                self.size -= count
            else:
                self.size += len(rest)  # the rest of a confession is bytes like others
                if isinstance(now, int) and now > head:
                    self.waiting.appendleft(now - head)
            if rest:
                self.waiting.appendleft(rest)

    def confession(self, count: int) -> bytes:
        """What is said at the place of lines that are lost."""
        what = "1 line of the log was" if count == 1 else f"{count} lines of the log were"
        return self.own_line(f"penstock: {what} lost here")

    def own_line(self, text: str) -> bytes:
        """A line of penstock's own, in the form that all others have here."""
        line = f"{text}\n".encode("utf-8", "backslashreplace")
        return line if self.encode is None else self.encode(line)

    def lose(self, count: int) -> None:
        """So many lines find no place. The lock is held."""
        self.dropped += count
        if self.waiting and isinstance(self.waiting[-1], int):
            self.waiting[-1] += count
        else:
            self.waiting.append(count)

    # ---- The descriptor -------------------------------------------------------------------------------

    def send(self, data: bytes) -> int:
        """As much of it as there is room for. Raises BlockingIOError for none, and OSError."""
        fd = self.look()
        if stat.S_ISREG(self.kind):
            return os.write(fd, data)
        if stat.S_ISSOCK(self.kind):
            return send_line(fd, first_line(data)) if self.datagrams else send_now(fd, data)
        if stat.S_ISFIFO(self.kind):
            # Several processes write there, and what is longer may be broken into by theirs (pipe(7)).
            data = first_piece(data)
            if self.own >= 0:
                return self.send_whole(data)
        if self.own >= 0:
            return os.write(self.own, data)
        if not has_room(fd):
            raise BlockingIOError
        return os.write(fd, data[:PIPE_BUF])

    def send_whole(self, data: bytes) -> int:
        """The next lines for a pipe: while one of them is there in part, no process writes another."""
        if not self.within:
            try:
                claim(self.own, len(data) > PIPE_BUF)
            except BlockingIOError:
                late = self.failing and monotonic() - self.failing > TURNS
                if not (late and has_room(self.own)):
                    raise
        try:
            count = os.write(self.own, data)
            self.within = count < len(data) and not data.endswith(b"\n", 0, count)
        finally:
            if not self.within:  # else what follows is the rest of the line, whenever there is room
                release(self.own)
        return count

    def look(self) -> int:
        """Which file the descriptor is by now. Raises OSError."""
        fd = self.fd
        found = os.fstat(fd)
        now = (found.st_dev, found.st_ino, found.st_mode)
        if now != self.known or (self.own >= 0 and identity(self.own) != self.owned):
            self.let_go()
            self.known, self.kind = now, found.st_mode
            if not (stat.S_ISREG(self.kind) or stat.S_ISSOCK(self.kind)):
                self.open_own(fd)
            self.datagrams = stat.S_ISSOCK(self.kind) and is_datagram(fd)
        return fd

    def open_own(self, fd: int) -> None:
        """Whether writing waits belongs to an open file and not to a descriptor: who shares ours (a shell, a
        container's engine) would be surprised, so that we open our own."""
        flags = os.O_WRONLY | os.O_NONBLOCK | os.O_APPEND | os.O_NOCTTY | os.O_CLOEXEC
        with suppress(OSError):  # somebody else's pipe, or nobody reads it
            self.own = os.open(f"/proc/self/fd/{fd}", flags)
            self.owned = identity(self.own)

    def let_go(self) -> None:
        """Close what we have opened ourselves, unless somebody else has closed it, and the number is
        another's by now."""
        own, self.own, self.known = self.own, -1, UNKNOWN
        self.within = False
        if own >= 0 and identity(own) == self.owned:
            os.close(own)

    def reopen(self) -> None:
        """Open the file anew by its path (it was renamed); a lent descriptor stays."""
        if self.path:
            try:
                fd = open_log(self.path)
            except StartError as error:
                # Often a file of root's, and we are nobody by now.
                self.write(f"penstock warning: {error}; lines go on into the file that was open\n")
                return
            if self.finish is not None:
                self.finish(fd)
            os.dup2(fd, self.fd, inheritable=False)
            os.close(fd)

    def forked(self) -> None:
        """In a new process: what waits is its parent's to write."""
        self.let_go()  # whose turn it is is our parent's to say
        self.guard = make_guard()
        self.waiting = deque()
        self.size = 0
        self.busy = False

    def end(self, seconds: float = LAST) -> None:
        """The end of the process: wait at most so long for what waits, and not for a disk that is full."""
        until = monotonic() + (0.0 if self.given_up else seconds)
        self.retry()
        while self.size and not self.full and monotonic() < until:
            select((), (), (), AGAIN)
            self.retry()
        self.given_up = self.size > 0  # who has not read until now is not waited for again

    def abandon(self) -> None:
        """What waits is lost with the process: count it."""
        with self.guard:
            if self.size and not self.busy:
                self.lose_all()

    def close(self) -> None:
        """Close what is ours."""
        self.end()
        self.let_go()
        if self.path and self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


def lines_of(data: bytes) -> int:
    """How many lines are lost with it."""
    return data.count(b"\n") or 1


def open_log(path: str) -> int:
    """A descriptor that appends to ``path``, mode 0640 under the umask. Raises StartError."""
    try:
        return open_unled(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
    except OSError as error:
        raise StartError(f"cannot open the log {path}: {error.strerror}") from error


def connected(host: str, port: int) -> int:
    """A descriptor whose every line is a datagram to a log server. Raises StartError."""
    import socket

    if not host:
        raise StartError(f"cannot log to :{port}: the name of a host is missing")
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        line = socket.socket(family, socket.SOCK_DGRAM)
        line.connect(address)
    except OSError as error:
        raise StartError(f"cannot log to {host}:{port}: {error.strerror}") from error
    return line.detach()


def old_name(path: str) -> str:
    """What a log is called when another one takes its place: the time behind its name, as in uWSGI, and a
    number where there is such a file already. Two in one second would else be one."""
    name = found = f"{path}.{int(time())}"
    number = 0
    while os.path.lexists(found):
        number += 1
        found = f"{name}.{number}"
    return found
