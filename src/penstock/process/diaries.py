"""Where a server's logs go: from its options to open sinks.

Runs at start, and in each process that is given the sinks of another.
"""

import os
import re
import stat
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

from penstock.config.settings import Settings
from penstock.config.settings.logs import RULES
from penstock.core.errors import StartError
from penstock.logs.pick import asked
from penstock.logs.setup import Diary
from penstock.logs.sinks import Sink, connected, open_log
from penstock.process import pid1
from penstock.process.sights import accesslog

REMOTE = re.compile(r"[\w.-]*:\d+")
WITH_ERRORS = "\0"
"""Where an access log goes that is written to the same place as the errors: the name of no file."""


def open_diary(settings: Settings) -> Diary:
    """The logs; errors go to stderr where no file is named. Raises StartError."""
    for option in ("daemonize", "daemonize2"):
        check_log(option, getattr(settings, option))
    errors, requests = plain_files(settings)
    file = settings.daemonize or settings.logto or errors
    error_sink = log_sink(settings, file) if file else Sink(2)
    if requests and asked(settings):
        access: Sink | None = log_sink(settings, requests)
    else:
        access = access_sink(settings, error_sink)
    diary = Diary(error_sink, access)
    accesslog.begin_lines(diary, settings)
    return diary


def plain_files(settings: Settings) -> tuple[str, str]:
    """The file of the log, and that of requests, where loggers say no more than this: processes write there
    themselves."""
    if not settings.any_of(RULES):
        return "", ""
    from penstock.config.logs.lines import plain_loggers

    log, requests = plain_loggers(settings)
    return log.target if log is not None else "", requests.target if requests is not None else ""


def log_sink(settings: Settings, where: str) -> Sink:
    """A file, or a log server's ``host:port``. Raises StartError."""
    fd, path = open_log_at(settings, where)
    sink = Sink(fd, path)
    sink.finish = partial(finish, settings.logfile_chmod, -1, -1)
    return sink


def open_log_at(settings: Settings, where: str) -> tuple[int, str]:
    """The descriptor of a log, emptied where it is to be, and its whole path, "" for a log server. Raises
    StartError."""
    if REMOTE.fullmatch(where):
        host, _, port = where.rpartition(":")
        return connected(host, int(port)), ""
    fd = open_log(where)
    if settings.log_truncate and stat.S_ISREG(os.fstat(fd).st_mode):
        os.ftruncate(fd, 0)
    finish(settings.logfile_chmod, -1, -1, fd)
    # Absolute, so that it is opened anew where it was even after a change of folder.
    return fd, os.path.abspath(where)


def finish(mode: int | None, uid: int, gid: int, fd: int) -> None:
    """A log file that was opened has its mode and its owner, -1 for what it has. What cannot be, is not."""
    with suppress(OSError):
        if mode is not None:
            os.fchmod(fd, mode)
        if (uid, gid) != (-1, -1):
            os.fchown(fd, uid, gid)


def hand_over(diary: Diary, settings: Settings, uid: int | None, gid: int | None) -> None:
    """``logfile-chown``: the files are theirs, and those that come after them. Raises StartError."""
    uid, gid = -1 if uid is None else uid, -1 if gid is None else gid
    for sink in dict.fromkeys((diary.error_sink, diary.access_sink)):
        if sink is not None and sink.path:
            try:
                os.fchown(sink.fd, uid, gid)
            except OSError as error:
                raise StartError(f"logfile-chown: {sink.path}: {error.strerror}") from error
            sink.finish = partial(finish, settings.logfile_chmod, uid, gid)


def go_on_finishing(diary: Diary, settings: Settings) -> None:
    """Files that come after those that another penstock had open have their mode and owner."""
    for sink in diary.sinks:
        if sink.path:
            file = os.fstat(sink.fd)
            owner = (file.st_uid, file.st_gid) if settings.logfile_chown else (-1, -1)
            sink.finish = partial(finish, settings.logfile_chmod, *owner)


def open_diary_at(
    errors: tuple[int, str], access: tuple[int, str] | None, settings: Settings | None = None
) -> Diary:
    """The logs of a process that somebody started with them open, from what ``Boot`` says of them: a
    descriptor and its path each, the path "" where it is lent. ``settings`` say what lines begin with."""
    requests = error_sink = Sink(*errors)
    if access is not None and access[0] != errors[0]:
        requests = Sink(*access)
    diary = Diary(error_sink, requests if access is not None else None)
    if settings is not None:
        accesslog.begin_lines(diary, settings)
    return diary


class Lent(NamedTuple):
    """Where processes write: ``errors``, ``access`` and ``output`` of a ``Boot``; ``anew`` what those that
    run are given when the logs were opened anew: the errors' descriptor, and the access log's where it is
    another."""

    errors: tuple[int, str]
    access: tuple[int, str] | None
    output: tuple[int, ...] = ()
    anew: tuple[int, ...] = ()

    @property
    def parts(self) -> dict[str, Any]:
        """What goes into a ``Boot``, by its names."""
        return {"errors": self.errors, "access": self.access, "output": self.output}


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
    if not asked(settings):
        return None
    if where == "auto":
        where = usual_place(settings)
    if where in ("stdout", "-"):
        return Sink(1)
    if where == WITH_ERRORS or (where == "stderr" and error_sink.fd == 2):
        return error_sink
    return Sink(2) if where == "stderr" else log_sink(settings, where)


def usual_place(settings: Settings) -> str:
    """To the file, with the errors, where there is one; as uWSGI does to stderr when its options are used;
    and to stdout in the short form and as a container's first process."""
    # ``logto2`` and ``daemonize2`` move the error log later, and the access log with it.
    # To where the log goes with loggers, too: there they see it, or their own rules lead it elsewhere.
    moved = ("daemonize", "daemonize2", "logto", "logto2", *RULES)
    if settings.any_of(moved):
        return WITH_ERRORS
    return "stdout" if settings.short_form or first_process() else "stderr"


def check_log(option: str, path: str) -> None:
    """uWSGI takes a name with a colon for the address of a log server (UDP). Raises StartError for one."""
    if REMOTE.fullmatch(path):
        raise StartError(f"{option} {path}: a file is expected here; logto takes the address of a log server")


def first_process() -> bool:
    """Whether this is a container's first process, or its init's child (see ``pid1``)."""
    return os.getpid() == 1 or (os.getppid() == 1 and pid1.is_init_child)
