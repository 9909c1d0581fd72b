"""The table of paths: of the last minute, how often each was asked for, how it went, and where its time went.

Fed and asked by one thread of a worker, the one that reads the records; it is bounded whatever clients ask
for. Counts are exact; times are sampled when more come than a person could tell from a sample. It does not
know other workers: what it tells is made to be added up (``services.view``).
"""

from collections.abc import Callable, Sequence
from operator import itemgetter
from time import monotonic
from typing import Any

from penstock.core.record import LANE, Record
from penstock.services.folding import OTHER, Folding
from penstock.services.quantiles import Histogram, add, bucket

ROWS = 256  # paths at a time
KEEP = 192  # of them, when there would be more
TOLD = 100  # of them that are told of
TARGETS = 4096  # request targets whose path is remembered
SLOT = 5  # seconds of one slot
SLOTS = 12  # slots that count: a minute
SECONDS = 120  # seconds that the history goes back
HELD = 2048  # records that wait to be counted, at most
SAMPLED = 128  # of them whose times are read; more where there are many paths

AT = {name: index for index, name in enumerate(Record._fields)}
URI, STATUS, KIND = AT["uri"], AT["status"], AT["kind"]
PHASES = ("receive", "queue", "run", "write", "seconds")
RUN = PHASES.index("run")
STRIDE = 1024  # between the buckets of two phases in one histogram
TIMES = itemgetter(*(AT[name] for name in PHASES))
RUNS = itemgetter(AT["run"])
STATUSES = itemgetter(STATUS)
KINDS = itemgetter(KIND)
FAILED = 500

Append = Callable[[Sequence[Any]], None]


class Sums:
    """What there is to say of some requests: ``count``, ``errors`` (5xx), ``run`` in seconds, and the
    buckets of all phases in one histogram, phase n's from n * STRIDE on."""

    __slots__ = ("count", "errors", "histogram", "run")

    def __init__(self) -> None:
        self.count = 0
        self.errors = 0
        self.run = 0.0
        self.histogram: Histogram = {}

    def take(self, held: Sequence[Sequence[Any]], total: "Sums") -> None:
        """Count records, for ``total`` as well."""
        errors = sum(map(FAILED.__le__, map(STATUSES, held)))
        run = sum(map(RUNS, held))
        for sums in (self, total):
            sums.count += len(held)
            sums.errors += errors
            sums.run += run

    def sample(self, held: Sequence[Sequence[Any]], step: int) -> None:
        """Read the times of every ``step``-th record, for all of them."""
        sample = held[::step]
        weight = len(held) / len(sample)
        histogram = self.histogram
        for record in sample:
            base = 0
            for seconds in TIMES(record):
                index = base + bucket(seconds)
                histogram[index] = histogram.get(index, 0.0) + weight
                base += STRIDE

    def add(self, other: "Sums") -> None:
        """These requests, too."""
        self.count += other.count
        self.errors += other.errors
        self.run += other.run
        add(self.histogram, other.histogram.items())

    def told(self) -> list[Any]:
        """Plain data: count, errors, run, and bucket and weight in turn."""
        flat: list[float] = []
        for index, weight in self.histogram.items():
            flat += (index, round(weight, 2))
        return [self.count, self.errors, round(self.run, 6), flat]


class Row:
    """One path: its records that were not counted yet, and its slots by their number."""

    __slots__ = ("held", "slots")

    def __init__(self) -> None:
        self.held: list[Sequence[Any]] = []
        self.slots: dict[int, Sums] = {}

    def count(self, slot: int, now: Sums, step: int) -> None:
        """Count what is held in a slot and in a second, and the times of each ``step``-th."""
        sums = self.slots.get(slot)
        if sums is None:
            sums = self.slots[slot] = Sums()
        sums.take(self.held, now)
        sums.sample(self.held, step)
        self.held.clear()  # not another list: ``PathTable.targets`` knows this one

    def recent(self, slot: int) -> Sums:
        """All of the slots that count at ``slot``; older ones are forgotten."""
        for old in [number for number in self.slots if number <= slot - SLOTS]:
            del self.slots[old]
        sums = Sums()
        for one in self.slots.values():
            sums.add(one)
        return sums


class Targets(dict[str, Append]):
    """Who takes the record of a request target. Those with a query are not remembered: they hardly come
    again, and would push out those that do."""

    def __init__(self, table: "PathTable") -> None:
        super().__init__()
        self.table = table

    def __missing__(self, target: str) -> Append:
        path, query, _ = target.partition("?")
        known = self.get(path) if query else None
        if known is not None:
            return known
        if len(self) >= TARGETS:
            self.clear()
        append = self[path] = self.table.row(path).held.append
        return append


