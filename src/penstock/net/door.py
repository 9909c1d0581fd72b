"""What all connections of one worker share on the loop: the limits, the pool, the table, the tick.

Runs on the loop. Knows connections only as what can be checked, cut and told that the worker leaves;
does not know what a reply is made of: the few that the loop gives itself come from ``Door.refusal``.
"""

from asyncio import AbstractEventLoop
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any

from penstock.core.request import Request
from penstock.core.tracebacks import traceback_of
from penstock.handoff.doorway import Doorway, epoch
from penstock.handoff.offload import Offload
from penstock.handoff.pool import Pool
from penstock.interprocess.siblings import Siblings
from penstock.net.balance import Balance
from penstock.net.buckets import TICK, Buckets
from penstock.net.lane import Lane
from penstock.net.press import Press


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Patience:
    """How long the front door waits, in seconds, and the slowest rate it takes, in bytes a second.

    ``head`` for a whole head; ``body`` for the body to move; ``keepalive`` for the next request;
    ``write`` for a reply to move; ``queue`` for a thread; ``linger`` for a client to hear the end.
    """

    head: float = 15.0
    body: float = 30.0
    keepalive: float = 75.0
    write: float = 60.0
    queue: float = 30.0
    linger: float = 2.0
    rate: int = 256


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Intake:
    """How requests are taken in.

    ``gather``          bytes of a body that are gathered before a thread is taken
    ``post_buffering``  bytes; above 0 every body is taken whole before a thread is, beyond as many
                        bytes in a temporary file (uWSGI's ``post-buffering``)
    ``chunked_stream``  chunked bodies stream to the application instead of being gathered
    ``read_ahead``      bytes of following requests that are kept while one is being answered
    ``max_connections`` connections that are open at once
    ``spool_dir``       folder of temporary files, "" for the system's
    ``buffered_memory`` and ``buffered_disk``: bytes that wait over all connections; 0 for no limit
    """

    gather: int = 64 << 10
    post_buffering: int = 0
    chunked_stream: bool = False
    read_ahead: int = 64 << 10
    max_connections: int = 1000
    spool_dir: str = ""
    buffered_memory: int = 0
    buffered_disk: int = 0


Refusal = Callable[[int, str, Request | None, bool], bytes]
"""``refusal(status, reason, request or None, keep)``: the bytes of a reply that the loop gives itself."""


class Door:
    """One per worker."""

    def __init__(
        self, loop: AbstractEventLoop, doorway: Doorway, pool: Pool, patience: Patience, intake: Intake
    ) -> None:
        self.loop = loop
        self.doorway = doorway
        self.pool = pool
        self.patience = patience
        self.intake = intake
        self.files = Offload(doorway, "files", threads=2)
        self.connections: set[Any] = set()
        self.buckets = Buckets(monotonic(), self.fault)
        self.press = Press(pool, patience.rate)
        self.refusal: Refusal = _no_refusal
        self.report: Callable[[str], None] = lambda text: None
        self.refused: Callable[[Request, int, int], None] = lambda request, status, size: None
        self.lane = Lane(doorway.bell.failed)
        self.pages = self.lane.pages  # looked into for each request
        self.on_tick: list[Callable[[float], None]] = []
        self.on_room: list[Callable[[], None]] = []
        self.balance: Balance | None = None
        self.ticking = True
        # How often a connection is looked at that waits for nothing of its own.
        look = min(5.0, patience.keepalive / 4, patience.head / 4, patience.write / 4)
        self.look = max(TICK, look)

    @property
    def siblings(self) -> Siblings | None:
        """Who else takes connections of the same listeners; None where this is the only process.

        Given once, before the acceptors are made; it costs nothing where it is None.
        """
        return None if self.balance is None else self.balance.siblings

    @siblings.setter
    def siblings(self, siblings: Siblings) -> None:
        self.balance = balance = Balance(siblings, self.pool, self.open, self.intake.max_connections)
        self.on_room.append(balance.count)
        self.on_tick.append(balance.tick)

    def open(self) -> int:
        """Connections that are open: the table may still have some that threads closed by themselves."""
        return max(0, len(self.connections) - len(self.doorway.gone))

    @property
    def room(self) -> bool:
        """Whether another connection may be accepted."""
        if len(self.connections) < self.intake.max_connections:
            return True
        self.strike_gone()
        return len(self.connections) < self.intake.max_connections

    def strike_gone(self) -> None:
        """Strike from the table what threads have closed by themselves."""
        gone = self.doorway.gone
        while gone:
            connection = gone.popleft()
            connection.struck()
            self.forget(connection)

    def forget(self, connection: Any) -> None:
        """A connection is closed."""
        self.connections.discard(connection)
        if connection.bucket:
            self.buckets.strike(connection)
        if self.on_room and len(self.connections) < self.intake.max_connections:
            for call in self.on_room:
                call()

    def tick(self) -> None:
        """Every quarter second: all that is due by time."""
        if self.ticking:
            self.loop.call_later(TICK, self.tick)  # first: what raises below must not end all time-outs
        now = monotonic()
        self.doorway.epoch = epoch()
        self.strike_gone()
        for x in self.pool.expire(now - self.patience.queue):
            x.outbox.owner.refuse_queued(x)
        self.hasten(now)
        self.buckets.tick(now)
        for call in self.on_tick:
            call(now)

    def hasten(self, now: float) -> None:
        """Look at the clients that hold a thread while requests wait for one: as many as there are threads,
        at every tick, because each second that they have is one that others wait."""
        for holder in self.press.look(now):
            self.buckets.look(holder, now)

    def fault(self, connection: Any, error: Exception) -> None:
        """A fault of ours on the loop: it must not leave a reader armed that raises again and again."""
        text = traceback_of(error)
        self.doorway.bell.failed(f"a connection was cut after a fault of penstock's own\n{text}")
        connection.cut()

    def leave(self) -> None:
        """The worker leaves: replies made from now on say so, idle connections linger and go."""
        with self.doorway.lock:
            self.doorway.draining = True
        self.strike_gone()
        for connection in list(self.connections):
            connection.leave()

    def orphan_all(self) -> None:
        """The loop has ended for good: what threads still hold is theirs to close."""
        for connection in list(self.connections):
            connection.orphan()

    def cut_all(self) -> None:
        """End every connection now, those too that a thread took at the door and the table never saw."""
        for slot in self.pool.slots:
            x = slot.exchange
            if x is not None:
                x.outbox.cut()
        for connection in list(self.connections):
            connection.cut()


def _no_refusal(status: int, reason: str, request: Request | None, keep: bool) -> bytes:
    raise RuntimeError("the door was not given its refusals")
