"""A worker that shares its listener with siblings: real but for its loop, and for what the others say."""

import socket
from _thread import allocate_lock
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from time import monotonic, monotonic_ns
from typing import Any

from penstock.codecs.decoder import Limits
from penstock.codecs.http1 import Http1Decoder
from penstock.codecs.uwsgi import UwsgiDecoder
from penstock.core.request import Request
from penstock.handoff.doorway import Doorway
from penstock.handoff.exchange import Exchange
from penstock.handoff.pool import Pool
from penstock.interprocess.scoreboard import ACCEPTING, Cell, Scoreboard
from penstock.interprocess.siblings import Siblings
from penstock.net.acceptor import Acceptor
from penstock.net.balance import ASIDE
from penstock.net.door import Door, Intake, Patience
from penstock.net.listener import Listener
from penstock.net.listening import bind_tcp
from penstock.net.trust import Forwarding, Peers
from tests.fakes import FakeLoop

THREADS = 2


def exchange(started: float = 0.0) -> Exchange:
    outbox: Any = None
    x = Exchange(Request({}), outbox, None, monotonic())
    x.started_at = started
    return x


class Scene:
    """A worker, and siblings that are what a test says of them; a loop that remembers."""

    def __init__(
        self, sock: socket.socket, board: Scoreboard, protocol: str = "http", room: int = 1000, slot: int = 0
    ) -> None:
        self.sock = sock
        self.loop = FakeLoop()
        doorway = Doorway(self.loop())
        self.pool = Pool(self.loop(), doorway, THREADS, queue=100)
        self.pool.parked = [allocate_lock() for _ in range(THREADS)]
        self.door = Door(self.loop(), doorway, self.pool, Patience(), Intake(max_connections=room))
        self.board = board
        self.door.siblings = Siblings(board, slot)
        decoder: Any = UwsgiDecoder if protocol == "uwsgi" else Http1Decoder
        base = Listener(sock, protocol, decoder({}, Limits()), {}, Forwarding(Peers(())), allow=None)
        self.acceptor = Acceptor(self.door, base)
        self.acceptor.listen()
        self.own = board.cell(slot)

    def sibling(self, slot: int, connections: int = 0, gate: int = 1, load: int = 0) -> Cell:
        """What a sibling says: it accepts and lives."""
        cell = self.board.claim(slot, 100 + slot)
        cell.state, cell.beat, cell.threads = ACCEPTING, monotonic_ns(), THREADS
        cell.connections, cell.gate, cell.load = connections, gate, load
        cell.shut = 0 if gate else monotonic_ns()
        return cell

    def running(self, *ages: float, queued: int = 0) -> None:
        """Threads are at requests of so many seconds; others wait."""
        for slot in self.pool.slots:
            slot.exchange = None
        for slot, age in zip(self.pool.slots, ages, strict=False):
            slot.exchange = exchange(monotonic() - age)
        self.pool.parked = [allocate_lock() for _ in range(THREADS - len(ages))]
        self.pool.work.clear()
        self.pool.work.extend(exchange() for _ in range(queued))

    @property
    def listening(self) -> bool:
        return self.sock in self.loop.readers

    @property
    def count(self) -> int:
        return len(self.door.connections)

    def ready(self, times: int = 1) -> None:
        """The loop finds the listening socket readable."""
        for _ in range(times):
            self.loop.readers[self.sock]()

    def tick(self) -> None:
        """The tick, as far as it tells the siblings."""
        balance = self.door.balance
        assert balance is not None
        balance.tick(monotonic())

    def end(self) -> None:
        """Everything is over."""
        self.running()
        self.acceptor.end(final=False)
        self.loop.turn()  # what a thread at the door gave to the loop
        self.door.cut_all()

    def later(self) -> None:
        """What was asked for in a moment, now."""
        due, self.loop.later = self.loop.later, []
        assert [delay for delay, _ in due] == [ASIDE]
        due[0][1]()


@contextmanager
def scene(protocol: str = "http", room: int = 1000) -> Iterator[tuple[Scene, Callable[..., None]]]:
    """A scene on TCP, and a function that connects so many clients."""
    with ExitStack() as stack:
        (sock,) = bind_tcp("127.0.0.1", 0, 200)
        stack.enter_context(sock)

        def connect(times: int = 1) -> None:
            for _ in range(times):
                stack.enter_context(socket.create_connection(sock.getsockname(), 5))

        board = Scoreboard.create(3)
        made = Scene(sock, board, protocol, room)
        try:
            yield made, connect
        finally:
            made.end()
            board.close()
