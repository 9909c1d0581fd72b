"""Vassals that died before they had answered anything: how long each waits until it is tried again.

Runs in the emperor. It knows names and times, not processes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from time import time
from typing import Any

Key = tuple[int, str]


@dataclass(slots=True)
class Entry:
    """``level`` in seconds, ``attempts`` so far, and when the first and the last one was (epoch)."""

    level: float
    attempts: int
    first: float
    last: float


class Blacklist:
    """``step`` and ``longest`` in seconds: ``emperor-throttle``, ``emperor-max-throttle``.

    As in uWSGI the first failure costs next to nothing, each further one a step more, and beyond the
    longest pause it is halved. ``off``: ``emperor-no-blacklist``, everybody waits one step.
    """

    def __init__(
        self, step: float, longest: float, off: bool = False, clock: Callable[[], float] = time
    ) -> None:
        self.step = step
        self.longest = longest
        self.off = off
        self.clock = clock
        self.entries: dict[Key, Entry] = {}

    def failed(self, key: Key) -> int:
        """It has died without being loyal; how many times in a row by now, 0 where nobody counts."""
        if self.off:
            return 0
        now = self.clock()
        entry = self.entries.get(key)
        if entry is None:
            self.entries[key] = Entry(self.step / 1000, 1, now, now)
            return 1
        entry.last = now
        entry.attempts += 1
        entry.level = entry.level + self.step if entry.level < self.longest else entry.level / 2
        return entry.attempts

    def pause(self, key: Key) -> float:
        """Seconds from now until it may be started; never more than its level, though the clock be put
        back."""
        entry = self.entries.get(key)
        return 0.0 if entry is None else min(entry.level, max(0.0, entry.last + entry.level - self.clock()))

    def forgive(self, key: Key) -> None:
        """It has become loyal."""
        self.entries.pop(key, None)

    def clear(self) -> None:
        """All are forgiven (SIGURG)."""
        self.entries.clear()

    def figures(self) -> list[dict[str, Any]]:
        """As uWSGI's ``emperor-stats`` has them; levels in milliseconds."""
        return [
            {
                "id": key[1],
                "throttle_level": round(entry.level * 1000),
                "attempt": entry.attempts,
                "first_attempt": int(entry.first),
                "last_attempt": int(entry.last),
            }
            for key, entry in self.entries.items()
        ]
