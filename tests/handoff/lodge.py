"""A pool, its porter, and doors at which each byte is a connection: on a loop that only remembers."""

import socket
import threading
from collections.abc import Callable
from time import monotonic, sleep
from typing import Any

from penstock.core.request import Request
from penstock.handoff.doorway import Doorway
from penstock.handoff.exchange import Exchange
from penstock.handoff.pool import Pool
from penstock.handoff.porter import STAY, Porter
from tests.fakes import FakeLoop


class Box:
    """An outbox whose connection ends with its reply."""

    broken = False
    closed = True

    def __init__(self) -> None:
        self.abandoned = 0

    def abandon(self, x: Any) -> None:
        self.abandoned += 1

    def disconnected(self) -> bool:
        return False


def exchange() -> Exchange:
    outbox: Any = Box()
    return Exchange(Request({}), outbox, None, monotonic())


class Lodge:
    """A pool, a porter, and doors: each byte that is written to a door is one connection."""

    def __init__(self, threads: int = 1, doors: int = 1) -> None:
        self.loop = FakeLoop()
        self.told: list[str] = []
        self.pool = Pool(self.loop(), Doorway(self.loop(), failed=self.told.append), threads, queue=1000)
        self.doors = [socket.socketpair() for _ in range(doors)]
        self.listens: list[bool] = []
        self.at_door: list[int] = []
        self.served: list[Exchange] = []
        self.inside = self.most = 0
        self.before_take: Callable[[], None] = lambda: None
        self.serve: Callable[[Exchange], None] = lambda x: None
        takes = {ours.fileno(): self.take_of(ours) for _, ours in self.doors}
        self.porter = Porter(self.pool, takes, self.listens.append)
        self.pool.start(self.run)

    def take_of(self, ours: socket.socket) -> Callable[[], Exchange | bool]:
        ours.setblocking(False)

        def take() -> Exchange | bool:
            self.inside += 1
            self.most = max(self.most, self.inside)
            try:
                self.before_take()
                ours.recv(1)
            except BlockingIOError:
                return True
            finally:
                self.inside -= 1
            self.at_door.append(threading.get_ident())
            return exchange()

        return take

    def run(self, x: Exchange, index: int) -> None:
        self.serve(x)
        self.served.append(x)

    def knock(self, door: int = 0) -> None:
        self.doors[door][0].send(b"k")

    def until(self, true: Callable[[], object], turn: bool = True, seconds: float = 5.0) -> None:
        end = monotonic() + seconds
        while not true():
            assert monotonic() < end, "it never came"
            if turn:
                self.loop.turn()
            sleep(0)

    def until_served(self, count: int) -> None:
        self.until(lambda: len(self.served) >= count)

    def until_at_door(self, count: int, turn: bool = True) -> None:
        self.until(lambda: len(self.at_door) >= count, turn)

    def ask(self) -> None:
        """A request of a connection of its own, by the queue."""
        count = len(self.served) + 1
        self.pool.submit(exchange())
        self.until_served(count)

    def later(self) -> None:
        """What was asked for later, now."""
        due, self.loop.later = self.loop.later, []
        for _, call in due:
            call()

    def warm(self) -> int:
        """Have a thread at the door: two requests of their own connections, one soon after the other. How
        many it took: where a machine is busy, they come too far apart, or the thread has left unseen."""
        for number in range(2, 200, 2):
            self.ask()
            self.ask()
            end = monotonic() + 5 * STAY / 1000
            while monotonic() < end:
                if self.porter.held:
                    return number
                self.loop.turn()
                sleep(0)
        raise AssertionError("no thread stays at the door")

    def close(self) -> None:
        self.porter.close()
        self.pool.stop()
        assert self.pool.join(5) == []
        self.porter.end()
        for pair in self.doors:
            for sock in pair:
                sock.close()
