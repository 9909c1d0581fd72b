"""A temporary file between two sides: bytes that are too many for memory, on their way through.

Written by one side (the thread of a reply, or the offload thread of an upload) and read by another; the
file has no name, so nothing is left behind whatever happens to the process.
"""

import os
import tempfile
from typing import BinaryIO


def temporary(folder: str) -> BinaryIO:
    """An unnamed, unbuffered file in ``folder`` ('' for the system's); raises OSError."""
    return tempfile.TemporaryFile("w+b", buffering=0, dir=folder or None)


class FilePart:
    """A range of a file that is to go out: ``offset`` to ``end``, in bytes.

    ``owned``: the descriptor is ours alone and is closed with the part.
    """

    __slots__ = ("end", "fd", "offset", "owned")

    def __init__(self, fd: int, offset: int, end: int, owned: bool) -> None:
        self.fd = fd
        self.offset = offset
        self.end = end
        self.owned = owned

    def close(self) -> None:
        """Close the descriptor if it is the part's own; twice does no harm."""
        if self.owned:
            self.owned = False
            os.close(self.fd)


class ReplySpool:
    """The file behind one reply that its reader does not take fast enough.

    Only the thread that makes the reply writes; what was written is handed over as a ``FilePart``.
    """

    def __init__(self, folder: str) -> None:
        self.file = temporary(folder)
        self.fd = self.file.fileno()
        self.written = 0

    def write(self, data: bytes | memoryview) -> tuple[int, int]:
        """Append; returns the range (offset, end) that the data has now. Raises OSError."""
        start = end = self.written
        view = memoryview(data)
        while view:
            count = os.pwrite(self.fd, view, end)
            end += count
            view = view[count:]
        self.written = end
        return start, end

    def rewind(self) -> None:
        """Everything went out: start again at the front, so the file never grows past its mark."""
        os.ftruncate(self.fd, 0)
        self.written = 0

    def close(self) -> None:
        self.file.close()
