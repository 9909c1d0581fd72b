"""Importing an application without getting in the way of those who serve meanwhile: at a lower priority.

Runs in the prototype, and in a worker that loads the application itself. The way back is made sure of before
the first step: a worker that stays at a low priority would be worse than an import that does not.
"""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress

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
