"""How a thread calls the loop: many completions, one wake-up.

Threads ring, the loop drains. Nothing here knows what is called. A ring with the loop asleep costs the
thread about as much as a whole small reply, so everything else is built to need it rarely.
"""

from asyncio import AbstractEventLoop
from collections import deque
from collections.abc import Callable
from typing import Any

Call = Callable[..., None]


class Doorbell:
    """One per worker. ``lock`` is the worker's one lock (see ``Doorway``)."""

    def __init__(self, loop: AbstractEventLoop, lock: Any, failed: Callable[[str], None]) -> None:
        self.loop = loop
        self.lock = lock
        self.failed = failed
        self.calls: deque[tuple[Call, tuple[Any, ...]]] = deque()
        self.rung = False

    def ring(self, call: Call, *args: Any) -> None:
        """Any thread: have the loop call ``call(*args)`` soon. Swallowed when the loop is closed."""
        self.calls.append((call, args))
        with self.lock:
            first = not self.rung
            self.rung = True
        if first:
            try:
                self.loop.call_soon_threadsafe(self.drain)
            except RuntimeError:  # the loop is closed: nobody is left to care
                pass

    def drain(self) -> None:
        """Loop: make every call that waits; one that raises does not stop the others."""
        # Cleared before the drain: a ring in between costs a second wake-up, never a lost one.
        with self.lock:
            self.rung = False
        calls = self.calls
        while calls:
            call, args = calls.popleft()
            try:
                call(*args)
            except Exception as error:
                self.failed(f"{getattr(call, '__qualname__', call)} on the loop: {error!r}")
