"""Where log lines go: a descriptor, written whole batches at a time.

Used by the service thread that writes the diary, and by any thread for a line of the error log. A sink
never raises: what cannot be written is counted and said when writing works again.
"""

import os
import stat
from collections.abc import Callable, Iterator
from select import PIPE_BUF, POLLOUT, poll
from time import monotonic

from penstock.core.errors import StartError
from penstock.core.opening import open_unled

PATIENCE = 1.0  # seconds that a descriptor which never waits by itself may take to have room


class Sink:
    """Lines to a descriptor. ``path`` for a file that ``reopen`` opens anew, "" for one that is lent;
    ``aside`` is given what is written where somebody wants to see it first, and hands it to ``pass_on``."""

    def __init__(self, fd: int, path: str = "") -> None:
        self.fd = fd
        self.path = path
        self.lost = 0
        self.aside: Callable[[str], bool] | None = None

    def write(self, text: str) -> bool:
        """Write ``text`` (whole lines); False when it could not be, or not all of it."""
        return self.pass_on(text) if self.aside is None else self.aside(text)

    def pass_on(self, text: str) -> bool:
        """The same, whoever wants to see it."""
        data = text.encode("utf-8", "backslashreplace")
        if len(data) > PIPE_BUF and is_pipe(self.fd):
            # Several processes write there, and what is longer may be broken into by theirs (pipe(7)).
            return all(self.put(piece) for piece in pieces(data))
        return self.put(data)

    def put(self, whole: bytes) -> bool:
        """One piece of it."""
        data = memoryview(whole)
        until = 0.0
        while data:
            try:
                count = os.write(self.fd, data)
            except InterruptedError:
                continue
            except OSError as error:
                if isinstance(error, BlockingIOError) and not self.lost:
                    until = until or monotonic() + PATIENCE
                    if has_room(self.fd, until):
                        continue
                # Whatever its kind: a log that cannot be written must not stop what it tells of.
                self.lost += 1
                return False
            data = data[count:]
        if self.lost:
            lost, self.lost = self.lost, 0
            return self.pass_on(f"penstock: {lost} batches of log lines could not be written here\n")
        return True

    def reopen(self) -> None:
        """Open the file anew by its path (it was renamed); a lent descriptor stays."""
        if self.path:
            try:
                fd = open_log(self.path)
            except StartError as error:
                # Often a file of root's, and we are nobody by now.
                self.write(f"penstock warning: {error}; lines go on into the file that was open\n")
                return
            os.dup2(fd, self.fd, inheritable=False)
            os.close(fd)

    def close(self) -> None:
        """Close what is ours."""
        if self.path and self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


def has_room(fd: int, until: float) -> bool:
    """Whether something can be written before ``until`` (time.monotonic)."""
    waiting = poll()
    waiting.register(fd, POLLOUT)
    return bool(waiting.poll(max(0.0, until - monotonic()) * 1000))


def is_pipe(fd: int) -> bool:
    """Whether it is a pipe, as a container's standard output is."""
    try:
        return stat.S_ISFIFO(os.fstat(fd).st_mode)
    except OSError:
        return False


def pieces(data: bytes) -> Iterator[bytes]:
    """Whole lines, as many at once as a pipe takes without breaking them; a longer line by itself."""
    start = 0
    while start < len(data):
        end = start + PIPE_BUF
        if end < len(data):
            cut = data.rfind(b"\n", start, end) + 1
            end = cut if cut > start else data.find(b"\n", end) + 1 or len(data)
        yield data[start:end]
        start = end


def open_log(path: str) -> int:
    """A descriptor that appends to ``path``, mode 0640 under the umask. Raises StartError."""
    try:
        return open_unled(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
    except OSError as error:
        raise StartError(f"cannot open the log {path}: {error.strerror}") from error


def file_sink(path: str) -> Sink:
    """A sink that appends to a file. Raises StartError."""
    # Absolute, so that it is opened anew where it was even after a change of folder.
    return Sink(open_log(path), os.path.abspath(path))
