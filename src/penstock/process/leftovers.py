"""What the import of an application leaves behind in its process: threads, and connections to others.

Runs in the prototype after the import, before anything is forked. It only looks.
"""

import os
import socket
import stat
import sys
from collections.abc import Collection
from contextlib import suppress
from typing import Any

FAMILIES = {socket.AF_INET, socket.AF_INET6, socket.AF_UNIX}


def thread_count() -> int:
    """Threads of this process, of whatever kind; 1 where the system does not say."""
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return 1


def python_threads() -> list[str]:
    """The names of the threads that run Python, but for the one that asks. A fork leaves them behind, and
    with them whatever lock they held."""
    threading = _threading()
    named = {thread.ident: thread.name for thread in threading.enumerate()}
    mine = threading.get_ident()
    return [named.get(ident) or f"thread {ident}" for ident in sys._current_frames() if ident != mine]


def _threading() -> Any:
    """The module, which what serves has imported; nothing here may start one."""
    return sys.modules["threading"]


def native_threads() -> list[str]:
    """The names of the threads that no Python runs in (a library's own), as the kernel has them."""
    known = {os.getpid(), *(thread.native_id for thread in _threading().enumerate())}
    found = []
    with suppress(OSError):
        for task in sorted(int(name) for name in os.listdir("/proc/self/task")):
            if task not in known:
                found.append(_comm(task))
    return found


def _comm(task: int) -> str:
    try:
        with open(f"/proc/self/task/{task}/comm", encoding="utf-8", errors="replace") as file:
            return file.read().strip() or f"thread {task}"
    except OSError:
        return f"thread {task}"


def connections(ours: Collection[int]) -> list[str]:
    """The sockets that are connected to somebody (a database, a cache): every worker would share them.

    ``ours`` are descriptors that are not looked at. Pairs without a name are nobody else's affair.
    """
    try:
        numbers = sorted(int(name) for name in os.listdir("/proc/self/fd"))
    except OSError:
        return []
    # With a time-out the mere making of an object would set the flag of somebody's socket.
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(None)
    try:
        peers = [(fd, peer(fd)) for fd in numbers if fd not in ours]
    finally:
        socket.setdefaulttimeout(before)
    return [f"{name} (descriptor {fd})" for fd, name in peers if name]


def peer(fd: int) -> str:
    """Who is at the other end of a socket; "" for what has none, or none with a name."""
    sock = None
    try:
        if not stat.S_ISSOCK(os.fstat(fd).st_mode):
            return ""
        sock = socket.socket(fileno=fd)
        name = sock.getpeername() if sock.family in FAMILIES else ""
    except OSError:
        return ""
    finally:
        if sock is not None:
            sock.detach()
    if isinstance(name, tuple):
        host = f"[{name[0]}]" if ":" in name[0] else name[0]
        return f"{host}:{name[1]}"
    if isinstance(name, bytes):
        name = name.decode("utf-8", "replace")
    return "@" + name[1:] if name.startswith("\0") else str(name)
