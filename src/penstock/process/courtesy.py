"""Not in the way of those who compute meanwhile: an import at a lower priority, a loop in its turn.

Runs in the prototype, and in whoever serves. The way back is made sure of before the first step: a worker
that stays at a low priority would be worse than an import that does not.
"""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from penstock.handoff.breadth import gil

STEP = 10  # of nice(2): about a tenth of the processor beside somebody at 0
CAP_SYS_NICE = 23  # capabilities(7)


@contextmanager
def niced(wanted: bool = True) -> Iterator[None]:
    """Run the block at a lower priority: ``nice`` where the process may take it back, else SCHED_BATCH.

    Only for this thread and those that it starts within (sched(7)); no more than a wish, so nothing raises.
    """
    back = _step_down() if wanted else None
    try:
        yield
    finally:
        if back is not None:
            with suppress(OSError):
                _step_up(*back)


class Turn:
    """``with`` it a loop serves under SCHED_BATCH: when its thread wakes up it puts nobody off his core.

    A loop that is let in at once finds that the thread which it has put off, the application's, holds the
    GIL. So it waits, and has cost two switches and the other's caches: a Django page under load took 2.29 ms
    of CPU, and 2.03 since. It has its share of the processor as before, when the other waits or has had his.
    ``locked``: whether one thread computes at a time, None for what the interpreter says; nothing is changed
    where that is not so, or somebody chose a policy. Used on one thread at a time.
    """

    def __init__(self, locked: bool | None = None) -> None:
        self.locked = gil() if locked is None else locked
        self.taken = False

    def __enter__(self) -> None:
        with suppress(OSError, AttributeError):  # no Linux, or it may not
            if self.locked and os.sched_getscheduler(0) == os.SCHED_OTHER:
                os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
                self.taken = True

    def __exit__(self, *error: object) -> None:
        if self.taken:
            self.taken = False
            with suppress(OSError):
                _step_up("policy", os.SCHED_OTHER)

    @contextmanager
    def out(self) -> Iterator[None]:
        """Threads that are started in the block, by this one, do not inherit it (sched(7))."""
        taken = self.taken
        self.__exit__()
        try:
            yield
        finally:
            if taken:
                self.__enter__()


def _step_down() -> tuple[str, int] | None:
    """How it was before; None when nothing was changed."""
    try:
        before = os.getpriority(os.PRIO_PROCESS, 0)
        if may_return(before):
            os.setpriority(os.PRIO_PROCESS, 0, before + STEP)
            return "nice", before
        policy = os.sched_getscheduler(0)
        if policy == os.SCHED_OTHER:  # anything else was somebody's wish
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
            return "policy", policy
    except OSError:
        pass
    return None


def _step_up(kind: str, before: int) -> None:
    if kind == "nice":
        os.setpriority(os.PRIO_PROCESS, 0, before)
    else:
        os.sched_setscheduler(0, before, os.sched_param(0))


def may_return(nice: int) -> bool:
    """Whether this process could come back to ``nice`` from above it: as root does, or by RLIMIT_NICE, whose
    20 - N is the lowest value that is allowed (getrlimit(2))."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NICE)
    return soft == resource.RLIM_INFINITY or 20 - soft <= nice or holds(CAP_SYS_NICE)


def holds(capability: int) -> bool:
    """Whether this process has a capability in effect."""
    with suppress(OSError, ValueError), open("/proc/self/status", "rb") as status:
        for line in status:
            if line.startswith(b"CapEff:"):
                return bool(int(line.split()[1], 16) >> capability & 1)
    return False
