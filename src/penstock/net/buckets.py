"""Everything on the loop that is due by time, filed by quarter seconds; one tick looks at what is due.

No timer per request: a connection is filed when it enters a slow state, and refiled lazily when its
bucket comes up and it turns out to be due later. Runs on the loop; knows no clock but the caller's.
"""

from typing import Protocol

TICK = 0.25  # seconds


class Due(Protocol):
    """What can be filed. ``bucket`` is ours; ``check(now)`` acts on what is due and returns when to look
    again, or None when there is nothing to look at any more."""

    bucket: int

    def check(self, now: float) -> float | None: ...


class Buckets:
    """Files by the monotonic time, in seconds, of the next look."""

    def __init__(self, now: float) -> None:
        self.filed: dict[int, set[Due]] = {}
        self.next = int(now / TICK)

    def file(self, item: Due, when: float) -> None:
        """Look at ``item`` at ``when`` or up to a tick later; an earlier filing of it is replaced."""
        bucket = max(int(when / TICK) + 1, self.next)
        if item.bucket == bucket:
            return
        if item.bucket:
            self.strike(item)
        item.bucket = bucket
        self.filed.setdefault(bucket, set()).add(item)

    def strike(self, item: Due) -> None:
        """Forget ``item``."""
        items = self.filed.get(item.bucket)
        if items is not None:
            items.discard(item)
        item.bucket = 0

    def tick(self, now: float) -> None:
        """Look at all that is due by ``now``."""
        last = int(now / TICK)
        while self.next <= last:
            items = self.filed.pop(self.next, None)
            self.next += 1
            for item in items or ():
                item.bucket = 0
                when = item.check(now)
                if when is not None:
                    self.file(item, when)
