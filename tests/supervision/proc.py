"""What the kernel says of processes: their children, their descriptors, their memory. And waiting for it.

Used by the scenarios, from outside of the servers that they watch (Linux: ``/proc``).
"""

import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat behind the name: state, parent, ...; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def children(pid: int) -> list[int]:
    """Its children, zombies too."""
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def zombies(pid: int) -> int:
    """How many of its children are dead and not reaped."""
    return sum(stat(child)[:1] == ["Z"] for child in children(pid))


def descriptors(pid: int) -> int:
    """How many files it holds."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def memory(pid: int, name: str = "Pss") -> int:
    """Kilobytes of its memory by /proc/PID/smaps_rollup; 0 when it is gone."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    found = re.search(rf"^{name}:\s+(\d+) kB", text, re.MULTILINE)
    return int(found[1]) if found else 0


def tree(pid: int) -> list[int]:
    """It and all that descend from it."""
    return [pid, *(one for child in children(pid) for one in tree(child))]


def wait_until(true: Callable[[], Any], timeout: float = 10.0, what: str = "") -> float:
    """Seconds until ``true()`` was so. Raises TimeoutError."""
    begun = time.monotonic()
    while not true():
        if time.monotonic() - begun > timeout:
            raise TimeoutError(what or f"not within {timeout} s")
        time.sleep(0.01)
    return time.monotonic() - begun


def threads(pid: int) -> list[str]:
    """Its threads; none when it is gone."""
    try:
        return os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []
