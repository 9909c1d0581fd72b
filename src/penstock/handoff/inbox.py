"""The doorway for uploads that are larger than the buffer: loop to one thread, with a watermark.

The loop feeds pieces and never waits; above the mark it stops reading from the client until the thread
has taken enough. The thread takes pieces and waits when there are none.
"""

from _thread import allocate_lock
from collections import deque
from collections.abc import Callable
from time import monotonic

from penstock.core.errors import BodyError
from penstock.handoff.doorway import Doorway


class Inbox:
    """One streaming request body.

    ``total`` counts the bytes that came (loop only); ``resume`` is called on the loop when the thread
    has made room after ``feed`` said stop; ``waited`` counts the seconds that the thread waited for pieces.
    """

    __slots__ = (
        *("doorway", "ended", "error", "paused", "pieces", "resume"),
        *("size", "total", "waited", "waiter"),
    )

    def __init__(self, doorway: Doorway, resume: Callable[[], None]) -> None:
        self.doorway = doorway
        self.resume = resume
        self.pieces: deque[bytes] = deque()
        self.size = 0
        self.total = 0
        self.waited = 0.0
        self.paused = False
        self.ended = False
        self.error = ""
        self.waiter = allocate_lock()
        self.waiter.acquire()

    # ---- LOOP -------------------------------------------------------------------------------------

    def feed(self, piece: bytes) -> bool:
        """Add a piece; False means "stop reading until ``resume``"."""
        self.total += len(piece)
        with self.doorway.lock:
            self.pieces.append(piece)
            self.size += len(piece)
            room = self.size < self.doorway.marks.body_buffer
            if not room:
                self.paused = True
        self._wake()
        return room

    def finish(self) -> None:
        """The body is complete."""
        with self.doorway.lock:
            self.ended = True
        self._wake()

    def fail(self, reason: str) -> None:
        """The body will not come to its end; the thread's next read raises BodyError(reason)."""
        with self.doorway.lock:
            if not self.ended:
                self.error = reason
        self._wake()

    def _wake(self) -> None:
        # The lock is the thread's parking place: released at most once per park, found locked or not.
        try:
            self.waiter.release()
        except RuntimeError:  # nobody waits and a wake-up is already stored
            pass

    # ---- THREAD -----------------------------------------------------------------------------------

    def take(self) -> bytes:
        """The next piece, waiting for it; b"" at the end; raises BodyError when it was cut short."""
        while True:
            piece, ring = b"", False
            with self.doorway.lock:
                over = self.ended
                if self.pieces:
                    piece = self.pieces.popleft()
                    self.size -= len(piece)
                    ring = self.paused and self.size <= self.doorway.marks.body_buffer // 2
                    if ring:
                        self.paused = False
                elif self.error:
                    raise BodyError(self.error)
            if piece or over:
                break
            since = monotonic()
            self.waiter.acquire()
            self.waited += monotonic() - since
        if ring:
            self.doorway.bell.ring(self.resume)
        return piece

    @property
    def complete(self) -> bool:
        """Whether the client has sent all of it (taken or not)."""
        return self.ended
