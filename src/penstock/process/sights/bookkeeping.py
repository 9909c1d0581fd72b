"""A worker's cell of the ledger, filled: its records, its connections, how it waits for the interpreter.

Runs in a worker or a single process: records are added up on the scribe's thread, what is counted at a look
on the loop, by its tick. Imported only where somebody asks for figures.
"""

import os
from contextlib import suppress
from time import perf_counter, sleep

from penstock.config.settings import Settings
from penstock.config.site.mounts import parse
from penstock.core.request import Request
from penstock.handoff.exchange import Exchange
from penstock.interprocess.ledger import CONNECTIONS, GIL, LANE, LOST_LINES, MALFORMED, OLDEST, STATES, Ledger
from penstock.net.connection import Connection
from penstock.net.life import Life
from penstock.process.worker import Worker
from penstock.services.tally import RecordTally, add_one

LOOK = 1.0  # seconds between two looks at the connections, of which there may be thousands
IDLE, READING, QUEUED, RUNNING, WRITING, LINGERING = range(len(CONNECTIONS))


def mounts_of(settings: Settings) -> list[str]:
    """The mount points that requests may be counted by."""
    found = []
    for text in settings.mount:
        with suppress(ValueError):  # said by whoever loads it
            mount = parse(text)
            found += [mount.path.rstrip("/"), mount.point]
    return list(dict.fromkeys(found))


def begin(worker: Worker, fd: int, slot: int) -> None:
    """A supervisor's worker keeps its books in a slot of the ledger behind ``fd``."""
    Bookkeeping(worker, Ledger.attach(fd), slot)


class Bookkeeping:
    """Of one worker, from before it starts."""

    def __init__(self, worker: Worker, ledger: Ledger, slot: int) -> None:
        self.worker = worker
        self.words = ledger.cell(slot).words
        self.tally = RecordTally(ledger.cell(slot), ledger.mounts())
        self.probe = Probe(self.words)
        self.looked = 0.0
        self.refusal = worker.door.refusal
        worker.door.refusal = self.refused
        worker.scribe.consumers.append(self.tally.take)
        worker.scribe.always.append(self.turn)
        worker.scribe.on_end.append(self.last)
        worker.door.on_tick.append(self.tick)
        worker.diary.flushed.append(self.count_lost)

    def turn(self) -> None:
        """The scribe's thread, at every tick."""
        self.probe.sample()
        self.count_lost()

    def count_lost(self) -> None:
        """The same, and at the end, when what waited for a log is lost."""
        self.words[LOST_LINES] = self.worker.diary.lost + self.worker.scribe.lost

    def refused(self, status: int, reason: str, request: Request | None, keep: bool) -> bytes:
        """The loop refuses; where there is a request its record is counted."""
        if request is None:
            self.words[MALFORMED] += 1
        return self.refusal(status, reason, request, keep)

    def last(self) -> None:
        """When the loop has ended: what it counted since its last tick."""
        self.words[LANE] = self.worker.door.lane.served

    def tick(self, now: float) -> None:
        """The loop, every quarter second."""
        self.words[LANE] = self.worker.door.lane.served
        self.words[OLDEST] = self.oldest(now)
        if now - self.looked >= LOOK:
            self.looked = now
            self.count()

    def oldest(self, now: float) -> int:
        """Microseconds that the first of the queue has waited."""
        try:
            first = self.worker.pool.work[0]
        except IndexError:  # threads take from it meanwhile
            return 0
        return max(0, int((now - first.received_at) * 1e6)) if first is not None else 0

    def count(self) -> None:
        """Connections by their state."""
        found = [0] * len(CONNECTIONS)
        for connection in self.worker.door.connections:
            found[state_of(connection)] += 1
        for at, count in enumerate(found, STATES):
            self.words[at] = count


def state_of(connection: Connection) -> int:
    """Which of CONNECTIONS it is in; the loop looks while threads go on."""
    x = connection.outbox.exchange
    if connection.life is Life.LINGERING:
        return LINGERING
    if connection.outbox.left:
        return WRITING
    if isinstance(x, Exchange):
        return RUNNING if x.started_at else QUEUED
    if connection.intake is not None or not connection.decoder.idle:
        return READING
    return IDLE


class Probe:
    """How long a thread that comes back from a system call waits for the interpreter's lock.

    The thread gives the lock away as any system call does, and takes it again: where another thread wants
    it that one has it now, for ``sys.getswitchinterval`` or until it waits itself. What the thread waited
    for a processor is the machine's fault and taken off (schedstat). On one thread alone.
    """

    def __init__(self, words: "memoryview[int]") -> None:
        self.words = words
        self.fd = -2  # not looked for

    def sample(self) -> None:
        """Take one."""
        before = self.queued()
        begun = perf_counter()
        sleep(0)
        waited = perf_counter() - begun
        add_one(self.words, GIL, max(0.0, waited - (self.queued() - before)))

    def queued(self) -> float:
        """Seconds that this thread has waited for a processor; 0.0 where the system does not tell."""
        if self.fd == -2:
            try:
                self.fd = os.open("/proc/thread-self/schedstat", os.O_RDONLY | os.O_CLOEXEC)
            except OSError:
                self.fd = -1
        if self.fd < 0:
            return 0.0
        try:
            return int(os.pread(self.fd, 100, 0).split()[1]) / 1e9
        except (OSError, ValueError, IndexError):
            return 0.0
