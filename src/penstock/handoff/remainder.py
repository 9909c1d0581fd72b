"""What the kernel did not take of a reply: its pieces in order, and how many bytes of them are where.

Belongs to an outbox; every method is called under the doorway's lock, and none of them closes, sends or
waits.
"""

from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import Final

from penstock.handoff.lease import Lessee
from penstock.handoff.spool import FilePart

IOV = 64  # pieces of one sendmsg


class Remainder:
    """``in_memory`` bytes in views, ``in_spool`` bytes in the reply's own temporary file; a part of a file
    of the application's counts in neither. ``behind``: whose reply it is, once that is complete; ``after``
    is told when the kernel has it."""

    __slots__ = ("after", "behind", "in_memory", "in_spool", "pieces")

    def __init__(self) -> None:
        self.pieces: deque[memoryview | FilePart] = deque()
        self.in_memory = 0
        self.in_spool = 0
        self.behind: Lessee | None = None
        self.after: Callable[[bool], None] | None = None

    def grown(self, piece: memoryview | FilePart) -> "Remainder":
        """This one with a piece more; one of its own where it is NOTHING, which few connections outgrow."""
        remainder = Remainder() if self is NOTHING else self
        remainder.add(piece)
        return remainder

    def add(self, piece: memoryview | FilePart) -> None:
        """Append; a part of the temporary file that follows on the last one grows it."""
        if isinstance(piece, memoryview):
            self.pieces.append(piece)
            self.in_memory += len(piece)
            return
        if not piece.owned:
            self.in_spool += piece.end - piece.offset
            last = self.pieces[-1] if self.pieces else None
            if isinstance(last, FilePart) and last.fd == piece.fd and last.end == piece.offset:
                last.end = piece.end
                return
        self.pieces.append(piece)

    def front(self) -> list[memoryview]:
        """The views that come first, as many as one sendmsg takes; none when it is a file's turn."""
        views: list[memoryview] = []
        for piece in islice(self.pieces, IOV):
            if isinstance(piece, FilePart):
                break
            views.append(piece)
        return views

    def front_file(self) -> FilePart | None:
        """The file part whose turn it is."""
        piece = self.pieces[0] if self.pieces else None
        return piece if isinstance(piece, FilePart) else None

    def strike(self, views: list[memoryview], count: int) -> bool:
        """``count`` bytes of ``views`` (which stand first) were sent; True when that was all of them."""
        self.in_memory -= count
        for view in views:
            if count < len(view):
                self.pieces[0] = view[count:]
                return False
            count -= len(view)
            self.pieces.popleft()
        return True

    def strike_file(self, part: FilePart, count: int) -> bool:
        """``count`` bytes of ``part`` (which stands first) were sent; True when that was its end."""
        part.offset += count
        if not part.owned:
            self.in_spool -= count
        if part.offset < part.end:
            return False
        self.pieces.popleft()
        return True

    def clear(self) -> list[FilePart]:
        """Forget everything; returns the file parts, for the caller to close outside the lock."""
        files = [piece for piece in self.pieces if isinstance(piece, FilePart)]
        self.pieces.clear()
        self.in_memory = self.in_spool = 0
        return files


NOTHING: Final = Remainder()
"""What is left of a reply as long as nothing is: every outbox begins with it, and it stays empty."""
