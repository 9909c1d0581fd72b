"""Limits of the process that the operator asks for: open files, processes, address space; and processors.

Called on the main thread at a start: ``limit_server`` while the process still has its rights,
``limit_application`` in whoever loads the application, so that a limit that the application meets cannot
end the supervisor.
"""

import os
import resource
from collections.abc import Callable, Sequence

from penstock.config.settings import Settings
from penstock.process.isolation.pages import advise, permit

Warn = Callable[[str], None]
THREADS = 3
"""Threads that a worker has beside its pool."""


def limit_server(settings: Settings, warn: Warn) -> None:
    """``max-fd`` and ``prio``, for this process and all that it starts; while it may still do so: uWSGI asks
    for a higher priority when its rights are gone."""
    permit(settings)
    if settings.prio:
        try:
            os.setpriority(os.PRIO_PROCESS, 0, settings.prio)
        except OSError as error:
            warn(f"prio {settings.prio}: the system does not allow it: {error.strerror}")
    wanted = settings.max_fd
    if not wanted:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
    except (OSError, ValueError) as error:
        soft = as_many_as_allowed(resource.RLIMIT_NOFILE, wanted)
        warn(f"max-fd {wanted}: the system does not allow it ({reason(error)}); it is {soft}")


def limit_application(settings: Settings, warn: Warn) -> None:
    """``limit-as`` and ``limit-nproc``, for this process and all that it starts; what its memory is to be
    (``never-swap``, ``ksm``)."""
    advise(settings, warn)
    asked = [("limit-as", resource.RLIMIT_AS, settings.limit_as)]
    if hasattr(resource, "RLIMIT_NPROC"):
        asked.append(("limit-nproc", resource.RLIMIT_NPROC, settings.limit_nproc))
    for option, kind, value in asked:
        if value:
            try:
                resource.setrlimit(kind, (value, value))
            except (OSError, ValueError) as error:
                soft = as_many_as_allowed(kind, value)
                warn(f"{option}: the system does not allow {value} ({reason(error)}); it is {soft}")


def as_many_as_allowed(kind: int, wanted: int) -> int:
    """Raise the soft limit to the hard one, where that is lower than ``wanted``; what it is then."""
    soft, hard = resource.getrlimit(kind)
    if hard != resource.RLIM_INFINITY and hard < wanted and soft != hard:
        resource.setrlimit(kind, (hard, hard))
        return hard
    return soft


def reason(error: BaseException) -> str:
    """What the system, or Python before it, had against a limit."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def too_few_processes(settings: Settings, processes: int) -> str:
    """What to say when ``limit-nproc`` cannot be enough, "" when it may be.

    The kernel counts the threads of all processes of a user, and does not hold root to it (getrlimit(2)).
    uWSGI starts fewer workers then; a limit that is far enough for a start is still met later.
    """
    needed = processes * (settings.thread_count + THREADS) + 1
    if not settings.limit_nproc or settings.limit_nproc >= needed:
        return ""
    return (
        f"limit-nproc {settings.limit_nproc}: {processes} workers have about {needed} threads, and each "
        "counts as a process of the user; only root is not held to it"
    )


def affinity_of(wid: int, count: int, usable: Sequence[int]) -> set[int]:
    """uWSGI's ``cpu-affinity``: the processors of worker ``wid`` (from 1), ``count`` of ``usable`` each, in
    turn and over again. uWSGI counts from 0, also where the process may not use the first ones."""
    first = (wid - 1) * count
    return {usable[(first + step) % len(usable)] for step in range(count)}


def pin(settings: Settings, wid: int, warn: Warn) -> str:
    """Act on ``cpu-affinity`` in a worker; the line for the log, "" where there is nothing to say."""
    if not settings.cpu_affinity or not hasattr(os, "sched_setaffinity"):
        return ""
    chosen = affinity_of(wid, settings.cpu_affinity, sorted(os.sched_getaffinity(0)))
    try:
        os.sched_setaffinity(0, chosen)
    except OSError as error:
        warn(f"cpu-affinity: {error.strerror}")
        return ""
    return f"worker {wid} runs on processors {' '.join(map(str, sorted(chosen)))}"
