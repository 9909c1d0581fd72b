"""The hooks of an emperor and its vassals, each phase where it belongs.

``rite`` runs in the process that a phase is about; ``apart`` in a child of one that must not wait, so that a
hook that takes its time holds up nobody else's vassal.
"""

import os
import shlex
from collections.abc import Callable, Mapping

from penstock.config.household.vassals import put
from penstock.config.settings import Settings
from penstock.config.sources.env import environment
from penstock.process.hooks.start import asked
from penstock.process.programs.becoming import begin_life, forked
from penstock.process.programs.programs import House, Program, run, shell_of
from penstock.process.supervisor.reaper import how

Ended = Callable[[], None]


def rite(settings: Settings, phase: str, say: Callable[[str], None], context: str = "") -> bool:
    """Do what is asked for at a phase, here and now; whether all went well. Raises StartError.

    ``context`` is what commands find in UWSGI_HOOK_CONTEXT.
    """
    if not asked(settings, phase):
        return True
    from penstock.process.hooks import phases  # most files have no hooks

    return phases.run(settings, phase, say, context)


def apart(
    house: House, settings: Settings, what: tuple[str, str], environ: Mapping[str, str], ended: Ended
) -> None:
    """Do it in a child, with ``environ`` beside our own; ``what`` is the phase, and the vassal that it is
    about. ``ended`` is called when it is over, at once where there is nothing to do.

    In uWSGI the emperor, or the vassal's master, does it and waits. What such a hook changes of its own
    process (``chdir``, ``putenv``) does not last here.
    """
    phase, name = what
    if not asked(settings, phase):
        ended()
        return
    parent = os.getpid()
    try:
        pid = forked(lambda: child(house, settings, what, environ, parent))
    except OSError as error:
        house.diary.error(f"{phase} {name}: no process could be started: {error.strerror}")
        ended()
        return

    def over(status: int) -> None:
        if status:
            house.diary.error(f"{phase} {name}: {how(status)}")
        ended()

    house.children[pid] = over


def child(
    house: House, settings: Settings, what: tuple[str, str], environ: Mapping[str, str], parent: int
) -> None:
    """The child's part; it never returns."""
    code = 1
    phase, name = what
    try:
        if begin_life(parent):
            put(environ)
            code = 0 if rite(settings, phase, house.diary.say, name) else 1
    except BaseException as error:
        house.diary.error(f"{phase} {name}: {error}")
    os._exit(code)


def stop_hook(house: House, settings: Settings, name: str, folder: str, ended: Ended) -> None:
    """``vassals-stop-hook`` of a dead vassal, a program that is given its name; ``ended`` is called when it
    is over. The same vassal does not start before; uWSGI's emperor stands still meanwhile."""
    hook = settings.vassals_stop_hook
    if not hook:
        ended()
        return
    program = Program(
        command=f"exec {shlex.quote(hook)} {shlex.quote(name)}",
        label=f"vassals-stop-hook {name}",
        environ={**environment(), "UWSGI_VASSALS_DIR": folder},
        shell=shell_of(settings.binsh),
        folder=folder,
    )

    def over(status: int) -> None:
        house.diary.info(f"vassal {name}: vassals-stop-hook {hook}: {how(status)}")
        ended()

    try:
        run(house, program, over)
    except OSError as error:
        house.diary.error(f"vassal {name}: vassals-stop-hook: {error.strerror}")
        ended()


def nobody() -> None:
    """Who waits for hooks that nobody waits for."""
