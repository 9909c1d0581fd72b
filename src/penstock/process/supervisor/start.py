"""The start of a supervisor: what was bound becomes its own, the first generation is built, and it serves.

Called by ``serve`` on the main thread, in the process that stays.
"""

import os
from collections.abc import Callable, Sequence

from penstock.config.settings import Settings
from penstock.core.errors import StartError
from penstock.interprocess.scoreboard import Scoreboard
from penstock.process import binding, screen
from penstock.process.hooks import start as hooks
from penstock.process.identity import ROOT, identity_of
from penstock.process.isolation.entry import look_around
from penstock.process.isolation.joining import Lender
from penstock.process.isolation.rights import OURS, kept_by, postponed
from penstock.process.lasting import adopt_orphans
from penstock.process.launch import Launch
from penstock.process.rlimits import too_few_processes
from penstock.process.standing import Standing
from penstock.process.supervisor.attendants import Attendants, checked, wanted_of
from penstock.process.supervisor.commands import by_signal
from penstock.process.supervisor.lineage import Lineage
from penstock.process.supervisor.loading import FAILED
from penstock.process.supervisor.reaper import children
from penstock.process.supervisor.sizing import processes_of
from penstock.process.supervisor.sockets import Listening, opened
from penstock.process.supervisor.supervisor import Supervisor
from penstock.process.supervisor.takeover import Takeover
from penstock.process.supervisor.watch import Watch, nobody

SPARE = 16  # slots of the scoreboard for workers that take long to leave


def supervise(settings: Settings, standing: Standing, bound: Sequence[binding.Bound], launch: Launch) -> int:
    """Serve with a supervisor until it is told to stop; returns the exit status. Raises StartError."""
    checked(settings)
    standing.detach_early()
    diary = standing.diary
    count, line = processes_of(settings)
    lineage = Lineage(settings, standing, launch, os.pipe())
    supervisor = Supervisor(Watch(diary.error), diary, Scoreboard.create(4 * count + SPARE), lineage)
    supervisor.elders = children()
    listening = opened(bound)
    hear_early(supervisor.watch, settings)
    each = "" if count == 1 else " each"
    lines = [f"{line},{each} with {settings.threads_reason}"]
    screen.welcome(settings, diary, [one.name for one in listening], lines)
    few = too_few_processes(settings, count)
    if few:
        diary.warning(few)
    supervisor.on_serving += [supervisor.follow_log, standing.started, standing.serving]
    code = run(supervisor, listening, lambda: begin(supervisor, listening))
    if lineage.first_failed is not None:
        text, code = lineage.first_failed
        raise StartError(text, code)
    return code


def hear_early(watch: Watch, settings: Settings) -> None:
    """A reload may be asked for by whoever reads that we listen, or finds the pidfile: from here on it does
    not end us, as its signal would by itself, but waits for the loop. What stops us stops us until then."""
    for number, command in by_signal(settings.die_on_term).items():
        if command.name not in ("stop", "stop-now"):
            watch.on_signal(number, nobody)


def begin(supervisor: Supervisor, listening: list[Listening]) -> None:
    """The first generation."""
    supervisor.wanted = wanted_of(supervisor.settings)
    supervisor.lineage.first(listening)


def run(supervisor: Supervisor, listening: list[Listening], begin: Callable[[], None]) -> int:
    """Supervise, from ``begin`` to the end; returns the exit status. Raises StartError."""
    # Workers are born by a double fork, so that the death of their prototype means nothing to them.
    adopt_orphans("several processes need a supervisor")
    lineage = supervisor.lineage
    lineage.exec = Takeover(supervisor).begin
    standing = lineage.standing
    hold_rights(supervisor, standing)
    lender = Lender(supervisor, standing.lent)
    supervisor.carrying |= {"standing": standing, "setns": lender}
    supervisor.on_stop.append(standing.leaving)
    supervisor.on_reload.append(standing.reloading)
    if standing.watchdog:
        supervisor.watch.every(standing.watchdog / 2, standing.alive)
    attendants = Attendants(supervisor)
    try:
        attendants.begin()
        lender.start()
        begin()
        return supervisor.run()
    except Exception as error:
        if supervisor.children:  # programs beside the workers, which run already
            supervisor.stop("the start failed", now=True, code=getattr(error, "exit_code", FAILED))
            supervisor.run()
        raise
    finally:
        lender.close()
        attendants.end()
        hooks.at_exit(supervisor.settings, supervisor.diary.say)
        current = supervisor.current
        for listener in listening if current is None else current.listening:
            listener.shut()
            listener.close(unlink=supervisor.settings.vacuum or current is None)


def hold_rights(supervisor: Supervisor, standing: Standing) -> None:
    """Be who a supervisor is to be, whoever its prototypes are, over an exec too. Raises StartError."""
    settings = supervisor.settings
    kept = kept_by(settings)
    if settings.drop_after_apps and not settings.master_as_root and os.getuid() == ROOT:
        identity = identity_of(
            settings.uid, settings.gid, settings.add_gid, standing.diary.warning, not settings.no_initgroups
        )
        if identity is not None:
            OURS.lower(identity, kept)
            look_around(settings, standing.diary.info)
    elif not postponed(settings) and kept:
        OURS.kept = kept
        OURS.give_back()  # what came over an exec is not for every program
    supervisor.on_exec.append(OURS.take_back)
    supervisor.on_stay.append(OURS.give_back)
