"""Requests that are slow while they run: a record with the stack of the thread, and one of how it ended.

Runs on the worker's loop, at every tick, and only with ``log-slow``; a request costs nothing until it is
slow. It ends nothing: deadlines (``net/overdue.py``) do that, with records of their own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from penstock.handoff.exchange import Exchange
from penstock.handoff.pool import Slot
from penstock.net.door import Door
from penstock.net.sight import Sight, look

MOST = 10  # stacks in one time
SPAN = 10.0  # seconds of that time


@dataclass(slots=True)
class Open:
    """A request that is slow and runs. ``line`` is the request line, "" for one that has no record: one of
    too many, or one whose deadline has its own."""

    x: Exchange
    line: str = ""


class Slow:
    """``seconds`` after it was complete a request is slow, whether it waited or ran. ``report(text)`` is
    called on a service thread. ``count`` requests were slow."""

    def __init__(self, door: Door, seconds: float, report: Callable[[str], None]) -> None:
        self.door = door
        self.seconds = seconds
        self.report = report
        self.open: dict[int, Open] = {}
        self.count = 0
        self.left = MOST
        self.since = 0.0
        self.untold = 0
        door.on_tick.append(self.tick)

    def tick(self, now: float) -> None:
        """Every quarter second."""
        if now - self.since >= SPAN:
            self.begin(now)
        for slot in self.door.pool.slots:
            x, known = slot.exchange, self.open.get(slot.index)
            if known is not None and known.x is not x:
                self.ended(slot.index, known, now)
                known = None
            if x is not None and known is None and now - x.received_at >= self.seconds:
                self.found(slot, x, now)

    def begin(self, now: float) -> None:
        """Another time begins, with as many stacks."""
        if self.untold:
            more = f"{self.untold} more requests were" if self.untold > 1 else "1 more request was"
            self.tell(lambda: f"slow: {more} slow within {SPAN:g} s; {MOST} stacks are all that is written")
        self.left, self.since, self.untold = MOST, now, 0

    def found(self, slot: Slot, x: Exchange, now: float) -> None:
        """One is slow."""
        self.count += 1
        self.open[slot.index] = known = Open(x)
        if x.overdue:
            return
        if not self.left:
            self.untold += 1
            return
        seen = look(slot, now)
        if seen is None or slot.exchange is not x:
            return
        self.left -= 1
        known.line = seen.line
        self.tell(partial(text_of, seen))

    def ended(self, index: int, known: Open, now: float) -> None:
        """Its thread has come back, at the latest a tick ago."""
        del self.open[index]
        if known.line:
            seconds = now - known.x.began_at
            self.tell(lambda: f"slow: {known.line}: ended after {seconds:.1f} s")

    def tell(self, text: Callable[[], str]) -> None:
        """Have it written; what makes the text may read files."""
        self.door.files.submit(lambda: self.report(text()))


def text_of(seen: Sight) -> str:
    """The record. Reads source files."""
    head = f"slow: {seen.line} from {seen.remote}: {seen.age:.1f} s so far, {seen.phase} ({seen.phases})"
    if not seen.stack:
        return head
    return f"{head}\nStack of {seen.thread} (most recent call last):\n{seen.trace()}"
