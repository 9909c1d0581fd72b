"""A worker's cell of the scoreboard, filled by its loop: all of it with every tick.

Runs on the worker's loop, but for ``take``. Everything is written anew each time, because the supervisor
clears the cell when it first hears of us, which may be after our first words in it.
"""

from collections.abc import Callable, Sequence
from operator import itemgetter
from time import monotonic_ns
from typing import Any

from penstock.core.record import FAILED, Record
from penstock.core.request import Request
from penstock.handoff.exchange import Exchange
from penstock.interprocess.scoreboard import STARTING, Cell
from penstock.process.worker import Worker

SECOND = 1_000_000_000  # ns
HEADER_BYTES, BODY_BYTES, FAULTS = (
    itemgetter(Record._fields.index(name)) for name in ("header_bytes", "body_bytes", "faults")
)


class Tally:
    """``state`` is what the cell is to say of the worker: STARTING until somebody sets it."""

    def __init__(self, worker: Worker, cell: Cell) -> None:
        self.worker = worker
        self.cell = cell
        self.state = STARTING
        self.refused = 0
        self.exceptions = 0
        self.sent = 0
        worker.scribe.consumers.append(self.take)
        worker.scribe.on_end.append(self.last)
        self.busy_ticks = 0
        self.ticks = 0
        self.before: Callable[[Request, int, int], None] = worker.door.refused
        worker.door.refused = self.on_refused

    def on_refused(self, request: Request, status: int, size: int) -> None:
        """The loop answered a request by itself."""
        self.refused += 1
        self.before(request, status, size)

    def take(self, batch: Sequence[tuple[Any, ...]]) -> None:
        """The scribe's thread: what only records tell, where there are any."""
        self.sent += sum(map(HEADER_BYTES, batch)) + sum(map(BODY_BYTES, batch))
        if any(map(FAULTS, batch)):
            self.exceptions += sum(faults & FAILED for faults in map(FAULTS, batch))

    def tick(self, now: float) -> None:
        """Every quarter second; ``now``: time.monotonic seconds."""
        self.ticks += 1
        self.busy_ticks += self.busy
        self.write(now)

    @property
    def busy(self) -> int:
        """Threads that have a request."""
        return sum(slot.exchange is not None for slot in self.worker.pool.slots)

    def write(self, now: float) -> None:
        """Write the cell."""
        worker, pool, cell = self.worker, self.worker.pool, self.cell
        cell.state = self.state
        cell.beat = monotonic_ns()
        if worker.door.balance is None:  # else it tells the siblings, and knows more of it
            cell.connections = worker.door.open()
            cell.gate = int(worker.door.room and not pool.full)
        cell.queued = len(pool.work)
        cell.busy = self.busy
        cell.threads = len(pool.slots)
        cell.requests = pool.answered
        cell.refused = self.refused
        cell.exceptions = self.exceptions
        cell.sent = self.sent
        cell.deadlines = worker.overdue.count if worker.overdue is not None else 0
        cell.busy_ticks = self.busy_ticks
        cell.ticks = self.ticks
        cell.oldest = self.oldest(now)

    def last(self) -> None:
        """When the loop and the threads have ended: what came since the last tick."""
        self.write(monotonic_ns() / SECOND)

    def first(self) -> None:
        """Note the next reply at once: whether a worker that dies had given one is asked before its tick."""
        pool, cell = self.worker.pool, self.cell
        serve = pool.serve

        def noting(x: Exchange, index: int) -> None:
            try:
                serve(x, index)
            finally:
                cell.first = monotonic_ns()
                pool.serve = serve

        pool.serve = noting

    def oldest(self, now: float) -> int:
        """When the oldest request that runs was begun, in ns of the monotonic clock; 0 for none."""
        exchanges = [slot.exchange for slot in self.worker.pool.slots]
        begun = [x.started_at for x in exchanges if x is not None and x.started_at > 0.0]
        return int(min(begun) * SECOND) if begun else 0
