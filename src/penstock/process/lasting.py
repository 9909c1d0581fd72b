"""Who lives and dies with whom: what a supervisor and its processes ask of the kernel at their beginning.

Runs on the main thread of each, an emperor and its vassals among them. Linux only.
"""

import os
import signal
import time
from types import FrameType

from penstock.core.errors import StartError

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36  # prctl(2)
MOMENT = 0.001  # seconds between two looks at who our parent is
LONGEST = 5.0  # seconds until a worker must have been adopted
HEARD = (
    *(signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT),
    *(signal.SIGUSR1, signal.SIGUSR2, signal.SIGPIPE),
    *(signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU),
)
"""Signals that a terminal or an operator sends to all processes, and of which the supervisor makes what is
to be made."""
EVERY = signal.valid_signals()
STACKS = signal.SIGRTMIN + 5
"""Signal that has a worker write all stacks to the error log, also where the interpreter's lock is held. None
that an application is likely to use."""


def nothing(number: int, frame: FrameType | None) -> None:
    """A handler, where ignoring would be inherited by the programs that the application starts."""


def hear() -> None:
    """Let the signals of ``HEARD`` come and do nothing."""
    for number in HEARD:
        signal.signal(number, nothing)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def die_with_parent(number: int) -> None:
    """Have the kernel send us ``number`` when our parent ends. It may have ended already: look who it is
    afterwards. Not inherited by a fork, and cleared by a change of user (prctl(2))."""
    from ctypes import CDLL  # servers that are one process go without

    CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)


def adopt_orphans(why: str) -> None:
    """Become the parent of every descendant that loses its own (PR_SET_CHILD_SUBREAPER). Raises StartError
    where the system cannot; ``why`` it is needed."""
    from ctypes import CDLL

    prctl = getattr(CDLL(None, use_errno=True), "prctl", None)
    if prctl is None or prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise StartError(f"{why}, which needs Linux (PR_SET_CHILD_SUBREAPER)")


def adopted(parent: int) -> bool:
    """Wait until ``parent`` has adopted us; False when it did not."""
    until = time.monotonic() + LONGEST
    while os.getppid() != parent:
        if time.monotonic() >= until:
            return False
        time.sleep(MOMENT)
    return True
