"""How many workers ``processes = auto`` comes to, and the sentence that says why.

Runs in the supervisor at its start and when the configuration is read again; the sizing of threads is the
settings' own.
"""

import os
from dataclasses import dataclass

from penstock.config.settings import Settings
from penstock.process.supervisor import cgroup
from penstock.process.supervisor.idle import workers

AUTO = "auto"
WORKER = 100 << 20
"""Bytes that one worker is taken to have: a Django site's, without what it shares with its siblings."""
LEAST = 2
"""Workers where memory allows: one request that keeps the interpreter's lock does not stop them all."""
USABLE = 0.9
"""Share of the memory that is planned with."""
MB = 1 << 20


@dataclass(frozen=True, slots=True)
class Facts:
    """``usable`` processors of this process's affinity; ``quota`` processors that the cgroup allows, 0.0
    without one; bytes of memory that may be used (0: unknown), that are in use, and of one worker."""

    usable: int
    quota: float = 0.0
    memory: int = 0
    used: int = 0
    worker: int = WORKER

    @property
    def processors(self) -> float:
        """What there is to compute with."""
        return min(self.usable, self.quota) if self.quota else float(self.usable)

    @property
    def fitting(self) -> int:
        """Workers for which there is memory, each counted twice: a reload runs the old and the new side by
        side."""
        return max(1, int(self.memory * USABLE - self.used) // (2 * self.worker))


def facts(root: str = "") -> Facts:
    """What this machine and the cgroup say; ``root`` is put before the paths that are read."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    machine, limit = cgroup.machine_memory(root), cgroup.memory(root)
    known = [pair for pair in (machine, limit) if pair[0]]
    total, used = min(known, key=lambda pair: pair[0] - pair[1], default=(0, 0))
    return Facts(usable, cgroup.quota(root), total, used)


def auto_processes(facts: Facts) -> tuple[int, str]:
    """Workers, and why: one for each processor, at least two, as far as memory goes."""
    wished = max(LEAST, -int(-facts.processors // 1))
    count = min(wished, facts.fitting) if facts.memory else wished
    head = f"{workers(count)}: "
    if count < wished:
        return count, (
            f"{head}memory has room for {count} ({facts.memory // MB} MB, {facts.used // MB} in use, "
            f"{facts.worker // MB} for each, twice because a reload runs old and new side by side); "
            f"{processors(facts)} would have {wished}"
        )
    least = f", and never fewer than {LEAST}" if facts.processors <= 1 else ""
    return count, f"{head}one for each of {processors(facts)}{least}"


def processors(facts: Facts) -> str:
    """``4 processors (8 usable, the cgroup allows 4)``."""
    limit = f", the cgroup allows {facts.quota:g}" if 0 < facts.quota < facts.usable else ""
    plural = "" if facts.processors == 1 else "s"
    return f"{facts.processors:g} processor{plural} ({facts.usable} usable{limit})"


def processes_of(settings: Settings) -> tuple[int, str]:
    """What ``processes`` comes to, and the line about it for the start."""
    asked = settings.processes
    if asked == AUTO:
        return auto_processes(facts())
    count = int(asked or 1)
    return count, workers(count)
