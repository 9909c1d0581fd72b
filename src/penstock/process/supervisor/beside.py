"""What a supervisor has beside its workers: hooks of its own, a household, an emperor.

Runs in the supervisor. Each is loaded when settings first ask for it, be it by a reload: most servers have
none of them, and start without. It knows which options ask, and nothing of what is done for them.
"""

from collections.abc import Sequence, Set
from typing import TYPE_CHECKING, Any

from penstock.config.settings import Settings
from penstock.config.settings.household import CRONS, DAEMONS
from penstock.config.settings.logs import RULES
from penstock.config.settings.observing import REPORTING
from penstock.process.logs.patient import Patient
from penstock.process.sights.observers import FIGURES
from penstock.process.supervisor.commands import Commands
from penstock.process.supervisor.handle import Handle
from penstock.process.supervisor.supervisor import Supervisor

if TYPE_CHECKING:
    from penstock.process.emperor.throne import Throne
    from penstock.process.hooks.master import Hooks
    from penstock.process.household.house import Household
    from penstock.process.logs.logs import Logs
    from penstock.process.pages.showing import Showing
    from penstock.process.stats.reporting import Reporting
    from penstock.process.supervisor.books import Books

HOOKS = ("hook_master_start", "hook_touch", "hook_as_user_atexit", "exec_as_user_atexit")
HOUSEHOLD = (
    *(*DAEMONS, *CRONS, "touch_exec", "hook_touch", "touch_logreopen", "touch_logrotate"),
    *("mule", "mules", "farm", "alarm", "log_alarm", "alarm_rules", "check_mountpoint"),
)
EMPEROR = ("emperor",)
LOGS = (*RULES, "log_alarm", "alarm_rules", "log_master", "log_maxsize", "log_reopen")
MOST, LONGEST = 64, 200  # names of alarms that are told of, and their characters
CARRIED = {"daemons", "cron", "touched", "mules"}
"""What of a household another penstock goes on with."""


class Beside:
    """Of one supervisor; ``start`` once, when what was carried over is known, ``end`` after the last
    process."""

    def __init__(self, supervisor: Supervisor, commands: Commands) -> None:
        self.supervisor = supervisor
        self.commands = commands
        self.hooks: Hooks | None = None
        self.logs: Logs | None = None
        self.household: Household | None = None
        self.books: Books | None = None
        self.showing: Showing | None = None
        self.reporting: Reporting | None = None
        self.throne: Throne | None = None
        self.unknown: set[str] = set()
        diary = supervisor.diary
        self.patients = [Patient(supervisor.watch, sink, diary.complain) for sink in diary.sinks]
        supervisor.alarm = self.no_alarm
        supervisor.on_message.append(self.heard)

    def start(self) -> None:
        """Bring what the settings ask for. Raises StartError."""
        self.meet(self.supervisor.settings)
        if self.books is not None:
            self.books.open()
        if self.showing is not None:
            self.showing.open()
        if self.reporting is not None:
            self.reporting.open()

    def meet(self, settings: Settings) -> None:
        """Settings that are about to be used: whoever is to attend to them must be there before their
        generation is built, and begins with those of now. Raises StartError."""
        self.meet_logs(settings)
        self.meet_house(settings)
        self.meet_figures(settings)
        if self.showing is None and settings.status_page:
            from penstock.process.pages.showing import Showing

            self.showing = Showing(self.supervisor, self.commands.inquiry)
        if self.throne is None and self.needed(settings, EMPEROR, {"emperor"}):
            from penstock.process.emperor.throne import Throne

            self.throne = Throne(self.supervisor)
            self.supervisor.take_up()
            self.throne.start()

    def needed(self, settings: Settings, names: Sequence[str], carried: Set[str]) -> bool:
        """Whether one of the fields is given, or something is there from before."""
        return settings.any_of(names) or not carried.isdisjoint(self.supervisor.carried)

    def meet_logs(self, settings: Settings) -> None:
        """Lines that are to be looked at on their way. Raises StartError."""
        if self.logs is None and self.needed(settings, LOGS, {"logs"}):
            from penstock.process.logs.logs import logs_of

            self.logs = logs_of(self.supervisor)
            self.supervisor.take_up()
            self.logs.start()

    def meet_house(self, settings: Settings) -> None:
        """Hooks of the supervisor's own, and the programs beside its workers. Raises StartError."""
        if self.hooks is None and settings.any_of(HOOKS):
            from penstock.process.hooks.master import Hooks

            self.hooks = Hooks(self.supervisor, self.commands)
            self.hooks.start()
        if self.household is None and self.needed(settings, HOUSEHOLD, CARRIED):
            from penstock.process.household.house import Household

            self.household = Household(self.supervisor, self.touched, self.commands.order)
            self.supervisor.take_up()
            self.household.start()

    def meet_figures(self, settings: Settings) -> None:
        """The ledger and the metrics; uWSGI's statistics, and whoever is sent them. Raises StartError."""
        if self.books is None and self.needed(settings, FIGURES, {"ledger"}):
            from penstock.process.supervisor.books import Books

            self.books = Books(self.supervisor)
            self.supervisor.take_up()
            self.books.start()
        if self.books is not None:
            self.books.meet(settings)
        if self.reporting is None and self.needed(settings, REPORTING, {"stats"}):
            from penstock.process.stats.reporting import beside

            self.reporting = beside(self.supervisor, self.commands.inquiry)
        if self.reporting is not None:
            self.reporting.meet(settings)

    def heard(self, handle: Handle, message: dict[str, Any]) -> None:
        """A worker says something, of which alarms are the household's where there is one."""
        if self.household is None and message.get("is") == "alarm":
            self.no_alarm(str(message.get("name"))[:LONGEST], "")

    def no_alarm(self, name: str, text: str) -> None:
        """A hook raises an alarm, and there are none; each is told of once, and not masses."""
        if name not in self.unknown and len(self.unknown) < MOST:
            self.unknown.add(name)
            self.supervisor.diary.warning(f"alarm {name}: there is no such alarm, so it is not raised")

    def touched(self, text: str) -> None:
        """A file of ``hook-touch`` was touched."""
        if self.hooks is not None:
            self.hooks.touched(text)

    def end(self) -> None:
        """Nobody is told anything any more, and what waits in pipes goes to the log."""
        if self.books is not None:
            self.books.end()
        if self.showing is not None:
            self.showing.close()
        if self.reporting is not None:
            self.reporting.close()
        if self.household is not None:
            self.household.alarms.end()
        if self.logs is not None:
            self.logs.end()
