"""The ledger: shared memory in which each worker adds up its requests. Runs in every process.

A ledger has slots as the scoreboard has. Each word of a slot's cell is written by one thread of its worker
and stands for itself, so nobody locks; what workers that are gone had counted is in the totals. It does not
know what a request is, nor who reads the figures.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field

from penstock.core.errors import StartError
from penstock.interprocess.board import WORD, Board

# ---- What a cell says: words by their place. What the scribe's thread adds up ---------------------------

REQUESTS = 0  # that had a thread
SENT = 1  # bytes of their replies, heads included
RUNNING = 2  # microseconds that they took, without the time in which they waited for a thread
LANE = 3  # answered by the loop on its own paths
REFUSED_SENT = 4  # bytes of what the loop refused
LOST_LINES = 5  # of the logs, which their reader did not take
MALFORMED = 6  # requests that never became one: not understood, or not complete in time
PECULIAR_AT = 7  # a word for each of PECULIAR
SUMMED = 13  # so many words are added up over workers
AVERAGE = 13  # microseconds: uWSGI's average, the old one and the new time halved
CORES = 14  # one more than the highest thread that had a request
REFUSED = 16  # answered by the loop: a word for each class of status
GIL = 24  # a histogram: how long a thread that comes back from a system call waits for the interpreter
# What the loop writes at its ticks.
STATES = 48  # connections now, a word for each of CONNECTIONS
OLDEST = 56  # microseconds that the first of the queue has waited; 0 for an empty queue

PECULIAR = ("static", "routed", "offloaded", "exceptions", "read_errors", "write_errors")
"""What is counted of requests in all and by thread: answered with a file or by a rule, given to the offload
thread, raised by the application, the client's body or the reply cut short."""

COUNTERS = ("requests", "sent", "running", "lane", "refused_sent", "lost_lines", "malformed", *PECULIAR)
"""Names of the words that are added up, in their order from 0."""

CONNECTIONS = ("idle", "reading", "queued", "running", "writing", "lingering")
"""Names of the states of connections, in their order from STATES."""

# ---- Histograms -----------------------------------------------------------------------------------------

