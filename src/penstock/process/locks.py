"""uWSGI's ``flock`` options: files that one server holds a lock of, so that another does not start beside it.

Taken on the main thread at a start, held by the process that stays until it ends. The lock is the kernel's of
an open file (F_OFD_SETLK, fcntl(2)): it meets those of a uWSGI, and it outlives a fork and an exec, which
uWSGI's own do not (``flock`` with ``daemonize`` locks nothing there).
"""

import fcntl
import os
import struct
from collections.abc import Callable

from penstock.core.errors import StartError

EXCLUSIVE = struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)  # struct flock, the whole file
NOW = getattr(fcntl, "F_OFD_SETLK", fcntl.F_SETLK)
IN_TURN = getattr(fcntl, "F_OFD_SETLKW", fcntl.F_SETLKW)


class Locks:
    """Those that are held, by their descriptors, which a penstock that takes over is given."""

    def __init__(self) -> None:
        self.fds: list[int] = []

    def take(self, option: str, path: str, say: Callable[[str], None]) -> None:
        """Lock the file of one option, which must be there; nothing for "". Those with ``wait`` in the name
        wait, and say so. uWSGI's ``flock-wait2`` does not wait.

        Raises StartError when another process has the lock, or the file cannot be opened.
        """
        if not path:
            return
        try:
            fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            raise StartError(f"{option} {path}: {error.strerror}") from error
        try:
            fcntl.fcntl(fd, NOW, EXCLUSIVE)
        except OSError as error:
            if "wait" not in option:
                os.close(fd)
                raise StartError(f"{option} {path}: another process has locked it") from error
            say(f"{option} {path}: another process has locked it; waiting")
            fcntl.fcntl(fd, IN_TURN, EXCLUSIVE)
        self.fds.append(fd)

    def release(self) -> None:
        """Let another one have them."""
        for fd in self.fds:
            os.close(fd)
        self.fds = []
