"""Files in memory: what one process writes for another to read, and memory that several of them share.

Made by whoever starts the others, most often the supervisor. It does not know what is in them, nor how their
descriptors travel.
"""

import fcntl
import os

from penstock.core.errors import StartError

BLOCK = 1 << 20  # bytes of one read


def filled(name: str, data: bytes) -> int:
    """A descriptor that reads as ``data``, however much that is; it is the caller's to close, and not
    inheritable. Raises OSError."""
    rest = memoryview(data)
    fd = os.memfd_create(name, os.MFD_CLOEXEC)
    try:
        while rest:
            rest = rest[os.write(fd, rest) :]
        os.lseek(fd, 0, os.SEEK_SET)
    except BaseException:
        os.close(fd)
        raise
    return fd


def contents(fd: int) -> bytes:
    """All of a file, wherever its position is: that is shared with whoever else holds it. Raises OSError."""
    parts = []
    offset = 0
    while block := os.pread(fd, BLOCK, offset):
        parts.append(block)
        offset += len(block)
    return b"".join(parts)


def shared(name: str, whose: str) -> int:
    """A descriptor of memory for several processes, which has no size yet (``fix``). Raises StartError, about
    ``whose`` it is to be, where the system has no such files."""
    if not hasattr(os, "memfd_create"):
        raise StartError(f"{whose} need shared memory by memfd, which only Linux has")
    return os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)


def fix(fd: int, size: int) -> None:
    """Give it its size in bytes, for ever: a process that shortened it would end every other one with
    SIGBUS. Raises OSError."""
    os.ftruncate(fd, size)
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
