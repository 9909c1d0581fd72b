"""The bell: many completions, one wake-up; none is lost and none stops the others."""

from _thread import allocate_lock

from penstock.handoff.doorbell import Doorbell
from tests.fakes import FakeLoop


def test_many_rings_wake_the_loop_once_and_all_are_answered() -> None:
    loop, calls = FakeLoop(), list[int]()
    bell = Doorbell(loop(), allocate_lock(), lambda text: None)
    for number in range(5):
        bell.ring(calls.append, number)
    assert loop.wakes == 1
    loop.turn()
    assert calls == [0, 1, 2, 3, 4]
    bell.ring(calls.append, 5)
    assert loop.wakes == 2


def test_a_call_that_raises_is_told_and_stops_nobody() -> None:
    loop, calls, told = FakeLoop(), list[int](), list[str]()
    bell = Doorbell(loop(), allocate_lock(), told.append)

    def wrong() -> None:
        raise ValueError("wrong")

    bell.ring(wrong)
    bell.ring(calls.append, 1)
    loop.turn()
    assert calls == [1]
    assert "wrong" in told[0]


def test_a_ring_on_a_closed_loop_is_swallowed() -> None:
    loop = FakeLoop()
    loop.closed = True
    Doorbell(loop(), allocate_lock(), lambda text: None).ring(print)
