"""The kernel's calls that Python does not have: namespaces, mounts, capabilities, pages.

Each raises OSError as ``os``'s functions do. Called at starts, on the main thread; it knows no option.
"""

import os
import struct
from collections.abc import Iterable
from functools import cache
from typing import Any

MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 1 << 18  # mount(2)
MNT_DETACH = 2  # umount2(2)
PR_SET_KEEPCAPS, PR_CAP_AMBIENT, PR_SET_MEMORY_MERGE = 8, 47, 67  # prctl(2)
PR_SET_PDEATHSIG, PR_GET_PDEATHSIG = 1, 2
AMBIENT_RAISE, AMBIENT_CLEAR = 2, 4
CAPABILITY_VERSION = 0x20080522  # the third, with 64 bits of each set (capget(2))
MCL_ALL = 3  # MCL_CURRENT | MCL_FUTURE (mlockall(2))


@cache
def library() -> Any:
    """The C library."""
    import ctypes  # not before somebody needs it: start-up time counts

    return ctypes.CDLL(None, use_errno=True)


def call(name: str, *arguments: Any) -> int:
    """One call. Raises OSError; ENOSYS where the C library has no such function."""
    import ctypes
    import errno

    function = getattr(library(), name, None)
    if function is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    result = int(function(*arguments))
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def unshare(flags: int) -> None:
    """Leave namespaces for new ones (unshare(2))."""
    import ctypes

    call("unshare", ctypes.c_int(ctypes.c_uint(flags).value))


def setns(fd: int, kind: int = 0) -> None:
    """Join the namespace of ``fd``, of whatever kind where ``kind`` is 0 (setns(2))."""
    call("setns", fd, kind)


def pivot_root(new: str, old: str) -> None:
    """Make ``new`` the root of the mounts, and move the one before to ``old`` (pivot_root(2))."""
    call("pivot_root", os.fsencode(new), os.fsencode(old))


def mount(source: str, target: str, kind: str, flags: int = 0) -> None:
    """mount(2) without data; "" for no source and no kind."""
    texts = [os.fsencode(text) if text else None for text in (source, target, kind)]
    import ctypes

    call("mount", *texts, ctypes.c_ulong(flags), None)


def umount(target: str, flags: int = 0) -> None:
    """umount2(2)."""
    call("umount2", os.fsencode(target), flags)


def prctl(option: int, first: int, second: int = 0) -> None:
    """prctl(2) with numbers."""
    import ctypes

    words = [ctypes.c_ulong(word) for word in (first, second, 0, 0)]
    call("prctl", option, *words)


def death_signal() -> int:
    """What we are sent when our parent ends (``lasting.die_with_parent``), 0 for nothing."""
    import ctypes

    number = ctypes.c_int(0)
    call("prctl", PR_GET_PDEATHSIG, ctypes.byref(number), 0, 0, 0)
    return number.value


def set_death_signal(number: int) -> None:
    """The same, set."""
    prctl(PR_SET_PDEATHSIG, number)


def lock_pages() -> None:
    """Keep all memory of this process, now and later, from being swapped; a fork does not inherit it."""
    call("mlockall", MCL_ALL)


def set_capabilities(effective: Iterable[int], permitted: Iterable[int], inheritable: Iterable[int]) -> None:
    """The three sets of this thread, by the capabilities' numbers (capset(2))."""
    sets = [sum(1 << number for number in set(numbers)) for numbers in (effective, permitted, inheritable)]
    low = [mask & 0xFFFFFFFF for mask in sets]
    high = [mask >> 32 for mask in sets]
    call("capset", struct.pack("=Ii", CAPABILITY_VERSION, 0), struct.pack("=6I", *low, *high))


def raise_ambient(numbers: Iterable[int]) -> None:
    """Have programs that we start keep these capabilities, which must be permitted and inheritable."""
    for number in numbers:
        prctl(PR_CAP_AMBIENT, AMBIENT_RAISE, number)


def clear_ambient() -> None:
    """Have programs that we start keep none."""
    prctl(PR_CAP_AMBIENT, AMBIENT_CLEAR)
