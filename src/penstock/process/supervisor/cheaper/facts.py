"""What an algorithm of ``cheaper`` is told each second, and what it answers.

Plain data, read from the scoreboard by ``scaling``; the algorithms read no clock and no file, so that a
test drives them through hours in a moment. Runs in the supervisor.
"""

from dataclasses import dataclass
from typing import NamedTuple, Protocol


@dataclass(frozen=True, slots=True)
class Pulse:
    """One worker that serves or is about to: its pool's ``threads`` (0 until it serves) and how many of
    them are ``busy``; ``ticks`` of its loop so far, and ``busy_ticks``, the busy threads summed over them."""

    pid: int
    threads: int = 1
    busy: int = 0
    ticks: int = 0
    busy_ticks: int = 0

    @property
    def full(self) -> bool:
        """Whether no thread is free. uWSGI calls a worker busy when any of its threads is."""
        return 0 < self.threads <= self.busy


@dataclass(frozen=True, slots=True)
class Facts:
    """One look at the workers.

    ``now``       seconds, time.monotonic
    ``wanted``    workers that are to run; a place whose worker is still to come counts as idle
    ``workers``   those that are there
    ``waiting``   requests that wait: in the fullest listener's queue, and for a thread
    ``may_grow``  False while the workers' memory forbids more
    """

    now: float
    wanted: int
    workers: tuple[Pulse, ...]
    waiting: int = 0
    may_grow: bool = True

    @property
    def all_full(self) -> bool:
        """Whether every worker that is wanted is there and full."""
        return 0 < self.wanted <= len(self.workers) and all(worker.full for worker in self.workers)

    @property
    def occupied(self) -> int:
        """Workers that would be full if what runs were packed together; with one thread each, those that
        are busy. What runs is spread over all workers, so with several threads the number of full ones
        says too little: one worker less may then be one too few."""
        threads = max((worker.threads for worker in self.workers), default=0)
        return -(-sum(worker.busy for worker in self.workers) // threads) if threads else 0


class Step(NamedTuple):
    """How many workers more, or fewer where negative, and why, for the log."""

    delta: int = 0
    why: str = ""


STAY = Step()


class Algorithm(Protocol):
    """One way in which the number of workers follows the load."""

    def decide(self, facts: Facts) -> Step:
        """Asked once each ``check-interval``, with ``wanted`` above 0."""
