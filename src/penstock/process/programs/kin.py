"""Who descends from whom, as /proc has it at one moment: parents, groups, sessions.

Runs in the supervisor. It only looks; what it saw may be over when it is read, and so a number is never
taken for a process without the time of that process's start.
"""

import os
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

ZOMBIE = ("Z", "X")


@dataclass(frozen=True, slots=True)
class Process:
    """One line of the table (proc_pid_stat(5)); ``started`` in ticks since the system's start."""

    pid: int
    name: str
    state: str
    parent: int
    group: int
    session: int
    started: int

    @property
    def dead(self) -> bool:
        """Whether it only waits to be reaped."""
        return self.state in ZOMBIE


Table = dict[int, Process]


def process(pid: int) -> Process | None:
    """One process; None when there is none of that number."""
    try:
        fd = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
    except OSError:
        return None
    try:
        text = os.read(fd, 4096).decode("utf-8", "replace")
    except OSError:  # it ended between the two
        return None
    finally:
        os.close(fd)
    # The name may have blanks and parentheses of its own.
    front, _, rest = text.rpartition(")")
    words = rest.split()
    if len(words) < 20:
        return None
    state, parent, group, session = words[0], int(words[1]), int(words[2]), int(words[3])
    return Process(pid, front.partition("(")[2], state, parent, group, session, int(words[19]))


def processes() -> Table:
    """All there are, as far as we may see them."""
    found: Table = {}
    with suppress(OSError):
        for name in os.listdir("/proc"):
            if name.isdecimal() and (one := process(int(name))) is not None:
                found[one.pid] = one
    return found


def below(table: Table, roots: Iterable[int], but: Collection[int] = ()) -> set[int]:
    """All descendants of ``roots``, themselves not among them; none of ``but`` nor of their descendants."""
    children: dict[int, list[int]] = {}
    for one in table.values():
        children.setdefault(one.parent, []).append(one.pid)
    found: set[int] = set()
    waiting = list(roots)
    while waiting:
        for pid in children.get(waiting.pop(), ()):
            if pid not in found and pid not in but:
                found.add(pid)
                waiting.append(pid)
    return found


def family(table: Table, pid: int, known: Mapping[int, int] | None = None) -> dict[int, int]:
    """A program and all that belongs to it now: its session, who was ``known`` to belong to it, and all that
    descends from those. Numbers with the times of their starts."""
    own = {one.pid for one in table.values() if one.session == pid} | {pid}
    for one, started in (known or {}).items():
        if one in table and table[one].started == started:
            own.add(one)
    found = own | below(table, own)
    return {one: table[one].started for one in found if one in table}


def alive(members: Mapping[int, int]) -> set[int]:
    """Those of a family that still live."""
    found = set()
    for pid, started in members.items():
        one = process(pid)
        if one is not None and one.started == started and not one.dead:
            found.add(pid)
    return found
