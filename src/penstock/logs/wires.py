"""What is written into: which file a descriptor is, and how much of a text goes there at once.

Used by whatever thread writes a log. Nothing here waits, and nothing is remembered.
"""

import fcntl
import os
from contextlib import suppress
from select import PIPE_BUF, POLLOUT, poll

DATAGRAM = 60_000  # bytes of one
UNKNOWN = (-1, -1, -1)


def identity(fd: int) -> tuple[int, int, int]:
    """Which file a descriptor is; UNKNOWN for one that is closed."""
    try:
        found = os.fstat(fd)
    except OSError:
        return UNKNOWN
    return found.st_dev, found.st_ino, found.st_mode


def has_room(fd: int, seconds: float = 0.0) -> bool:
    """Whether PIPE_BUF bytes can be written without a wait, now or so soon."""
    waiting = poll()
    waiting.register(fd, POLLOUT)
    return bool(waiting.poll(max(0.0, seconds) * 1000))


def send_now(fd: int, data: bytes) -> int:
    """To a socket, as a service manager's log is one. Raises OSError."""
    import socket

    with socket.socket(fileno=os.dup(fd)) as line:
        return line.send(data, socket.MSG_DONTWAIT)


def send_line(fd: int, line: bytes) -> int:
    """One datagram. What is refused first is the one before, and this one was not sent (ip(7)). Raises
    OSError."""
    try:
        return send_now(fd, line)
    except ConnectionRefusedError:
        return send_now(fd, line)


def is_datagram(fd: int) -> bool:
    """Whether each line to a socket is a message of its own. Raises OSError."""
    import socket

    with socket.socket(fileno=os.dup(fd)) as line:
        return line.type != socket.SOCK_STREAM


def first_line(data: bytes) -> bytes:
    """One line, cut where a datagram cannot be longer (RFC 768)."""
    return data[: min(data.find(b"\n") + 1 or len(data), DATAGRAM)]


def first_piece(data: bytes) -> bytes:
    """Whole lines, as many at once as a pipe takes without breaking them; a longer line by itself."""
    if len(data) <= PIPE_BUF:
        return data
    cut = data.rfind(b"\n", 0, PIPE_BUF) + 1
    return data[: cut or data.find(b"\n") + 1 or len(data)]


def claim(fd: int, alone: bool) -> None:
    """Have the pipe ``fd`` for the next write: ``alone`` for a line that may have to be written in parts,
    else with all who write none of these. Raises BlockingIOError while somebody else is in the middle of one.

    The lock belongs to the open file, so that ``fd`` must be nobody else's (flock(2)).
    """
    try:
        fcntl.flock(fd, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError:
        pass  # a system without them here


def release(fd: int) -> None:
    """Let others write."""
    with suppress(OSError):
        fcntl.flock(fd, fcntl.LOCK_UN)
