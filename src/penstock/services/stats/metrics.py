"""uWSGI's metrics: names, kinds and numbers (OIDs) of what a server counts, and those of the operator's own.

Collected every second by whoever has the figures, on one thread. It reads files that a metric names, and
otherwise looks nowhere; who is told what, and what is kept where, is not known here.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from penstock.config.observing.figures import Threshold
from penstock.services.stats import reading
from penstock.services.stats.figures import BUSY, IDLE, CoreFigures, ServerFigures, WorkerFigures
from penstock.services.stats.wanted import ABSOLUTE, ALIAS, COUNTER, GAUGE, SUMS, Metric

Value = tuple[str, str, int, int]
"""A name, its OID, its kind, its value."""
Raised = tuple[str, str]
"""An alarm's name, and what it says."""


@dataclass(slots=True, eq=False)
class Entry:
    """One metric as it stands. ``initial`` is what it begins with, and what is added to what is collected;
    ``own`` is the operator's, None for one of uWSGI's; ``target`` the one that an alias stands for."""

    name: str
    oid: str
    kind: int
    value: int = 0
    initial: int = 0
    own: Metric | None = None
    target: "Entry | None" = None
    due: float = 0.0

    @property
    def shown(self) -> int:
        """Its value, or that of the one it stands for."""
        return self.value if self.target is None else self.target.value

    @property
    def measures(self) -> bool:
        """Whether it goes up and down, itself or the one it stands for."""
        return (self.kind if self.target is None else self.target.kind) == GAUGE


class Metrics:
    """``server`` says which there are; ``restored(name)`` is what one of them begins with. Raises ValueError
    for a metric or a threshold that names one that there is not."""

    def __init__(
        self,
        server: ServerFigures,
        own: Sequence[Metric] = (),
        thresholds: Sequence[Threshold] = (),
        cores: bool = True,
        restored: Callable[[str], int] = lambda name: 0,
    ) -> None:
        self.cores = cores
        self.restored = restored
        self.entries: dict[str, Entry] = {}
        self.raised: dict[int, float] = {}
        self.changed: dict[str, int] = {}
        self.thresholds = thresholds
        for value in values_of(server, cores):
            self.builtin(value)
        for metric in own:
            self.add(metric)
        for threshold in thresholds:
            if threshold.metric not in self.entries:
                raise ValueError(f"metric-threshold: there is no metric {threshold.metric}")

    def known(self, name: str) -> Entry:
        """The metric of a name. Raises ValueError."""
        if name not in self.entries:
            raise ValueError(f"there is no metric {name}")
        return self.entries[name]

    def builtin(self, value: Value) -> Entry:
        """One of uWSGI's: that which is known, or a new one."""
        name, oid, kind, _ = value
        entry = self.entries.get(name)
        if entry is None:
            entry = self.entries[name] = Entry(name, oid, kind, initial=self.restored(name))
            if kind == ALIAS:
                entry.target = self.known(oid)
                entry.oid = entry.target.oid
        return entry

    def add(self, metric: Metric) -> None:
        """One of the operator's. One of uWSGI's with that name is that one from now on, as in uWSGI."""
        for child in metric.children:
            self.known(child)
        # What was kept wins: initial_value is for a metric that nobody has kept yet.
        initial = self.restored(metric.name) or metric.initial
        entry = Entry(metric.name, metric.oid, metric.kind, initial, initial, metric)
        if metric.alias:
            entry.target = self.known(metric.alias)
            entry.oid = entry.target.oid
        self.entries[metric.name] = entry

    # ---- Every second -------------------------------------------------------------------------------

    def collect(self, server: ServerFigures, now: float) -> list[Raised]:
        """Take the figures of now; ``now`` in seconds of any steady clock. The alarms that are to be raised.

        ``changed`` are the values that are others than before.
        """
        before = {name: entry.value for name, entry in self.entries.items()}
        for value in values_of(server, self.cores):
            entry = self.builtin(value)
            if entry.own is None and entry.target is None:
                entry.value = entry.initial + value[3]
        self.collect_own(now)
        self.changed = {
            name: entry.value
            for name, entry in self.entries.items()
            if entry.target is None and entry.value != before.get(name, 0)
        }
        return list(self.looked(now))

    def collect_own(self, now: float) -> None:
        """Those of the operator's that are due."""
        for entry in self.entries.values():
            if entry.own is not None and entry.own.collector and entry.due <= now:
                entry.due = now + entry.own.freq
                entry.value = entry.initial + self.collected(entry.own, entry.value)

    def collected(self, metric: Metric, value: int) -> int:
        """What a collector of the operator's finds; ``value`` is what the metric was."""
        if metric.collector not in SUMS:
            return reading.number_in(metric.path, metric.number)
        found = [self.entries[child].shown for child in metric.children]
        total = sum(found)
        if metric.collector == "accumulator":
            return value + total
        if metric.collector == "adder":
            return total + metric.number
        if metric.collector == "multiplier":
            return total * metric.number
        if metric.collector == "avg":
            return quotient(total, len(found))
        return total

    def looked(self, now: float) -> Iterator[Raised]:
        """What thresholds ask for."""
        for at, threshold in enumerate(self.thresholds):
            entry = self.entries[threshold.metric]
            if entry.shown < threshold.value:
                continue
            if threshold.reset is not None:
                (entry.target or entry).value = threshold.reset
            if threshold.alarm and self.raised.get(at, float("-inf")) + threshold.rate <= now:
                self.raised[at] = now
                yield threshold.alarm, threshold.text or entry.name

    def sent(self) -> None:
        """All of them were sent to somebody: some begin anew with that (``reset_after_push``)."""
        for entry in self.entries.values():
            if entry.own is not None and entry.own.fleeting:
                entry.value = entry.initial

    def told(self) -> dict[str, dict[str, Any]]:
        """As the document has them."""
        return {
            name: {"type": entry.kind, "oid": entry.oid, "value": entry.shown}
            for name, entry in self.entries.items()
        }


