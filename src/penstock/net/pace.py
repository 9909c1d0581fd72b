"""Whether a client moves at all: a rate over a window, so that a byte a second does not count as moving."""


class Pace:
    """Watches one counter of bytes. Looked at by the tick only; no clock of its own."""

    __slots__ = ("moved_at", "total", "window_at", "window_total")

    def __init__(self, now: float, total: int = 0) -> None:
        self.total = self.window_total = total
        self.moved_at = self.window_at = now

    def stalled(self, now: float, total: int, window: float, rate: int) -> bool:
        """Whether nothing moved for ``window`` seconds, or less than ``rate`` bytes a second in the last
        whole window. ``total`` is the counter now."""
        if total != self.total:
            self.total = total
            self.moved_at = now
        if now - self.moved_at >= window:
            return True
        elapsed = now - self.window_at
        if elapsed < window:
            return False
        slow = total - self.window_total < rate * elapsed
        self.window_at = now
        self.window_total = total
        return slow
