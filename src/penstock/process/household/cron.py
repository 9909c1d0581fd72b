"""What a supervisor runs at set times: ``cron``, ``unique-cron``, ``cron2``, ``curl-cron``.

Runs in the supervisor. It looks every few seconds, at the beginning of every minute among others, and starts
what is due without waiting for it. Which minutes are due is ``minutes``; what becomes of a run is ``runs``.
"""

import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from penstock.config.settings import Settings
from penstock.config.sources.env import environment
from penstock.process.household.keeper import Keeper
from penstock.process.household.runs import Runs, label_of
from penstock.process.programs.programs import Program, shell_of
from penstock.process.supervisor.generation import interpreter_flags, program
from penstock.process.supervisor.watch import Timer

if TYPE_CHECKING:  # most servers run nothing at set times, and start without it
    from datetime import datetime

    from penstock.config.household.cron import Entry
    from penstock.process.household.minutes import Minutes
    from penstock.process.household.zone import Clock

OPTIONS = ("cron", "unique-cron", "cron2", "curl-cron")
MINUTE = 60
OFTEN = 5.0  # seconds between two looks at the clock, which somebody may have set
CONNECT = 4.0  # seconds until a server must have answered the connect of curl-cron, without socket-timeout
ASKER = "penstock.process.household.asking"


class Task:
    """One entry of the settings. ``held`` is the minute in which it was due and could not be run."""

    def __init__(self, key: str, option: str, entry: "Entry", minutes: "Minutes") -> None:
        self.key = key
        self.option = option
        self.entry = entry
        self.minutes = minutes
        self.held = -1
        self.last = 0.0

    @property
    def label(self) -> str:
        """How the log calls it."""
        return label(self.option, self.entry)


