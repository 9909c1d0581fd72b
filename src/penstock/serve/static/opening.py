"""Opening below a folder with the kernel's own check: Linux's openat2, for which Python has no call.

Probed once at boot, as a seccomp filter may refuse it; where it is missing ``walking`` does alone. Called on
pool threads. Knows descriptors and bytes, and nothing of roots and requests.
"""

import errno
import os
from typing import Any

PEEK = getattr(os, "O_PATH", os.O_RDONLY | os.O_NONBLOCK) | os.O_CLOEXEC  # to look; reads nothing
# A FIFO's open does not wait for a writer, and no terminal becomes ours.
READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC

SYS_OPENAT2 = 437  # one number on all architectures that have it (Alpha counts otherwise, and is refused)
NO_MAGICLINKS, BENEATH = 0x02, 0x08  # RESOLVE_*
AT_FDCWD = -100
SIZE = 24  # struct open_how: three numbers of 64 bits
TRIES = 8  # EAGAIN: something was renamed while the kernel walked through ".."


class Openat2:
    """openat2 with RESOLVE_BENEATH and RESOLVE_NO_MAGICLINKS. Raises OSError where the system has none."""

    __slots__ = ("call", "error", "hows")

    def __init__(self) -> None:
        import ctypes  # some milliseconds, paid where files are served

        library = ctypes.CDLL(None, use_errno=True)
        try:
            call = library.syscall
        except AttributeError:
            raise OSError(errno.ENOSYS, "no syscall()") from None
        call.restype = ctypes.c_long
        call.argtypes = (ctypes.c_long, ctypes.c_int, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t)
        self.call: Any = call
        self.error = ctypes.get_errno  # each thread's own
        self.hows = {flags: how(flags) for flags in (PEEK, READ)}

    def open(self, folder: int, path: bytes, flags: int) -> int:
        """A descriptor of ``path`` below the open folder; ``flags`` is PEEK or READ.

        Raises OSError: EXDEV where the way leads out of the folder, or would by an absolute link (which
        ``walking`` can follow), ELOOP for a link of /proc that is no path.
        """
        told = self.hows[flags]
        for _ in range(TRIES):
            fd: int = self.call(SYS_OPENAT2, folder, path, told, SIZE)
            if fd >= 0:
                return fd
            code = self.error()
            if code not in (errno.EAGAIN, errno.EINTR):
                raise OSError(code, os.strerror(code), path)
        raise OSError(errno.EXDEV, "changes all the time", path)


def how(flags: int) -> bytes:
    """A struct open_how."""
    import sys

    return b"".join(number.to_bytes(8, sys.byteorder) for number in (flags, 0, BENEATH | NO_MAGICLINKS))


def probe() -> Openat2 | None:
    """openat2 where it is there and does what it says; None otherwise."""
    try:
        opener = Openat2()
        os.close(opener.open(AT_FDCWD, b".", PEEK))
    except (OSError, ImportError):  # ENOSYS, EPERM of a filter, EINVAL; a Python without ctypes
        return None
    try:
        os.close(opener.open(AT_FDCWD, b"..", PEEK))
    except OSError as error:
        return opener if error.errno == errno.EXDEV else None
    return None
