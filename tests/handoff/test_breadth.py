"""How many threads are to serve side by side, by clocks: fewer while they compute, all while they wait."""

import time
from itertools import pairwise
from typing import Any

import pytest

from penstock.handoff import breadth
from penstock.handoff.breadth import LOOK, REST, Breadth


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
