"""Logs that were rotated, in the processes of a supervisor: it opens the files, which may be root's, and
hands the descriptors over.

Runs on the main thread of prototypes and workers.
"""

import os
from collections.abc import Sequence
from typing import Any

from penstock.logs.setup import Diary
from penstock.logs.sinks import Sink

OUTPUT = (1, 2)


def follow(diary: Diary, message: dict[str, Any], fds: Sequence[int]) -> None:
    """The supervisor's order ``reopen``."""
    path = message.get("leave")
    if path and fds:
        leave_terminal(diary, fds[0], str(path))
    else:
        reopen(diary, fds)


def reopen(diary: Diary, fds: Sequence[int]) -> None:
    """Write on into ``fds``: errors, and the access log where it is another. They stay the caller's.

    Without any each file is opened anew by its name. Standard output and error follow where they are the
    error log's file.
    """
    errors, access = diary.error_sink, diary.access_sink
    following = [fd for fd in OUTPUT if errors.path and fd != errors.fd and same(fd, errors.fd)]
    if not fds:
        diary.reopen()
    else:
        move(errors, fds[0])
        if access is not None and access is not errors and len(fds) > 1:
            move(access, fds[1])
    for fd in following:
        os.dup2(errors.fd, fd)


def leave_terminal(diary: Diary, fd: int, path: str) -> None:
    """The log is the file ``path``, open as ``fd``, from now on, and the terminal is nobody's
    (``daemonize2``); the descriptor stays the caller's."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    for output in OUTPUT:
        os.dup2(fd, output)
    sink = diary.error_sink
    if sink.fd not in OUTPUT and not sink.path:
        return  # it goes through the supervisor, who has moved
    if sink.fd not in OUTPUT:
        os.dup2(fd, sink.fd, inheritable=False)
    sink.path = path


def move(sink: Sink, fd: int) -> None:
    """A sink's lines go to the file of ``fd``; one that was lent stays as it is."""
    if sink.path:
        os.dup2(fd, sink.fd, inheritable=False)


def same(one: int, other: int) -> bool:
    """Whether two descriptors are of one file."""
    try:
        return os.path.samestat(os.fstat(one), os.fstat(other))
    except OSError:
        return False
