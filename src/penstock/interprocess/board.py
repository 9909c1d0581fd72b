"""Memory that all processes see, cut into a head and one cell for each slot.

Runs in every process; scoreboard and ledger stand on it. Words are unsigned, of 64 bits; who writes which,
and what they mean, is the board's own.
"""

import mmap
import os
from abc import ABC, abstractmethod
from typing import Generic, Protocol, Self, TypeVar

from penstock.core.errors import StartError
from penstock.interprocess.inmemory import fix, shared

WORD = 8  # bytes


class Held(Protocol):
    """A cell: words of the board."""

    words: "memoryview[int]"


AnyCell = TypeVar("AnyCell", bound=Held)


class Board(ABC, Generic[AnyCell]):
    """Made by who starts the others, attached to by whoever is given its descriptor ``fd``, which is the
    board's to close; -1 for memory that nobody else has."""

    def __init__(self, fd: int, slots: int, memory: mmap.mmap) -> None:
        self.fd = fd
        self.slots = slots
        self.memory = memory
        self.words = memoryview(memory).cast("Q")
        self.cells: dict[int, AnyCell] = {}

    @classmethod
    def over(cls, fd: int, slots: int, size: int) -> Self:
        """``slots`` slots in the ``size`` bytes behind a descriptor, or in memory of one's own for -1."""
        return cls(fd, slots, mmap.mmap(fd, size))

    @classmethod
    def made(cls, name: str, whose: str, slots: int, size: int) -> Self:
        """One that can be handed over, all words 0. Raises StartError where the system has no such memory."""
        fd = shared(name, whose)
        fix(fd, size)
        return cls.over(fd, slots, size)

    def prove(self, found: list[int], expected: list[int], what: str) -> None:
        """Raises StartError where the head is another one's: then the descriptor stays whoever's it is."""
        if found != expected:
            self.fd = -1
            self.close()
            raise StartError(f"the {what} that was handed over has another form")

    @abstractmethod
    def make_cell(self, slot: int) -> AnyCell:
        """The cell of a slot that there is."""

    def cell(self, slot: int) -> AnyCell:
        """The cell of a slot, 0 and up; the same object each time. Raises IndexError beyond the last."""
        if not 0 <= slot < self.slots:
            raise IndexError(f"slot {slot} of {self.slots}")
        return self._cell(slot)

    def _cell(self, slot: int) -> AnyCell:
        """The same for slots of the board's own."""
        cell = self.cells.get(slot)
        if cell is None:
            cell = self.cells[slot] = self.make_cell(slot)
        return cell

    def close(self) -> None:
        """Give memory and descriptor back, once or again; its cells cannot be used any more."""
        for cell in self.cells.values():
            cell.words.release()
        self.cells.clear()
        self.words.release()
        self.memory.close()
        if self.fd >= 0:
            fd, self.fd = self.fd, -1
            os.close(fd)
