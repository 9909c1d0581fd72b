"""``wsgi.file_wrapper`` (PEP 3333, "Optional Platform-Specific File Handling").

Used by pool threads. A wrapper that reaches us unwrapped around a real file goes out by sendfile; any
other is iterated like every iterable.
"""

import os
import stat
from collections.abc import Iterator
from typing import Any

BLOCK = 64 << 10  # bytes read at a time when no size is given


class FileWrapper:
    """An iterable over a file-like object; ``close()`` closes it if it can be closed."""

    def __init__(self, filelike: Any, blksize: int = BLOCK) -> None:
        self.filelike = filelike
        self.blksize = blksize
        if hasattr(filelike, "close"):
            self.close = filelike.close

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        data: bytes = self.filelike.read(self.blksize)
        if not data:
            raise StopIteration
        return data

    def regular(self) -> tuple[int, int, int] | None:
        """(descriptor, offset, bytes) when it is a regular file, from where it stands now; else None."""
        try:
            fd = self.filelike.fileno()
            found = os.fstat(fd)
            offset = self.filelike.tell()
        except (AttributeError, OSError, ValueError):
            return None
        if not isinstance(fd, int) or not stat.S_ISREG(found.st_mode) or not isinstance(offset, int):
            return None
        # A decoding or decompressing file has a descriptor whose bytes are not what read() gives.
        if not isinstance(getattr(self.filelike, "mode", ""), str) or not _plain(self.filelike):
            return None
        return fd, offset, max(0, found.st_size - offset)


def _plain(filelike: Any) -> bool:
    """Whether reading the object gives the bytes of its descriptor: only Python's own binary files do
    for sure; a wrapper that only lends its ``fileno`` may decompress, decrypt or cut."""
    import io
    import tempfile

    inner = filelike
    if isinstance(inner, tempfile._TemporaryFileWrapper):
        inner = inner.file
    inner = getattr(inner, "file", inner) if type(inner).__module__.startswith("django.core.files") else inner
    if type(inner) in (io.BufferedReader, io.BufferedRandom):
        inner = inner.raw  # a buffer may stand over anything, a decompressor for one
    return type(inner) is io.FileIO