class Cron:
    """All of one supervisor. ``now`` are seconds since the epoch."""

    def __init__(self, supervisor: Keeper, now: Callable[[], float] = time.time) -> None:
        self.supervisor = supervisor
        self.now = now
        self.tasks: dict[str, Task] = {}
        self.carried: dict[str, Any] = {}
        self.runs = Runs(supervisor, self.gone)
        self.clock: Clock | None = None
        self.timer: Timer | None = None
        self.looked = 0
        supervisor.carrying["cron"] = self
        supervisor.on_serving.append(self.begin)
        supervisor.on_change.append(self.begin)

    def start(self) -> None:
        """Say what there is; the first look comes when the first generation serves."""
        for key, option, entry in named(self.supervisor.settings):
            if key not in self.carried.get("tasks", {}):
                self.supervisor.diary.info(f"{label(option, entry)} will run at {written(entry)}")

    def begin(self) -> None:
        """A generation serves, perhaps with other settings: those that stay remember when they ran."""
        before, self.tasks = self.tasks, {}
        for key, option, entry in named(self.supervisor.settings):
            task = before.get(key) or self.task(key, option, entry)
            self.tasks[key] = task
        self.carried = {}
        self.clock = None
        self.look()

    def task(self, key: str, option: str, entry: "Entry") -> Task:
        """A new one, or one of the penstock before us."""
        from penstock.process.household.minutes import Minutes, fresh

        minutes = fresh(entry.times, self.minute)
        carried = self.carried.get("tasks", {}).get(key)
        if carried is not None:
            minutes = Minutes(entry.times, carried["seen"], carried["high"])
        task = Task(key, option, entry, minutes)
        if carried is not None:
            task.held, task.last = carried["held"], carried["last"]
        return task

    def zone(self) -> "Clock":
        """The time zone is that of the commands."""
        from penstock.process.household.zone import clock

        try:
            return clock(self.supervisor.environ().get("TZ"), environment().get("TZ"))
        except ValueError as error:
            self.supervisor.diary.error(f"{error}; cron goes by the server's own time")
            return clock(None, None)

    @property
    def minute(self) -> int:
        """That is now."""
        return int(self.now()) // MINUTE

    # ---- When ---------------------------------------------------------------------------------------

    def look(self) -> None:
        """Run what is due, and look again in a moment."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        if self.supervisor.ending is not None or not self.tasks:
            self.looked = 0
            return
        seconds = min(OFTEN, MINUTE - self.now() % MINUTE)
        self.timer = self.supervisor.watch.later(seconds, self.look)
        minute = self.minute
        self.tell(minute)
        for task in list(self.tasks.values()):
            if task.minutes.due(minute, self.local) or task.held == minute:
                self.run(task, minute)

    def tell(self, minute: int) -> None:
        """Say what the clock has done."""
        from penstock.process.household.minutes import LATE

        before, self.looked = self.looked, minute
        if before and minute < before:
            self.supervisor.diary.warning(f"cron: the clock was set back by {before - minute} minutes")
        elif before and minute - before > LATE:
            self.supervisor.diary.warning(
                f"cron: {minute - before - 1} minutes have passed unseen; what was to run in them is left out"
            )

    def local(self, minute: int) -> "datetime":
        """The local time at its beginning."""
        if self.clock is None:
            self.clock = self.zone()
        return self.clock(minute * MINUTE)

    # ---- What ---------------------------------------------------------------------------------------

    def run(self, task: Task, minute: int) -> None:
        """Start it, unless it is one that still runs; then it is tried for until the minute is over."""
        again, task.held = task.held == minute, minute
        if task.entry.unique and self.runs.of(task.key):
            if not again:
                self.supervisor.diary.warning(f"{task.label} still runs, and is not run again")
            return
        try:
            self.runs.start(task.key, self.program(task), self.limit(task.entry))
        except OSError as error:
            if not again:
                self.supervisor.diary.error(f"{task.label} could not be started: {error.strerror}")
            return
        task.held, task.last = -1, self.now()

    def limit(self, entry: "Entry") -> float:
        """Seconds that it may run; 0.0 for any."""
        if entry.url:
            return float(MINUTE)
        return self.supervisor.settings.cron_harakiri if entry.harakiri is None else entry.harakiri

    def program(self, task: Task) -> Program:
        """What is to be run."""
        settings = self.supervisor.settings
        command, stdin = task.entry.command, None
        if task.entry.url:
            from shlex import join

            # Its address is not for everybody's list of processes: there may be a password in it.
            stdin = command.encode()
            words = [sys.executable, *interpreter_flags(), *program(ASKER)]
            command = f"exec {join([*words, str(settings.socket_timeout or CONNECT)])}"
        return Program(
            command=command,
            label=task.label,
            environ=self.supervisor.environ(),
            shell=shell_of(settings.binsh),
            stdin=stdin,
        )

    def gone(self) -> None:
        """One has ended: another of the same may have waited for it."""
        if any(task.held == self.minute for task in self.tasks.values()):
            self.look()

    # ---- For others ---------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """What another penstock must know that takes over: no minute is to count twice."""
        tasks = {
            task.key: {
                "seen": task.minutes.seen, "high": task.minutes.high, "held": task.held, "last": task.last
            }
            for task in self.tasks.values()
        }  # fmt: skip
        runs = self.runs.state()
        return {"tasks": tasks, "runs": runs, "fds": [run["fd"] for run in runs]}

    def resume(self, data: dict[str, Any]) -> None:
        """The same in the new program, before ``start``."""
        self.carried = data
        self.runs.resume(data.get("runs", ()))

    def figures(self) -> list[dict[str, Any]]:
        """For ``status``."""
        return [
            {
                "option": task.option,
                "command": task.entry.command,
                "times": list(task.entry.times.values),
                "running": [run.running.pid for run in self.runs.of(task.key) if run.running is not None],
                "last": task.last,
            }
            for task in self.tasks.values()
        ]


def named(settings: Settings) -> Iterator[tuple[str, str, "Entry"]]:
    """Those that settings name, with a key of each; the same twice is two."""
    for option in OPTIONS:
        seen: dict[str, int] = {}
        for text in getattr(settings, option.replace("-", "_")):
            from penstock.config.household.cron import PARSERS

            number = seen[text] = seen.get(text, 0) + 1
            yield f"{option} {number} {text}", option, PARSERS[option](text)


def label(option: str, entry: "Entry") -> str:
    """How the log calls it; a password in an address is nobody's business."""
    command = entry.command
    if entry.url:
        from urllib.parse import urlsplit

        parts = urlsplit(command)
        command = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    return label_of(option, command)


def written(entry: "Entry") -> str:
    """Its times, as they were written."""
    return " ".join(str(value) for value in entry.times.values)
