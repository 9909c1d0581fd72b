"""What a prototype is given to begin with: settings, descriptors, and who its supervisor is.

Written by the supervisor into a file in memory, read by the fresh interpreter that it starts. Plain data in
both directions: neither side trusts the other to be of the same version of penstock.
"""

import marshal
import os
from dataclasses import dataclass, field, fields
from typing import Any

from penstock import __version__
from penstock.config.settings import Settings
from penstock.core.errors import StartError
from penstock.interprocess.inmemory import contents, filled
from penstock.process.certificates import Contents
from penstock.process.mules.doors import Door

FORMAT = 4  # of marshal: the last one that every Python from 3.11 on reads


@dataclass(frozen=True, slots=True)
class Boot:
    """One generation's beginning.

    ``generation``  its number
    ``lazy``        whether each worker loads the application itself (``lazy-apps``)
    ``supervisor``  pid, the parent of the prototype and of all workers
    ``listeners``   (index into ``settings.listeners``, descriptor, path or "")
    ``scoreboard``  descriptor of the shared memory
    ``ledger``      the same of what requests add up to; -1 where nobody asks
    ``lifeline``    descriptor whose end of file says that the supervisor is gone
    ``errors``      (descriptor, path) of the error log, the path "" where the descriptor is lent
    ``access``      the same of the access log, None without one; the same descriptor is the same log
    ``path``        ``sys.path`` for the application
    ``watch_files`` whether the application's source files are to be named (``py-autoreload``)
    ``again``       it follows a reload: what a start's hooks do is done again
    ``anew``        and it is the first one that does; else only what is of the process itself is
    ``fresh``       no worker of its generation was there before it
    ``output``      descriptors that are its standard output and error; () for those of the supervisor
    ``doors``       of mules: name, the descriptor that is written to, and the one that is read
    ``certificates``  the contents of the files of TLS, by their names
    ``caches``      descriptors of the shared caches, in the order of the settings
    """

    settings: Settings
    generation: int
    lazy: bool
    supervisor: int
    listeners: tuple[tuple[int, int, str], ...]
    scoreboard: int
    lifeline: int
    errors: tuple[int, str]
    access: tuple[int, str] | None
    path: tuple[str, ...]
    watch_files: bool
    output: tuple[int, ...] = ()
    again: bool = False
    anew: bool = True
    fresh: bool = True
    doors: tuple[Door, ...] = ()
    caches: tuple[int, ...] = ()
    ledger: int = -1
    certificates: Contents = field(default_factory=dict, repr=False)

    @property
    def descriptors(self) -> tuple[int, ...]:
        """Every descriptor that is named here, each once: those that the prototype inherits."""
        named = [fd for _, fd, _ in self.listeners]
        named += [self.scoreboard, self.lifeline, self.errors[0]]
        named += [fd for _, *both in self.doors for fd in both]
        named += self.caches
        named += [self.ledger] if self.ledger >= 0 else []
        if self.access is not None:
            named.append(self.access[0])
        return tuple(dict.fromkeys(named))


def write(boot: Boot) -> int:
    """A descriptor of a file in memory that holds ``boot``; the caller passes it on and closes it.

    It is not inheritable. Raises StartError where the system has no such files.
    """
    if not hasattr(os, "memfd_create"):
        raise StartError("a supervisor needs Linux (memfd_create)")
    data: dict[str, Any] = {field.name: getattr(boot, field.name) for field in fields(boot)}
    data["settings"] = boot.settings.as_data()
    return filled("penstock-boot", first_line().encode() + marshal.dumps(data, FORMAT))


def read(fd: int) -> Boot:
    """What ``write`` wrote. Raises StartError ``version …`` when another version of penstock wrote it, and
    for what nobody wrote."""
    head, found, body = contents(fd).partition(b"\n")
    if not found or head + found != first_line().encode():
        theirs = head.decode("utf-8", "replace").removeprefix("penstock ")[:80]
        raise StartError(f"version {theirs!r} wrote this, and this is {__version__}")
    try:
        data = marshal.loads(body)
        return Boot(**{**data, "settings": Settings.from_data(data["settings"])})
    except (EOFError, ValueError, TypeError, KeyError) as error:
        raise StartError(f"what the supervisor wrote cannot be read: {error!r}") from error


def first_line() -> str:
    """Who wrote it."""
    return f"penstock {__version__}\n"
