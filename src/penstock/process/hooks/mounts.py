"""mount(2) and umount2(2), which Python does not offer. Linux only.

Called by ``actions`` on the main thread of whoever carries out a hook. It knows nothing of hooks.
"""

import ctypes
import os
from pathlib import Path

from penstock.config.household.hooks import Mount

RECURSIVE = 16384  # MS_REC
MOUNTS = Path("/proc/self/mounts")


def mount(wanted: Mount) -> None:
    """Mount it. Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    words = [os.fsencode(text) if text else None for text in (wanted.type, wanted.data)]
    what, where = os.fsencode(wanted.what), os.fsencode(wanted.where)
    if libc.mount(what, where, words[0], ctypes.c_ulong(wanted.flags), words[1]) != 0:
        raise failed(wanted.where)


def umount(wanted: Mount) -> None:
    """Unmount it, with ``rec`` all that is mounted below it first. Raises OSError."""
    flags = wanted.flags & ~RECURSIVE
    if wanted.flags & RECURSIVE:
        for where in below(wanted.where):
            unmount(where, flags)
    unmount(wanted.where, flags)


def unmount(where: str, flags: int) -> None:
    """One of them. Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.umount2(os.fsencode(where), flags) != 0:
        raise failed(where)


def below(folder: str) -> list[str]:
    """Where something is mounted below a folder, the last first."""
    prefix = os.fsencode(folder).rstrip(b"/") + b"/"
    points = [line.split(b" ")[1] for line in MOUNTS.read_bytes().splitlines()]
    return [os.fsdecode(plain) for plain in map(unescaped, reversed(points)) if plain.startswith(prefix)]


def unescaped(point: bytes) -> bytes:
    """What proc_mounts(5) writes in octal: space, tab, newline and the backslash."""
    for octal, plain in ((b"\\040", b" "), (b"\\011", b"\t"), (b"\\012", b"\n"), (b"\\134", b"\\")):
        point = point.replace(octal, plain)
    return point


def failed(where: str) -> OSError:
    """Why the system would not."""
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number), where)
