"""The doors of mules: sockets that carry whole messages to one mule, to a farm of them, or to any.

The supervisor makes them before the application is loaded, so that prototypes, workers and mules have the
same ones; what is sent while a mule is started anew waits there. It does not know what messages say.
"""

import errno
import os
import select
import signal
import socket
from collections.abc import Callable, Iterable, Sequence
from time import monotonic

Door = tuple[str, int, int]
"""A door's name, the descriptor that is written to, and the one that is read."""

known: tuple[Door, ...] = ()
"""Those of the generation that this process belongs to: a prototype, a worker or a mule."""

ANY = "any"
HEAR = signal.SIGRTMIN + 6
"""Signal that has a mule read what the supervisor has told it: its thread is its script's."""
FULL = {errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM}
LARGEST = 64 << 20  # bytes of one message that are read; Python makes room for all that may come
Say = Callable[[str], None]


def name_of(whom: int | str) -> str:
    """The door of a mule by its number, 0 for any of them, or of a farm by its name."""
    if isinstance(whom, str):
        return f"farm {whom}"
    return f"mule {whom}" if whom else ANY


def names_of(count: int, farms: Iterable[str]) -> list[str]:
    """All doors that ``count`` mules and so many farms have."""
    numbered = [name_of(number) for number in range(1, count + 1)]
    return [ANY, *numbered, *map(name_of, farms)] if count else []


def open_door(name: str, size: int) -> Door:
    """A new one; ``size`` as for ``tune``. Its descriptors are the caller's. Raises OSError."""
    kind = socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK
    outside, inside = socket.socketpair(socket.AF_UNIX, kind)
    door = name, outside.detach(), inside.detach()
    tune(door, size)
    return door


def tune(door: Door, size: int) -> None:
    """``mule-msg-size``: bytes that wait at most, and so of one message; 0 leaves what the system gives."""
    for fd in door[1:] if size > 0 else ():
        with socket.socket(fileno=os.dup(fd)) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, size)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)


def close_door(door: Door) -> None:
    """In this process; others may have it still."""
    for fd in door[1:]:
        os.close(fd)


def send(doors: Sequence[Door], whom: int | str, message: bytes, say: Say) -> bool:
    """Leave a message for a mule, 0 for any of them, or for a farm by its name. Never waits.

    False when it does not fit, of which ``say`` is told. Raises ValueError for whom there is not.
    """
    wanted = name_of(whom)
    fd = next((outside for name, outside, _ in doors if name == wanted), -1)
    if fd < 0:
        raise ValueError("there are no mules" if not doors else f"there is no {wanted}")
    try:
        os.write(fd, message)
    except OSError as error:
        if error.errno not in FULL and error.errno != errno.EMSGSIZE:
            raise
        why = "too many messages wait" if error.errno in FULL else f"{len(message)} bytes are too many"
        say(f"a message to {wanted} is lost: {why} (mule-msg-size)")
        return False
    return True


def receive(fds: Sequence[int], size: int, seconds: float | None = None) -> bytes | None:
    """The next message at any of ``fds``, its first ``size`` bytes; None when none came in time. Where
    several have one the first of ``fds`` is served first. ``seconds`` None waits as long as it takes."""
    poll = select.poll()
    for fd in fds:
        poll.register(fd, select.POLLIN)
    until = None if seconds is None else monotonic() + max(0.0, seconds)
    while True:
        left = None if until is None else max(0.0, until - monotonic()) * 1000
        ready = {fd for fd, _ in poll.poll(left)}
        for fd in fds:
            if fd in ready:
                try:
                    # Of a reader that takes nothing the message would stay where it is, for ever.
                    return os.read(fd, min(max(size, 1), LARGEST))[:size]
                except BlockingIOError:
                    pass  # another mule was faster
        if until is not None and monotonic() >= until:
            return None
