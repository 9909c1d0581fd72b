"""``wsgi.input``: the request's body as the application reads it (PEP 3333, "Input and Error Streams").

Used by the pool thread that serves the request. Where the body is already here it is an ordinary binary
file; where it streams it is a ``BodyInput`` over the inbox. A body cut short is an error, never an end.
"""

import io
from collections.abc import Callable, Iterator
from typing import BinaryIO, Protocol

from penstock.core.errors import BodyError
from penstock.handoff.inbox import Inbox


class Input(Protocol):
    """What PEP 3333 asks of ``wsgi.input``."""

    def read(self, size: int = -1, /) -> bytes: ...
    def readline(self, size: int | None = -1, /) -> bytes: ...
    def readlines(self, hint: int = -1, /) -> list[bytes]: ...
    def __iter__(self) -> Iterator[bytes]: ...


class NoBody:
    """The input of a request without a body; it has no state, so there is one for all of them."""

    def read(self, size: int | None = -1) -> bytes:
        """Always b""."""
        return b""

    def readline(self, size: int | None = -1) -> bytes:
        """Always b""."""
        return b""

    def readlines(self, hint: int | None = -1) -> list[bytes]:
        """Always []."""
        return []

    def readinto(self, buffer: bytearray | memoryview) -> int:
        """Always 0."""
        return 0

    def readable(self) -> bool:
        """True, as an io object says it."""
        return True

    def close(self) -> None:
        """Nothing to close."""

    def __iter__(self) -> Iterator[bytes]:
        return iter(())


NO_BODY = NoBody()


class BodyInput(io.RawIOBase):
    """A body that streams in while the application reads it.

    An ``io`` object, so that ``io.BufferedReader`` and ``shutil.copyfileobj`` take it. ``begin`` is called
    before the first read (it sends ``100 Continue`` where the client waits for it). Every read raises
    BodyError (an OSError) when the client left, stalled, or broke the framing.
    """

    def __init__(self, inbox: Inbox, begin: Callable[[], None] | None = None) -> None:
        self.inbox = inbox
        self.begin = begin
        self.rest = b""
        self.at = 0
        self.ended = False

    def readable(self) -> bool:
        """True."""
        return True

    def _more(self) -> bool:
        """Have bytes in ``rest`` behind ``at``; False at the end."""
        if self.at < len(self.rest):
            return True
        if self.ended:
            return False
        if self.begin is not None:
            begin, self.begin = self.begin, None
            begin()
        self.rest = self.inbox.take()
        self.at = 0
        self.ended = not self.rest
        return not self.ended

    def _cut(self, size: int) -> bytes:
        piece = self.rest[self.at : self.at + size]
        self.at += len(piece)
        return piece

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # the stubs' Buffer is 3.12's
        """Fill ``buffer`` with what is there, waiting only for the first byte (io.RawIOBase)."""
        if not self._more():
            return 0
        piece = self._cut(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    def read(self, size: int | None = -1) -> bytes:
        """``size`` bytes, fewer only at the end of the body (as uWSGI and gunicorn read)."""
        if size is None or size < 0:
            return self.readall()
        pieces = []
        while size > 0 and self._more():
            piece = self._cut(size)
            size -= len(piece)
            pieces.append(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def readall(self) -> bytes:
        """All that is still to come."""
        pieces = []
        while self._more():
            pieces.append(self._cut(len(self.rest)))
        return b"".join(pieces)

    def readline(self, size: int | None = -1) -> bytes:
        """A line with its LF; at most ``size`` bytes when it is not negative."""
        limit = -1 if size is None else size
        pieces = []
        got = 0
        while (limit < 0 or got < limit) and self._more():
            end = self.rest.find(b"\n", self.at)
            count = (end + 1 if end >= 0 else len(self.rest)) - self.at
            piece = self._cut(count if limit < 0 else min(count, limit - got))
            got += len(piece)
            pieces.append(piece)
            if piece.endswith(b"\n"):
                break
        return b"".join(pieces)


class StoredInput(io.BufferedReader):
    """A body that was spooled to disk."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)  # type: ignore[arg-type]  # an unbuffered temporary file is a FileIO


def make_input(body: object, begin: Callable[[], None] | None) -> Input:
    """The input over an exchange's body (see ``Exchange.body``)."""
    if body is None:
        return NO_BODY
    if isinstance(body, bytes):
        return io.BytesIO(body)
    if isinstance(body, Inbox):
        return BodyInput(body, begin)
    if isinstance(body, io.IOBase):
        return StoredInput(body)  # type: ignore[arg-type]  # IOBase is what TemporaryFile gives
    raise BodyError(f"no input over {type(body).__name__}")
