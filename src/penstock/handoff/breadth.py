"""How many threads serve side by side while requests wait for one.

Under the GIL one thread computes at a time. Several that compute by turns serve nobody sooner and are dearer
than one that takes a request after the other: each turn is forced upon the one before it and finds its data
driven out of the processor's caches (a Django page with 8 threads: 2.39 ms of CPU, with one 2.03), and who
is put off its core while it holds a lock of the application's has all others stand in line for it: single
requests took seconds. So while requests wait and the threads compute all the time, fewer of them take new
ones; when they do not, because they wait for a database or for each other, more do. Runs on the loop.
"""

import sys
from collections.abc import Callable, Sequence
from time import clock_gettime
from typing import Any, Protocol

LOOK = 0.02  # seconds between two looks
FEWEST = 1
BUSY = 0.85  # of one core: below it they wait for something
PARALLEL = 1.15  # above it they compute without the GIL
SURE = 2  # looks in a row that say so: somebody else's processes may have had the core
LONG = 0.1  # seconds after which a request is looked at by itself
STARVED = 0.1  # of one core: a request that computes, but less, wants a lock or the GIL and does not get it
PAUSE, LONGEST = 0.25, 16.0  # seconds until fewer are tried again where they were too few
REST = 25  # looks without a request that waits, after which there is nothing to look at


class Desk(Protocol):
    """A thread of the pool. ``clock``: its CPU clock for ``clock_gettime``, -1 before it has one."""

    clock: int
    exchange: Any


class Breadth:
    """One per pool. ``room``: threads that may serve: ``base`` for requests that come and go, one more for
    each that stays. ``watching``: ``look`` is to be called every ``LOOK`` seconds. ``locked``: whether one
    thread computes at a time, None for what the interpreter says."""

    def __init__(
        self, desks: Sequence[Desk], clock: Callable[[int], float] = clock_gettime, locked: bool | None = None
    ) -> None:
        self.desks = desks
        self.clock = clock
        self.base = self.room = len(desks)
        self.watching = False
        self.possible = self.base > FEWEST and (gil() if locked is None else locked)
        self.clocks = [0.0] * self.base
        self.since = 0.0
        self.calm = 0
        self.idle = 0
        self.pause = PAUSE
        self.not_before = 0.0

    @property
    def narrow(self) -> bool:
        """Whether fewer serve than there are."""
        return self.room < len(self.desks)

    def begin(self, now: float) -> bool:
        """Requests wait; whether they did not before, and ``look`` is to be called from now on."""
        if self.watching or not self.possible:
            return False
        self.calm = self.idle = 0
        self.shares(now)
        self.watching = self.possible
        return self.watching

    def shares(self, now: float) -> list[float]:
        """Parts of a core that each thread took since the last time."""
        try:
            clocks = [self.clock(desk.clock) for desk in self.desks]
        except OSError:  # no such clock here, or a thread has ended
            self.end()
            return []
        elapsed = max(now - self.since, 1e-6)
        shares = [(after - before) / elapsed for before, after in zip(self.clocks, clocks, strict=True)]
        self.clocks, self.since = clocks, now
        return shares

    def look(self, now: float, waiting: bool) -> None:
        """Measure, and decide on ``room``. ``waiting``: requests wait for a thread."""
        shares = self.shares(now)
        if not self.possible:
            return
        self.calm = 0 if waiting else self.calm + 1
        if self.calm >= REST:
            self.watching = False
            self.base = len(self.desks)
        elif waiting:
            self.adjust(sum(shares), now)
        self.room = min(len(self.desks), self.base + self.staying(shares, now))

    def adjust(self, share: float, now: float) -> None:
        """Half as many where they compute all the time, twice as many where they do not."""
        if BUSY <= share <= PARALLEL:
            self.idle = 0
            if now >= self.not_before:
                if self.base == FEWEST:
                    self.pause = PAUSE  # they are enough
                self.base = max(FEWEST, self.base // 2)
            return
        self.idle += 1
        if self.idle < SURE or self.base == len(self.desks):
            return
        self.base = min(len(self.desks), self.base * 2)
        if now >= self.not_before:
            self.not_before = now + self.pause
            self.pause = min(LONGEST, self.pause * 2)

    def staying(self, shares: list[float], now: float) -> int:
        """Threads that a request has had for long, which waits for something that takes its time or has much
        to compute: others pass it by. Not those that starve: the fewer others there are, the better."""
        count = 0
        for desk, share in zip(self.desks, shares, strict=True):
            x = desk.exchange
            if x is not None and 0 < x.started_at < now - LONG and not 0 < share < STARVED:
                count += 1
        return count

    def end(self) -> None:
        """All threads may serve, for good."""
        self.possible = self.watching = False
        self.base = self.room = len(self.desks)


def gil() -> bool:
    """Whether this interpreter runs one thread at a time."""
    enabled: Callable[[], bool] = getattr(sys, "_is_gil_enabled", lambda: True)
    return enabled()
