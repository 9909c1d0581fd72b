"""Commands that were started and that nobody starts again: how many there are, how long, and their end.

Runs in the supervisor, for what runs at set times and for files that are touched. It does not know why
something was run.
"""

import signal
from collections.abc import Callable, Iterable
from functools import partial
from time import monotonic
from typing import Any

from penstock.process.household.keeper import Keeper
from penstock.process.programs.departure import Departure, mercy_of, urgent
from penstock.process.programs.programs import Program, Running, regain, run
from penstock.process.supervisor.reaper import how
from penstock.process.supervisor.watch import Timer

MOST = 64  # of one kind at once
WIDTH = 60  # characters of a command in the log


def label_of(kind: str, command: str) -> str:
    """How the log calls it: ``cron "sync.sh"``."""
    line = " ".join(command.split())
    return f'{kind} "{line if len(line) <= WIDTH else line[: WIDTH - 1] + "…"}"'


class Run:
    """One of them. ``key`` says for what; ``limit`` of time.monotonic, when it is killed, or 0.0."""

    def __init__(self, key: str, limit: float) -> None:
        self.key = key
        self.limit = limit
        self.running: Running | None = None
        self.timer: Timer | None = None
        self.leaving: Departure | None = None


class Runs:
    """All of one attendant. ``gone()`` is called when one has ended; ``most`` of one key may run at once."""

    def __init__(self, house: Keeper, gone: Callable[[], None], most: int = MOST) -> None:
        self.house = house
        self.gone = gone
        self.most = most
        self.all: list[Run] = []
        self.trailing: list[Running] = []  # ended ones, of which something writes on in the background
        house.on_drained.append(self.end)
        house.unfinished.append(self.unfinished)

    def of(self, key: str) -> list[Run]:
        """Those that run for ``key``."""
        return [run for run in self.all if run.key == key]

    @property
    def busy(self) -> bool:
        """Whether one runs."""
        return bool(self.all)

    def start(self, key: str, program: Program, limit: float = 0.0) -> None:
        """Start one, for at most ``limit`` seconds unless that is 0. Raises OSError when there is no process
        to be had, or when as many of this key run as may."""
        if len(self.of(key)) >= self.most:
            raise OSError(0, f"{self.most} of it are running already")
        one = Run(key, monotonic() + limit if limit else 0.0)
        one.running = run(self.house, program, partial(self.over, one))
        self.keep(one)
        self.house.diary.info(f"{program.label} runs (pid {one.running.pid})")

    def keep(self, one: Run) -> None:
        """It runs."""
        self.all.append(one)
        if one.limit:
            one.timer = self.house.watch.later(max(0.0, one.limit - monotonic()), partial(self.expire, one))

    def expire(self, one: Run) -> None:
        """It has run for too long."""
        running = one.running
        if running is not None and not running.ended:
            seconds = monotonic() - running.started
            self.house.diary.warning(
                f"{running.program.label} (pid {running.pid}) is killed: it has run for {seconds:.0f} s"
            )
            running.signal(signal.SIGKILL)

    def over(self, one: Run, status: int) -> None:
        """It has ended."""
        if one.timer is not None:
            one.timer.cancel()
        running = one.running
        if running is not None:
            self.trailing = [before for before in [*self.trailing, running] if before.fd >= 0]
            seconds = monotonic() - running.started
            text = (
                f"{running.program.label} (pid {running.pid}) has ended after {seconds:.0f} s: {how(status)}"
            )
            (self.house.diary.warning if status else self.house.diary.info)(text)
        if one.leaving is not None:
            one.leaving.look()  # there may be others of its family
        else:
            self.forget(one)

    def forget(self, one: Run) -> None:
        """Nothing is left of it."""
        self.all.remove(one)
        if self.house.ending is None:
            self.gone()
        else:
            self.house.look_whether_done()

    # ---- The end ------------------------------------------------------------------------------------

    def end(self) -> None:
        """The last worker is gone: SIGTERM to all, and ``reload-mercy`` until SIGKILL. uWSGI leaves them
        behind; nobody would know of them any more."""
        mercy = mercy_of(self.house)
        for one in list(self.all):
            if one.leaving is None and one.running is not None:
                done = partial(self.forget, one)
                one.leaving = Departure(self.house, one.running, signal.SIGTERM, mercy, done)

    def unfinished(self) -> bool:
        """Asked by the supervisor at its end, from time to time."""
        for one in list(self.all):
            if urgent(self.house) and one.leaving is not None:
                one.leaving.kill()
        return bool(self.all)

    # ---- Another penstock takes over ----------------------------------------------------------------

    def state(self) -> list[dict[str, Any]]:
        """All of them as plain data, ``fd`` among it."""
        known = [(one.key, one.limit, one.running) for one in self.all if one.running is not None]
        known += [("", 0.0, running) for running in self.trailing if running.fd >= 0]
        return [
            {"key": key, "limit": limit, "label": running.program.label, **running.state()}
            for key, limit, running in known
        ]

    def resume(self, data: Iterable[dict[str, Any]]) -> None:
        """Those of the penstock before us."""
        for state in data:
            one = Run(state["key"], state["limit"])
            program = Program(command="", label=state["label"], environ={})
            one.running = regain(self.house, program, state, partial(self.over, one))
            if one.running.ended:
                self.trailing.append(one.running)
            else:
                self.keep(one)
