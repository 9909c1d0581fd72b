"""The porter: a thread at the door answers without the loop, comes when called, and never keeps the door."""

import os
import random
import select
import socket
import sys
import threading
from collections.abc import Iterator
from functools import partial
from time import monotonic, sleep

import pytest

from penstock.handoff.exchange import Exchange
from penstock.handoff.pool import Slot
from penstock.handoff.porter import LOOK, STAY
from tests.handoff.lodge import Lodge, exchange


@pytest.fixture
def lodge() -> Iterator[Lodge]:
    it = Lodge()
    yield it
    it.close()
    assert it.told == []


def test_a_thread_at_the_door_answers_without_the_loop(lodge: Lodge) -> None:
    while not fifty_at_the_door(lodge):
        pass  # on a busy machine one has come too late for the thread that waited
    assert len(set(lodge.at_door)) == 1
    lodge.until(lambda: not lodge.pool.in_flight)


def fifty_at_the_door(lodge: Lodge) -> bool:
    """Whether a thread was there for all of them; the loop is not told of each."""
    lodge.warm()
    lodge.until(lambda: not lodge.loop.soon)
    rings, before = lodge.loop.wakes, len(lodge.at_door)

    def answered(count: int) -> bool:
        return len(lodge.at_door) >= count or not lodge.porter.held

    while lodge.porter.held and len(lodge.at_door) < before + 50:
        now_one_more = partial(answered, len(lodge.at_door) + 1)
        lodge.knock()
        lodge.until(now_one_more, turn=False)
    assert lodge.loop.wakes - rings <= 2, "no bell a request"
    return len(lodge.at_door) >= before + 50


def test_what_is_queued_calls_it_from_the_door(lodge: Lodge) -> None:
    waited = []
    for _ in range(11):
        lodge.warm()
        begun = monotonic()
        lodge.ask()
        waited.append(monotonic() - begun)
    assert sorted(waited)[5] < STAY / 1000 / 2, "it would have stayed until nobody came"


def test_what_is_queued_as_it_takes_the_door_is_seen_or_calls(lodge: Lodge) -> None:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    slow = 0
    try:
        for count in range(1, 401):
            begun = monotonic()
            lodge.pool.submit(exchange())  # at the moment in which the thread goes to the door, or near it
            lodge.until_served(count)
            slow += monotonic() - begun > STAY / 1000 * 0.9
    finally:
        sys.setswitchinterval(before)
    assert slow < 20, "a lost call costs all of its stay"


def test_when_nobody_comes_the_loop_has_the_door_and_no_timer_is_left(lodge: Lodge) -> None:
    while False not in lodge.listens:  # the thread may have left before the loop has heard of it
        lodge.warm()
        lodge.loop.turn()
    lodge.until(lambda: lodge.listens[-1:] == [True])
    assert not lodge.porter.held
    lodge.later()
    lodge.until(lambda: not lodge.loop.soon)
    assert lodge.loop.later == []
    assert not lodge.porter.looking


def test_a_slow_request_loses_the_door_to_the_loop_and_then_to_another_thread() -> None:
    lodge = Lodge(threads=2)
    go, arrived = threading.Event(), threading.Event()
    lodge.warm()
    lodge.until(lambda: lodge.listens[-1:] == [False])

    def hold(x: Exchange) -> None:
        arrived.set()
        go.wait(5)

    lodge.serve = hold
    lodge.knock()
    assert arrived.wait(5)
    lodge.serve = lambda x: None
    sleep(LOOK * 2)
    lodge.later()
    assert lodge.listens[-1] is True
    assert not lodge.porter.held, "it is no use to call one that serves"
    lodge.later()
    assert lodge.loop.later == [], "a request of an hour is not looked at two hundred times a second"
    lodge.warm()  # the other one
    lodge.knock()
    lodge.until_at_door(2)
    assert len(set(lodge.at_door)) == 2
    go.set()
    lodge.until(lambda: not lodge.pool.in_flight)
    lodge.close()
    assert lodge.told == [], "two threads polled the door at once"


def test_requests_of_a_millisecond_are_served_side_by_side() -> None:
    lodge = Lodge()
    lodge.serve = lambda x: sleep(0.002)
    for _ in range(40):  # before a thread comes to the door, which would not wait for them
        lodge.knock()
    while not lodge.porter.not_before:  # each that is queued calls the thread, and has it come again
        lodge.ask()
        sleep(
            0.005
        )  # else the next one waits before the thread is back at the door, which is for nobody then
    lodge.until(lambda: not lodge.porter.held, turn=False)
    assert 0 < len(lodge.at_door) < 40, "the rest is the loop's to spread"
    assert not lodge.porter.watch(lodge.pool.slots[0]), "and no thread takes the door for a while"
    lodge.close()


def test_close_waits_for_who_is_accepting_and_nobody_accepts_after_it(lodge: Lodge) -> None:
    entered, go, over = threading.Event(), threading.Event(), threading.Event()
    lodge.warm()

    def hold() -> None:
        entered.set()
        go.wait(5)

    def close() -> None:
        lodge.porter.close()
        over.set()

    lodge.before_take = hold
    lodge.knock()
    assert entered.wait(5)
    assert lodge.pool.in_flight == 1, "whoever ends the worker must see it coming"
    closer = threading.Thread(target=close)
    closer.start()
    assert not over.wait(0.05)
    go.set()
    assert over.wait(5)
    closer.join()
    lodge.until(lambda: not lodge.porter.held)
    taken = len(lodge.at_door)
    assert taken == 1, "what it had begun to take it answers"
    lodge.knock()
    lodge.pool.submit(exchange())
    lodge.until(lambda: not lodge.pool.in_flight)
    sleep(0.05)
    assert len(lodge.at_door) == taken
    lodge.until(lambda: not lodge.loop.soon)
    assert lodge.listens[-1:] != [True], "whoever closed it sees to the door itself"


