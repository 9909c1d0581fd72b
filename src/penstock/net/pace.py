"""Whether a client moves at all: a rate over a window, so that a byte a second does not count as moving."""

PACKET = 1448  # bytes: a client whose line is slow moves by so many at once


def often(seconds: float) -> float:
    """Seconds between two looks at who may stand still for so many: hundreds are looked at in one turn of
    the loop, so it is not done oftener than the time asks for. Who holds a thread is seen at every tick."""
    return min(5.0, seconds / 12)


class Pace:
    """Watches one counter of bytes. Looked at by the tick only; no clock of its own."""

    __slots__ = ("moved_at", "total", "window_at", "window_total")

    def __init__(self, now: float, total: int = 0) -> None:
        self.total = self.window_total = total
        self.moved_at = self.window_at = now

    def still(self, now: float, total: int) -> float:
        """Seconds since the counter moved, as far as was looked; ``total`` is the counter now."""
        if total != self.total:
            self.total = total
            self.moved_at = now
        return now - self.moved_at

    def stalled(self, now: float, total: int, window: float, rate: int, allowed: float) -> bool:
        """Whether nothing moved for ``allowed`` seconds, or less than ``rate`` bytes a second in the last
        whole window. ``total`` is the counter now.

        Where less than the ``window`` is allowed, who is a packet behind the rate after that time is slow
        too; who keeps to it never is, although his packets come seldom.
        """
        if self.still(now, total) >= allowed:
            return True
        elapsed = now - self.window_at
        missing = rate * elapsed - (total - self.window_total)
        if elapsed < window:
            return elapsed >= allowed and missing > PACKET
        self.window_at = now
        self.window_total = total
        return missing > 0
