"""Who died, and of what: one place that waits for children, and the words for how they ended.

Runs in the supervisor, which is the reaper of its workers and of every orphan that they leave (it is their
subreaper). It does not know who a process was.
"""

import os
import signal
from collections.abc import Iterator

MEMORY_EVENTS = ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")


def reap() -> Iterator[tuple[int, int]]:
    """Every child that has ended: its number, and its exit status or minus the signal that killed it."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        yield pid, os.waitstatus_to_exitcode(status)


def children() -> set[int]:
    """Who is our child by now; nobody where the kernel keeps no such list (CONFIG_PROC_CHILDREN)."""
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:
            return {int(word) for word in file.read().split()}
    except (OSError, ValueError):
        return set()


def how(status: int) -> str:
    """An end in words: ``exit status 3``, ``killed by SIGSEGV``."""
    if status >= 0:
        return f"exit status {status}"
    try:
        return f"killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"killed by signal {-status}"


class OutOfMemory:
    """Whether the kernel has killed for want of memory since it was last asked.

    The cgroup counts such kills (``oom_kill`` of memory.events in version 2, memory.oom_control in 1).
    """

    def __init__(self, paths: tuple[str, ...] = MEMORY_EVENTS) -> None:
        self.paths = paths
        self.seen = self.count()

    def count(self) -> int:
        """Kills so far; 0 where nobody counts."""
        for path in self.paths:
            try:
                with open(path, encoding="ascii") as file:
                    fields = dict(line.split()[:2] for line in file)
                return int(fields.get("oom_kill", 0))
            except (OSError, ValueError):
                continue
        return 0

    def struck(self) -> bool:
        """Whether there was one more."""
        before, self.seen = self.seen, self.count()
        return self.seen > before
