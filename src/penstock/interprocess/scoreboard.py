"""The scoreboard: shared memory in which each worker says how it fares. Runs in every process.

A board has slots; a slot belongs to a worker from the claim until that process was reaped. Every word of
a slot's cell is written by one side only and stands for itself, so nobody locks. It does not know what
anyone makes of the figures.
"""

import os
from typing import Any

from penstock.core.errors import StartError
from penstock.interprocess.board import WORD, Board

# Words of a cell. The supervisor writes PID, and all others while it claims or frees the slot; the loop of
# the worker writes the rest.
PID = 0
STATE = 1  # one of FREE … DRAINING
BEAT = 2  # monotonic ns of the last tick; 0 before the first
CONNECTIONS = 3  # open now
QUEUED = 4  # requests that wait for a thread
BUSY = 5  # threads with a request
THREADS = 6
GATE = 7  # 1 while there is room for another request
REQUESTS = 8  # answered by this worker
EXCEPTIONS = 9
REFUSED = 10
DEADLINES = 11
SENT = 12  # bytes
BUSY_TICKS = 13  # busy threads, summed over the ticks
TICKS = 14
OLDEST = 15  # monotonic ns since which the oldest running request runs; 0 for none
FIRST = 16
LOAD = 17  # requests in threads or before them, as of the last look; the thread at the door looks too
SHUT = 18  # monotonic ns since which the gate is shut without a break; 0 while it is open

FREE, STARTING, ACCEPTING, PAUSED, DRAINING = range(5)

NAMES = (
    *("pid", "state", "beat", "connections", "queued", "busy", "threads", "gate", "requests", "exceptions"),
    *("refused", "deadlines", "sent", "busy_ticks", "ticks", "oldest", "first"),
    *("load", "shut"),
)
COUNTERS = {"requests": REQUESTS, "exceptions": EXCEPTIONS, "refused": REFUSED}
COUNTERS |= {"deadlines": DEADLINES, "sent": SENT}

STRIDE = 32  # words from one cell to the next: two writers never share a line of the processor's cache
MAGIC, VERSION = 0x6B636F74736E6570, 1  # "penstock"
HEAD_MAGIC, HEAD_VERSION, HEAD_SLOTS, HEAD_TOTALS = range(4)
MASK = (1 << 64) - 1


class _Word:
    """An attribute of a cell that is a word of shared memory."""

    def __init__(self, index: int) -> None:
        self.index = index

    def __get__(self, cell: "Cell", kind: Any = None) -> int:
        return cell.words[self.index]

    def __set__(self, cell: "Cell", value: int) -> None:
        cell.words[self.index] = value


class Cell:
    """The words of one slot, unsigned 64-bit each; ``words[CONNECTIONS] = n`` is the cheapest way to write.

    Setting raises ValueError for a number below 0 or above 64 bits.
    """

    pid = _Word(PID)
    state = _Word(STATE)
    beat = _Word(BEAT)
    connections = _Word(CONNECTIONS)
    queued = _Word(QUEUED)
    busy = _Word(BUSY)
    threads = _Word(THREADS)
    gate = _Word(GATE)
    requests = _Word(REQUESTS)
    exceptions = _Word(EXCEPTIONS)
    refused = _Word(REFUSED)
    deadlines = _Word(DEADLINES)
    sent = _Word(SENT)
    busy_ticks = _Word(BUSY_TICKS)
    ticks = _Word(TICKS)
    oldest = _Word(OLDEST)
    first = _Word(FIRST)
    load = _Word(LOAD)
    shut = _Word(SHUT)

    def __init__(self, slot: int, words: "memoryview[int]") -> None:
        self.slot = slot
        self.words = words

    def read(self) -> dict[str, int]:
        """All words by name, each as it stands now."""
        return dict(zip(NAMES, self.words[: len(NAMES)].tolist(), strict=True))


class Scoreboard(Board[Cell]):
    """Made by the supervisor, attached to by whoever is given its descriptor."""

    @classmethod
    def create(cls, slots: int) -> "Scoreboard":
        """A board of ``slots`` free slots. Raises StartError where the system has no such memory."""
        size = (slots + 1) * STRIDE * WORD
        board = cls.made("penstock-scoreboard", "several processes", slots, size)
        board.words[HEAD_MAGIC], board.words[HEAD_VERSION], board.words[HEAD_SLOTS] = MAGIC, VERSION, slots
        return board

    @classmethod
    def private(cls) -> "Scoreboard":
        """A board of one slot that nobody else can see, on any system."""
        return cls.over(-1, 1, 2 * STRIDE * WORD)

    @classmethod
    def attach(cls, fd: int) -> "Scoreboard":
        """The board behind a descriptor, which is then the board's to close. Raises StartError for what is
        no board, or one of another form."""
        size = os.fstat(fd).st_size
        if size < 2 * STRIDE * WORD:
            raise StartError("the scoreboard that was handed over is none")
        board = cls.over(fd, size // (STRIDE * WORD) - 1, size)
        head = board.words[HEAD_MAGIC : HEAD_SLOTS + 1].tolist()
        board.prove(head, [MAGIC, VERSION, board.slots], "scoreboard")
        return board

    def make_cell(self, slot: int) -> Cell:
        """Behind the head, which has the room of a cell."""
        start = (slot + 1) * STRIDE
        return Cell(slot, self.words[start : start + STRIDE])

    def claim(self, slot: int, pid: int) -> Cell:
        """Supervisor: the slot is ``pid``'s from now on, and it is starting."""
        cell = self.cell(slot)
        self._clear(cell)
        cell.state = STARTING
        cell.pid = pid
        return cell

    def free(self, slot: int) -> None:
        """Supervisor, once the process was reaped: its counters go to the totals, the slot is nobody's."""
        cell = self.cell(slot)
        for at, index in enumerate(COUNTERS.values(), HEAD_TOTALS):
            self.words[at] = (self.words[at] + cell.words[index]) & MASK
        self._clear(cell)

    @property
    def totals(self) -> dict[str, int]:
        """What all workers that are gone had counted. Kept in the board, so that it outlives an upgrade."""
        return {name: self.words[at] for at, name in enumerate(COUNTERS, HEAD_TOTALS)}

    def others(self, slot: int) -> int:
        """How many requests all workers have had but the one in ``slot``, those that are gone included."""
        words, whole = self.words, 0
        for index in (REQUESTS, REFUSED):
            living = words[STRIDE + index :: STRIDE].tolist()
            whole += sum(living) - living[slot]
        return whole + self.totals["requests"] + self.totals["refused"]

    def _clear(self, cell: Cell) -> None:
        """STATE goes first: a slot without one is nobody's sibling, whatever its other words say."""
        for index in (STATE, *range(STRIDE)):
            cell.words[index] = 0
