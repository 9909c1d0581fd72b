"""The folders that files are served from: each as it stands now, and what is opened below it.

Made at boot, or when a request's DOCUMENT_ROOT is first met; used by all pool threads at once, so what may
change is one tuple that is replaced whole. Knows no request and no rule.
"""

import errno
import os
from collections.abc import Callable, Sequence
from stat import S_ISREG
from time import monotonic
from typing import NamedTuple

from penstock.serve.static.opening import Openat2
from penstock.serve.static.walking import FOLDER, Names, Outside, walk

LOOK = 0.05  # seconds of use after which what was found is looked at again
TRIES = 3

Warn = Callable[[str, str], None]
Found = tuple[int, Names]
"""A descriptor, and real names from "/" on; () where they were not asked for."""


def names_of(path: bytes) -> Names:
    """The parts of a path; ``.`` is none."""
    return tuple(part for part in path.split(b"/") if part not in (b"", b"."))


def is_below(names: Names, folder: Names) -> bool:
    """Whether a real path is a folder's own or below it: by whole names, where uWSGI compares text and takes
    ``/srv/st-evil`` for a part of ``/srv/st``."""
    return names[: len(folder)] == folder


class Means(NamedTuple):
    """What roots share: the kernel's check (None: each step is walked), and the log."""

    openat2: Openat2 | None
    warn: Warn


class Base:
    """A root's folder, held open: where it is renamed or its link changes, this still is the old one. The
    descriptor is closed when the last thread that uses it lets go."""

    __slots__ = ("device", "fd", "inode", "names", "path")

    def __init__(self, fd: int, path: bytes) -> None:
        self.fd = fd
        status = os.fstat(fd)
        self.inode, self.device = status.st_ino, status.st_dev
        self.path = path.rstrip(b"/") + b"/"
        self.names = names_of(path)

    def is_still(self, status: os.stat_result) -> bool:
        return self.inode == status.st_ino and self.device == status.st_dev

    def __del__(self, close: Callable[[int], None] = os.close) -> None:
        close(self.fd)  # bound early: at the interpreter's end the module may be gone


class Root:
    """A folder (``path``, absolute) below which files are served, or one file that stands for all of it.

    ``safe``     folders that links may lead to besides (``static-safe``)
    ``single``   whether it may be a file
    """

    __slots__ = ("means", "path", "safe", "single", "state")

    def __init__(self, path: bytes, means: Means, safe: tuple[bytes, ...] = (), single: bool = False) -> None:
        self.path = path
        self.means = means
        self.safe = safe
        self.single = single
        self.state: tuple[float, Base | None] = (0.0, None)

    def base(self, anew: bool = False) -> Base | None:
        """The folder as it stands, None where it is a file; ``anew``: looked at now. Raises OSError."""
        until, base = self.state
        now = monotonic()
        if now < until and not anew:
            return base
        status = os.stat(self.path)
        if self.single and S_ISREG(status.st_mode):
            base = None
        elif base is None or not base.is_still(status):
            base = self.enter()
        self.state = (now + LOOK, base)
        return base

    def enter(self) -> Base:
        """Open the folder that the path leads to now; a link among its folders may change meanwhile."""
        for _ in range(TRIES):
            real = os.path.realpath(self.path)
            base = Base(os.open(real, FOLDER), real)
            if base.is_still(os.stat(self.path)) and base.is_still(os.lstat(real)):
                return base
        raise OSError(errno.ENOENT, "changes all the time", self.path)

    def open(self, parts: Sequence[bytes], flags: int, named: bool = False) -> Found:
        """A descriptor of what ``parts`` (no ``..`` among them) lead to below the folder; ``flags`` is PEEK
        or READ; ``named``: with its real names. Raises OSError, Outside where it lies outside."""
        base = self.base()
        if base is None:
            return os.open(self.path, flags), names_of(os.path.realpath(self.path)) if named else ()
        try:
            return self.attempt(base, parts, flags, named)
        except Outside as error:
            # An absolute link into a root that was replaced a moment ago.
            fresh = self.base(anew=True)
            if fresh is None or fresh is base:
                self.means.warn(
                    f"static outside {self.path!r}",
                    f"static files: {os.fsdecode(error.real)} is not below {os.fsdecode(self.path)} nor "
                    "static-safe; such files are not served",
                )
                raise
            return self.attempt(fresh, parts, flags, named)

    def attempt(self, base: Base, parts: Sequence[bytes], flags: int, named: bool) -> Found:
        """``open`` below the folder as it stands."""
        if self.means.openat2 is not None:
            found = self.by_kernel(self.means.openat2, base, parts, flags, named)
            if found is not None:
                return found
        return walk((base.fd, base.names), parts, flags, lambda names: self.allowed(base, names))

    def by_kernel(
        self, openat2: Openat2, base: Base, parts: Sequence[bytes], flags: int, named: bool
    ) -> Found | None:
        """``open`` by openat2; None where it is to be walked."""
        try:
            fd = openat2.open(base.fd, b"/".join(parts) or b".", flags)
        except OSError as error:
            if error.errno == errno.EXDEV:
                return None
            raise
        if not named:
            return fd, ()
        try:
            real = os.readlink(b"/proc/self/fd/%d" % fd)
        except OSError:  # no /proc here
            real = b""
        if real.startswith(base.path) and os.fstat(fd).st_nlink:
            return fd, names_of(real)
        os.close(fd)  # removed or moved meanwhile, or the folder itself: walking knows the names
        return None

    def allowed(self, base: Base, names: Names) -> bool:
        """Whether what was reached by a way out of the folder may be served."""
        if is_below(names, base.names):
            return True
        return any(is_below(names, names_of(os.path.realpath(safe))) for safe in self.safe)

    def open_real(self, names: Names, flags: int, named: bool = False) -> Found:
        """``open`` by real names from "/" on, as they were found: inside the folder, or what is safe."""
        base = self.base()
        if base is None:
            return os.open(b"/" + b"/".join(names), flags), names if named else ()
        if is_below(names, base.names):
            return self.open(names[len(base.names) :], flags, named)
        fd = os.open(b"/", FOLDER)
        try:
            inner = walk((fd, ()), names, flags, lambda names: True)
        finally:
            os.close(fd)
        if self.allowed(base, inner[1]):
            return inner
        os.close(inner[0])
        raise Outside(inner[1])
