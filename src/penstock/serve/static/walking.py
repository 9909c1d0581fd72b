"""Opening below a folder step by step, with the eyes on each step: no link is followed but by hand.

For systems without openat2, and for what it refuses though it is harmless: absolute links that lead inside,
ways out and in again, and links to what ``static-safe`` allows. Called on pool threads; knows descriptors and
names, and nothing of requests.
"""

import errno
import os
from collections.abc import Callable, Sequence
from stat import S_ISLNK

from penstock.serve.static.opening import PEEK

Names = tuple[bytes, ...]

FOLDER = PEEK | os.O_DIRECTORY
LINKS = 40  # as many as the kernel follows
DOTS = (b"", b".", b"..")
TRIES = 3  # looks at a name that is now a link, now none


class Outside(OSError):
    """The way leads out of the folder. ``real``: where to."""

    def __init__(self, names: Sequence[bytes]) -> None:
        self.real = b"/" + b"/".join(names)
        super().__init__(errno.EXDEV, "leads out of its folder", self.real)


class Trail:
    """The folders that a walk came through: descriptors, and their real names from "/" on.

    ``..`` goes back to the descriptor that was left, so who moves folders meanwhile sends us nowhere else.
    """

    __slots__ = ("base", "fds", "free", "names")

    def __init__(self, fd: int, names: Names) -> None:
        self.base = fd  # the caller's to close
        self.fds: list[int] = []
        self.names = list(names)
        self.free = False  # True from "/" on: what is reached is still to be proved to be allowed

    def top(self) -> int:
        return self.fds[-1] if self.fds else self.base

    def down(self, fd: int, name: bytes) -> None:
        self.fds.append(fd)
        self.names.append(name)

    def up(self) -> list[bytes]:
        """One folder up; the names that are still to be walked where that is above the base."""
        if self.fds and not (self.free and len(self.fds) == 1):
            os.close(self.fds.pop())
            self.names.pop()
            return []
        if self.free:  # "/.." is "/"
            return []
        above = self.names[:-1]
        self.restart()
        return above

    def restart(self) -> None:
        """Begin again at "/"."""
        self.close()
        self.fds = [os.open(b"/", FOLDER)]
        self.names = []
        self.free = True

    def close(self) -> None:
        while self.fds:
            os.close(self.fds.pop())


def walk(
    base: tuple[int, Names], parts: Sequence[bytes], flags: int, allowed: Callable[[Names], bool]
) -> tuple[int, Names]:
    """A descriptor of what ``parts`` lead to below an open folder, and its real names from "/" on.

    ``base`` is the folder with its real names, ``flags`` PEEK or READ. ``allowed`` is asked about what was
    reached by a way out of the folder. Raises OSError, Outside where that is not allowed.
    """
    trail = Trail(*base)
    try:
        go(trail, list(reversed(parts)), flags)
        names = tuple(trail.names)
        if trail.free and not allowed(names):
            raise Outside(names)
        if not trail.fds:  # the folder itself
            return os.open(b".", flags | os.O_DIRECTORY, dir_fd=trail.base), names
        return trail.fds.pop(), names
    finally:
        trail.close()


def go(trail: Trail, todo: list[bytes], flags: int) -> None:
    """Walk ``todo``, the next step last; the end of the trail is then what was reached."""
    links = 0
    while todo:
        name = todo.pop()
        if name in DOTS:
            todo += reversed(trail.up()) if name == b".." else ()
            continue
        way = step(trail.top(), name, FOLDER if todo else flags)
        if isinstance(way, int):
            trail.down(way, name)
            continue
        links += 1
        if links > LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), name)
        if way.startswith(b"/"):
            trail.restart()
        todo += reversed(way.split(b"/"))


def step(folder: int, name: bytes, flags: int) -> int | bytes:
    """What a name is: a descriptor of it, or the text of the link that it is."""
    for _ in range(TRIES):
        try:
            fd = os.open(name, flags | os.O_NOFOLLOW, dir_fd=folder)
        except OSError as error:
            if error.errno not in (errno.ELOOP, errno.ENOTDIR, errno.EMLINK):
                raise
        else:
            if not S_ISLNK(os.fstat(fd).st_mode):
                return fd
            os.close(fd)
        try:
            return os.readlink(name, dir_fd=folder)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
    raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), name)
