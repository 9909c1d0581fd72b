"""The number of workers, once each ``check-interval``: cheaper's algorithms over the scoreboard, and idle.

Runs in the supervisor. What it decides is carried out by ``set_wanted``; it stands still while the server
reloads, is paused or ends.
"""

import socket
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any, Protocol

from penstock.config.settings import Settings
from penstock.core.errors import StartError
from penstock.logs.setup import Diary
from penstock.process.memory import resident
from penstock.process.supervisor.backlog import backlog_of
from penstock.process.supervisor.cheaper.algorithms import Backlog, Manual, Spare, Spare2
from penstock.process.supervisor.cheaper.busyness import Busyness
from penstock.process.supervisor.cheaper.facts import Algorithm, Facts, Pulse, Step
from penstock.process.supervisor.cheaper.rules import Rules, first_of, rules_of
from penstock.process.supervisor.handle import State
from penstock.process.supervisor.idle import Idle, workers
from penstock.process.supervisor.watch import Timer, Watch

Sockets = Callable[[], Sequence[socket.socket]]
ACTIVE = (State.STARTING, State.SERVING)


class Herder(Protocol):
    """What is asked of the supervisor."""

    watch: Watch
    diary: Diary
    board: Any
    wanted: int
    paused: bool
    build: Any
    ending: Any

    @property
    def settings(self) -> Settings:
        """Those that are in force."""

    def handles(self) -> Sequence[Any]:
        """The workers that are not gone."""

    def set_wanted(self, count: int) -> None:
        """So many are to run; 0 for none."""

    def stop(self, why: str) -> None:
        """End the server."""


def algorithm_of(rules: Rules, say: Callable[[str], None]) -> Algorithm:
    """The one that the rules name."""
    if rules.algorithm == "busyness":
        return Busyness(rules, say)
    kinds: dict[str, type[Spare | Spare2 | Backlog | Manual]] = {
        "spare": Spare,
        "spare2": Spare2,
        "backlog": Backlog,
        "manual": Manual,
    }
    return kinds[rules.algorithm](rules)


class Cheaper:
    """``rss`` and ``backlog`` measure a worker and a listener."""

    def __init__(
        self,
        supervisor: Herder,
        rules: Rules,
        sockets: Sockets,
        rss: Callable[[int], int] = resident,
        backlog: Callable[[socket.socket], int] = backlog_of,
    ) -> None:
        self.supervisor = supervisor
        self.rules = rules
        self.sockets = sockets
        self.rss = rss
        self.backlog = backlog
        self.algorithm = algorithm_of(rules, supervisor.diary.info)

    def look(self) -> None:
        """Decide once, and have it done."""
        supervisor = self.supervisor
        if not supervisor.wanted:
            return  # they are stopped until a connection comes
        step = self.decide()
        if step.delta:
            before = supervisor.wanted
            wanted = max(1, before + step.delta)
            supervisor.diary.info(f"cheaper: {workers(wanted)} instead of {before}: {step.why}")
            supervisor.set_wanted(wanted)

    def decide(self) -> Step:
        """Memory first; beyond ``cheaper-rss-limit-hard`` no algorithm is asked."""
        handles = [handle for handle in self.supervisor.handles() if handle.state in ACTIVE]
        total = sum(self.rss(handle.pid) for handle in handles) if self.rules.soft else 0
        if 0 < self.rules.hard <= total and self.supervisor.wanted > 1:
            return Step(-1, f"they have {total >> 20} MB together, beyond cheaper-rss-limit-hard")
        may_grow = not self.rules.soft or total < self.rules.soft
        return self.algorithm.decide(self.facts(handles, may_grow))

    def facts(self, handles: Sequence[Any], may_grow: bool) -> Facts:
        """One look at the workers."""
        # Of one number's workers those that serve: another may be on its way to replace it.
        serving = [handle for handle in handles if handle.state is State.SERVING]
        kernel = max((self.backlog(sock) for sock in self.sockets()), default=0)
        return Facts(
            now=monotonic(),
            wanted=self.supervisor.wanted,
            workers=tuple(pulse(handle) for handle in serving),
            # A worker takes connections in while its threads are busy, so what waits is seldom in the kernel.
            waiting=kernel + sum(handle.cell.queued for handle in serving),
            may_grow=may_grow,
        )


def pulse(handle: Any) -> Pulse:
    """A worker's words of the scoreboard."""
    cell = handle.cell
    return Pulse(handle.pid, cell.threads, cell.busy, cell.ticks, cell.busy_ticks)


class Scaling:
    """Both together, as the supervisor has them; ``most`` is what ``processes`` comes to, of settings."""

    def __init__(self, supervisor: Herder, sockets: Sockets, most: Callable[[Settings], int]) -> None:
        self.supervisor = supervisor
        self.sockets = sockets
        self.most = most
        self.cheaper: Cheaper | None = None
        self.idle = Idle(supervisor, sockets)
        self.timer: Timer | None = None

    def start(self) -> None:
        """Begin to look, or go on by other settings. With ``cheap`` the listeners are watched from now on."""
        supervisor, settings = self.supervisor, self.supervisor.settings
        most = self.most(settings)
        try:
            rules = rules_of(settings, most, supervisor.diary.warning)
        except StartError as error:
            supervisor.diary.error(str(error))
            rules = None
        self.cheaper = None if rules is None else Cheaper(supervisor, rules, self.sockets)
        self.idle.back = most if rules is None else rules.least
        self.bound(rules)
        self.idle.refresh()
        self.end()
        self.timer = supervisor.watch.every(settings.check_interval or 1.0, self.look)

    def bound(self, rules: Rules | None) -> None:
        """Bring the number of workers within the bounds of new settings."""
        supervisor = self.supervisor
        if not supervisor.wanted:
            self.idle.sleep("cheap")
        elif rules is not None:
            wanted = min(max(supervisor.wanted, rules.least), rules.most)
            if wanted != supervisor.wanted:
                supervisor.set_wanted(wanted)

    def look(self) -> None:
        """Every ``check-interval``."""
        supervisor = self.supervisor
        if supervisor.build is not None or supervisor.ending is not None or supervisor.paused:
            self.idle.put_off()
            return
        self.idle.look()
        if self.cheaper is not None and supervisor.ending is None:
            self.cheaper.look()

    def cheap(self, why: str) -> None:
        """Stop all workers until a connection comes (uWSGI's fifo, ``C``)."""
        self.idle.sleep(why)

    def end(self) -> None:
        """Look no more."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def stop(self) -> None:
        """The server ends."""
        self.end()
        self.idle.end()


def first_wanted(settings: Settings, most: int) -> int:
    """Workers that are to run at the start: none with ``cheap``; ``cheaper-initial`` or ``cheaper``, where
    that is given; else all."""
    if settings.cheap:
        return 0
    return first_of(settings, most, lambda text: None) if settings.cheaper else most
