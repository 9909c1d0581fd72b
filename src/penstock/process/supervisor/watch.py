"""The supervisor's loop: descriptors, timers and signals on one thread, by poll.

Runs in the supervisor alone, which imports no event loop: it must survive anything and do little. A
callback that raises is told of and ends nothing. It does not know what it watches.
"""

import os
import select
import signal
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from time import monotonic

from penstock.core.tracebacks import traceback_of

Call = Callable[[], None]
LONGEST = 3600.0  # seconds of one wait


class Timer:
    """A call that is due ``when`` (time.monotonic), again every ``period`` seconds unless that is 0."""

    __slots__ = ("call", "cancelled", "period", "when")

    def __init__(self, when: float, call: Call, period: float = 0.0) -> None:
        self.when = when
        self.call = call
        self.period = period
        self.cancelled = False

    def cancel(self) -> None:
        """It will not be called any more; again does no harm."""
        self.cancelled = True
        self.call = nobody  # what it holds may go at once, not when it would have been due


class Watch:
    """``failed(text)`` is told what a callback raised."""

    def __init__(self, failed: Callable[[str], None]) -> None:
        self.failed = failed
        self.poll = select.poll()
        self.calls: dict[int, Call] = {}
        self.signals: dict[int, Call] = {}
        self.timers: list[tuple[float, int, Timer]] = []
        self.order = count()
        self.running = False
        self.wake_read, self.wake_write = os.pipe()
        os.set_blocking(self.wake_read, False)
        os.set_blocking(self.wake_write, False)
        self.add(self.wake_read, self.heard)

    # ---- Descriptors --------------------------------------------------------------------------------

    def add(self, fd: int, call: Call) -> None:
        """Call when ``fd`` has something to read, or has ended."""
        self.calls[fd] = call
        self.poll.register(fd, select.POLLIN)

    def remove(self, fd: int) -> None:
        """Before ``fd`` is closed; again does no harm."""
        if self.calls.pop(fd, None) is not None:
            self.poll.unregister(fd)

    # ---- Time ---------------------------------------------------------------------------------------

    def later(self, seconds: float, call: Call) -> Timer:
        """Call once in so many seconds."""
        return self._file(Timer(monotonic() + seconds, call))

    def every(self, seconds: float, call: Call) -> Timer:
        """Call every so many seconds, first after as many."""
        return self._file(Timer(monotonic() + seconds, call, seconds))

    def _file(self, timer: Timer) -> Timer:
        heappush(self.timers, (timer.when, next(self.order), timer))
        return timer

    def _due(self) -> float:
        """Make the calls that are due; seconds until the next one."""
        now = monotonic()
        while self.timers:
            when, _, timer = self.timers[0]
            if timer.cancelled:
                heappop(self.timers)
                continue
            if when > now:
                return min(LONGEST, when - now)
            heappop(self.timers)
            if timer.period:
                # From now on, not from when it was due: a machine that slept makes up for nothing.
                timer.when = now + timer.period
                self._file(timer)
            self._call(timer.call)
        return LONGEST

    # ---- Signals ------------------------------------------------------------------------------------

    def on_signal(self, number: int, call: Call) -> None:
        """Call for a signal, in the loop and not in the middle of something. Main thread only."""
        self.signals[number] = call
        signal.signal(number, nothing)
        signal.set_wakeup_fd(self.wake_write, warn_on_full_buffer=False)

    def heard(self) -> None:
        """Signals have come: their numbers are in the pipe (signal.set_wakeup_fd)."""
        try:
            numbers = os.read(self.wake_read, 4096)
        except BlockingIOError:
            return
        for number in numbers:
            call = self.signals.get(number)
            if call is not None:
                self._call(call)

    # ---- Life ---------------------------------------------------------------------------------------

    def run(self) -> None:
        """Until ``stop``."""
        self.running = True
        while self.running:
            wait = self._due()
            if not self.running:
                break
            for fd, _ in self.poll.poll(wait * 1000 + 1):
                call = self.calls.get(fd)  # None: removed by a call before it in this round
                if call is not None:
                    self._call(call)

    def stop(self) -> None:
        """End ``run`` after the present call."""
        self.running = False

    def close(self) -> None:
        """Give back what is its own; signals keep their last meaning."""
        signal.set_wakeup_fd(-1)
        for fd in (self.wake_read, self.wake_write):
            self.remove(fd)
            os.close(fd)

    def _call(self, call: Call) -> None:
        try:
            call()
        except Exception as error:
            text = traceback_of(error)
            self.failed(f"the supervisor goes on after a fault of penstock's own\n{text}")


def nobody() -> None:
    """Who is called by a timer that was cancelled, and by a signal until somebody takes it."""


def nothing(number: int, frame: object) -> None:
    """The signal's number is in the pipe already; a child that is started anew has the default again."""
