"""Records of requests added up in a worker's cell of the ledger.

Runs on the scribe's thread of each worker, a batch at a time: columns are summed and sorted by the
interpreter's own loops, and rows are looked at one by one only where one of them is peculiar. It does not
know who reads the figures.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from penstock.core.record import FAILED, FILE, LANE, READ_ERROR, REFUSED, RULE, WRITE_ERROR, Record
from penstock.interprocess import ledger
from penstock.interprocess.ledger import (
    CORE,
    CORES_AT,
    EDGES,
    HISTOGRAM,
    MOST_CORES,
    OTHER,
    SECOND,
    LedgerCell,
    row_at,
)

Made = tuple[Any, ...]
"""A record, or a plain tuple of its fields, as the request path makes it."""
Columns = list[tuple[Any, ...]]
"""A batch turned round: all values of a field, in the order of the record's fields."""

STATUS, HEADER_BYTES, BODY_BYTES, AT_CORE, VIA, MOUNT, KIND, FAULTS = map(
    Record._fields.index,
    ("status", "header_bytes", "body_bytes", "core", "via", "mount", "kind", "faults"),
)
SECONDS, RECEIVE, QUEUE, RUN, WRITE = map(
    Record._fields.index, ("seconds", "receive", "queue", "run", "write")
)
HISTOGRAMS = (RECEIVE, QUEUE, RUN, WRITE, SECONDS)  # in the order of ledger.PHASES
HIGHEST = len(ledger.CLASSES) - 1
REMEMBERED = 48  # halved as often as this, what the average was before is less than a microsecond
MICROSECONDS = 1_000_000


class RecordTally:
    """``mounts`` are the places of the mount points in the ledger (``Ledger.mounts``); the requests of others
    are counted together."""

    def __init__(self, cell: LedgerCell, mounts: Mapping[str, int]) -> None:
        self.words = cell.words
        self.mounts = mounts

    def take(self, batch: Sequence[Made]) -> None:
        """Add up a batch."""
        columns: Columns = list(zip(*batch, strict=True))
        if columns and max(columns[KIND]) >= REFUSED:
            batch = self.apart(batch)
            columns = list(zip(*batch, strict=True))
        if columns:
            self.sums(columns)
            self.cores(columns)
            self.spread(batch, columns)

    def apart(self, batch: Sequence[Made]) -> list[Made]:
        """Count what the loop answered; the rest is returned."""
        words, rest = self.words, []
        for record in batch:
            kind = record[KIND]
            if kind == REFUSED:
                words[ledger.REFUSED + class_of(record[STATUS])] += 1
                words[ledger.REFUSED_SENT] += record[HEADER_BYTES] + record[BODY_BYTES]
            elif kind != LANE:  # those are counted where they are answered
                rest.append(record)
        return rest

    def sums(self, columns: Columns) -> None:
        """What is one word for all requests."""
        words = self.words
        words[ledger.REQUESTS] += len(columns[0])
        words[ledger.SENT] += sum(columns[HEADER_BYTES]) + sum(columns[BODY_BYTES])
        taken = sum(columns[RECEIVE]) + sum(columns[RUN]) + sum(columns[WRITE])
        words[ledger.RUNNING] += max(0, round(taken * MICROSECONDS))
        last = [column[-REMEMBERED:] for column in (columns[RECEIVE], columns[RUN], columns[WRITE])]
        average = words[ledger.AVERAGE]
        for receive, run, write in zip(*last, strict=True):
            average = (average + int((receive + run + write) * MICROSECONDS)) // 2
        words[ledger.AVERAGE] = max(0, average)

    def cores(self, columns: Columns) -> None:
        """What each thread has done."""
        words, cores = self.words, columns[AT_CORE]
        for core, count in Counter(cores).items():
            if 0 <= core < MOST_CORES:
                words[CORES_AT + core * CORE] += count
                if core >= words[ledger.CORES]:
                    words[ledger.CORES] = core + 1
        if any(columns[KIND]) or any(columns[FAULTS]) or any(columns[VIA]):
            for core, kind, faults, via in zip(
                cores, columns[KIND], columns[FAULTS], columns[VIA], strict=True
            ):
                if kind or faults or via:
                    self.peculiar(core, peculiarities(kind, faults, via))

    def peculiar(self, core: int, what: tuple[bool, ...]) -> None:
        """``what`` is true of one request, in the order of ledger.PECULIAR."""
        words = self.words
        for at, true in enumerate(what):
            if true:
                words[ledger.PECULIAR_AT + at] += 1
                if 0 <= core < MOST_CORES:
                    words[CORES_AT + core * CORE + 1 + at] += 1

    def spread(self, batch: Sequence[Made], columns: Columns) -> None:
        """The histograms, by mount point and class of status."""
        mounts, statuses = columns[MOUNT], columns[STATUS]
        lowest = class_of(min(statuses))
        if lowest == class_of(max(statuses)) and len(set(mounts)) == 1:
            self.histograms(mounts[0], lowest, columns)
            return
        groups: dict[tuple[str, int], list[Made]] = {}
        for record, mount, status in zip(batch, mounts, statuses, strict=True):
            key = (mount, status)
            if key in groups:
                groups[key].append(record)
            else:
                groups[key] = [record]
        for (mount, status), group in groups.items():
            self.histograms(mount, class_of(status), list(zip(*group, strict=True)))

    def histograms(self, mount: str, status: int, columns: Columns) -> None:
        """Those of one mount point's requests of one class."""
        words, at = self.words, row_at(self.mounts.get(mount, OTHER), status)
        for index in HISTOGRAMS:
            add_all(words, at, columns[index])
            at += HISTOGRAM


def class_of(status: int) -> int:
    """Which of ledger.CLASSES it is."""
    return min(max(status // 100, 0), HIGHEST)


def peculiarities(kind: int, faults: int, via: str) -> tuple[bool, ...]:
    """What is true of a request, in the order of ledger.PECULIAR."""
    return (
        kind == FILE,
        kind == RULE or via == "route()",
        via == "offload()",
        bool(faults & FAILED),
        bool(faults & READ_ERROR),
        bool(faults & WRITE_ERROR),
    )


def add_all(words: "memoryview[int]", at: int, values: Sequence[float]) -> None:
    """Add seconds to the histogram that begins at a word.

    Sorting them all and looking for the edges is a third of looking for the bin of each.
    """
    ordered = sorted(values)
    before = 0
    for bin_, edge in enumerate(EDGES, at):
        below = bisect_right(ordered, edge, before)
        if below != before:
            words[bin_] += below - before
            before = below
    words[at + len(EDGES)] += len(ordered) - before
    words[at + len(EDGES) + 1] += max(0, round(sum(ordered) * SECOND))


def add_one(words: "memoryview[int]", at: int, seconds: float) -> None:
    """Add one value to the histogram that begins at a word."""
    add_all(words, at, (seconds,))