EDGES = (
    *(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05),
    *(0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
)
"""Upper edges of the bins in seconds, each bin with its edge; one more is for what is above them."""
BINS = len(EDGES) + 1
HISTOGRAM = BINS + 1  # words: the bins, and the sum in nanoseconds
SECOND = 1_000_000_000  # ns
PHASES = ("receive", "queue", "run", "write", "whole")
CLASSES = ("none", "1xx", "2xx", "3xx", "4xx", "5xx")
"""Of status; ``none`` where no reply was begun."""

# ---- Sizes, in words ------------------------------------------------------------------------------------

MOUNTS = 64  # with "", and with the last one for all that have no place of their own
OTHER = MOUNTS - 1
OTHER_NAME = "other"
MOST_CORES = 256
CORE = 8  # words of a thread, by CORE_COUNTERS
CORE_COUNTERS = ("requests", *PECULIAR)
CORES_AT = 64
ROW = len(PHASES) * HISTOGRAM  # a mount's requests of one class
MOUNTS_AT = CORES_AT + MOST_CORES * CORE
PAGE = 512
STRIDE = -(-(MOUNTS_AT + MOUNTS * len(CLASSES) * ROW) // PAGE) * PAGE

# The head: what it is, the names of the mounts, and what the supervisor counts.
MAGIC, VERSION = 0x72656764656C7470, 1
HEAD_MAGIC, HEAD_VERSION, HEAD_SLOTS, HEAD_STRIDE, HEAD_NAMES = range(5)
EVENTS_AT, MOST_EVENTS = 64, 64
NAMES_AT, NAME = PAGE, 32  # words of a name: its length, and its bytes
HEAD = NAMES_AT + MOUNTS * NAME
GONE = -1  # the slot of all workers that are gone
MASK = (1 << 64) - 1

CAUSES = (
    *("stop", "reload", "surplus", "died", "killed", "requests", "lifetime", "memory", "exception"),
    *("deadline", "signal"),
)
"""Why workers end."""
EVENTS = ("reload_done", "reload_failed", "upgrades", *(f"end_{cause}" for cause in CAUSES))
"""What the supervisor counts, in the order of its words; new names only at the end."""


@dataclass(slots=True)
class Histogram:
    """``counts`` by bin, the last of what is above all edges; ``seconds`` is the sum."""

    counts: list[int]
    seconds: float

    @property
    def count(self) -> int:
        """How many there are."""
        return sum(self.counts)


Key = tuple[str, str, str]
"""A mount point, a class of status, a phase."""


@dataclass(slots=True)
class Figures:
    """What one worker, or all of them, counted: ``counters`` by COUNTERS, ``refused`` by class of status,
    ``phases`` those histograms that have something in them, ``gil`` the waits for the interpreter."""

    counters: dict[str, int]
    refused: dict[str, int]
    gil: Histogram
    phases: dict[Key, Histogram] = field(default_factory=dict)


class LedgerCell:
    """The words of one slot, unsigned 64-bit each, at ``words``."""

    def __init__(self, slot: int, words: "memoryview[int]", ledger: "Ledger") -> None:
        self.slot = slot
        self.words = words
        self.ledger = ledger

    def counters(self) -> dict[str, int]:
        """By the names of COUNTERS."""
        return dict(zip(COUNTERS, self.words[:SUMMED].tolist(), strict=True))

    @property
    def average(self) -> int:
        """uWSGI's average time of a request, in microseconds."""
        return self.words[AVERAGE]

    @property
    def oldest(self) -> int:
        """Microseconds that the first request of the queue has waited; 0 for an empty queue."""
        return self.words[OLDEST]

    @property
    def gil(self) -> Histogram:
        """Samples of how long a thread that comes back from a system call waits for the interpreter."""
        return _histogram(self.words[GIL : GIL + HISTOGRAM].tolist())

    def cores(self, count: int = 0) -> list[dict[str, int]]:
        """Of each thread, by CORE_COUNTERS: at least ``count`` of them, as far as there is room, and all that
        had a request."""
        many = min(MOST_CORES, max(count, self.words[CORES]))
        flat = self.words[CORES_AT : CORES_AT + many * CORE].tolist()
        return [
            dict(zip(CORE_COUNTERS, flat[at * CORE : (at + 1) * CORE], strict=False)) for at in range(many)
        ]

    def connections(self) -> dict[str, int]:
        """Connections now, by their state."""
        return dict(zip(CONNECTIONS, self.words[STATES : STATES + len(CONNECTIONS)].tolist(), strict=True))

    def figures(self) -> Figures:
        """All that is added up."""
        figures = Figures(
            counters=self.counters(),
            refused=dict(zip(CLASSES, self.words[REFUSED : REFUSED + len(CLASSES)].tolist(), strict=True)),
            gil=self.gil,
        )
        for index, name in self.ledger.rows():
            flat = self.words[row_at(index, 0) : row_at(index + 1, 0)].tolist()
            if any(flat):
                _add_rows(figures.phases, name, flat)
        return figures


class Ledger(Board[LedgerCell]):
    """Made by the supervisor, or by a process that serves alone; attached to by whoever is given its
    descriptor."""

    @classmethod
    def create(cls, slots: int) -> "Ledger":
        """A ledger of ``slots`` empty cells. Raises StartError where the system has no such memory.

        What is never written takes no memory, so each cell is as large as the largest server needs.
        """
        return cls.made("penstock-ledger", "metrics and stats", slots, _size(slots))._begun()

    @classmethod
    def private(cls) -> "Ledger":
        """One with one slot, for a process that nobody is to share it with."""
        return cls.over(-1, 1, _size(1))._begun()

    def _begun(self) -> "Ledger":
        self.words[HEAD_VERSION], self.words[HEAD_SLOTS] = VERSION, self.slots
        self.words[HEAD_MAGIC], self.words[HEAD_STRIDE] = MAGIC, STRIDE
        self.words[HEAD_NAMES] = 1  # the root's, which is ""
        return self

    @classmethod
    def attach(cls, fd: int) -> "Ledger":
        """The ledger behind a descriptor, which is then the ledger's to close. Raises StartError for what is
        none, or one of another form."""
        size = os.fstat(fd).st_size
        slots = size // WORD // STRIDE - 1
        if slots < 1 or size != _size(slots):
            raise StartError("the ledger that was handed over has another form")
        ledger = cls.over(fd, slots, size)
        head = ledger.words[HEAD_MAGIC : HEAD_STRIDE + 1].tolist()
        ledger.prove(head, [MAGIC, VERSION, slots, STRIDE], "ledger")
        return ledger

    def make_cell(self, slot: int) -> LedgerCell:
        """Slot GONE is that of the totals."""
        start = HEAD + (slot + 1) * STRIDE
        return LedgerCell(slot, self.words[start : start + STRIDE], self)

    def free(self, slot: int) -> None:
        """Supervisor, once the process was reaped: its figures go to the totals, the cell is empty."""
        source, target = self.cell(slot).words, self._cell(GONE).words
        _move(source, target, 0, SUMMED)
        _move(source, target, REFUSED, GIL + HISTOGRAM)
        for index, _ in self.rows():
            _move(source, target, row_at(index, 0), row_at(index + 1, 0))
        # What is no sum: it is this worker's alone.
        many = min(MOST_CORES, source[CORES])
        for start, stop in ((SUMMED, CORES_AT), (CORES_AT, CORES_AT + many * CORE)):
            for at in range(start, stop):
                source[at] = 0

    @property
    def totals(self) -> Figures:
        """What all workers that are gone had counted. It outlives an upgrade."""
        return self._cell(GONE).figures()

    def read_all(self) -> Figures:
        """What all workers counted, those that are gone included."""
        whole = self.totals
        for slot in range(self.slots):
            cell = self.cell(slot)
            if any(cell.words[:CORES_AT].tolist()):  # else its pages would be made by looking
                add(whole, cell.figures())
        return whole

    # ---- Names of mount points ----------------------------------------------------------------------

    def know(self, mounts: Iterable[str]) -> None:
        """Supervisor, before the workers are forked: mount points that have figures of their own from here
        on. What finds no place, or is longer than 254 bytes, is counted with the others."""
        known = set(self.mounts())
        for name in mounts:
            count, data = self.words[HEAD_NAMES], name.encode("utf-8", "surrogateescape")
            if name in known or count >= OTHER or len(data) >= NAME * WORD - 1:
                continue
            start = (NAMES_AT + count * NAME) * WORD
            self.memory[start : start + 1 + len(data)] = bytes((len(data),)) + data
            self.words[HEAD_NAMES] = count + 1  # last: whoever counts it finds it whole
            known.add(name)

    def mounts(self) -> dict[str, int]:
        """The mount points that are known, with their places."""
        found = {}
        for index in range(min(self.words[HEAD_NAMES], OTHER)):
            start = (NAMES_AT + index * NAME) * WORD
            data = self.memory[start + 1 : start + 1 + self.memory[start]]
            found[data.decode("utf-8", "surrogateescape")] = index
        return found

    def rows(self) -> list[tuple[int, str]]:
        """Places and names of all that may have figures, the one for the others included."""
        return [(index, name) for name, index in self.mounts().items()] + [(OTHER, OTHER_NAME)]

    # ---- What the supervisor counts -----------------------------------------------------------------

    def count(self, event: str) -> None:
        """One more of ``event``, of EVENTS. Raises ValueError for another."""
        self.words[EVENTS_AT + EVENTS.index(event)] += 1

    def events(self) -> dict[str, int]:
        """What was counted, by EVENTS."""
        return dict(zip(EVENTS, self.words[EVENTS_AT : EVENTS_AT + len(EVENTS)].tolist(), strict=True))


def row_at(mount: int, status: int) -> int:
    """Where in a cell the histograms of a mount's place and a class's begin."""
    return MOUNTS_AT + (mount * len(CLASSES) + status) * ROW


def add(whole: Figures, part: Figures) -> None:
    """Add ``part`` to ``whole``."""
    for name, value in part.counters.items():
        whole.counters[name] += value
    for name, value in part.refused.items():
        whole.refused[name] += value
    _add(whole.gil, part.gil)
    for key, histogram in part.phases.items():
        mine = whole.phases.get(key)
        if mine is None:
            whole.phases[key] = Histogram(list(histogram.counts), histogram.seconds)
        else:
            _add(mine, histogram)


def _add(whole: Histogram, part: Histogram) -> None:
    whole.counts = [mine + other for mine, other in zip(whole.counts, part.counts, strict=True)]
    whole.seconds += part.seconds


def _histogram(flat: list[int]) -> Histogram:
    return Histogram(flat[:BINS], flat[BINS] / SECOND)


def _add_rows(found: dict[Key, Histogram], mount: str, flat: list[int]) -> None:
    """The histograms of one mount point that have something in them."""
    at = 0
    for status in CLASSES:
        for phase in PHASES:
            part = flat[at : at + HISTOGRAM]
            if any(part):
                found[mount, status, phase] = _histogram(part)
            at += HISTOGRAM


def _move(source: "memoryview[int]", target: "memoryview[int]", start: int, stop: int) -> None:
    """Add words of a cell to those of another, and empty them."""
    for at, value in enumerate(source[start:stop].tolist(), start):
        if value:
            target[at] = (target[at] + value) & MASK
            source[at] = 0


def _size(slots: int) -> int:
    """Bytes of a ledger."""
    return (HEAD + (slots + 1) * STRIDE) * WORD
