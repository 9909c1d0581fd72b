"""What the kernel is asked about a process's memory: never to swap it, and to merge equal pages.

Called on the main thread of each process that is to have it so: a lock of pages is not inherited by a fork.
Nothing depends on it, and so nothing raises.
"""

import resource
from collections.abc import Callable

from penstock.config.settings import Settings
from penstock.process.courtesy import holds
from penstock.process.isolation import kernel

Warn = Callable[[str], None]
CAP_IPC_LOCK = 14  # capabilities(7)
NO_LIMIT = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


def permit(settings: Settings) -> None:
    """Before the rights are dropped: have all that we start be allowed to lock its memory."""
    if settings.never_swap and hasattr(resource, "RLIMIT_MEMLOCK"):
        try:
            resource.setrlimit(resource.RLIMIT_MEMLOCK, NO_LIMIT)
        except (OSError, ValueError):
            pass  # said where the lock is then not taken


def advise(settings: Settings, warn: Warn) -> None:
    """``never-swap`` and ``ksm`` for this process, whichever is asked for.

    Not where the lock is limited: memory that is allocated later would be refused, and the application
    would end for want of it; uWSGI takes the lock there as long as it is allowed.
    """
    if settings.never_swap:
        if not holds(CAP_IPC_LOCK) and resource.getrlimit(resource.RLIMIT_MEMLOCK) != NO_LIMIT:
            warn("never-swap: not acted on: locked memory is limited (ulimit -l); start it as root")
        else:
            _ask("never-swap", kernel.lock_pages, warn)
    if settings.ksm:
        _ask("ksm", lambda: kernel.prctl(kernel.PR_SET_MEMORY_MERGE, 1), warn)


def _ask(option: str, call: Callable[[], None], warn: Warn) -> None:
    try:
        call()
    except OSError as error:
        warn(f"{option}: the kernel does not allow it: {error.strerror}")
