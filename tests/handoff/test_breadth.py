"""How many threads serve side by side: fewer while they compute, all while they wait; nobody is forgotten."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from time import monotonic
from typing import Any

import pytest

from penstock.core.request import Request
from penstock.handoff import breadth
from penstock.handoff.breadth import LOOK, REST, Breadth
from penstock.handoff.doorway import Doorway
from penstock.handoff.exchange import Exchange
from penstock.handoff.pool import Pool


class Desk:
    """A thread that computes for ``share`` of the time; ``started_at`` of its request, None for none."""

    def __init__(self, clock: int) -> None:
        self.clock = clock
        self.share = 0.0
        self.exchange: Any = None


class Begun:
    """A request, as far as it matters here."""

    def __init__(self, started_at: float) -> None:
        self.started_at = started_at


class Scene:
    """Desks and a time that passes look by look."""

    def __init__(self, threads: int = 8) -> None:
        self.desks = [Desk(number) for number in range(threads)]
        self.clocks = [0.0] * threads
        self.now = 100.0
        self.breadth = Breadth(self.desks, self.clocks.__getitem__)
        assert self.breadth.begin(self.now)

    def looks(self, count: int, share: float | None = None, waiting: bool = True) -> list[int]:
        """``room`` after each of so many looks at desks that share ``share`` of a core between them."""
        rooms = []
        for _ in range(count):
            self.now += LOOK
            for number, desk in enumerate(self.desks):
                each = desk.share if share is None else share / len(self.desks)
                self.clocks[number] += each * LOOK
            self.breadth.look(self.now, waiting)
            rooms.append(self.breadth.room)
        return rooms


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_fewer_serve_where_they_compute_all_the_time(scene: Scene) -> None:
    assert scene.looks(5, 0.95) == [4, 2, 1, 1, 1]
    assert scene.breadth.narrow


def test_all_serve_where_they_wait_for_something(scene: Scene) -> None:
    assert scene.looks(20, 0.5) == [8] * 20
    assert not scene.breadth.narrow


def test_all_serve_where_they_compute_without_the_gil(scene: Scene) -> None:
    assert scene.looks(20, 1.6) == [8] * 20


def test_more_serve_again_once_they_wait_twice_in_a_row(scene: Scene) -> None:
    scene.looks(3, 0.95)
    assert scene.looks(6, 0.3) == [1, 2, 4, 8, 8, 8]


def test_one_look_while_another_process_had_the_core_changes_nothing(scene: Scene) -> None:
    scene.looks(3, 0.95)
    assert [scene.looks(1, share)[0] for share in (0.2, 0.95, 0.1, 0.95)] == [1, 1, 1, 1]


def test_what_was_in_vain_is_tried_again_ever_later(scene: Scene) -> None:
    """Two threads are what this application can use: one leaves the core idle."""
    tries = []
    for look in range(1500):
        busy = 0.95 if scene.breadth.base >= 2 else 0.6
        before = scene.breadth.base
        scene.looks(1, busy)
        if before > 1 and scene.breadth.base == 1:
            tries.append(look * LOOK)
    pauses = [after - before for before, after in pairwise(tries)]
    assert len(pauses) >= 4
    assert all(after > 1.5 * before for before, after in pairwise(pauses)), pauses
    assert scene.breadth.base == 2


def test_a_pause_is_short_again_after_one_thread_was_enough(scene: Scene) -> None:
    scene.looks(3, 0.95)
    scene.looks(4, 0.2)
    first = scene.breadth.pause
    scene.looks(200, 0.95)
    assert scene.breadth.pause == breadth.PAUSE < first


def test_a_request_that_stays_has_a_thread_of_its_own(scene: Scene) -> None:
    scene.looks(3, 0.95)
    scene.desks[0].exchange = Begun(scene.now - 1)  # waits for a database
    scene.desks[1].exchange = Begun(scene.now - 1)  # computes a report
    scene.desks[1].share = 0.5
    scene.desks[2].exchange = Begun(scene.now - 0.01)
    scene.desks[2].share = 0.45
    assert scene.looks(1) == [3]


def test_a_request_that_starves_has_the_others_stand_back(scene: Scene) -> None:
    scene.looks(3, 0.95)
    scene.desks[0].exchange = Begun(scene.now - 1)  # is woken for a lock that another one has by then
    scene.desks[0].share = 0.01
    scene.desks[1].share = 0.94
    assert scene.looks(1) == [1]


def test_a_request_that_has_not_begun_stays_nowhere(scene: Scene) -> None:
    scene.looks(3, 0.95)
    scene.desks[0].exchange = Begun(0.0)
    scene.desks[1].share = 0.95
    assert scene.looks(1) == [1]


def test_it_looks_no_more_when_nobody_waits(scene: Scene) -> None:
    scene.looks(3, 0.95)
    assert scene.looks(REST - 1, 0.1, waiting=False) == [1] * (REST - 1)
    assert not scene.breadth.begin(scene.now)
    assert scene.looks(1, 0.1, waiting=False) == [8]
    assert not scene.breadth.watching
    assert scene.breadth.begin(scene.now)


def test_without_clocks_all_serve() -> None:
    def none(clock: int) -> float:
        raise OSError(22, "Invalid argument")

    whole = Breadth([Desk(-1), Desk(-1)], none)
    assert not whole.begin(1.0)
    assert whole.room == 2
    assert not whole.possible


def test_a_thread_that_has_ended_ends_it(scene: Scene) -> None:
    scene.looks(3, 0.95)
    scene.clocks.clear()
    scene.breadth.clock = lambda clock: time.clock_gettime(-1)
    scene.breadth.look(scene.now + LOOK, True)
    assert (scene.breadth.room, scene.breadth.watching) == (8, False)


def test_without_a_gil_all_serve() -> None:
    assert Breadth([Desk(0), Desk(1)], lambda clock: 0.0, locked=True).begin(1.0)
    assert not Breadth([Desk(0), Desk(1)], lambda clock: 0.0, locked=False).begin(1.0)


# ---- The pool ---------------------------------------------------------------------------------------


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
