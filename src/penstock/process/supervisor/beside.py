"""What a supervisor has beside its workers: hooks of its own, a household, an emperor.

Runs in the supervisor. Each is loaded when settings first ask for it, be it by a reload: most servers have
none of them, and start without. It knows which options ask, and nothing of what is done for them.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from penstock.config.settings import Settings
from penstock.config.settings.household import CRONS, DAEMONS
from penstock.process.supervisor.commands import Commands
from penstock.process.supervisor.handle import Handle
from penstock.process.supervisor.supervisor import Supervisor

if TYPE_CHECKING:
    from penstock.process.emperor.throne import Throne
    from penstock.process.hooks.master import Hooks
    from penstock.process.household.house import Household

HOOKS = ("hook_master_start", "hook_touch", "hook_as_user_atexit", "exec_as_user_atexit")
HOUSEHOLD = (
    *(*DAEMONS, *CRONS, "touch_exec", "hook_touch", "touch_logreopen", "touch_logrotate"),
    *("mule", "mules", "farm", "alarm", "log_alarm", "alarm_rules", "check_mountpoint"),
)
EMPEROR = ("emperor",)
MOST, LONGEST = 64, 200  # names of alarms that are told of, and their characters
CARRIED = {"daemons", "cron", "touched", "mules", "alarms"}
"""What of a household another penstock goes on with."""


class Beside:
    """Of one supervisor; ``start`` once, when what was carried over is known, ``end`` after the last
    process."""

    def __init__(self, supervisor: Supervisor, commands: Commands) -> None:
        self.supervisor = supervisor
        self.commands = commands
        self.hooks: Hooks | None = None
        self.household: Household | None = None
        self.throne: Throne | None = None
        self.unknown: set[str] = set()
        supervisor.alarm = self.no_alarm
        supervisor.on_message.append(self.heard)

    def start(self) -> None:
        """Bring what the settings ask for. Raises StartError."""
        self.meet(self.supervisor.settings)

    def meet(self, settings: Settings) -> None:
        """Settings that are about to be used: whoever is to attend to them must be there before their
        generation is built, and begins with those of now. Raises StartError."""
        carried = self.supervisor.carried
        if self.hooks is None and asks(settings, HOOKS):
            from penstock.process.hooks.master import Hooks

            self.hooks = Hooks(self.supervisor, self.commands)
            self.hooks.start()
        if self.household is None and (asks(settings, HOUSEHOLD) or not CARRIED.isdisjoint(carried)):
            from penstock.process.household.house import Household

            self.household = Household(self.supervisor, self.touched, self.commands.order)
            self.supervisor.take_up()
            self.household.start()
        if self.throne is None and (asks(settings, EMPEROR) or "emperor" in carried):
            from penstock.process.emperor.throne import Throne

            self.throne = Throne(self.supervisor)
            self.supervisor.take_up()
            self.throne.start()

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
        """What waits in pipes goes to the log."""
        if self.household is not None:
            self.household.alarms.end()


def asks(settings: Settings, names: Sequence[str]) -> bool:
    """Whether one of the fields is given."""
    return any(getattr(settings, name) for name in names)
