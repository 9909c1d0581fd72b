"""What all exchanges of one worker share: its one lock, its bell, and the flags both sides read.

One lock decides every change of hands between the loop and the threads (parking and letting go, lease
begin, end and revoke, read-ahead, bell): each of these is "I announce, then look whether you announced",
which is right without proof under a lock and needs a full memory barrier without one. It is never held
over a system call, a log line, ``call_soon_threadsafe`` or application code.
"""

import os
from _thread import LockType, allocate_lock
from asyncio import AbstractEventLoop
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic, time
from typing import Any

from penstock.handoff.doorbell import Doorbell
from penstock.handoff.post import Post
from penstock.handoff.sender import Sender


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Marks:
    """How much waits between the two sides before somebody waits.

    ``reply_buffer``  bytes of a reply kept in memory for a slow reader
    ``reply_spool``   bytes of a reply kept in a temporary file beyond that; 0 for none
    ``spool_dir``     folder of temporary files, '' for the system's
    ``body_buffer``   bytes of an upload kept in memory for a slow application
    """

    reply_buffer: int = 1 << 20
    reply_spool: int = 64 << 20
    spool_dir: str = ""
    body_buffer: int = 256 << 10


class Kin:
    """What the doorways have in common that were made between one fork and the next. ``foreign``: this is a
    child that the application forked since, which must not write one byte of ours."""

    __slots__ = ("foreign",)

    def __init__(self) -> None:
        self.foreign = False


_kin = Kin()


def epoch() -> float:
    """What time.time() was when time.monotonic() was 0, as the system's clock is set now."""
    return time() - monotonic()


class Doorway:
    """One per worker process; both sides hold it. ``epoch``: as the loop last found it."""

    def __init__(
        self,
        loop: AbstractEventLoop,
        marks: Marks | None = None,
        failed: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.lock: LockType = allocate_lock()
        self.bell = Doorbell(loop, self.lock, failed)
        self.post = Post(self.lock, failed)
        self.sender = Sender(self.lock, failed)
        self.marks = marks or Marks()
        # Set by the loop when the worker leaves; every head made after it says `Connection: close`.
        self.draining = False
        self.epoch = epoch()
        self.kin = _kin
        # Connections that a thread closed by itself; the loop strikes them from its table.
        self.gone: deque[Any] = deque()


def _estrange() -> None:
    """A child that the application forked, and that comes back out of it, must not write one byte."""
    global _kin
    _kin.foreign = True
    _kin = Kin()


os.register_at_fork(after_in_child=_estrange)
