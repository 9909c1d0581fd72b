"""The hooks of a start and of an end, each where uWSGI has it, for the processes that may wait.

Called on the main thread by ``serve``, by a prototype that begins a reload, and by whoever ends. What
carries hooks out is imported where a configuration has any: start-up time counts.
"""

import os
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TypeVar

from penstock.config.settings import Settings
from penstock.core.errors import StartError
from penstock.process.identity import ROOT
from penstock.process.isolation.rights import late, postponed

Say = Callable[[str], None]
Own = Mapping[str, Callable[[str], None]]
Clock = Callable[[bool], None]
ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
FAMILIES = ("hook", "mount", "umount", "exec")
WAITS = ("wait_for_interface", "wait_for_fs", "wait_for_mountpoint")
ROOTS = (
    *WAITS,
    *(f"{family}_as_root" for family in FAMILIES),
    *("hook_as_user", "exec_as_user"),
)


def asked(settings: Settings, phase: str) -> bool:
    """Whether there is anything to do at a phase."""
    name = phase.replace("-", "_")
    return any(getattr(settings, f"{family}_{name}", ()) for family in FAMILIES)


def run(settings: Settings, phase: str, say: Say, own: Own | None = None) -> None:
    """A phase, where anything is asked for. Raises StartError."""
    if asked(settings, phase):
        from penstock.process.hooks import phases

        phases.run(settings, phase, say, own=own or {})


# ---- The order of a start -------------------------------------------------------------------------------


def in_jail(settings: Settings, say: Say) -> None:
    """``in-jail`` and ``file-write``, before rights are dropped. Raises StartError."""
    run(settings, "in-jail", say)
    if settings.file_write:
        write_files(settings, say)


def write_files(settings: Settings, say: Say) -> None:
    """``file-write``. Raises StartError."""
    from penstock.config.household.hooks import parse_file_write
    from penstock.process.hooks.actions import FRESH, put

    for path, text in map(parse_file_write, settings.file_write):
        say(f"penstock: file-write: {path}")
        try:
            put(path, FRESH, f"{text}\n")
        except OSError as error:
            raise StartError(f"file-write {path}: {error.strerror}") from error


def pass_over(settings: Settings, say: Say) -> None:
    """Say what is not done for those who do not start as root, since uWSGI does not."""
    found = [name for name in ROOTS if getattr(settings, name)] if os.getuid() != ROOT else []
    if found:
        options = ", ".join(name.replace("_", "-") for name in found)
        say(f"penstock: {options}: not done, as in uWSGI: only for a server that is started by root")


def folder_of_user(settings: Settings) -> str:
    """The folder that ``as-user`` is to find where uWSGI changes to ``chdir`` after it; "" where it is there
    already, or nothing is asked for."""
    if not asked(settings, "as-user") or os.getuid() != ROOT or late(settings) or not settings.chdir:
        return ""
    return os.getcwd()


def as_root(settings: Settings, say: Say) -> None:
    """What is waited for, then ``as-root``; as in uWSGI for root alone. Raises StartError."""
    if settings.any_of(WAITS):
        from penstock.process.hooks import waiting

        waiting.before_root(settings, say)
    run(settings, "as-root", say)


def wait_for_sockets(settings: Settings, say: Say) -> None:
    """``wait-for-socket``, when rights were dropped. Raises StartError."""
    for text in settings.wait_for_socket:
        from penstock.process.hooks import waiting

        waiting.for_socket(settings, text, say)


def again(settings: Settings, say: Say, anew: bool = True) -> None:
    """What uWSGI does again at a reload, where it starts itself anew with the rights that it has by then: all
    but ``pre-jail`` and ``post-jail``. Without ``anew`` it was done for this generation, and only what a
    process has for itself is done. Raises StartError."""
    if not anew:
        remember(settings, say)
        return
    run(settings, "asap", say)
    in_jail(settings, say)
    if os.getuid() == ROOT and not postponed(settings):  # else when the application is loaded
        as_root(settings, say)
        run(settings, "as-user", say)
    wait_for_sockets(settings, say)


def remember(settings: Settings, say: Say) -> None:
    """Have the folder and the variables that hooks have set in another process. Raises StartError."""
    for phase in ("asap", "in-jail", "as-root", "as-user"):
        if asked(settings, phase):
            from penstock.process.hooks import phases

            phases.remember(settings, phase, say)


Loaded = TypeVar("Loaded")


def around(
    settings: Settings, say: Say, load: Callable[[], Loaded], clock: Clock = lambda going: None
) -> Loaded:
    """Load the application between ``pre-app`` and ``post-app``. Raises StartError and whatever ``load``
    raises."""
    unhurried(settings, "pre-app", say, clock)
    loaded = load()
    unhurried(settings, "post-app", say, clock)
    return loaded


def unhurried(settings: Settings, phase: str, say: Say, clock: Clock, own: Own | None = None) -> None:
    """A phase that takes as long as it takes: ``clock`` is told that ``start-timeout`` is not to run on, and
    that it begins anew. Raises StartError."""
    if asked(settings, phase):
        clock(False)
        run(settings, phase, say, own)
        clock(True)


# ---- The end --------------------------------------------------------------------------------------------


def at_exit(settings: Settings, say: Say) -> None:
    """``as-user-atexit``: nobody else is left. A signal that ends cuts what runs, and what is to follow."""
    if not asked(settings, "as-user-atexit"):
        return

    def cut(number: int, frame: object) -> None:
        raise KeyboardInterrupt(f"{signal.Signals(number).name}: the hooks of the end are cut")

    before = {number: signal.signal(number, cut) for number in ENDING}
    try:
        run(settings, "as-user-atexit", say)
    except (StartError, KeyboardInterrupt) as error:
        say(f"penstock: {error}")
    finally:
        for number, handler in before.items():
            with suppress(TypeError):  # None: it was not Python's, and stays what it is now
                signal.signal(number, handler)
