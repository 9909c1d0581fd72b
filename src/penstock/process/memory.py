"""What a process has of the machine's memory, as the kernel says it.

Runs wherever it is asked: on a worker's loop for itself, in the supervisor for its workers. Linux only.
"""

import os

PAGE = os.sysconf("SC_PAGESIZE")
MB = 1 << 20


def address_and_resident(pid: int | str = "self") -> tuple[int, int]:
    """Bytes of address space, and of memory that is in RAM, shared pages included (/proc/PID/statm).

    Raises OSError when there is no such process.
    """
    with open(f"/proc/{pid}/statm", "rb") as file:
        size, resident = file.read().split()[:2]
    return int(size) * PAGE, int(resident) * PAGE


def sizes(pid: int) -> tuple[int, int]:
    """The same; zeros where there is no such process, or none yet (0)."""
    try:
        return address_and_resident(pid) if pid > 0 else (0, 0)
    except (OSError, ValueError):
        return (0, 0)


def resident(pid: int) -> int:
    """Bytes in RAM, 0 for nobody."""
    return sizes(pid)[1]


def proportional_and_own(pid: int | str = "self") -> tuple[int, int]:
    """Bytes in RAM with what is shared divided among those that share it, and bytes that nobody shares
    (/proc/PID/smaps_rollup). The kernel walks all pages: milliseconds for a large process.

    Raises OSError when there is no such process, or none of ours.
    """
    proportional = own = 0
    with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
        for line in file:
            name, _, rest = line.partition(b":")
            if name == b"Pss":
                proportional = int(rest.split()[0]) << 10
            elif name.startswith(b"Private_"):
                own += int(rest.split()[0]) << 10
    return proportional, own


def megabytes(size: int) -> str:
    """``size`` bytes as people say it."""
    return f"{size / MB:.0f} MB"
