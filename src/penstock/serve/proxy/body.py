"""The body of a request that is passed on: its length, and its pieces as they are there.

Used by the pool thread that serves the request. It does not know how it is framed on its way.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

from penstock.core.errors import BodyError
from penstock.handoff.exchange import Exchange
from penstock.handoff.inbox import Inbox

PIECE = 64 << 10  # bytes
IN_MEMORY = 1 << 20  # bytes of a body that is gathered


class Body:
    """``length``: octets, -1 where only the end will tell. ``again``: it can be read a second time."""

    __slots__ = ("again", "length", "own", "source")

    def __init__(self, source: Any, length: int, again: bool = True, own: bool = False) -> None:
        self.source = source
        self.length = length
        self.again = again
        self.own = own

    def pieces(self) -> Iterator[memoryview]:
        """The body, from its beginning; a piece is good until the next one. Raises BodyError where the
        client does not send all of it."""
        if not self.length:
            return
        if self.again:
            self.source.seek(0)
        room = memoryview(bytearray(min(PIECE, self.length) if self.length > 0 else PIECE))
        left = self.length
        while left:
            count = self.source.readinto(room)
            if not count:
                break
            left -= count
            yield room[:count]
        if left > 0:
            raise BodyError(f"the body ended {left} bytes early")

    def close(self) -> None:
        """Let go of a file that was made for it."""
        if self.own:
            self.source.close()


def body_of(x: Exchange, source: Any) -> Body:
    """The body of ``x``, read from ``source``, its ``wsgi.input``."""
    body = x.body
    if body is None:
        return Body(source, 0)
    if isinstance(body, bytes):
        return Body(source, len(body))
    if isinstance(body, Inbox):
        return Body(source, x.request.content_length, again=False)
    return Body(source, os.fstat(body.fileno()).st_size)


def measured(body: Body, folder: str = "") -> Body:
    """One whose length is known, for a server that must be told it first: what streams without one is
    gathered, in memory and beyond a megabyte in ``folder``. Raises BodyError, OSError."""
    if body.length >= 0:
        return body
    from tempfile import SpooledTemporaryFile

    with ExitStack() as stack:
        file = stack.enter_context(SpooledTemporaryFile(IN_MEMORY, dir=folder or None))
        for piece in body.pieces():
            file.write(piece)
        stack.pop_all()  # closed with the body
    return Body(file, file.tell(), own=True)
