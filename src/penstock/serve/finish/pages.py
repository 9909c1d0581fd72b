"""Pages of errors from files (``error-page-403``, ``error-page-404``, ``error-page-500``).

Used by pool threads. A file is read when its page is wanted and remembered until it changes; which replies
get a page is not known here.
"""

import os
import stat
from collections.abc import Mapping, Sequence

LARGEST = 1 << 20  # bytes of a page that are sent; a longer file is none

Seen = tuple[int, int, int, int]


class Pages:
    """``files``: by status, paths in the order in which they are tried; the first that can be read is it."""

    def __init__(self, files: Mapping[int, Sequence[str]]) -> None:
        self.files = {code: tuple(os.path.abspath(path) for path in paths) for code, paths in files.items()}
        # Each value is replaced whole, so that two threads that both read a page lose nothing by it.
        self.known: dict[str, tuple[Seen, bytes]] = {}

    def read(self, code: int) -> bytes | None:
        """The page for a status; None without one that can be read now."""
        for path in self.files.get(code, ()):
            try:
                return self.content(path)
            except OSError:
                continue
        return None

    def content(self, path: str) -> bytes:
        """A file's content. Raises OSError for what is no regular file of a page's size."""
        known = self.known.get(path)
        if known is not None and known[0] == _seen(os.stat(path)):
            return known[1]
        # O_NONBLOCK: a FIFO in its place must not hold a thread.
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with open(fd, "rb", buffering=0) as file:
            found = os.fstat(fd)
            if not stat.S_ISREG(found.st_mode) or found.st_size > LARGEST:
                raise OSError(f"{path} is no file of at most {LARGEST} bytes")
            data: bytes = file.read(LARGEST) or b""
        self.known[path] = (_seen(found), data)
        return data


def _seen(found: os.stat_result) -> Seen:
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size
