"""What rules and options want done to one reply, gathered while its request is worked on.

Used by pool threads, one ``Touches`` a request. Knows no rule and no option: only what they leave behind.
"""

from collections.abc import Iterable
from typing import Any, Protocol


class Transformation(Protocol):
    """Changes the body of one reply on its way out.

    One object a request. After ``failed`` it may be started again, for the reply that comes instead.
    """

    def start(self, call: Any) -> bool:
        """Look at the reply, a ``FinishedCall``, and edit its ``pairs``; False: not for this one.

        There is no Content-Length among the pairs meanwhile: how long the body before it is, where that is
        known, is in ``call.declared``. Whoever knows the new length appends it; otherwise the framing does
        without. Not asked for replies without a body (204, 304). Asked for HEAD, because its head is that of
        the GET; then ``feed``, ``finish`` and ``failed`` are never called. Must not keep ``call``.
        """

    def feed(self, data: bytes) -> bytes:
        """What goes out for a block (never empty) of the body; b"" where it is kept back for now."""

    def finish(self) -> bytes:
        """The body is complete: what is still to go out."""

    def failed(self) -> None:
        """The reply was cut, or another one comes instead: let go of what is held."""


class Touches:
    """What one reply is to have.

    ``added``            header fields that are sent with whatever reply comes, in this order
    ``removed``          lower-case names of the reply's own fields that are not sent
    ``transformations``  what the body passes, in this order, but that those with ``first`` come first
    ``logvars``          for the access line
    ``logged``           whether the request has an access line
    ``headers_off``      nothing but the body is sent, and the connection ends with it (``disableheaders``)
    """

    __slots__ = ("added", "headers_off", "logged", "logvars", "removed", "transformations")

    def __init__(self) -> None:
        self.added: list[tuple[str, str]] = []
        self.removed: set[str] = set()
        self.transformations: list[Transformation] = []
        self.logvars: dict[str, str] = {}
        self.logged = True
        self.headers_off = False


class Touched(Protocol):
    """What a reply shows of itself while its head is settled; see ``FinishedCall``."""

    code: int
    started: bool
    environ: dict[str, Any]
    touches: Touches
    pairs: list[tuple[str, str]]
    declared: int
    sized: bool

    def remove(self, names: Iterable[str], /) -> None:
        """Take the fields with these lower-case names out of ``pairs``."""
