"""How long a worker that says nothing has only waited for a processor.

Runs in the supervisor. On a machine that is overloaded a loop may stand still for as long as under C code
that holds the interpreter's lock; the kernel knows the difference: what a thread waited in the run queue is
the second figure of its schedstat (Documentation/scheduler/sched-stats.rst).
"""

import os
from collections.abc import Callable, Collection

from penstock.process.supervisor.handle import Handle

QUIET = 0.3  # seconds of silence from which on it is counted: one beat, and a little


def queued(pid: int) -> float:
    """Seconds that the threads of a process have waited for a processor so far, in all; 0.0 where nobody
    counts them."""
    total = 0
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as file:
                total += int(file.read().split()[1])
    except (OSError, ValueError, IndexError):
        return 0.0
    return total / 1e9


class Starved:
    """``queued(pid)`` tells what a process has waited so far."""

    def __init__(self, queued: Callable[[int], float] = queued) -> None:
        self.queued = queued
        self.before: dict[Handle, float] = {}

    def seconds(self, handle: Handle, silent: float) -> float:
        """Of ``silent`` seconds those in which some thread of the worker could have run and did not get to,
        as far as they were counted: from the first look on at which it was silent."""
        if silent <= QUIET:
            self.before.pop(handle, None)
            return 0.0
        now = self.queued(handle.pid)
        before = self.before.setdefault(handle, now)
        # Threads wait side by side: together they may have waited longer than the time was.
        return min(silent, max(0.0, now - before))

    def keep(self, handles: Collection[Handle]) -> None:
        """Forget all others."""
        for handle in [one for one in self.before if one not in handles]:
            del self.before[handle]
