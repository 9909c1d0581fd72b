"""The post: finished replies that wait a moment and go out together.

Each send wakes whoever waits for it, a front server or a client, and on a virtual machine to wake a
processor costs more than to send. Where requests queue and each takes well under a millisecond, a thread
therefore leaves small whole replies here, goes on with the next request, and sends several in a row. Never
longer than ``HOLD``: then the loop sends what is left, whatever the threads do.
"""

from _thread import LockType
from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Any

from penstock.core.errors import Disconnected

HOLD = 0.002  # seconds that a reply waits at most; uvloop's whole milliseconds make one of it, or two
SEVERAL = 16  # replies that go out together
SMALL = 16 << 10  # bytes of a reply above which it goes out by itself

Parcel = tuple[Any, Any, bytes, int]
"""Outbox, exchange, bytes, and what follows them; whoever takes it from the deque has the write lease."""


class Post:
    """One per worker. ``open`` is set and taken back by the loop, see ``Pool``; ``lock`` is the worker's one
    lock, ``failed`` is told of faults of our own."""

    __slots__ = ("failed", "lock", "open", "waiting")

    def __init__(self, lock: LockType, failed: Callable[[str], None]) -> None:
        self.lock = lock
        self.failed = failed
        self.open = False
        self.waiting: deque[Parcel] = deque()

    def send(self) -> None:
        """Send all that waits. Any thread, and the loop: no such reply is large enough to wait for room."""
        waiting = self.waiting
        while waiting:
            now = monotonic()  # of all these: a look at the clock is a hundredth of a small request
            for _ in range(SEVERAL):
                try:
                    outbox, x, data, then = waiting.popleft()
                except IndexError:
                    return  # that was the last one, or another thread was faster
                try:
                    outbox.send_now(x, data, then, now)
                except Disconnected:
                    outbox.abandon(x)
                except Exception as error:
                    self.failed(f"a reply could not be sent: {error!r}")
                    outbox.abandon(x)

    # ---- LOOP ---------------------------------------------------------------------------------------

    def shut(self) -> None:
        """No more replies wait; those that do are sent."""
        with self.lock:
            self.open = False
        self.send()
