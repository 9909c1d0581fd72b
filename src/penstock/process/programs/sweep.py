"""The very end: whatever descends from the supervisor and still lives is killed, until nothing does.

Runs in the supervisor, which adopts every orphan below it: programs that left their session, forked twice or
changed their group are its children in the end. It does not know whose they were.
"""

import os
import signal
from collections.abc import Callable, Collection, Iterable, Iterator
from time import monotonic

from penstock.process.programs.kin import Process, Table, below, process, processes
from penstock.process.programs.programs import House

PAUSE = 0.02  # seconds between two rounds, in which those that are dead are reaped
GRACE = 0.05  # seconds for those that have been killed already
BURST = 0.02  # seconds of one round at most
MISSES = 5  # looks at our children without a new one, after which a round is over
LIMIT = 10.0  # seconds of all of it
NAMED = 5  # processes that are named when they cannot be killed


class Sweep:
    """One sweep: ``spare`` are processes that stay, with all that descends from them; ``done`` is called
    once."""

    def __init__(self, house: House, spare: Collection[int], done: Callable[[], None]) -> None:
        self.house = house
        self.spare = set(spare)
        self.stay = set(spare)
        self.done = done
        self.me = os.getpid()
        self.begun = monotonic()
        self.killed: dict[int, str] = {}

    def round(self) -> None:
        """Kill all there are; again in a moment, unless there were none."""
        table = processes()
        self.stay = self.staying(table)
        left = self.left(table)
        if not left:
            self.finish()
        elif monotonic() > self.begun + LIMIT:
            names = ", ".join(f"{one.name} (pid {one.pid})" for one in left[:NAMED])
            self.house.diary.error(f"{len(left)} processes could not be ended: {names}")
            self.done()
        else:
            if monotonic() > self.begun + GRACE:
                groups = {table[pid].group for pid in self.stay if pid in table}
                self.strike(left, groups)
                self.chase()
            self.house.watch.later(PAUSE, self.round)

    def finish(self) -> None:
        """Nothing is left."""
        if self.killed:
            names = ", ".join(sorted(set(self.killed.values()))[:NAMED])
            self.house.diary.warning(f"processes that had been left behind were killed: {names}")
        self.done()

    def left(self, table: Table) -> list[Process]:
        """Our descendants but for those that are spared; the dead ones that only we can reap too."""
        found = below(table, [self.me], self.stay)
        return [table[pid] for pid in found if not table[pid].dead or table[pid].parent == self.me]

    def staying(self, table: Table) -> set[int]:
        """Those that are spared, their sessions, and all that descends from them."""
        sessions = {table[pid].session for pid in self.spare if pid in table} - {os.getsid(0)}
        own = self.spare | {one.pid for one in table.values() if one.session in sessions}
        return own | below(table, own)

    def strike(self, victims: Iterable[Process], spared: Collection[int]) -> None:
        """Whole groups first, but for ``spared`` ones: a kill of a group is one step for the kernel, so that
        none of its members can fork meanwhile. Only in our own session may a group have members that are
        not ours. The dead tell as well: one that forks and ends, over and over, is in their group."""
        mine = os.getsid(0)
        for one in victims:
            if not one.dead:
                self.killed.setdefault(one.pid, one.name)
            try:
                if one.session != mine and one.group > 1 and one.group not in spared:
                    os.killpg(one.group, signal.SIGKILL)
                else:
                    os.kill(one.pid, signal.SIGKILL)
            except OSError:
                pass  # it is gone, or has become root's

    def chase(self) -> None:
        """Those that fork and end, over and over, each in a group of its own: a look at the whole table is
        too slow for them. But their newest one is always our own child, as its parent has just ended."""
        until, struck, misses = monotonic() + BURST, set[tuple[int, int]](), 0
        while misses < MISSES and monotonic() < until:
            new = [one for one in self.living_children() if (one.pid, one.started) not in struck]
            misses = 0 if new else misses + 1
            for one in new:
                struck.add((one.pid, one.started))
                self.killed.setdefault(one.pid, one.name)
                try:
                    os.kill(one.pid, signal.SIGKILL)
                except OSError:
                    pass

    def living_children(self) -> Iterator[Process]:
        """Ours, the newest first."""
        for pid in reversed(children(self.me)):
            if pid not in self.stay and (one := process(pid)) is not None and not one.dead:
                yield one


def children(pid: int) -> list[int]:
    """The children of a process with one thread; none where the kernel does not tell (CONFIG_PROC_CHILDREN),
    and the rounds have to do."""
    try:
        fd = os.open(f"/proc/{pid}/task/{pid}/children", os.O_RDONLY)
    except OSError:
        return []
    with os.fdopen(fd, "rb") as file:
        return [int(word) for word in file.read().split()]


def sweep(house: House, spare: Collection[int], done: Callable[[], None]) -> None:
    """Kill everything that descends from us but ``spare`` and theirs, and call ``done`` when none is left, or
    after ``LIMIT`` seconds; then the log says who. The children that die are reaped by the supervisor."""
    Sweep(house, spare, done).round()
