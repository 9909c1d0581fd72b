"""What the processes are called in lists of processes: uWSGI's procname options.

Called in each process once it is what it is, on the main thread; nothing happens unless an option asks.
"""

import importlib
from collections.abc import Callable

from penstock.config.settings import Settings

MASTER, PROTOTYPE, WORKER, MULE, SINGLE = "master", "prototype", "worker", "mule", "single"
"""Roles. ``single`` is a server without a supervisor."""
COMM = "/proc/self/comm"
SHORT = 15
"""Bytes of a name that the kernel keeps for a thread (proc(5), comm)."""


def title_of(settings: Settings, role: str, wid: int = 0) -> str:
    """The title of a process, "" where none is asked for. ``wid`` is a worker's number, or a mule's.

    As in uWSGI, each of the options gives every process a title. Theirs begin with penstock; a script that
    looks for uWSGI's is served by ``procname``.
    """
    asked = (
        settings.auto_procname
        or settings.procname
        or settings.procname_master
        or settings.procname_prefix
        or settings.procname_prefix_spaced
        or settings.procname_append
    )
    if not asked:
        return ""
    spaced = f"{settings.procname_prefix_spaced} " if settings.procname_prefix_spaced else ""
    return f"{spaced or settings.procname_prefix}{name_of(settings, role, wid)}{settings.procname_append}"


def name_of(settings: Settings, role: str, wid: int) -> str:
    """The title without what is put around it."""
    if role == MASTER and settings.procname_master:
        return settings.procname_master
    if settings.procname:
        return settings.procname
    own = {WORKER: f" worker {wid}", MULE: f" mule {wid}", SINGLE: ""}.get(role, f" {role}")
    return f"penstock{own}"


def quiet(text: str) -> None:
    """For all but the first process: what it would say has been said."""


def set_title(settings: Settings, role: str, wid: int = 0, warn: Callable[[str], None] = quiet) -> None:
    """Give this process its title; ``warn`` is told when only the short name can be set."""
    title = title_of(settings, role, wid)
    if not title:
        return
    try:
        setproctitle = importlib.import_module("setproctitle")
    except ImportError:
        set_short_name(title)
        warn(
            f"procname: without the package setproctitle only the short name is set ({SHORT} bytes, as ps -o "
            "comm and top show it): pip install 'penstock[proctitle]'"
        )
        return
    setproctitle.setproctitle(title)


def set_short_name(title: str) -> None:
    """The name of the process's first thread, where the system has such a thing (PR_SET_NAME)."""
    try:
        with open(COMM, "wb", buffering=0) as file:
            file.write(title.encode("utf-8", "surrogateescape")[:SHORT])
    except OSError:
        pass  # not Linux, or no /proc here
