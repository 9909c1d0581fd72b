"""A generation: one reading of the configuration, the listeners it has, and the prototype of its workers.

Runs in the supervisor. The prototype is a fresh interpreter, so that the application meets clean modules
and a reload finds upgraded packages; what it becomes is ``process/prototype``'s affair.
"""

import os
import re
import signal
import site
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

import penstock
from penstock.config.settings import Settings
from penstock.interprocess.channel import Channel, pair
from penstock.process.boot import Boot, write
from penstock.process.certificates import Contents
from penstock.process.isolation.rights import OURS
from penstock.process.supervisor.sockets import Listening

if TYPE_CHECKING:
    from penstock.interprocess.cache.caches import Caches

QUIET = (
    *(signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2),
    *(signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU),
)
"""What a prototype does not hear until it has handlers: a terminal sends it to all of us."""


PROGRAM = re.compile(r"(-[^-WXmc]*)[mc]")
HOME = os.path.dirname(os.path.dirname(os.path.abspath(penstock.__file__)))
"""The folder, or the archive, that penstock is imported from."""
FROM_HOME = (
    "import sys, runpy; sys.path.append({home!r}); runpy.run_module({module!r}, None, '__main__', True)"
)
TAKES_NEXT = re.compile(r"-[^-WX]*[WX]|--check-hash-based-pycs")


class Stage(Enum):
    """Where a prototype stands."""

    LOADING = "imports the application"
    LOADED = "forks workers"
    GONE = "is dead, or told to end"


STAGES: dict[Stage, dict[str, Stage]] = {
    Stage.LOADING: {"loaded": Stage.LOADED, "gone": Stage.GONE},
    Stage.LOADED: {"gone": Stage.GONE},
    Stage.GONE: {},
}


@dataclass(eq=False)
class Prototype:
    """One process that loads the application and forks workers. ``lazy``: they load it themselves."""

    pid: int
    channel: Channel
    lazy: bool
    stage: Stage = Stage.LOADING
    facts: dict[str, Any] = field(default_factory=dict)

    def move(self, event: str) -> bool:
        """One step of ``STAGES``; False where the table has no such step."""
        following = STAGES[self.stage].get(event)
        if following is not None:
            self.stage = following
        return following is not None

    @property
    def ready(self) -> bool:
        """Whether it can fork."""
        return self.stage is Stage.LOADED and not self.channel.ended


@dataclass(eq=False)
class Generation:
    """``number`` counts from 1; ``listening`` in the order of the settings' listeners; ``folder`` what
    relative paths are relative to; ``certificates`` the contents of TLS's files, by their names; ``lazy``
    its import leaves threads behind, so that each worker loads the application; ``empty`` there is no
    application, and none is needed; ``caches`` what its processes share, None without any."""

    number: int
    settings: Settings
    listening: list[Listening]
    folder: str
    prototype: Prototype | None = None
    certificates: Contents = field(default_factory=dict, repr=False)
    lazy: bool = False
    empty: bool = False
    caches: "Caches | None" = None

    @property
    def able(self) -> bool:
        """Whether its prototype can fork a worker now."""
        return self.prototype is not None and self.prototype.ready

    @property
    def loads_lazily(self) -> bool:
        """Whether each worker loads the application: it is asked for, or the import left threads behind."""
        return self.lazy or self.settings.lazy_apps or self.settings.lazy


def listeners_of(generation: Generation) -> tuple[tuple[int, int, str], ...]:
    """What ``Boot.listeners`` says of a generation's sockets."""
    specs = list(generation.settings.listeners)
    return tuple((specs.index(one.spec), one.sock.fileno(), one.path) for one in generation.listening)


def folder_of(settings: Settings, folder: str) -> str:
    """Where relative paths begin: ``chdir``, itself relative to the folder of the start."""
    return os.path.join(folder, settings.chdir) if settings.chdir else folder


def back_to(folder: str) -> None:
    """Be there again; a deploy may have removed it."""
    with suppress(OSError):
        os.chdir(folder)


def spawn(boot: Boot, environ: dict[str, str], words: Sequence[str] = ()) -> Prototype:
    """Start a prototype. Raises OSError when the system gives no process.

    ``words``: another command line than that of ``process.prototype``, for tests.
    """
    ours, theirs = pair()
    description = write(boot)
    try:
        words = words or (*program("penstock.process.prototype"), str(description), str(theirs.fileno()))
        inherited = [*boot.descriptors, description, theirs.fileno()]
        arguments = [sys.executable, *interpreter_flags(), *words]
        output = [(os.POSIX_SPAWN_DUP2, fd, number) for number, fd in enumerate(boot.output, 1)]
        more: dict[str, Any] = {"file_actions": output, "setsigmask": QUIET}
        with OURS.whole():
            pid = lending(inherited, lambda: os.posix_spawn(sys.executable, arguments, environ, **more))
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
        os.close(description)
    return Prototype(pid, ours, boot.lazy)


def lending(fds: Sequence[int], call: Callable[[], int]) -> int:
    """Make ``call`` while a new program inherits ``fds``.

    The supervisor has one thread, so nobody else starts a program meanwhile.
    """
    before = {fd: os.get_inheritable(fd) for fd in fds}
    for fd in before:
        os.set_inheritable(fd, True)
    try:
        return call()
    finally:
        for fd, inheritable in before.items():
            os.set_inheritable(fd, inheritable)


def program(module: str) -> list[str]:
    """The words that have a new interpreter run one of our modules.

    Where penstock is not installed (a checkout, an archive, a relative PYTHONPATH), a new interpreter in
    another folder would not find it.
    """
    if HOME in (*site.getsitepackages(), site.getusersitepackages()):
        return ["-m", module]
    return ["-c", FROM_HOME.format(home=HOME, module=module)]


def interpreter_flags() -> list[str]:
    """The flags that this interpreter was started with (``-X dev``, ``-W error``), for one that is to be
    like it; ``-P`` beside them, because the folder that ``-m`` would add is not the application's."""
    flags: list[str] = []
    words = iter(sys.orig_argv[1:])
    for word in words:
        if not word.startswith("-") or word == "-":
            break
        # One word may hold several (-um, -Wdefault); what follows m or c is the program.
        end = PROGRAM.match(word)
        if end is not None:
            flags += [end[1]] * (end[1] != "-")
            break
        flags.append(word)
        if TAKES_NEXT.fullmatch(word):
            flags.append(next(words, ""))
    return flags if "-P" in flags else [*flags, "-P"]
