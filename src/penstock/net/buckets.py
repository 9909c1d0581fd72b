"""Everything on the loop that is due by time, filed by quarter seconds; one tick looks at what is due.

No timer per request: a connection is filed when it enters a slow state, and refiled lazily when its
bucket comes up and it turns out to be due later. Runs on the loop; knows no clock but the caller's.
"""

from collections.abc import Callable
from typing import Any, Protocol

TICK = 0.25  # seconds


class Due(Protocol):
    """What can be filed. ``bucket`` is ours; ``check(now)`` acts on what is due and returns when to look
    again, or None when there is nothing to look at any more."""

    bucket: int

    def check(self, now: float) -> float | None: ...


Failed = Callable[[Any, Exception], None]


class Buckets:
    """Files by the monotonic time, in seconds, of the next look. ``failed(item, error)`` is called for a
    check that raises, and the others have their turn."""

    def __init__(self, now: float, failed: Failed) -> None:
        self.failed = failed
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
            number = self.next
            items = self.filed.pop(number, None)
            self.next += 1
            for item in items or ():
                if item.bucket == number:  # not struck or filed anew by the check of another
                    item.bucket = 0
                    self.look(item, now)

    def look(self, item: Due, now: float) -> None:
        """Look at ``item`` now, and file it for when it wants to be looked at again."""
        try:
            when = item.check(now)
        except Exception as error:
            self.failed(item, error)
        else:
            if when is not None:
                self.file(item, when)