# ---- Those of uWSGI -------------------------------------------------------------------------------------


def values_of(server: ServerFigures, cores: bool) -> Iterator[Value]:
    """All of them in uWSGI's order; of an alias the "OID" is the name of what it stands for."""
    workers = server.workers
    yield "core.routed_signals", "5.1", COUNTER, 0
    yield "core.unrouted_signals", "5.2", COUNTER, 0
    yield "core.busy_workers", "5.3", GAUGE, sum(worker.status == BUSY for worker in workers)
    yield "core.idle_workers", "5.4", GAUGE, sum(worker.status == IDLE for worker in workers)
    yield "core.overloaded", "5.5", COUNTER, server.overloaded
    # The worker 0 is all of them; uWSGI adds up nothing for it but the requests.
    yield from of_worker(WorkerFigures(0, requests=server.requests))
    for worker in workers:
        yield from of_worker(worker)
        for number, core in enumerate(worker.cores if cores else ()):
            yield from of_core(f"worker.{worker.wid}.core.{number}.", f"3.{worker.wid}.2.{number}.", core)
    yield from totals_of(workers)
    for number, one in enumerate(server.sockets):
        yield f"socket.{number}.listen_queue", f"7.{number}.1", GAUGE, one.queue
    yield "rss_size", "core.total_rss", ALIAS, 0
    yield "vsz_size", "core.total_vsz", ALIAS, 0


def of_worker(worker: WorkerFigures) -> Iterator[Value]:
    """Those of a worker."""
    name, oid = f"worker.{worker.wid}.", f"3.{worker.wid}."
    yield name + "requests", oid + "1", COUNTER, worker.requests
    yield name + "delta_requests", oid + "2", ABSOLUTE, worker.delta
    yield name + "failed_requests", oid + "13", COUNTER, 0
    yield name + "respawns", oid + "14", COUNTER, worker.spawns
    yield name + "avg_response_time", oid + "8", GAUGE, worker.average
    yield name + "total_tx", oid + "9", COUNTER, worker.tx
    yield name + "rss_size", oid + "11", GAUGE, worker.rss
    yield name + "vsz_size", oid + "12", GAUGE, worker.vsz
    yield name + "running_time", oid + "13", COUNTER, worker.running


def totals_of(workers: Sequence[WorkerFigures]) -> Iterator[Value]:
    """What all workers come to."""
    yield "core.total_tx", "5.100", COUNTER, sum(worker.tx for worker in workers)
    yield "core.total_rss", "5.101", GAUGE, sum(worker.rss for worker in workers)
    yield "core.total_vsz", "5.102", GAUGE, sum(worker.vsz for worker in workers)
    average = quotient(sum(worker.average for worker in workers), len(workers))
    yield "core.avg_response_time", "5.103", GAUGE, average
    yield "core.total_running_time", "5.104", COUNTER, sum(worker.running for worker in workers)


def of_core(name: str, oid: str, core: CoreFigures) -> Iterator[Value]:
    """Those of a thread."""
    yield name + "requests", oid + "1", COUNTER, core.requests
    yield name + "write_errors", oid + "3", COUNTER, core.write_errors
    yield name + "routed_requests", oid + "4", COUNTER, core.routed
    yield name + "static_requests", oid + "5", COUNTER, core.static
    yield name + "offloaded_requests", oid + "6", COUNTER, core.offloaded
    yield name + "exceptions", oid + "7", COUNTER, core.exceptions
    yield name + "read_errors", oid + "8", COUNTER, core.read_errors


def quotient(total: int, count: int) -> int:
    """The mean as C has it: towards 0, and 0 of none."""
    return int(total / count) if count and abs(total) < 1 << 52 else total // count if count else 0