class PathTable:
    """A consumer of records: ``take`` is given each batch. ``clock`` as time.monotonic."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self.clock = clock
        self.folding = Folding()
        self.rows: dict[str, Row] = {}
        self.targets = Targets(self)
        self.history: dict[int, Sums] = {}
        self.held: list[Sequence[Any]] = []  # of all rows
        self.began = clock()
        self.second = int(self.began)

    # ---- Taking -------------------------------------------------------------------------------------

    def take(self, batch: Sequence[Sequence[Any]]) -> None:
        """Requests that are done."""
        second = int(self.clock())
        if second != self.second:
            self.settle()
            self.second = second
        targets = self.targets
        for record in batch:
            targets[record[URI]](record)
        self.held += batch
        if len(self.held) >= HELD:
            self.settle()

    def row(self, target: str) -> Row:
        """The row of a target's path; ``OTHER``'s when the table is full. Until ``settle`` makes room."""
        path = self.folding.fold(target)
        if path not in self.rows and len(self.rows) >= ROWS:
            path = OTHER
        row = self.rows.get(path)
        if row is None:
            row = self.rows[path] = Row()
        return row

    def settle(self) -> None:
        """Count what is held, as of the second in which it came."""
        if not self.held:
            return
        now = self.history.get(self.second)
        if now is None:
            now = self.history[self.second] = Sums()
            self.forget()
        if LANE in map(KINDS, self.held):
            self.leave_out_lane()
        held, step = self.held, max(1, len(self.held) // SAMPLED)
        slot = self.second // SLOT
        for row in self.rows.values():
            if row.held:
                row.count(slot, now, step)
        if held:
            now.sample(held, step)
        self.held.clear()
        if len(self.rows) >= ROWS:
            self.make_room(slot)

    def leave_out_lane(self) -> None:
        """Probes and looks at the server are no traffic of the site's; others may share their row."""
        for held in (self.held, *(row.held for row in self.rows.values())):
            held[:] = [record for record in held if record[KIND] != LANE]

    def forget(self) -> None:
        """Seconds that are too long ago."""
        for old in [second for second in self.history if second <= self.second - SECONDS]:
            del self.history[old]

    def make_room(self, slot: int) -> None:
        """Keep the paths that took most of the threads' time, or were asked for most."""
        sums = {path: row.recent(slot) for path, row in self.rows.items()}
        kept = {
            *most(sums, lambda one: one.run, KEEP // 2),
            *most(sums, lambda one: one.count, KEEP // 2),
        }
        self.rows = {path: row for path, row in self.rows.items() if path in kept and sums[path].count}
        self.targets.clear()

    # ---- Telling ------------------------------------------------------------------------------------

    def tell(self, since: int = 0) -> dict[str, Any]:
        """What the last minute was, as plain data: ``window`` seconds of it, the ``count`` of requests,
        ``rows`` by path, and the ``history`` of whole seconds (time.monotonic's) after ``since``, each as
        ``Sums.told``; ``second`` is the one that is not over yet."""
        now = self.clock()
        self.settle()
        self.second = int(now)
        slot = self.second // SLOT
        begun = (slot - SLOTS + 1) * SLOT
        recent = self.recent(slot)
        return {
            "window": round(min(now - begun, now - self.began), 3),
            "count": sum(sums.count for sums in recent.values()),
            "rows": {path: sums.told() for path, sums in chosen(recent).items()},
            "history": {
                second: sums.told()
                for second, sums in self.history.items()
                if since < second < self.second and second > self.second - SECONDS
            },
            "second": self.second,
        }

    def recent(self, slot: int) -> dict[str, Sums]:
        """Each path of which something was asked in the last minute; the others are forgotten."""
        found = {path: row.recent(slot) for path, row in self.rows.items()}
        for path in [path for path, sums in found.items() if not sums.count]:
            del found[path], self.rows[path]
            self.targets.clear()
        return found


def chosen(sums: dict[str, Sums]) -> dict[str, Sums]:
    """The paths that are told of: those that took most time, most of it at a time, or were asked for most."""
    if len(sums) <= TOLD:
        return sums
    weights: tuple[Callable[[Sums], float], ...] = (
        lambda one: one.run,
        lambda one: one.run / one.count,
        lambda one: one.count,
        lambda one: one.errors,
    )
    kept = {path for weight in weights for path in most(sums, weight, TOLD // len(weights))}
    return {path: sums[path] for path in kept}


def most(sums: dict[str, Sums], weight: Callable[[Sums], float], number: int) -> list[str]:
    """So many paths of the largest weight."""
    return sorted(sums, key=lambda path: weight(sums[path]), reverse=True)[:number]
