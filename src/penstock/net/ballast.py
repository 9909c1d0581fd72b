"""What waits in all: bytes of replies and uploads over every connection, and who is cut when it is too much.

Runs on the loop, once a second. Each connection's own marks bound what one client can make wait; a crowd of
clients could still fill the memory or the disk between them.
"""

from dataclasses import dataclass
from typing import Any

from penstock.net.door import Door

EVERY = 1.0  # seconds


@dataclass(slots=True, eq=False, repr=False)
class Held:
    """What waits for one connection: bytes in memory, bytes on disk, and since when nothing moved."""

    connection: Any
    memory: int
    disk: int
    since: float


class Ballast:
    """Holds ``memory`` and ``disk`` bytes in all; 0 for no limit."""

    def __init__(self, door: Door, memory: int, disk: int) -> None:
        self.door = door
        self.memory = memory
        self.disk = disk
        self.looked_at = 0.0
        door.on_tick.append(self.tick)

    def tick(self, now: float) -> None:
        """Look once a second."""
        if now - self.looked_at >= EVERY:
            self.looked_at = now
            self.shed()

    def shed(self) -> None:
        """Cut those that have not moved for longest until the rest is within the limits."""
        holders = [held for held in map(held_by, self.door.connections) if held is not None]
        memory = sum(held.memory for held in holders)
        disk = sum(held.disk for held in holders)
        for held in sorted(holders, key=lambda held: held.since):
            heavy = bool(self.memory) and memory > self.memory and held.memory > 0
            large = bool(self.disk) and disk > self.disk and held.disk > 0
            if not heavy and not large:
                continue
            option, total = ("--buffered-memory", memory) if heavy else ("--buffered-disk", disk)
            own = held.memory + held.disk
            self.door.report(
                f"{held.connection.who}: cut: {own} bytes wait for it, and {total} in all: more than {option}"
            )
            memory -= held.memory
            disk -= held.disk
            held.connection.cut()


def held_by(connection: Any) -> Held | None:
    """What waits for a connection; None for nearly all of them."""
    left, intake = connection.outbox.remainder, connection.intake
    if intake is None and not left.pieces:
        return None
    memory, disk = left.in_memory, left.in_spool
    if intake is not None:
        memory += intake.in_memory
        disk += intake.on_disk
    pace = connection.pace
    return Held(connection, memory, disk, pace.moved_at if pace is not None else 0.0)
