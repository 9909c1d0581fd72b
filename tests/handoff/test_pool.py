"""The pool: no work is left beside a parked thread, at most one is woken, and nothing kills a thread."""

import asyncio
import random
import threading
from time import monotonic
from typing import Any

import pytest

from penstock.core.request import Request
from penstock.handoff.doorway import Doorway
from penstock.handoff.exchange import Exchange
from penstock.handoff.pool import Pool
from tests.fakes import FakeLoop


class NoBox:
    """An outbox that remembers who was abandoned."""

    def __init__(self, gone: bool = False) -> None:
        self.abandoned: list[Any] = []
        self.gone = gone
        self.broken = False
        self.closed = False

    def abandon(self, x: Any) -> None:
        self.abandoned.append(x)

    def disconnected(self) -> bool:
        return self.gone


def exchange(received_at: float | None = None, box: NoBox | None = None) -> Exchange:
    outbox: Any = box or NoBox()
    return Exchange(Request({}), outbox, None, monotonic() if received_at is None else received_at)


@pytest.mark.usefixtures("restless")
def test_bursts_of_work_are_all_served_and_no_wake_up_is_lost() -> None:
    loop = asyncio.new_event_loop()
    doorway = Doorway(loop)
    pool = Pool(loop, doorway, threads=4, queue=10_000)
    served: list[Exchange] = []
    random.seed(4)
    total = 3_000

    async def feed() -> None:
        sent = 0
        while sent < total:
            for _ in range(min(random.choice((1, 1, 1, 2, 3, 40)), total - sent)):
                pool.submit(exchange())
                sent += 1
            if random.random() < 0.3:
                await asyncio.sleep(0)
            # Without another event the work must still be served: wait for it, with no call on the loop.
            if random.random() < 0.05:
                until = monotonic() + 5
                while len(served) < sent and monotonic() < until:
                    await asyncio.sleep(0.0005)
                assert len(served) == sent

    pool.start(lambda x, index: served.append(x))
    loop.run_until_complete(feed())
    until = monotonic() + 5
    while len(served) < total and monotonic() < until:
        loop.run_until_complete(asyncio.sleep(0.001))
    pool.stop()
    assert pool.join(5) == []
    loop.close()
    assert len(served) == total
    assert pool.in_flight == 0


def test_one_thread_is_let_go_for_many_requests_at_once() -> None:
    loop = FakeLoop()
    pool = Pool(loop(), Doorway(loop()), threads=4, queue=100)
    hold = threading.Event()
    running: list[int] = []

    def serve(x: Exchange, index: int) -> None:
        running.append(index)
        hold.wait(5)

    pool.start(serve)
    until = monotonic() + 5
    while len(pool.parked) < 4 and monotonic() < until:
        pass
    for _ in range(3):
        pool.submit(exchange())
    assert len(loop.soon) == 1, "one look for a whole turn"
    loop.turn()
    while len(running) < 1 and monotonic() < until:
        pass
    assert len(running) == 1, "only one is on its way"
    while not loop.soon and monotonic() < until:
        pass
    assert loop.wakes == 1, "it owes the next look, and rings for it"
    while len(running) < 3 and monotonic() < until:
        loop.turn()
    assert len(running) == 3
    hold.set()
    pool.stop()
    assert pool.join(5) == []


def test_what_waits_too_long_is_taken_from_the_left_and_the_rest_stays() -> None:
    loop = FakeLoop()
    pool = Pool(loop(), Doorway(loop()), threads=0, queue=100)
    old, older, young = exchange(20.0), exchange(10.0), exchange(30.0)
    for x in (older, old, young):
        pool.submit(x)
    assert pool.expire(5.0) == []
    assert pool.expire(25.0) == [older, old]
    assert list(pool.work) == [young]
    assert pool.in_flight == 1
    assert pool.expire(25.0) == []


def test_full_is_by_the_queue_and_not_by_the_threads() -> None:
    loop = FakeLoop()
    pool = Pool(loop(), Doorway(loop()), threads=0, queue=2)
    pool.submit(exchange())
    assert not pool.full
    pool.submit(exchange())
    assert pool.full


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(3), KeyboardInterrupt(), GeneratorExit()])
def test_nothing_that_a_request_raises_ends_its_thread(error: BaseException) -> None:
    loop = FakeLoop()
    told: list[str] = []
    pool = Pool(loop(), Doorway(loop(), failed=told.append), threads=1, queue=100)
    served: list[Exchange] = []

    def serve(x: Exchange, index: int) -> None:
        served.append(x)
        if len(served) == 1:
            raise error

    pool.start(serve)
    box = NoBox()
    pool.submit(exchange(box=box))
    pool.submit(exchange(box=box))
    until = monotonic() + 5
    while len(served) < 2 and monotonic() < until:
        loop.turn()
    pool.stop()
    assert pool.join(5) == []
    assert len(served) == 2
    assert box.abandoned == [served[0]]
    assert repr(error) in told[0]


def test_a_request_whose_client_left_is_dropped_unserved() -> None:
    loop = FakeLoop()
    pool = Pool(loop(), Doorway(loop()), threads=1, queue=100)
    served: list[Exchange] = []
    pool.start(lambda x, index: served.append(x))
    gone, left, stays = NoBox(), NoBox(gone=True), NoBox()
    first = exchange(box=gone)
    gone.broken = True
    for x in (first, exchange(monotonic() - 2.0, left), exchange(monotonic() - 2.0, stays)):
        pool.submit(x)
    until = monotonic() + 5
    while pool.in_flight and monotonic() < until:
        loop.turn()
    pool.stop()
    assert pool.join(5) == []
    assert len(gone.abandoned) == len(left.abandoned) == 1
    boxes: list[Any] = [x.outbox for x in served]
    assert boxes == [stays]
    assert pool.dropped == 2
