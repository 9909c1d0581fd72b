"""One file that may be served: what is known of it, and a descriptor that is proved to be it.

Made and read on pool threads; an entry is never changed but for the moment of its next look, so threads
share it without a lock. Knows no request, no header and no rule by which it was found.
"""

import errno
import os
from typing import Any

from penstock.serve.static.opening import READ
from penstock.serve.static.places import Spot

SMALL = (
    128 << 10
)  # bytes up to which content is kept with an entry, and goes out in one send: cheaper than sendfile


class Changed(OSError):
    """What a name leads to is another file by now, or the file has other bytes: look it up anew."""

    def __init__(self, path: str) -> None:
        super().__init__(errno.ESTALE, "is not the file that was found", path)


class Entry:
    """A regular file as it was found.

    ``path``      its real path, without links; bytes as latin-1, as all text of an environ is
    ``name``      what its type is told by: the last part of ``path``
    ``size``      in bytes; ``mtime`` in whole seconds, ``mtime_ns`` in nanoseconds since the epoch
    ``inode``, ``device``, ``ctime_ns``  what it is known again by
    ``index``     the ``static-index`` that was appended to reach it, else ""
    ``small``     its whole content where that is at most SMALL bytes, else None
    ``settled``   False for a file that was changed less than a moment before it was read: its next change
                  might show in no time stamp, so what was made of it holds for one look only
    ``place``     where it was found, to find it again
    ``until``     monotonic seconds up to which nobody needs to look whether it still is so
    ``kept``      monotonic seconds up to which its place need not be looked up
    ``prepared``  what replies keep with it (heads, twins); goes with the entry when the file changes
    """

    __slots__ = (
        "ctime_ns",
        "device",
        "index",
        "inode",
        "kept",
        "mtime",
        "mtime_ns",
        "name",
        "path",
        "place",
        "prepared",
        "settled",
        "size",
        "small",
        "until",
    )

    def __init__(self, path: str, status: os.stat_result, place: Spot, index: str = "") -> None:
        self.path = path
        self.name = path.rpartition("/")[2]
        self.size = status.st_size
        self.mtime_ns = status.st_mtime_ns
        self.mtime = status.st_mtime_ns // 1_000_000_000
        self.ctime_ns = status.st_ctime_ns
        self.inode = status.st_ino
        self.device = status.st_dev
        self.index = index
        self.small: bytes | None = None
        self.settled = True
        self.until = 0.0
        self.kept = 0.0
        self.place = place
        self.prepared: Any = None

    def is_still(self, status: os.stat_result) -> bool:
        """Whether ``status`` is of the same file with the same bytes in it."""
        return (
            self.inode == status.st_ino
            and self.device == status.st_dev
            and self.mtime_ns == status.st_mtime_ns
            and self.size == status.st_size
            and self.ctime_ns == status.st_ctime_ns
        )

    def open(self) -> int:
        """A descriptor for reading, the caller's to close. Never waits for a FIFO's writer.

        Raises Changed, or another OSError, where the name leads to something else by now: the request is
        then to be looked up anew (``Files.anew``).
        """
        fd = self.place.open(READ)
        try:
            if not self.is_still(os.fstat(fd)):
                raise Changed(self.path)
        except BaseException:
            os.close(fd)
            raise
        return fd
