"""The records of a worker's requests, from the threads that make them to all who want to see them.

Pool threads and the loop append to ``records``; a service thread takes them in batches at every tick and
shows each batch to the consumers: the access log, the metrics, traces. None of them is known here, and no
request waits for any.
"""

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from itertools import repeat, starmap
from typing import Any

from penstock.core.record import Record
from penstock.handoff.doorway import Doorway
from penstock.handoff.offload import Offload

PENDING = 100_000  # records that may wait; at each tick the oldest beyond that are lost, counted, and said
TELL = 10.0  # seconds between two times that it is said
BATCH = 512  # records that consumers see at once
MANY = 256  # records that came together, from which on they are shown every
SOON = 0.02  # seconds

Consumer = Callable[[list[Record]], None]


class Scribe:
    """``consumers`` are called on the service thread, one batch after the other, and never wait for anybody;
    ``always`` are called with every tick there, records or none; ``on_end`` when the last were shown.
    ``failed`` is told what one of them raised, once for each. ``lost`` counts records that came faster than
    they were taken."""

    def __init__(self, failed: Callable[[str], None]) -> None:
        self.failed = failed
        # Without a bound of its own, which would drop them uncounted.
        self.records: deque[Any] = deque()
        self.consumers: list[Consumer] = []
        self.always: list[Callable[[], None]] = []
        self.on_end: list[Callable[[], None]] = []
        self.unwell: set[int] = set()
        self.lost = 0
        self.offload: Offload | None = None
        self.busy = self.soon = False
        self.told = -TELL

    def begin(self, doorway: Doorway) -> None:
        """LOOP: the worker begins; its thread starts with the first record."""
        self.offload = Offload(doorway, "diary")

    def tick(self, now: float) -> None:
        """LOOP, every quarter second: have the thread look at what has come together."""
        if len(self.records) > PENDING:
            self.lose(now)
        if self.offload is not None and not self.busy and (self.records or self.always):
            self.busy = True
            self.offload.submit(self.drain, self.drained)

    def lose(self, now: float) -> None:
        """They come faster than they are read."""
        with suppress(IndexError):  # the thread has come that far meanwhile
            for _ in range(len(self.records) - PENDING):
                self.records.popleft()
                self.lost += 1
        if now - self.told >= TELL:
            self.told = now
            self.failed(f"requests are faster than their records are read: {self.lost} have none so far")

    def settle(self, call: Callable[[], None], done: Callable[[object, BaseException | None], None]) -> None:
        """LOOP: have the thread do something for the logs, too."""
        if self.offload is not None:
            self.offload.submit(call, done)

    def drained(self, count: Any, error: BaseException | None) -> None:
        """LOOP: the thread is done; it has shown ``count`` records."""
        self.busy = False
        if error is not None:
            self.failed(f"records of requests could not be read: {error!r}")
        elif count >= MANY and self.offload is not None and not self.soon:
            # A quarter second's worth is megabytes, and holds the interpreter's lock for milliseconds on end.
            self.soon = True
            self.offload.doorway.bell.loop.call_later(SOON, self.again)

    def again(self) -> None:
        """LOOP: before the next tick, where they come fast."""
        self.soon = False
        if len(self.records) >= MANY and self.offload is not None and not self.busy:
            self.busy = True
            self.offload.submit(self.show, self.drained)

    def end(self) -> None:
        """After the loop, and after the threads that make records: show what is left."""
        if self.offload is not None:
            self.offload.stop(2.0)
        self.drain()
        for call in self.on_end:
            self.ask(call)

    # ---- The service thread -------------------------------------------------------------------------

    def drain(self) -> int:
        """Show all that waits to everybody, and call those of ``always``; how many records there were."""
        count = self.show()
        for call in self.always:
            self.ask(call)
        return count

    def show(self) -> int:
        """Show all that waits to everybody; how many there were. One thread at a time."""
        records, count = self.records, 0
        while records:
            batch: list[Record] = []
            with suppress(IndexError):  # what was taken before one is missing stays in the batch
                batch.extend(starmap(records.popleft, repeat((), BATCH)))
            count += len(batch)
            for consumer in self.consumers:
                self.ask(consumer, batch)
        return count

    def ask(self, call: Callable[..., None], *batch: list[Record]) -> None:
        """One consumer's fault is not the others' loss."""
        try:
            call(*batch)
        except Exception as error:
            if id(call) not in self.unwell:
                self.unwell.add(id(call))
                self.failed(f"a reader of the requests' records failed: {error!r}")
