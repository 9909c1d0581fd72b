"""Transformations that see to a reply's length: ``fixcl:`` and ``forcecl:``.

Built at boot, run by pool threads, one object a request. They know blocks of a body; the head is the call's.
"""

from typing import TYPE_CHECKING

from penstock.serve.routing.flow import NEXT
from penstock.serve.routing.turn import Turn

if TYPE_CHECKING:
    from penstock.serve.finish.call import FinishedCall
    from penstock.serve.routing.tools import Act, Builder, Tools

MOST = 16 << 20  # bytes of a body that are kept; a longer one goes out without a length


class Gathered:
    """The whole body first, and so its Content-Length before it."""

    __slots__ = ("blocks", "size")

    def __init__(self) -> None:
        self.blocks: list[bytes] = []
        self.size = 0

    def start(self, call: "FinishedCall") -> bool:
        """Only where the reply does not say its length."""
        return call.declared < 0

    def feed(self, data: bytes) -> bytes:
        """Keep it, up to ``MOST``."""
        self.blocks.append(data)
        self.size += len(data)
        return self.finish() if self.size > MOST else b""

    def finish(self) -> bytes:
        """All that is kept."""
        whole = b"".join(self.blocks)
        self.blocks = []
        return whole

    def failed(self) -> None:
        """Let go of it."""
        self.blocks, self.size = [], 0


def gather(argument: str, tools: "Tools") -> "Act":
    """``fixcl:``, ``forcecl:``: a reply without Content-Length gets one. Where it has one, uWSGI's ``fixcl``
    would add another, and ``forcecl`` too; here the one that is right stays."""

    def act(turn: Turn) -> int:
        turn.call.touches.transformations.append(Gathered())
        return NEXT

    return act


ACTIONS: "dict[str, Builder]" = {"fixcl": gather, "forcecl": gather}
