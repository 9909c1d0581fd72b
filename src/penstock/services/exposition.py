"""What a server tells Prometheus: a snapshot of its figures as families of metrics, and those as text.

Pure: whoever is scraped takes the snapshot and has it rendered. Imported only where metrics are asked for,
because prometheus-client is.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder

from penstock.interprocess.ledger import CLASSES, EDGES, PHASES, Figures, Histogram

SEEN_ALWAYS = ("2xx", "3xx", "4xx", "5xx")  # so that a first error is a step from 0 and no new series
WHOLE = PHASES[-1]
FAULTS = {"exceptions": "exception", "read_errors": "read", "write_errors": "write"}
OTHERS = {"static": "file", "routed": "rule", "offloaded": "offload"}


@dataclass(frozen=True, slots=True)
class Process:
    """A process of the server: ``resident`` bytes, open ``descriptors``, ``cpu`` seconds; -1 where the system
    does not say."""

    pid: int
    resident: int
    descriptors: int
    cpu: float


@dataclass(frozen=True, slots=True)
class Seen:
    """A worker as it is now. ``oldest``: seconds that the first of its queue has waited; ``connections`` by
    their state."""

    wid: int
    process: Process
    state: str
    threads: int
    busy: int
    queued: int
    oldest: float
    connections: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """``events`` by the names of ledger.EVENTS; ``listeners`` each with its name and the connections that
    wait; ``since`` in seconds since the epoch; ``deadlines`` requests that were cut for their time."""

    version: str
    figures: Figures
    events: Mapping[str, int]
    workers: Sequence[Seen]
    listeners: Sequence[tuple[str, int]]
    supervisor: Process | None
    generation: int
    wanted: int
    ready: bool
    since: float
    deadlines: int


def render(snapshot: Snapshot, accept: str) -> tuple[str, bytes]:
    """The content type and the text that ``accept`` asks for: OpenMetrics, or Prometheus's own form."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Families(snapshot))
    encode, content_type = choose_encoder(accept)
    return content_type, encode(registry)


