"""How a request's body is taken in: streamed to a thread that reads it, or gathered before one is taken.

Runs on the loop; what must be written to a disk is written by an offload thread.
"""

from collections.abc import Callable
from typing import BinaryIO

from penstock.handoff.doorway import Doorway
from penstock.handoff.inbox import Inbox
from penstock.handoff.offload import Offload
from penstock.handoff.spool import temporary

PENDING = 256 << 10  # bytes that may wait for the disk before reading stops


class Streaming:
    """The body goes to the thread through an ``Inbox`` as it comes."""

    __slots__ = ("inbox",)

    def __init__(self, doorway: Doorway, resume: Callable[[], None]) -> None:
        self.inbox = Inbox(doorway, resume)

    @property
    def total(self) -> int:
        """Bytes that came."""
        return self.inbox.total

    @property
    def in_memory(self) -> int:
        """Bytes that no thread has taken yet."""
        return self.inbox.size

    on_disk = 0

    @property
    def waiting(self) -> bool:
        """Whether it is the client that must move next."""
        return not self.inbox.paused

    def feed(self, piece: bytes) -> bool:
        """Take a piece; False: stop reading until ``resume``."""
        return self.inbox.feed(piece)

    def finish(self) -> None:
        """The body is complete."""
        self.inbox.finish()

    def fail(self, reason: str) -> None:
        """The body will not be complete."""
        self.inbox.fail(reason)


class Gathering:
    """The body is collected: ``memory`` bytes in memory, beyond that all of it in a temporary file.

    ``resume`` is called when a write has made room again, and when the last write is done.
    """

    __slots__ = (
        "ended",
        "error",
        "file",
        "files",
        "folder",
        "memory",
        "paused",
        "pieces",
        "resume",
        "total",
        "waits",
        "writing",
    )

    def __init__(self, files: Offload, memory: int, folder: str, resume: Callable[[], None]) -> None:
        self.files = files
        self.memory = memory
        self.folder = folder
        self.resume = resume
        self.pieces: list[bytes] = []
        self.file: BinaryIO | None = None
        self.total = 0
        self.waits = 0
        self.writing = False
        self.paused = False
        self.ended = False
        self.error = ""

    @property
    def waiting(self) -> bool:
        """Whether it is the client that must move next."""
        return not self.paused and not self.ended

    @property
    def in_memory(self) -> int:
        """Bytes of it in memory."""
        return self.waits if self.file is not None or self.writing else self.total

    @property
    def on_disk(self) -> int:
        """Bytes of it in the temporary file, or on their way there."""
        return self.total - self.in_memory

    @property
    def settled(self) -> bool:
        """Whether the body is complete and where it will stay, or failed to get there."""
        return bool(self.error) or (self.ended and not self.writing)

    def feed(self, piece: bytes) -> bool:
        """Take a piece; False: stop reading until ``resume``."""
        self.total += len(piece)
        self.pieces.append(piece)
        if self.total <= self.memory and self.file is None:
            return True
        self.waits += len(piece)
        if not self.writing:
            self._write()
        self.paused = self.waits >= PENDING
        return not self.paused

    def finish(self) -> bool:
        """No more pieces; True when the body is already where it will stay."""
        self.ended = True
        return self.settled

    def _write(self) -> None:
        pieces, self.pieces = self.pieces, []
        self.writing = True
        self.waits = 0

        def work() -> BinaryIO:
            file = self.file or temporary(self.folder)
            for piece in pieces:
                view = memoryview(piece)
                while view:
                    view = view[file.write(view) or 0 :]
            return file

        self.files.submit(work, self._written)

    def _written(self, file: BinaryIO | None, error: BaseException | None) -> None:
        self.writing = False
        if self.error:
            file = file or self.file
            if file is not None:
                file.close()
            return
        if error is not None:
            self.error = str(error) or type(error).__name__  # a MemoryError says nothing
        else:
            self.file = file
            if self.pieces:
                self._write()
        if self.paused or self.settled:
            self.paused = False
            self.resume()

    def body(self) -> bytes | BinaryIO:
        """The whole body: bytes, or an open file at its start."""
        if self.file is None:
            return b"".join(self.pieces)
        self.file.seek(0)
        return self.file

    def fail(self, reason: str) -> None:
        """The body is not wanted any more."""
        self.error = self.error or reason
        self.pieces.clear()
        if self.file is not None and not self.writing:
            self.file.close()


class Leading:
    """The beginning of a body that is too large to gather: until ``enough`` bytes of it are here, its client
    may be a slow one, and holds no thread. Then it streams."""

    __slots__ = ("enough", "pieces", "total")

    waiting = True  # it is always the client that must move next
    on_disk = 0

    @property
    def in_memory(self) -> int:
        """Bytes of it in memory: all that came."""
        return self.total

    def __init__(self, enough: int) -> None:
        self.enough = enough
        self.pieces: list[bytes] = []
        self.total = 0

    def feed(self, piece: bytes) -> bool:
        """Take a piece; False when there is enough."""
        self.total += len(piece)
        self.pieces.append(piece)
        return self.total < self.enough

    def fail(self, reason: str) -> None:
        """The body will not be complete; nobody has heard of it."""
        self.pieces.clear()


Intaking = Streaming | Gathering | Leading
