"""What a line says of the process that answered: its number, its memory, the figures of ``%(metric.…)``.

Read by the service thread that writes the diary, once for each batch. Whoever starts the process puts in what
it knows; it knows nothing of lines.
"""

import os
from collections.abc import Callable

MB = 1 << 20


def no_memory() -> tuple[int, int]:
    """Nobody looks at it."""
    return 0, 0


def nobody() -> int:
    """There are no others."""
    return 0


class House:
    """One process. ``wid`` is the worker's number, ``memory`` gives bytes of address space and in RAM,
    ``shares`` bytes in RAM with the shared ones divided and bytes that nobody shares, ``others`` how many
    requests other workers had. ``metrics`` are put in by whoever hears of them. ``needs``: which of these
    calls lines have a use for."""

    def __init__(
        self,
        wid: int = 1,
        memory: Callable[[], tuple[int, int]] = no_memory,
        shares: Callable[[], tuple[int, int]] = no_memory,
    ) -> None:
        self.wid = wid
        self.memory = memory
        self.shares = shares
        self.metrics: dict[str, int] = {}
        self.pid = os.getpid()
        self.needs: set[str] = set()
        self.others: Callable[[], int] = nobody
        self.elsewhere = 0
        self.vsz = self.rss = self.uss = self.pss = 0

    def look(self) -> None:
        """Before a batch: what it is now. The memory of one moment is the batch's."""
        self.pid = os.getpid()
        if "others" in self.needs:
            # Never fewer than before: a worker that ends is in between the living and the sum of the dead.
            self.elsewhere = max(self.elsewhere, self.others())
        try:
            if "memory" in self.needs:
                self.vsz, self.rss = self.memory()
            if "shares" in self.needs:
                self.pss, self.uss = self.shares()
        except OSError:
            self.vsz = self.rss = self.uss = self.pss = 0
