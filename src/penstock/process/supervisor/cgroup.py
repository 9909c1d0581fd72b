"""What the cgroup allows this process: processors and memory, in version 2 and version 1.

Read once at the supervisor's start. A limit may stand at any folder between ours and the top, and the
lowest holds; in a container the top is usually all there is to see.
"""

from collections.abc import Iterator

NO_LIMIT = 1 << 60
"""Bytes from which on version 1 means "no limit" (it writes a number near 2^63)."""


def folders(controller: str, root: str = "") -> Iterator[tuple[str, int]]:
    """The folders in which a controller (``cpu``, ``memory``) may keep our limits, and its version: from our
    own to the top. ``root`` is put before every path."""
    lines = contents(f"{root}/proc/self/cgroup").splitlines()
    for line in lines:
        _, names, path = (*line.split(":", 2), "", "")[:3]
        if controller in names.split(","):
            yield from upwards(f"{root}/sys/fs/cgroup/{controller}", path, 1)
        elif not names:
            yield from upwards(f"{root}/sys/fs/cgroup", path, 2)
    if not lines:
        yield f"{root}/sys/fs/cgroup", 2


def upwards(top: str, path: str, version: int) -> Iterator[tuple[str, int]]:
    """A folder and all above it, down to ``top``; a path of the host's, which a container does not have, is
    passed over by whoever reads."""
    parts = [part for part in path.split("/") if part not in ("", "..")]
    for count in range(len(parts), -1, -1):
        yield "/".join([top, *parts[:count]]), version


def quota(root: str = "") -> float:
    """Processors that the cgroup's quota allows, 0.0 without one."""
    found = [allowed for folder, version in folders("cpu", root) if (allowed := quota_at(folder, version))]
    return min(found, default=0.0)


def quota_at(folder: str, version: int) -> float:
    """The same of one folder (cpu.max; cpu.cfs_quota_us in version 1)."""
    if version == 2:
        text = contents(f"{folder}/cpu.max").split()
    else:
        text = [
            *contents(f"{folder}/cpu.cfs_quota_us").split(),
            *contents(f"{folder}/cpu.cfs_period_us").split(),
        ]
    if len(text) != 2 or not all(word.isdecimal() for word in text) or not int(text[1]):
        return 0.0  # "max", or -1 in version 1
    return int(text[0]) / int(text[1])


def memory(root: str = "") -> tuple[int, int]:
    """Bytes that the cgroup allows, 0 without a limit, and those in use, of the folder with the least room.

    What the kernel can take back at once (inactive_file: read files) does not count as used.
    """
    found = [pair for folder, version in folders("memory", root) if (pair := memory_at(folder, version))[0]]
    return min(found, key=lambda pair: pair[0] - pair[1], default=(0, 0))


def memory_at(folder: str, version: int) -> tuple[int, int]:
    """The same of one folder (memory.max; memory.limit_in_bytes in version 1)."""
    limit, usage, reclaimable = (
        ("memory.max", "memory.current", "inactive_file")
        if version == 2
        else ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
    )
    allowed = number(contents(f"{folder}/{limit}"))
    if not allowed or allowed >= NO_LIMIT:
        return 0, 0
    fields = dict(line.split()[:2] for line in contents(f"{folder}/memory.stat").splitlines() if " " in line)
    used = number(contents(f"{folder}/{usage}")) - number(fields.get(reclaimable, ""))
    return allowed, max(0, used)


def machine_memory(root: str = "") -> tuple[int, int]:
    """Bytes that the machine has, and those that are not available (/proc/meminfo); zeros where it does not
    say."""
    fields = dict(line.split(":") for line in contents(f"{root}/proc/meminfo").splitlines() if ":" in line)
    total, available = (
        number(fields.get(name, "").split(" kB")[0]) << 10 for name in ("MemTotal", "MemAvailable")
    )
    return total, max(0, total - available)


def number(text: str) -> int:
    """A number in a file, 0 for anything else."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdecimal() else 0


def contents(path: str) -> str:
    """A small file, "" where there is none."""
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
