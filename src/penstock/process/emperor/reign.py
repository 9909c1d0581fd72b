"""An emperor that is all there is: ``emperor = FOLDER`` and nothing to serve beside it.

Called by ``serve`` on the main thread, in the process that stays.
"""

import os
from collections.abc import Callable
from functools import partial

from penstock.config.settings import Settings
from penstock.core.errors import StartError
from penstock.process.emperor import bond as above
from penstock.process.emperor.emperor import Emperor, Life
from penstock.process.identity import ROOT
from penstock.process.isolation.rights import postponed
from penstock.process.lasting import adopt_orphans
from penstock.process.launch import Launch
from penstock.process.standing import Standing
from penstock.process.titles import set_title

ROLE = "emperor"
ADOPTING = "an emperor looks after what its vassals leave behind"


def reign(settings: Settings, standing: Standing, launch: Launch) -> int:
    """Govern until told to stop; returns the exit status. Raises StartError."""
    standing.loaded()
    standing.started()
    adopt_orphans(ADOPTING)
    title(settings, standing.diary.warning)
    if (settings.uid or settings.gid) and postponed(settings) and os.getuid() == ROOT:
        standing.diary.warning(
            "drop-after-apps, master-as-root: an emperor loads no application and drops no rights: it stays "
            "root, and so do vassals that name no user"
        )
    life = Life(standing.serving, standing.leaving, standing.reopen)
    emperor = made(settings, standing, launch, life)
    if standing.watchdog:
        emperor.watch.every(standing.watchdog / 2, standing.alive)
    if above.bond.number >= 0:
        serve_another(emperor)
    return emperor.run()


def made(settings: Settings, standing: Standing, launch: Launch, life: Life) -> Emperor:
    """The emperor. Raises StartError."""
    try:
        return Emperor(settings, standing.diary, launch.folder, life)
    except ValueError as error:
        raise StartError(f"emperor: {error}") from None


def title(settings: Settings, warn: Callable[[str], None]) -> None:
    """``emperor-procname``, or what the other options for titles come to."""
    name = settings.emperor_procname
    set_title(settings.but(procname=name) if name else settings, ROLE, 0, warn)


def serve_another(emperor: Emperor) -> None:
    """An emperor that is a vassal: loyal at once, as in uWSGI, since no request will make it so."""
    watch = emperor.watch

    def hear() -> None:
        said = above.bond.heard()
        if said is None:
            watch.remove(above.bond.number)
            once(emperor, above.GONE)
        elif above.RELOAD in said:
            once(emperor, "the file has changed: the emperor above starts this one anew")
        elif said:
            once(emperor, "the order of the emperor above")

    watch.add(above.bond.number, hear)
    watch.later(0.0, partial(above.bond.tell, above.READY, above.ACCEPTING, above.LOYAL))
    period = emperor.settings.heartbeat
    if period:
        watch.every(period, partial(above.bond.tell, above.HEARTBEAT))


def once(emperor: Emperor, why: str) -> None:
    """Stop; a second reason does not make it faster."""
    if not emperor.ended:
        emperor.stop(why)
