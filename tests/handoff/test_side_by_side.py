"""A pool whose threads compute or wait: how many of them serve side by side, and that no request is left."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from time import monotonic
from typing import Any

import pytest

from penstock.core.request import Request
from penstock.handoff.doorway import Doorway
from penstock.handoff.exchange import Exchange
from penstock.handoff.pool import Pool


class Box:
    """An outbox that nobody reads."""

    broken = closed = False

    def abandon(self, x: Any) -> None: ...


class Hall:
    """A running pool and how many of its threads are within a request."""

    def __init__(self, threads: int) -> None:
        self.loop = asyncio.new_event_loop()
        self.pool = Pool(self.loop, Doorway(self.loop), threads=threads, queue=10_000)
        self.lock = threading.Lock()
        self.inside = self.most = self.served = 0
        self.work: Callable[[], None] = lambda: None
        self.pool.start(self.serve)

    def serve(self, x: Exchange, index: int) -> None:
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        self.work()
        with self.lock:
            self.inside -= 1
            self.served += 1

    def submit(self, count: int) -> None:
        for _ in range(count):
            box: Any = Box()
            self.pool.submit(Exchange(Request({}), box, None, monotonic()))

    def until(self, reached: Callable[[], bool], keep: int = 0, seconds: float = 20.0) -> bool:
        """Run the loop until ``reached()``, with ``keep`` requests waiting; False when it took too long."""

        async def turn() -> None:
            end = monotonic() + seconds
            while not reached() and monotonic() < end:
                self.submit(max(0, keep - len(self.pool.work)))
                await asyncio.sleep(0.001)

        self.loop.run_until_complete(turn())
        return reached()

    def all_served(self, count: int) -> bool:
        """Wait until ``count`` requests have been served in all."""
        return self.until(lambda: self.served == count)

    def all_parked(self, count: int) -> bool:
        """Wait until ``count`` threads are parked."""
        return self.until(lambda: len(self.pool.parked) == count)


@pytest.fixture
def hall() -> Iterator[Hall]:
    it = Hall(4)
    yield it
    it.pool.stop()
    assert it.pool.join(5) == []
    it.loop.close()
    assert it.pool.in_flight == 0


def spin(seconds: float) -> None:
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


@pytest.mark.slow
def test_threads_that_compute_become_fewer_and_those_that_wait_more(hall: Hall) -> None:
    hall.work = lambda: spin(0.002)
    assert hall.until(lambda: hall.pool.room == 1, keep=16)
    hall.most = 0
    hall.work = lambda: time.sleep(0.005)
    assert hall.until(lambda: hall.pool.room == 4 and hall.most == 4, keep=16)
    assert not hall.pool.narrow


@pytest.mark.usefixtures("restless")
def test_room_for_one_loses_no_request(hall: Hall) -> None:
    hall.pool.breadth.end()  # nobody looks again: no thread may need it
    hall.pool.room, hall.pool.narrow = 1, True
    for round_ in range(1, 201):
        hall.submit(15)
        assert hall.all_served(15 * round_), hall.served
    hall.pool.room, hall.pool.narrow = 4, False


def test_who_serves_already_finishes_before_there_is_room_for_one(hall: Hall) -> None:
    gate = threading.Semaphore(0)
    hall.work = gate.acquire  # type: ignore[assignment]  # what it returns is not looked at
    hall.submit(12)
    assert hall.until(lambda: hall.inside == 4)
    hall.pool.breadth.end()  # these stay, so it would make room for others
    hall.pool.room, hall.pool.narrow = 1, True
    for left in (3, 2, 1):
        gate.release()
        assert hall.all_parked(4 - left)
        assert hall.inside == left
    hall.most = 0
    gate.release(20)
    assert hall.all_served(12)
    assert hall.most == 1


def test_a_thread_at_the_door_is_not_one_that_serves(hall: Hall) -> None:
    """It would be counted, the others would stand back, and the queue would wait for the next look."""

    class Door:
        held = True

        def watch(self, slot: Any) -> bool:
            return False

        def call(self) -> None: ...

    assert hall.all_parked(4)
    hall.pool.porter = Door()
    with hall.pool.lock:
        one = hall.pool.parked.pop()  # is at the door
        assert hall.pool.serving == 0
        hall.pool.porter = None
        assert hall.pool.serving == 1
        hall.pool.parked.append(one)


def test_pressed_is_who_has_no_room_too(hall: Hall) -> None:
    assert hall.all_parked(4)
    hall.pool.work.append(None)
    assert not hall.pool.pressed
    hall.pool.narrow = True
    assert hall.pool.pressed
    hall.pool.work.clear()
    assert not hall.pool.pressed
