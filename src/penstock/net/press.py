"""Clients that hold a thread by standing still while requests wait for one: how much less time they have.

Runs on the loop, at every tick, and looks at as many clients as there are threads. It cuts nobody itself:
a connection asks it how long its client may stand still now.
"""

from math import ceil, inf
from typing import Any, Protocol

from penstock.handoff.pool import Pool
from penstock.net.pace import PACKET

PART = 4  # who holds a thread while requests wait has a quarter of the time
STILL = 1.0  # seconds; shorter pauses are packets that were lost and are sent again


class Holder(Protocol):
    """A connection, as far as it matters here. ``holds``: what its thread does next depends on the client.
    ``still(now)``: seconds since the client moved, 0 where it is not its turn."""

    @property
    def holds(self) -> bool: ...

    def still(self, now: float) -> float: ...


class Press:
    """``held`` are the connections whose clients hold a thread while requests wait for one; ``parts`` is what
    the time of each is divided by.

    Where every thread is held by a client that stands still, nothing is served until one of them goes. As
    many requests as there are threads are one wave; their number divides the time, so that waves of such
    clients are over within half of it. It is never made so short that a client which takes ``rate`` bytes a
    second, and takes them a packet at a time, could not be seen to move.
    """

    def __init__(self, pool: Pool, rate: int) -> None:
        self.pool = pool
        self.least = max(STILL, PACKET / rate) if rate else inf
        self.held: list[Any] = []
        self.parts = PART
        self.waves = 0

    def look(self, now: float) -> list[Any]:
        """Measure; returns ``held``, to be looked at now."""
        slots = self.pool.slots
        self.held = []
        if self.pool.pressed:
            self.held = [owner for slot in slots if (owner := holder(slot.exchange)) is not None]
        self.parts = PART
        if not self.held or len(self.held) < len(slots):
            self.waves = 0
            return self.held
        # The longest queue counts: with the present one the last waves would take what the first ones left.
        self.waves = max(self.waves, 1 + ceil(len(self.pool.work) / len(slots)))
        if min(owner.still(now) for owner in self.held) >= STILL:
            self.parts = max(PART, 2 * self.waves)
        return self.held

    def allowed(self, connection: Holder, seconds: float) -> float:
        """How long ``connection``'s client may stand still, of the ``seconds`` that it has otherwise."""
        if connection not in self.held:
            return seconds
        return max(seconds / self.parts, min(self.least, seconds / PART))


def holder(x: Any) -> Holder | None:
    """The connection of the exchange ``x`` where it is its client that holds the thread."""
    if x is None or x.outbox.exchange is not x:
        return None  # nothing runs, or its reply has ended
    owner = x.outbox.owner
    return owner if owner is not None and x.outbox.adopted and owner.holds else None
