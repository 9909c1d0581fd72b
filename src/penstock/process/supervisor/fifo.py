"""The master-fifo: a named pipe of which every byte is a command.

Runs in the supervisor. Of several pipes (``slots``) only one is read at a time; a pipe is made when its
turn comes, and not before: with two servers and one configuration the other may be reading it.
"""

import errno
import os
import stat
from typing import Any

from penstock.core.errors import StartError
from penstock.process.supervisor.commands import Commands

AT_ONCE = 64  # commands of one turn; what is left comes in the next
DIGITS = "0123456789"


class Fifo:
    """uWSGI's ``master-fifo`` for one supervisor; without a path it does nothing."""

    def __init__(self, paths: tuple[str, ...], commands: Commands) -> None:
        # Absolute: the folder may change between the start and a change of slots.
        self.paths = tuple(os.path.abspath(path) for path in paths)
        self.commands = commands
        self.watch: Any = None
        self.slot = 0
        self.fd = -1

    def open(self, watch: Any) -> None:
        """Make the first pipe and read it. Raises StartError."""
        if self.paths:
            self.fd = made(self.paths[0])
            self.watch = watch
            watch.add(self.fd, self.heard)

    @property
    def path(self) -> str:
        """Of the pipe that is read."""
        return self.paths[self.slot]

    def heard(self) -> None:
        """Somebody has written."""
        try:
            data = os.read(self.fd, AT_ONCE)
        except BlockingIOError:
            return
        for letter in data.decode("latin-1"):
            if letter in DIGITS:
                self.change(int(letter))
            else:
                self.commands.letter(letter, self.path)

    def change(self, slot: int) -> None:
        """Another pipe is read from now on. The old one stays where it is: it may be the other server's."""
        diary = self.commands.supervisor.diary
        if slot >= len(self.paths):
            diary.warning(f"{slot} in {self.path}: there are {len(self.paths)} pipes, from 0")
            return
        try:
            fd = made(self.paths[slot])
        except StartError as error:
            diary.warning(f"{slot} in {self.path}: {error}")
            return
        self.watch.remove(self.fd)
        os.close(self.fd)
        self.fd, self.slot = fd, slot
        self.watch.add(fd, self.heard)
        diary.info(f"active master fifo is now {self.path}")

    def close(self, unlink: bool = False) -> None:
        """Read no more; ``unlink`` (``vacuum``): remove the pipe if it still is ours."""
        if self.fd < 0:
            return
        self.watch.remove(self.fd)
        try:
            if unlink and os.path.samestat(os.lstat(self.path), os.fstat(self.fd)):
                os.unlink(self.path)
        except OSError:
            pass  # it is gone, or not ours to remove
        os.close(self.fd)
        self.fd = -1


def made(path: str) -> int:
    """A new pipe at ``path``, mode 0600, open to read. Raises StartError.

    One that is there is replaced, whoever reads it, as uWSGI does; anything else is left alone (uWSGI
    removes whatever it is).
    """
    try:
        clear(path)
        os.mkfifo(path, 0o600)
        # For writing too: without a writer of our own a pipe whose last writer left is at its end for ever,
        # and poll says so at once each time (fifo(7), poll(2)).
        fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError as error:
        raise StartError(f"master-fifo {path}: {error.strerror}") from error
    if not stat.S_ISFIFO(os.fstat(fd).st_mode):
        os.close(fd)
        raise StartError(f"master-fifo {path}: the pipe was taken away and replaced")
    return fd


def clear(path: str) -> None:
    """Remove an old pipe. Raises OSError, also where there is something that is no pipe."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return
    if not stat.S_ISFIFO(found.st_mode):
        raise OSError(errno.EEXIST, "there is something that is no pipe")
    os.unlink(path)