def test_who_waits_to_accept_while_it_is_closed_does_not(lodge: Lodge) -> None:
    slot = lodge.pool.slots[0]
    take = lodge.porter.takes[lodge.doors[0][1].fileno()]
    lodge.knock()
    lodge.porter.close()
    assert not lodge.porter.serve_one(slot, take), "it had seen the listener readable before"
    assert lodge.at_door == []
    assert lodge.pool.in_flight == 0


def test_work_that_was_queued_before_the_door_was_taken_comes_first() -> None:
    lodge = Lodge(threads=0)
    lodge.pool.slots.append(Slot(0))
    lodge.pool.work.append(exchange())  # and its check found neither a parked thread nor one at the door
    lodge.knock()
    lodge.porter.stand(lodge.pool.slots[0])
    assert lodge.at_door == []
    lodge.pool.work.clear()
    lodge.porter.stand(lodge.pool.slots[0])
    assert len(lodge.at_door) == 1
    lodge.close()


def test_a_closed_listener_whose_number_is_anothers_is_not_touched(lodge: Lodge) -> None:
    lodge.warm()
    ours = lodge.doors[0][1]
    number = ours.fileno()
    lodge.porter.close()
    ours.close()
    theirs, peer = socket.socketpair()
    if theirs.fileno() != number:
        os.dup2(theirs.fileno(), number)
    peer.send(b"for somebody else")
    lodge.until(lambda: not lodge.porter.held)
    lodge.pool.submit(exchange())
    lodge.until(lambda: not lodge.pool.in_flight)
    assert theirs.recv(100) == b"for somebody else"
    if theirs.fileno() != number:
        os.close(number)
    theirs.close()
    peer.close()


def test_an_accept_that_raises_costs_neither_the_thread_nor_the_count() -> None:
    lodge = Lodge()
    lodge.warm()

    def fault() -> None:
        lodge.before_take = lambda: None
        raise ValueError("a fault of ours")

    lodge.before_take = fault
    lodge.knock()
    lodge.until(lambda: bool(lodge.told))
    assert "a fault of ours" in lodge.told[0]
    lodge.until(lambda: not lodge.pool.in_flight)
    lodge.warm()
    lodge.until(lambda: len(lodge.at_door) == 1)
    lodge.close()
    assert len(lodge.told) == 1


def test_a_request_that_raises_at_the_door_is_its_own(lodge: Lodge) -> None:
    def fault(x: Exchange) -> None:
        lodge.serve = lambda x: None
        raise SystemExit(3)

    lodge.warm()
    lodge.serve = fault
    lodge.knock()
    lodge.until(lambda: bool(lodge.told))
    lodge.told.clear()
    lodge.warm()
    lodge.knock()
    lodge.until(lambda: len(lodge.at_door) == 2)
    lodge.until(lambda: not lodge.pool.in_flight)


def test_stop_reaches_a_thread_at_the_door_and_the_pipe_is_given_back() -> None:
    lodge = Lodge()
    lodge.warm()
    ends = lodge.porter.wake_read, lodge.porter.wake_write
    lodge.close()
    for fd in ends:
        with pytest.raises(OSError):
            os.fstat(fd)


def test_a_full_pipe_does_not_hold_up_who_calls(lodge: Lodge) -> None:
    for _ in range(70_000):
        lodge.porter.wake()
    while select.select([lodge.porter.wake_read], [], [], 0)[0]:
        lodge.porter.hear()
    lodge.porter.hear()
    lodge.warm()
    lodge.knock()
    lodge.until(lambda: len(lodge.at_door) == 1)


def test_several_doors_have_their_turn() -> None:
    many = Lodge(doors=3)
    many.warm()
    for door in range(3):
        many.knock(door)
    many.until(lambda: len(many.at_door) == 3)
    many.close()


@pytest.mark.parametrize("threads", [1, 4])
def test_nothing_is_lost_between_door_and_queue(threads: int) -> None:
    lodge = Lodge(threads, doors=2)
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    random.seed(threads)
    knocked = queued = 0
    try:
        for _ in range(300):
            for _ in range(random.choice((0, 1, 1, 3))):
                lodge.knock(random.randrange(2))
                knocked += 1
            for _ in range(random.choice((0, 0, 1, 2))):
                lodge.pool.submit(exchange())
                queued += 1
            for _ in range(random.choice((0, 1, 5))):
                lodge.loop.turn()
            if random.random() < 0.2:
                lodge.later()
            if random.random() < 0.1:
                # The loop is asleep: what was queued must be served without another event.
                lodge.until(lambda: not lodge.pool.work)
                while lodge.loop.turn():
                    pass
        while len(lodge.at_door) < knocked:
            queued += lodge.warm()
            lodge.until(lambda: not lodge.porter.held)
        lodge.until(lambda: not lodge.pool.in_flight)
    finally:
        sys.setswitchinterval(before)
    assert len(lodge.served) == knocked + queued
    assert lodge.most == 1, "one thread at the door at a time"
    lodge.close()
    assert lodge.told == []
