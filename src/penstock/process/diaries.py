"""Where a server's logs go: from its options to open sinks.

Runs at start, and in each process that is given the sinks of another.
"""

import os
import re

from penstock.config.settings import Settings
from penstock.config.values import OFF
from penstock.core.errors import StartError
from penstock.logs.setup import Diary
from penstock.logs.sinks import Sink, file_sink
from penstock.process import pid1
from penstock.process.boot import Lent

REMOTE = re.compile(r"[\w.-]*:\d+")
WITH_ERRORS = "\0"
"""Where an access log goes that is written to the same place as the errors: the name of no file."""


def open_diary(settings: Settings) -> Diary:
    """The logs; errors go to stderr where no file is named. Raises StartError."""
    for option in ("daemonize", "daemonize2", "logto", "logto2"):
        check_log(option, getattr(settings, option))
    file = settings.daemonize or settings.logto
    error_sink = file_sink(file) if file else Sink(2)
    return Diary(error_sink, access_sink(settings, error_sink))


def open_diary_at(errors: tuple[int, str], access: tuple[int, str] | None) -> Diary:
    """The logs of a process that somebody started with them open, from what ``Boot`` says of them: a
    descriptor and its path each, the path "" where it is lent."""
    error_sink = Sink(*errors)
    if access is None:
        return Diary(error_sink, None)
    return Diary(error_sink, error_sink if access[0] == errors[0] else Sink(*access))


def direct(diary: Diary) -> Lent:
    """What other processes are given of these logs: the same descriptors."""
    errors, access = diary.error_sink, diary.access_sink
    if access is None:
        return Lent((errors.fd, errors.path), None, anew=(errors.fd,))
    anew = tuple(dict.fromkeys((errors.fd, access.fd)))
    return Lent((errors.fd, errors.path), (access.fd, access.path), anew=anew)


def access_sink(settings: Settings, error_sink: Sink) -> Sink | None:
    """Where the access log goes, None without one. Raises StartError."""
    where = settings.access_log
    if settings.disable_logging or where in OFF:
        return None
    if where == "auto":
        where = usual_place(settings)
    if where in ("stdout", "-"):
        return Sink(1)
    if where == WITH_ERRORS or (where == "stderr" and error_sink.fd == 2):
        return error_sink
    return Sink(2) if where == "stderr" else file_sink(where)


def usual_place(settings: Settings) -> str:
    """To the file, with the errors, where there is one; as uWSGI does to stderr when its options are used;
    and to stdout in the short form and as a container's first process."""
    # ``logto2`` and ``daemonize2`` move the error log later, and the access log with it.
    if settings.daemonize or settings.daemonize2 or settings.logto or settings.logto2:
        return WITH_ERRORS
    return "stdout" if settings.short_form or first_process() else "stderr"


def check_log(option: str, path: str) -> None:
    """uWSGI takes a name with a colon for the address of a log server (UDP). Raises StartError for one."""
    if REMOTE.fullmatch(path):
        raise StartError(f"{option} {path}: sending logs over the network is not part of this version")


def first_process() -> bool:
    """Whether this is a container's first process, or its init's child (see ``pid1``)."""
    return os.getpid() == 1 or (os.getppid() == 1 and pid1.is_init_child)