class Families:
    """A collector of prometheus-client's over one snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        # Two have one number while one follows the other, and for a moment both serve: the later one counts,
        # as a label that stands twice makes the whole text unreadable.
        self.serving = {seen.wid: seen for seen in snapshot.workers if seen.state == "serving"}

    def collect(self) -> Iterator[Metric]:
        """All families."""
        yield from self.requests()
        yield from self.times()
        yield from self.others()
        yield from self.workers()
        yield from self.processes()
        yield from self.server()

    # ---- What was counted ---------------------------------------------------------------------------

    def requests(self) -> Iterator[Metric]:
        """By status and mount point, and what the loop answered."""
        figures = self.snapshot.figures
        requests = CounterMetricFamily(
            "penstock_requests", "Requests that a thread answered.", labels=("mount", "status")
        )
        mounts = {"": None} | dict.fromkeys(mount for mount, _, _ in figures.phases)
        for mount in mounts:
            for status in CLASSES:
                found = figures.phases.get((mount, status, WHOLE))
                if found is not None or status in SEEN_ALWAYS:
                    requests.add_metric((mount or "/", status), 0 if found is None else found.count)
        yield requests
        refused = CounterMetricFamily(
            "penstock_refused_requests", "Requests that the loop refused.", labels=("status",)
        )
        for status, count in figures.refused.items():
            if count or status in ("4xx", "5xx"):
                refused.add_metric((status,), count)
        yield refused
        malformed = figures.counters["malformed"]
        yield CounterMetricFamily(
            "penstock_malformed_requests",
            "Requests not understood, or not complete in time.",
            value=malformed,
        )
        lane = figures.counters["lane"]
        yield CounterMetricFamily(
            "penstock_lane_requests", "Requests of health, metrics and other paths of the server.", value=lane
        )

    def times(self) -> Iterator[Metric]:
        """The histograms."""
        figures = self.snapshot.figures
        whole = HistogramMetricFamily(
            "penstock_request_seconds",
            "From a request's first byte to its reply's last.",
            labels=("mount", "status"),
        )
        phases = HistogramMetricFamily(
            "penstock_phase_seconds",
            "The same by phase: receive, queue, run, write.",
            labels=("phase", "mount", "status"),
        )
        for (mount, status, phase), found in sorted(figures.phases.items()):
            if phase == WHOLE:
                whole.add_metric((mount or "/", status), buckets(found), found.seconds)
            else:
                phases.add_metric((phase, mount or "/", status), buckets(found), found.seconds)
        yield whole
        yield phases
        waits = HistogramMetricFamily(
            "penstock_gil_wait_seconds",
            "Samples of how long a thread that comes back from a system call waits for the interpreter.",
        )
        waits.add_metric((), buckets(figures.gil), figures.gil.seconds)
        yield waits

    def others(self) -> Iterator[Metric]:
        """What else is counted of requests."""
        counters = self.snapshot.figures.counters
        sent = counters["sent"] + counters["refused_sent"]
        yield CounterMetricFamily("penstock_sent_bytes", "Bytes of replies, heads included.", value=sent)
        running = counters["running"] / 1e6
        yield CounterMetricFamily(
            "penstock_busy_seconds", "Time of requests without that in the queue.", value=running
        )
        faults = CounterMetricFamily(
            "penstock_faults", "Requests that failed, by what did.", labels=("kind",)
        )
        for name, kind in FAULTS.items():
            faults.add_metric((kind,), counters[name])
        faults.add_metric(("deadline",), self.snapshot.deadlines)
        yield faults
        by = CounterMetricFamily(
            "penstock_served_otherwise", "Requests that a file or a rule answered.", labels=("by",)
        )
        for name, kind in OTHERS.items():
            by.add_metric((kind,), counters[name])
        yield by
        yield CounterMetricFamily(
            "penstock_log_lines_lost", "Lines that the log did not take.", value=counters["lost_lines"]
        )

    # ---- What is now --------------------------------------------------------------------------------

    def workers(self) -> Iterator[Metric]:
        """Each worker's threads, queue and connections."""
        threads = gauge("penstock_threads", "Threads, busy and idle.", "worker", "state")
        queue = gauge("penstock_queue_requests", "Requests that wait for a thread.", "worker")
        oldest = gauge("penstock_queue_oldest_seconds", "How long the first of them has waited.", "worker")
        connections = gauge("penstock_connections", "Open connections by their state.", "worker", "state")
        states: dict[str, int] = dict.fromkeys(("starting", "serving", "leaving"), 0)
        for seen in self.snapshot.workers:
            states[seen.state] = states.get(seen.state, 0) + 1
        for number, seen in self.serving.items():
            wid = str(number)
            threads.add_metric((wid, "busy"), seen.busy)
            threads.add_metric((wid, "idle"), max(0, seen.threads - seen.busy))
            queue.add_metric((wid,), seen.queued)
            oldest.add_metric((wid,), seen.oldest)
            for state, count in seen.connections.items():
                connections.add_metric((wid, state), count)
        workers = gauge("penstock_workers", "Workers by their state.", "state")
        for state, count in states.items():
            workers.add_metric((state,), count)
        yield from (workers, threads, queue, oldest, connections)

    def processes(self) -> Iterator[Metric]:
        """Memory, descriptors and processor time."""
        memory = gauge("penstock_resident_bytes", "Memory in RAM, shared pages included.", "process")
        files = gauge("penstock_open_descriptors", "Open descriptors.", "process")
        cpu = gauge("penstock_cpu_seconds", "Processor time since the process began.", "process")
        named = [(f"worker {number}", seen.process) for number, seen in self.serving.items()]
        if self.snapshot.supervisor is not None:
            named.append(("supervisor", self.snapshot.supervisor))
        for name, process in named:
            for family, value in (
                (memory, process.resident),
                (files, process.descriptors),
                (cpu, process.cpu),
            ):
                if value >= 0:
                    family.add_metric((name,), value)
        yield from (memory, files, cpu)

    def server(self) -> Iterator[Metric]:
        """What concerns all of it."""
        snapshot = self.snapshot
        yield InfoMetricFamily("penstock", "Which penstock it is.", value={"version": snapshot.version})
        yield GaugeMetricFamily("penstock_start_time_seconds", "When it was started.", value=snapshot.since)
        yield GaugeMetricFamily(
            "penstock_generation",
            "Which of its configurations and applications serves.",
            value=snapshot.generation,
        )
        yield GaugeMetricFamily("penstock_workers_wanted", "Workers that are to run.", value=snapshot.wanted)
        yield GaugeMetricFamily("penstock_ready", "Whether it takes requests.", value=int(snapshot.ready))
        reloads = CounterMetricFamily("penstock_reloads", "Reloads by their outcome.", labels=("outcome",))
        ends = CounterMetricFamily("penstock_worker_ends", "Workers that ended, by cause.", labels=("cause",))
        for name, count in snapshot.events.items():
            kind, _, what = name.partition("_")
            if kind == "reload":
                reloads.add_metric((what,), count)
            elif kind == "end":
                ends.add_metric((what,), count)
        yield from (reloads, ends)
        yield CounterMetricFamily(
            "penstock_upgrades", "Times that another penstock took over.", value=snapshot.events["upgrades"]
        )
        waiting = gauge("penstock_backlog", "Connections that nobody has accepted yet.", "listener")
        for name, count in snapshot.listeners:
            waiting.add_metric((name,), count)
        yield waiting


def gauge(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    """An empty family."""
    return GaugeMetricFamily(name, text, labels=labels)


def buckets(histogram: Histogram) -> list[tuple[str, float]]:
    """A histogram as Prometheus counts: each bin with all below it."""
    return list(zip((*map(str, EDGES), "+Inf"), accumulate(histogram.counts), strict=True))
