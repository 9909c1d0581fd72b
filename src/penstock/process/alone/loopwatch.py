"""The face of a supervisor's watch over an event loop, so that its attendants can live in a single process.

Runs on the loop of whoever serves. A callback that raises is told of and ends nothing. It does not know what
it watches, and signals are not its business.
"""

from asyncio import AbstractEventLoop, TimerHandle
from collections.abc import Callable

from penstock.core.tracebacks import traceback_of

Call = Callable[[], None]


class LoopTimer:
    """A call that is due, again every ``period`` seconds unless that is 0."""

    __slots__ = ("call", "cancelled", "handle", "period", "watch")

    def __init__(self, watch: "LoopWatch", seconds: float, call: Call, period: float = 0.0) -> None:
        self.watch = watch
        self.call = call
        self.period = period
        self.cancelled = False
        self.handle: TimerHandle = watch.loop.call_later(seconds, self.due)

    def due(self) -> None:
        """It is time."""
        if self.period:
            self.handle = self.watch.loop.call_later(self.period, self.due)
        self.watch.make(self.call)

    def cancel(self) -> None:
        """It will not be called any more; again does no harm."""
        self.cancelled = True
        self.handle.cancel()


class LoopWatch:
    """``failed(text)`` is told what a callback raised."""

    def __init__(self, loop: AbstractEventLoop, failed: Callable[[str], None]) -> None:
        self.loop = loop
        self.failed = failed

    def add(self, fd: int, call: Call) -> None:
        """Call when ``fd`` has something to read, or has ended."""
        self.loop.add_reader(fd, self.make, call)

    def remove(self, fd: int) -> None:
        """Before ``fd`` is closed; again does no harm."""
        self.loop.remove_reader(fd)

    def later(self, seconds: float, call: Call) -> LoopTimer:
        """Call once in so many seconds."""
        return LoopTimer(self, seconds, call)

    def every(self, seconds: float, call: Call) -> LoopTimer:
        """Call every so many seconds, first after as many."""
        return LoopTimer(self, seconds, call, seconds)

    def make(self, call: Call) -> None:
        """One call."""
        try:
            call()
        except Exception as error:
            text = traceback_of(error)
            self.failed(f"the server goes on after a fault of penstock's own\n{text}")
