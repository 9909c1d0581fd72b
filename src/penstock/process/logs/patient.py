"""Who calls a sink again where something waits in it: timers of the supervisor's, which has no tick.

Runs in the supervisor, on its one thread. It knows the sink and the watch, and no line.
"""

from collections.abc import Callable

from penstock.logs.sinks import LAST, Sink
from penstock.process.supervisor.watch import Timer, Watch, nobody

AGAIN, SLOWEST = 0.002, 0.25  # seconds until the next try, longer and longer where there is no room


class Patient:
    """One sink's. It has no timer while nothing waits; ``told`` is called after each try."""

    def __init__(self, watch: Watch, sink: Sink, told: Callable[[], None] = nobody) -> None:
        self.watch = watch
        self.sink = sink
        self.told = told
        self.timer: Timer | None = None
        self.pause = AGAIN
        self.before = 0
        sink.stalled = self.stalled

    def stalled(self) -> None:
        """Something waits."""
        if self.timer is None:
            moved = self.sink.size < self.before
            self.pause = AGAIN if moved else min(SLOWEST, 2 * self.pause)
            self.before = self.sink.size
            self.timer = self.watch.later(self.pause, self.retry)

    def retry(self) -> None:
        """It may be written now."""
        self.timer = None
        self.sink.retry()
        self.told()
        if not self.sink.waiting:
            self.pause, self.before = AGAIN, 0

    def end(self, seconds: float = LAST) -> None:
        """Wait at most so long for what waits, and call no more."""
        self.sink.stalled = None
        self.sink.end(seconds)
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
