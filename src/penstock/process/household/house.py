"""The household of a supervisor: everything that it runs beside its workers, and the end of all of it.

Runs in the supervisor. It brings them into order; each looks after its own, and none knows another.
"""

from collections.abc import Callable
from typing import Any

from penstock.config.settings.household import CRONS, DAEMONS
from penstock.process.alarms.alarms import Alarms
from penstock.process.household.cron import Cron
from penstock.process.household.daemons import Daemons
from penstock.process.household.mountpoints import Mountpoints
from penstock.process.household.touched import Touched
from penstock.process.mules.mules import Mules
from penstock.process.programs.sweep import sweep
from penstock.process.supervisor.supervisor import Supervisor

PROGRAMS = (*DAEMONS, *CRONS, "touch_exec", "hook_touch", "mule", "mules", "alarm")
"""Fields that have the supervisor run programs."""


class Household:
    """That of one supervisor; ``hook(text)`` carries out a value of ``hook-touch``, ``command(name, why)``
    one of the supervisor's commands."""

    def __init__(
        self, supervisor: Supervisor, hook: Callable[[str], None], command: Callable[[str, str], None]
    ) -> None:
        self.supervisor = supervisor
        self.alarms = Alarms(supervisor)
        self.daemons = Daemons(supervisor)
        self.cron = Cron(supervisor)
        self.touched = Touched(supervisor, hook, command)
        self.mules = Mules(supervisor)
        self.mountpoints = Mountpoints(supervisor)
        self.alarms.mules = self.mules.send
        self.ran = False
        self.sweeping = False
        self.swept = False
        supervisor.household = self.figures
        supervisor.on_reopen.append(self.mules.reopen)
        supervisor.on_change.append(self.note)
        supervisor.unfinished.append(self.unfinished)  # the last one: it is asked when all others have ended

    def start(self) -> None:
        """Before the first generation. Raises StartError."""
        self.note()
        self.alarms.start()  # first of all: it may have the log come through us
        for one in (self.daemons, self.cron, self.touched, self.mules):
            one.start()

    def note(self) -> None:
        """The settings may name programs by now."""
        settings = self.supervisor.settings
        self.ran = self.ran or settings.any_of(PROGRAMS)

    def unfinished(self) -> bool:
        """Whether somebody is left whom a program has started: those do not outlive the server, whatever
        they have done to be overlooked. Without programs nobody is looked for: what an application starts
        is its own."""
        if self.ran and not self.sweeping:
            self.sweeping = True
            # Not at once: who is told of the end behind whoever asks now has not begun to end anything.
            self.supervisor.watch.later(0, self.sweep)
        return self.ran and not self.swept

    def sweep(self) -> None:
        """Begin, unless somebody still has something to finish, who will have us asked again."""
        if self.others():
            self.sweeping = False
        else:
            sweep(self.supervisor, self.daemons.spare() | self.supervisor.elders, self.done)

    def others(self) -> bool:
        """Whether somebody else has something to finish."""
        return any(unfinished() for unfinished in self.supervisor.unfinished if unfinished != self.unfinished)

    def done(self) -> None:
        """Nobody is left, unless the log's line about them has raised an alarm: it is all over again then."""
        self.swept = not self.others()
        self.sweeping = self.swept
        self.supervisor.look_whether_done()

    def figures(self) -> dict[str, Any]:
        """For ``status``: those that there are."""
        found = {
            "daemons": self.daemons.figures(),
            "cron": self.cron.figures(),
            "mules": self.mules.figures(),
        }
        return {name: figures for name, figures in found.items() if figures}
