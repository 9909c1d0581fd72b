"""What the application has noted of its requests, and who held which connection when a worker was killed:
together they tell whether a request that failed was inside that worker.

Read by the scenarios. The application's notes cannot know of a request that was read and not begun, so a
worker is stopped for a moment, its connections are looked at, and only then it is killed.
"""

import ctypes
import os
import re
import signal
import socket
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.supervision.proc import stat

SOON = 2.0  # seconds in which a client hears of a death
TORN = 0.5  # seconds in which what was killed lets go of its connections: it must have the processor for that
PIDFD_GETFD = 438  # pidfd_getfd(2), the same number on all of Linux's processors
CALL = ctypes.CDLL(None, use_errno=True).syscall


@dataclass(frozen=True)
class Kill:
    """One killed process: when, and the client's ports of its connections; ``other``: how many sockets of
    other kinds it held (UNIX)."""

    pid: int
    began: float
    at: float
    ports: frozenset[int] = frozenset()
    other: int = 0


def held(pid: int) -> tuple[set[int], int]:
    """The client's ports of the TCP connections that a process holds, and how many other sockets it has.

    Asked of copies of its descriptors: /proc/net/tcp leaves lines out while connections come and go.
    """
    ports, other = set(), 0
    handle = os.pidfd_open(pid)
    try:
        for fd in open_sockets(pid):
            copy = CALL(PIDFD_GETFD, handle, fd, 0)
            if copy < 0:
                continue  # closed meanwhile
            with socket.socket(fileno=copy) as sock:
                port = peer(sock)
                ports |= {port} - {0}
                other += port == 0
    finally:
        os.close(handle)
    return ports, other


def open_sockets(pid: int) -> Iterator[int]:
    """The descriptors of a process that are sockets."""
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            if os.readlink(path).startswith("socket:"):
                yield int(path.name)


def peer(sock: socket.socket) -> int:
    """The port at the other end of a TCP connection; 0 for anything else."""
    try:
        return int(sock.getpeername()[1]) if sock.family == socket.AF_INET else 0
    except OSError:
        return 0


def kill(pid: int) -> Kill | None:
    """Stop a process, read its connections, kill it; None when it is gone already."""
    began = time.monotonic()
    try:
        os.kill(pid, signal.SIGSTOP)
        while stat(pid)[:1] not in (["T"], ["Z"], []):
            time.sleep(0)
        ports, other = held(pid)
        os.kill(pid, signal.SIGKILL)
    except (ProcessLookupError, FileNotFoundError):
        return None
    return Kill(pid, began, time.monotonic(), frozenset(ports), other)


@dataclass
class Ledger:
    """The application's notes: who began a request, and who ended it."""

    begun: dict[int, list[int]] = field(default_factory=dict)
    ended: dict[int, list[int]] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> "Ledger":
        """All that is in the file."""
        ledger = cls()
        for what, number, pid in re.findall(r"^([BE]) (\d+) (\d+)$", path.read_text(), re.MULTILINE):
            table = ledger.begun if what == "B" else ledger.ended
            table.setdefault(int(number), []).append(int(pid))
        return ledger

    def twice(self) -> list[int]:
        """Requests that began more than once: each is sent once, so nobody may try again."""
        return [number for number, pids in self.begun.items() if len(pids) > 1 and number]


def inside(failure: dict[str, Any], ledger: Ledger, kills: Sequence[Kill]) -> Kill | None:
    """The kill that explains a failure, None where none does.

    Directly over TCP it must have been that process's connection, by what it held or by what it had answered
    there before: no connection ever changes its process. By way of nginx or a
    UNIX socket, the application's note must not name anybody else, and the time must be that of the kill.
    """
    near = [kill for kill in kills if failure["sent"] <= kill.at + TORN and failure["failed"] >= kill.began]
    near = [kill for kill in near if failure["failed"] <= kill.at + SOON]
    owners = ledger.begun.get(int(failure["number"]), [])
    if owners:
        return next((kill for kill in near if kill.pid in owners), None)
    if failure["lane"] in ("kept", "new"):
        kept_by = failure.get("kept_by", 0)
        return next((one for one in near if failure["port"] in one.ports or kept_by == one.pid), None)
    return next((kill for kill in near if kill.other), None)


def unexplained(
    failures: Iterable[dict[str, Any]], ledger: Ledger, kills: Sequence[Kill]
) -> list[dict[str, Any]]:
    """Failures of requests that were in nobody who was killed."""
    return [failure for failure in failures if inside(failure, ledger, kills) is None]
