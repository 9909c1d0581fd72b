"""What is sent to others about a server: uWSGI's lines for sockets, statsd and Graphite.

Pure: figures in, bytes out. It opens nothing, and remembers only what must be known of the last time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from penstock.services.stats.figures import BUSY, CHEAP, ServerFigures, WorkerFigures
from penstock.services.stats.metrics import Metrics
from penstock.services.stats.wanted import ABSOLUTE

MASK = (1 << 64) - 1  # Graphite is sent unsigned numbers
LAST, ZERO, NONE = "last", "zero", "none"
"""What Graphite is told of the average time while there are no requests."""
Figure = tuple[str, int]
"""A name and what it is."""


def socket_lines(metrics: Metrics, prefix: str) -> Iterator[bytes]:
    """A datagram for each metric: name, kind and value."""
    for entry in metrics.entries.values():
        yield f"{prefix}.{entry.name} {entry.kind} {entry.shown}".encode()


@dataclass(slots=True)
class Statsd:
    """``gauges``: everything as a gauge; ``workers``: those of single workers too. ``before`` is what was
    sent last: statsd adds up what it is sent of a counter, so it is sent what has come since."""

    prefix: str
    gauges: bool = False
    workers: bool = True
    before: dict[str, int] = field(default_factory=dict)

    def lines(self, metrics: Metrics) -> Iterator[bytes]:
        """A datagram for each metric."""
        for name, entry in metrics.entries.items():
            if name.startswith("worker.") and not self.workers:
                continue
            value = entry.shown
            if self.gauges or entry.measures:
                if value < 0:  # a sign means a change to statsd, so a gauge is set to 0 first
                    yield f"{self.prefix}.{name}:0|g".encode()
                yield f"{self.prefix}.{name}:{value}|g".encode()
                continue
            if entry.kind != ABSOLUTE:
                before = self.before.get(name, 0)
                self.before[name] = value
                value -= before if value >= before else 0
            yield f"{self.prefix}.{name}:{value}|c".encode()


@dataclass(slots=True)
class Carbon:
    """What Graphite is sent. ``root`` with its dot or "", ``freq`` in seconds; ``memory``: rss and vsz too;
    ``cheaper``: how many workers rest. ``ran`` and ``requests`` are of the last time."""

    root: str
    host: str
    id: str
    freq: int
    workers: bool = True
    idle: str = LAST
    memory: bool = False
    cheaper: bool = False
    ran: dict[int, int] = field(default_factory=dict)
    spent: dict[int, int] = field(default_factory=dict)
    busy: set[int] = field(default_factory=set)
    requests: int = 0

    def look(self, server: ServerFigures) -> None:
        """Once for all servers that are sent something: how busy the workers were since the last time."""
        for worker in server.workers:
            self.spent[worker.wid] = max(0, worker.running - self.ran.get(worker.wid, 0))
            self.ran[worker.wid] = worker.running
            if worker.status == BUSY:
                self.busy.add(worker.wid)

    def sent(self, server: ServerFigures) -> None:
        """It has arrived somewhere."""
        self.requests = server.requests
        self.busy.clear()

    def line(self, name: str, value: int, now: int) -> bytes:
        """One figure."""
        return f"{self.root}{self.host}.{self.id}.{name} {value & MASK} {now}\n".encode()

    def metric_lines(self, metrics: Metrics, now: int) -> Iterator[bytes]:
        """All metrics, by their names."""
        for entry in metrics.entries.values():
            yield self.line(entry.name, entry.shown, now)

    def lines(self, server: ServerFigures, now: int) -> Iterator[bytes]:
        """The figures in uWSGI's order; ``now`` in seconds since the epoch."""
        quiet = not self.requests or self.requests == server.requests
        for name, value in (*self.of_each(server, quiet), *self.of_all(server, quiet)):
            yield self.line(name, value, now)

    def of_each(self, server: ServerFigures, quiet: bool) -> Iterator[Figure]:
        """The requests, and what there is of each worker by itself."""
        yield "requests", server.requests
        for worker in server.workers if self.workers else ():
            for name, value in self.of_worker(worker, quiet):
                yield f"worker{worker.wid}.{name}", value

    def of_worker(self, worker: WorkerFigures, quiet: bool) -> Iterator[Figure]:
        """Those of one worker."""
        rests = worker.status == CHEAP
        yield "requests", worker.requests
        yield from self.sizes((worker,))
        yield from self.average(0 if rests else worker.average, quiet)
        yield "tx", worker.tx
        yield "busyness", 0 if rests else self.busyness(worker)
        yield "harakiri", worker.harakiri

    def of_all(self, server: ServerFigures, quiet: bool) -> Iterator[Figure]:
        """Those of all workers together."""
        active = [worker for worker in server.workers if worker.status != CHEAP]
        yield from self.sizes(active)
        yield from self.average(mean([worker.average for worker in active]), quiet)
        yield "tx", sum(worker.tx for worker in server.workers)
        yield "busyness", min(100, mean([self.busyness(worker) for worker in active]))
        yield "active_workers", len(active)
        if self.cheaper:
            yield "cheaped_workers", len(server.workers) - len(active)
        yield "harakiri", sum(worker.harakiri for worker in server.workers)

    def sizes(self, workers: Sequence[WorkerFigures]) -> Iterator[Figure]:
        """Their memory in bytes, where it is wanted."""
        if self.memory:
            yield "rss_size", sum(worker.rss for worker in workers)
            yield "vsz_size", sum(worker.vsz for worker in workers)

    def average(self, value: int, quiet: bool) -> Iterator[Figure]:
        """An average time, or what ``carbon-idle-avg`` has in its place while there are no requests."""
        if not quiet or self.idle != NONE:
            yield "avg_rt", 0 if quiet and self.idle == ZERO else value

    def busyness(self, worker: WorkerFigures) -> int:
        """Per cent of the time in which a worker ran requests; one that is at its first for all that time
        counts as busy, though nothing of it is known before it ends."""
        spent = self.spent.get(worker.wid, 0)
        if spent == 0 and worker.wid in self.busy:
            return 100
        return min(100, spent * 100 // (self.freq * 1_000_000))


def mean(values: Sequence[int]) -> int:
    """Of whole numbers from 0, rounded down; 0 of none."""
    return sum(values) // len(values) if values else 0
