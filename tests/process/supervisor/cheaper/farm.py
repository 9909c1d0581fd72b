"""Workers that exist only as figures, and an algorithm that sizes them, a second at a time."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from penstock.process.supervisor.cheaper.facts import Algorithm, Facts, Pulse, Step

TICKS = 4
"""Ticks of a worker's loop in a second."""


def silent(text: str) -> None:
    """Nobody is told."""


def spread(load: int, workers: int, threads: int) -> list[int]:
    """Busy threads of each worker when ``load`` requests run on all of them, evenly."""
    return [min(threads, load // workers + (number < load % workers)) for number in range(workers)]


def facts(
    busy: Sequence[int],
    *,
    wanted: int | None = None,
    threads: int = 1,
    waiting: int = 0,
    may_grow: bool = True,
) -> Facts:
    """A look at workers with so many busy threads each."""
    workers = tuple(Pulse(100 + number, threads, count) for number, count in enumerate(busy))
    return Facts(0.0, len(busy) if wanted is None else wanted, workers, waiting, may_grow)


@dataclass
class Farm:
    """``wanted`` is what the algorithm has made of it; every worker it wants is there a second later."""

    algorithm: Algorithm
    wanted: int
    threads: int = 1
    now: float = 1000.0
    counted: dict[int, tuple[int, int]] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)

    def second(self, load: int, waiting: int = 0, may_grow: bool = True) -> int:
        """One second under ``load`` requests that run all the time; what is wanted after it."""
        workers = []
        for number, busy in enumerate(spread(load, self.wanted, self.threads)):
            ticks, busy_ticks = self.counted.get(number, (0, 0))
            self.counted[number] = ticks + TICKS, busy_ticks + TICKS * busy
            workers.append(Pulse(100 + number, self.threads, busy, *self.counted[number]))
        for gone in [number for number in self.counted if number >= self.wanted]:
            del self.counted[gone]  # who comes back has another pid and begins at 0
        step = self.algorithm.decide(Facts(self.now, self.wanted, tuple(workers), waiting, may_grow))
        self.now += 1
        self.wanted += step.delta
        self.steps.append(step)
        return self.wanted

    def run(self, load: int, seconds: int, waiting: int = 0) -> list[int]:
        """So many seconds of the same."""
        return [self.second(load, waiting) for _ in range(seconds)]
