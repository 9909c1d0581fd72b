"""One program that runs beside the server as our child: started, started again when it ends, and ended.

Runs in the supervisor. It knows neither the option that it comes from nor whether the server is to end with
it; ``daemons`` does.
"""

import signal
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any

from penstock.config.household.daemons import Daemon
from penstock.core.errors import StartError
from penstock.process.household import runs
from penstock.process.programs.departure import Departure
from penstock.process.programs.programs import House, Program, Running, regain, run
from penstock.process.supervisor.reaper import how
from penstock.process.supervisor.watch import Timer

QUICK = 3.0  # seconds: who ends before that is waited with
LONGEST = 300  # seconds of the longest pause
AGAIN = 1.0  # seconds until another try when the system gave no process

Make = Callable[[Daemon], Program]


class Pace:
    """uWSGI's throttle: whoever ends within three seconds waits, a second longer each time, up to
    ``max_throttle``. There the count is of all its starts and the pause is part of its run, so that every
    other start has none; here it is of the quick ends in a row."""

    def __init__(self, most: int) -> None:
        self.most = most or LONGEST
        self.quick = 0

    def after(self, seconds: float) -> int:
        """The pause after a run of so many seconds."""
        self.quick = self.quick + 1 if seconds <= QUICK else 0
        return min(self.quick, self.most)


class Attached:
    """``make(daemon)`` is the program at each start (raises StartError); ``fell()`` is asked at each end that
    we did not ask for whether there is to be another start; ``mercy()`` are the seconds that it has
    to end."""

    def __init__(
        self,
        house: House,
        daemon: Daemon,
        make: Make,
        fell: Callable[[], bool],
        mercy: Callable[[], float],
    ) -> None:
        self.house = house
        self.daemon = daemon
        self.make = make
        self.fell = fell
        self.mercy = mercy
        self.pace = Pace(daemon.max_throttle)
        self.running: Running | None = None
        self.leaving: Departure | None = None
        self.timer: Timer | None = None
        self.after: Callable[[], None] | None = None
        self.starts = 0
        self.held = False

    @property
    def busy(self) -> bool:
        """Whether there is something to be ended still."""
        return self.running is not None

    @property
    def pids(self) -> set[int]:
        """Who stays when the server ends: nobody."""
        return set()

    def start(self) -> None:
        """Run it now."""
        self.timer = None
        if self.held:
            return
        try:
            self.running = run(self.house, self.make(self.daemon), self.ended)
        except (OSError, StartError) as error:
            self.house.diary.error(f"{label_of(self.daemon)} could not be started: {error}")
            self.timer = self.house.watch.later(max(AGAIN, self.pace.after(0.0)), self.start)
            return
        self.starts += 1
        verb = "is started" if self.starts == 1 else "is started again"
        self.house.diary.info(f"{self.running.program.label} {verb} (pid {self.running.pid})")

    def ended(self, status: int) -> None:
        """It is gone."""
        running = self.running
        if self.leaving is not None:
            self.leaving.look()
        elif running is not None:
            text = f"{running.program.label} (pid {running.pid}) has ended: {how(status)}"
            if not self.fell():
                if self.leaving is None:  # else the end has come to us meanwhile
                    self.running = None
                self.house.diary.info(text)
                return
            pause = self.pace.after(monotonic() - running.started)
            self.house.diary.warning(f"{text}; it is started again" + (f" in {pause} s" if pause else ""))
            # Two at a time could be in each other's way: whoever is left of its session goes first.
            self.after = lambda: self.start_in(pause)
            number = number_of(self.daemon.stop_signal)
            self.leaving = Departure(self.house, running, number, self.mercy(), self.gone)
            self.leaving.look()

    def start_in(self, seconds: int) -> None:
        """Run it in so many seconds."""
        if seconds:
            self.timer = self.house.watch.later(seconds, self.start)
        else:
            self.start()

    def tick(self) -> None:
        """Once a second; there is nothing to be looked after."""

    def touched(self) -> None:
        """A file that it depends on has changed: it is ended, and started again. The server ends with one
        that controls it, as after any other end of it."""
        if self.running is None or self.leaving is not None:
            return
        if self.daemon.control:
            self.running.signal(number_of(self.daemon.stop_signal))
        else:
            self.stop(number_of(self.daemon.stop_signal), self.fresh)

    def hold(self) -> None:
        """The server is about to end: nothing is started any more, not even what is to follow an end."""
        self.held = True
        self.calm()

    def calm(self) -> None:
        """No start is waited for."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    # ---- Its end ------------------------------------------------------------------------------------

    def stop(self, number: int, after: Callable[[], None]) -> None:
        """End it, all of it; then ``after``."""
        self.after = after
        self.calm()
        if self.running is None:
            self.gone()
        elif self.leaving is None:
            self.leaving = Departure(self.house, self.running, number, self.mercy(), self.gone)
            self.leaving.look()  # it may have ended before

    def hurry(self, seconds: float) -> None:
        """It has no more time than that."""
        if self.leaving is not None:
            self.leaving.hurry(seconds)

    def gone(self) -> None:
        """Nothing is left of it."""
        self.running = self.leaving = None
        after, self.after = self.after, None
        if after is not None:
            after()

    def end(self, after: Callable[[], None]) -> None:
        """The server stops."""
        self.stop(number_of(self.daemon.stop_signal), after)

    def renew(self) -> None:
        """The server has reloaded: another one in its place, when it has ended."""
        self.stop(number_of(self.daemon.reload_signal or self.daemon.stop_signal), self.fresh)

    def fresh(self) -> None:
        """As at the first start."""
        self.pace.quick = 0
        self.start()

    def drop(self, after: Callable[[], None]) -> None:
        """The settings do not name it any more."""
        self.stop(number_of(self.daemon.reload_signal or self.daemon.stop_signal), after)

    # ---- For others ---------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """What another penstock must know that takes over."""
        due = self.timer.when if self.timer is not None else 0.0
        found: dict[str, Any] = {"starts": self.starts, "quick": self.pace.quick, "due": due}
        if self.running is not None:
            found |= {"running": self.running.state(), "leaving": self.leaving is not None}
        return found

    def resume(self, data: Mapping[str, Any]) -> None:
        """Go on from there."""
        self.starts = data["starts"]
        self.pace.quick = data["quick"]
        if "running" in data:
            self.running = regain(self.house, known(self.daemon), data["running"], self.ended)
            if data["leaving"]:
                self.renew()
        else:
            self.timer = self.house.watch.later(max(0.0, data["due"] - monotonic()), self.start)

    def figures(self) -> dict[str, Any]:
        """For ``status``."""
        pid = self.running.pid if self.running is not None else 0
        waiting = self.timer is not None
        state = "ending" if self.leaving else "running" if pid else "waiting" if waiting else "ended"
        return {"command": self.daemon.command, "pid": pid, "state": state, "starts": self.starts}


def known(daemon: Daemon) -> Program:
    """A program that runs already, as far as that still matters."""
    return Program(command=daemon.command, label=label_of(daemon), environ={})


def number_of(word: str) -> int:
    """A signal that the settings name, or have the number of."""
    return int(word) if word.isdecimal() else signal.Signals[f"SIG{word}"]


def label_of(daemon: Daemon) -> str:
    """How the log calls it."""
    return runs.label_of("daemon", daemon.command)
