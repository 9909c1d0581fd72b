"""What raises alarms under a supervisor: lines of the log, a full queue, a crash, a descriptor, and whoever
asks by name.

Runs in the supervisor, on its one thread; nothing of it waits. What an alarm does is a program of its own.
Where no alarm is given nothing is loaded, and the logs go where they went.
"""

import os
import signal
from collections.abc import Callable
from errno import ESRCH
from functools import partial
from time import monotonic, strftime
from typing import TYPE_CHECKING, Any

from penstock.config.settings import Settings
from penstock.process.household.keeper import Keeper
from penstock.process.logs.logs import logs_of
from penstock.process.supervisor.watch import Timer

if TYPE_CHECKING:
    from penstock.config.household.alarms import Readable
    from penstock.process.alarms.loglines import Lines
    from penstock.process.alarms.raising import Ended, Job, Raising

LOOK = 1.0  # seconds between two looks at the queues, as uWSGI's master
MERCY = 3.0  # seconds after the last worker in which programs of alarms may end
CRASHES = (-signal.SIGSEGV, -signal.SIGFPE)
"""What uWSGI's handler of crashes hears of."""


class Alarms:
    """Those of one supervisor. ``mules(number, message)`` takes a message to a mule, 0 for any of them, and
    says whether one takes it."""

    def __init__(self, supervisor: Keeper) -> None:
        self.supervisor = supervisor
        self.settings: Settings | None = None
        self.raising: Raising | None = None
        self.lines: Lines | None = None
        self.reading: dict[int, list[Readable]] = {}
        self.full: set[str] = set()
        self.timer: Timer | None = None
        self.until = float("inf")
        self.mules: Callable[[int, bytes], bool] = lambda number, message: False
        supervisor.alarm = self.tell
        self.logs = logs_of(supervisor)
        self.logs.looking.append((tapped, self.look))
        supervisor.on_change.append(self.start)
        supervisor.on_gone.append(lambda handle: self.crashed(handle.name, handle.status))
        supervisor.on_message.append(lambda handle, message: self.heard(message))
        supervisor.on_drained.append(self.drained)
        supervisor.unfinished.append(self.busy)

    def start(self) -> None:
        """Go by the settings as they are now; again does no harm."""
        settings = self.supervisor.settings
        if settings is self.settings:
            return
        self.settings = settings
        if settings.alarm or self.raising is not None:
            self.take(settings)

    def take(self, settings: Settings) -> None:
        """There are alarms, or have been."""
        from penstock.process.alarms.loglines import Lines
        from penstock.process.alarms.raising import Raising

        self.raising = self.raising or Raising(self)
        self.raising.take(settings)
        self.lines = Lines(settings)
        self.logs.follow(settings)
        self.read_descriptors(settings)
        if settings.alarm_backlog and self.timer is None:
            self.timer = self.supervisor.watch.every(LOOK, self.look_at_queues)

    def end(self) -> None:
        """After the last process: no more programs. What is still in the pipes is the logs'."""
        self.until = 0.0

    # ---- Lines of the log -----------------------------------------------------------------------------

    def look(self, data: bytes) -> None:
        """Whole lines of anybody's."""
        if self.lines and self.raising is not None:
            self.lines.check(data, self.raising.raise_)

    # ---- Who asks by name -----------------------------------------------------------------------------

    def tell(self, name: str, text: str) -> None:
        """Raise the alarm ``name`` with a text; one that is not there is told of once."""
        if self.raising is None:
            from penstock.process.alarms.raising import Raising

            self.raising = Raising(self)
        self.raising.tell(name, text)

    def heard(self, message: dict[str, Any]) -> None:
        """A worker says something; its application may raise alarms."""
        name, text = message.get("name"), message.get("text")
        if message.get("is") == "alarm" and isinstance(name, str) and isinstance(text, str):
            self.tell(name, text)

    # ---- What is looked at ----------------------------------------------------------------------------

    def crashed(self, name: str, status: int | None) -> None:
        """A process has ended: ``alarm-segfault``."""
        if status in CRASHES:
            for alarm in self.supervisor.settings.alarm_segfault:
                self.tell(alarm, f"{name} died: killed by {signal.Signals(-status).name}")

    def look_at_queues(self) -> None:
        """``alarm-backlog``."""
        from penstock.process.supervisor.backlog import backlog_of

        settings, current = self.supervisor.settings, self.supervisor.current
        if not settings.alarm_backlog and self.timer is not None:
            self.timer.cancel()
            self.timer = None
        for one in current.listening if current is not None else ():
            count = backlog_of(one.sock)
            if count < settings.backlog:
                self.full.discard(one.name)
                continue
            text = f"the listen queue of {one.name} is full ({count} of {settings.backlog})"
            if one.name not in self.full:
                self.full.add(one.name)
                self.supervisor.diary.warning(text)
            for alarm in settings.alarm_backlog:
                self.tell(alarm, text)

    def read_descriptors(self, settings: Settings) -> None:
        """``alarm-fd``; one descriptor may have several alarms."""
        from penstock.process.alarms.raising import readables

        watch, before = self.supervisor.watch, self.reading
        self.reading = readables(settings)
        for fd in before.keys() - self.reading.keys():
            watch.remove(fd)
        for fd in self.reading.keys() - before.keys():
            if never_waits(fd):
                self.supervisor.diary.error(
                    f"alarm-fd {fd}: this is no open descriptor, or one that is always ready (a file); it is "
                    "not watched"
                )
                del self.reading[fd]
            else:
                watch.add(fd, partial(self.ready, fd))

    def ready(self, fd: int) -> None:
        """There is something to read, or an end, which raises them too and would be there for ever."""
        try:
            data = os.read(fd, self.reading[fd][0].size)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        for readable in self.reading[fd]:
            self.tell(readable.name, readable.text)
        if not data:
            self.supervisor.diary.warning(f"alarm-fd {fd}: it has ended and is not watched any more")
            self.supervisor.watch.remove(fd)

    # ---- The means of alarms (``raising.Means``) ------------------------------------------------------

    def say(self, text: str) -> None:
        """A line that raises no alarm itself."""
        self.put(f"{strftime('%Y-%m-%d %H:%M:%S')} penstock: {text}\n")

    def put(self, text: str) -> None:
        """To the log, past ourselves."""
        self.logs.pass_on(text)

    def run(self, job: "Job", ended: "Ended") -> None:
        """Start a program; it is killed when it takes too long. Raises OSError."""
        if self.over:
            raise OSError(ESRCH, "the server has ended")  # nobody would know of it any more
        from penstock.process.programs.programs import Program, run, shell_of

        supervisor = self.supervisor

        def finished(status: int) -> None:
            killing.cancel()
            ended(status)

        program = Program(
            command=job.command,
            label=job.label,
            environ=supervisor.environ(),
            shell=shell_of(supervisor.settings.binsh),
            stdin=job.stdin,
        )
        running = run(supervisor, program, finished, lambda line: self.put(f"[{job.label}] {line}\n"))
        killing = supervisor.watch.later(job.seconds, lambda: running.signal(signal.SIGKILL))

    def tell_mule(self, number: int, message: bytes) -> bool:
        """A message to a mule; any takes what is for one that there is not, as in uWSGI."""
        from penstock.process.mules.mules import works_of

        count = len(works_of(self.supervisor.settings))
        return count > 0 and self.mules(number if number <= count else 0, message)

    # ---- The end --------------------------------------------------------------------------------------

    def drained(self) -> None:
        """The last worker is gone, perhaps with an alarm."""
        self.until = monotonic() + MERCY

    def busy(self) -> bool:
        """Whether the end waits for programs of alarms; the supervisor asks again by itself."""
        if self.raising is None or self.over:
            return False
        return any(one.running for one in self.raising.alarms.values())

    @property
    def over(self) -> bool:
        """Whether the last worker is gone and nothing else is waited for."""
        ending = self.supervisor.ending
        urgent = ending is not None and ending.now and self.until < float("inf")
        return urgent or monotonic() > self.until


def tapped(settings: Settings) -> bool:
    """Whether lines of the log raise alarms."""
    return bool(settings.alarm and settings.log_alarm)


def never_waits(fd: int) -> bool:
    """Whether a descriptor is of no use to wait for: not open, a file or a folder."""
    import stat

    try:
        mode = os.fstat(fd).st_mode
    except OSError:
        return True
    return stat.S_ISREG(mode) or stat.S_ISDIR(mode)
