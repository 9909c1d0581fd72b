"""Who leaves the next connection to whom: rooms, threads and numbers, and that nobody ends deaf of it."""

from time import monotonic_ns
from typing import Any

import pytest

from penstock.interprocess.scoreboard import DRAINING
from penstock.interprocess.siblings import LIFELESS
from penstock.net.balance import ASIDE, LONG, LOOKS, MARK, STUCK
from tests.net.neighbours import THREADS, exchange, scene

# ---- What it says of itself -------------------------------------------------------------------------


def test_connections_are_told_as_they_come_and_go() -> None:
    with scene() as (at, connect):
        connect(3)
        for number in range(1, 4):
            at.ready()
            assert at.own.connections == number
        next(iter(at.door.connections)).cut()
        assert at.own.connections == 2


def test_what_a_thread_closed_does_not_count_before_it_is_struck() -> None:
    with scene() as (at, connect):
        connect(2)
        at.ready(2)
        connection = next(iter(at.door.connections))
        connection.sock.close()
        at.loop.remove_reader(connection.sock)
        at.door.doorway.gone.append(connection)
        at.ready()
        assert at.own.connections == 1
        at.door.tick()
        assert (at.own.connections, at.count) == (1, 1)


def test_the_tick_tells_of_threads_and_room() -> None:
    with scene() as (at, _):
        at.running(1.0)
        at.tick()
        assert (at.own.threads, at.own.load, at.own.gate, at.own.shut) == (THREADS, 1, 1, 0)
        at.running(1.0, 1.0, queued=3)
        at.tick()
        assert (at.own.load, at.own.gate) == (5, 0)
        since = at.own.shut
        assert 0 <= monotonic_ns() - since < 5_000_000_000
        at.tick()
        assert at.own.shut == since, "without a break"
        at.running()
        at.tick()
        assert (at.own.load, at.own.gate, at.own.shut) == (0, 1, 0)


def test_the_gate_is_for_long_requests_and_long_queues() -> None:
    with scene() as (at, _):
        at.sibling(1)
        for ages, queued, gate in (
            ((1.0,), 0, 1),  # a thread is free
            ((-9.0, -9.0), 0, 1),  # none is, and soon one will be
            (
                (1.0, -9.0),
                MARK - 1,
                1,
            ),  # not even begun: no pause of the machine makes it a long one
            ((1.0, -9.0), MARK, 0),
            ((STUCK * 2, STUCK * 2), 0, 0),
        ):
            at.running(*ages, queued=queued)
            at.tick()
            assert at.own.gate == gate, (ages, queued)


def test_a_thread_on_its_way_is_not_counted_twice_and_one_at_the_door_is_free() -> None:
    class Porter:
        held = True

        def watch(self, slot: Any) -> bool:
            return False

        def call(self) -> None:
            pass

    with scene() as (at, _):
        at.pool.work.append(exchange())
        at.pool.parked.pop()
        at.pool.waking = True
        at.tick()
        assert at.own.load == 1
        at.pool.work.clear()
        at.pool.waking = False
        at.tick()
        assert at.own.load == 1
        at.pool.porter = Porter()
        at.tick()
        assert at.own.load == 0


def test_at_max_connections_there_is_no_room() -> None:
    with scene(room=1) as (at, connect):
        connect()
        at.ready()
        at.tick()
        assert at.own.gate == 0


# ---- By the number of connections -------------------------------------------------------------------


def test_without_siblings_nothing_is_asked() -> None:
    with scene() as (at, connect):
        connect(20)
        at.ready(20)
        assert at.count == 20 and at.loop.later == []


@pytest.mark.parametrize(("mine", "theirs", "aside"), [(0, 0, False), (1, 0, True), (1, 1, False)])
def test_with_few(mine: int, theirs: int, aside: bool) -> None:
    with scene() as (at, connect):
        at.sibling(1, 1000)
        connect(mine + 1)
        at.ready(mine)
        at.sibling(2, theirs)
        at.ready()
        assert at.count == mine + (not aside)
        assert at.listening != aside


def test_by_more_than_an_eighth() -> None:
    with scene() as (at, connect):
        at.sibling(1, 16)
        connect(20)
        at.ready(19)
        assert at.count == 19, "the nineteenth came when it had eighteen"
        at.ready()
        assert at.count == 19 and not at.listening


def test_after_the_moment_it_takes_one_whatever_the_numbers_say() -> None:
    with scene() as (at, connect):
        at.sibling(1, 0)
        connect(3)
        at.ready()
        for number in (2, 3):
            at.ready()
            assert not at.listening and at.count == number - 1
            at.later()
            assert at.listening, "no other event comes"
            at.ready()
            assert at.count == number


@pytest.mark.parametrize(("load", "moments"), [(0, LOOKS), (THREADS, 1)])
def test_far_fewer_are_waited_for_longer_if_a_thread_is_free_there(load: int, moments: int) -> None:
    """The system may let that worker wait for its core; one whose threads are busy has enough to do."""
    with scene() as (at, connect):
        sibling = at.sibling(1, 20)
        connect(21)
        at.ready(20)
        sibling.connections, sibling.load = 10, load
        for _ in range(moments):
            at.ready()
            assert at.count == 20 and not at.listening
            at.later()
        at.ready()
        assert at.count == 21


def test_nothing_else_brings_it_back_before() -> None:
    with scene() as (at, connect):
        at.sibling(1, 0)
        connect(3)
        at.ready()
        at.ready()
        at.acceptor.listen()
        at.acceptor.attend(True)
        next(iter(at.door.connections)).cut()  # room
        at.tick()
        assert not at.listening
        at.loop.later = [due for due in at.loop.later if due[0] == ASIDE]
        at.later()
        assert at.listening


def test_a_moment_that_ends_while_a_thread_is_at_the_door_leaves_it_there() -> None:
    with scene() as (at, connect):
        at.sibling(1, 0)
        connect(2)
        at.ready(2)
        at.acceptor.attend(False)
        at.later()
        assert not at.listening
        at.acceptor.attend(True)
        assert at.listening


@pytest.mark.parametrize("how", ["dead", "draining", "gone", "shut for long"])
def test_who_will_take_none_is_not_waited_for(how: str) -> None:
    with scene() as (at, connect):
        cell = at.sibling(1, 0)
        if how == "dead":
            cell.beat = monotonic_ns() - LIFELESS - 1
        elif how == "draining":
            cell.state = DRAINING
        elif how == "gone":
            at.board.free(1)
        else:
            cell.gate, cell.shut = 0, monotonic_ns() - LONG - 1
        connect(5)
        at.ready(5)
        assert at.count == 5


def test_who_was_full_a_moment_ago_still_has_its_share() -> None:
    """Else a burst would be had by whoever is not full at that moment."""
    with scene() as (at, connect):
        at.sibling(1, 0, gate=0)
        connect(2)
        at.ready(2)
        assert at.count == 1


# ---- By threads -------------------------------------------------------------------------------------


def test_without_a_thread_free_it_goes_to_one_that_has() -> None:
    with scene() as (at, connect):
        at.sibling(1, 100, load=1)
        at.running(0.0, 0.0)
        connect()
        for _ in range(LOOKS):
            at.ready()
            assert at.count == 0
            at.later()
            at.running(0.0, 0.0)
        at.ready()
        assert at.count == 1, "its threads turn over, and the other does not take it"


def test_where_requests_are_short_a_thread_is_soon_free() -> None:
    with scene() as (at, connect):
        at.sibling(1, 100, load=1)
        at.pool.slots[0].finished = 10
        at.tick()
        at.running(0.0, 0.0)
        connect(2)
        at.ready()
        assert at.count == 1
        at.pool.slots[0].finished = 11
        for _ in range(20):
            at.tick()
        at.ready()
        assert at.count == 1, "and they are not any more"


def test_a_thread_that_is_free_meanwhile_takes_it() -> None:
    with scene() as (at, connect):
        at.sibling(1, 100, load=1)
        at.running(0.0, 0.0)
        connect()
        at.ready()
        at.running(0.0)
        at.later()
        at.ready()
        assert at.count == 1


def test_without_a_thread_free_anywhere_it_takes_it() -> None:
    with scene() as (at, connect):
        at.sibling(1, 100, load=THREADS)
        at.running(0.0, 0.0)
        connect()
        at.ready()
        assert at.count == 1


# ---- By room ----------------------------------------------------------------------------------------


def test_without_room_it_takes_none_while_a_sibling_has_room() -> None:
    with scene() as (at, connect):
        sibling = at.sibling(1, 100, load=THREADS)
        at.running(1.0, 1.0)
        connect()
        for _ in range(50):
            at.ready()
            assert at.count == 0
            at.later()
            assert at.listening, "it looks again: no other event may ever come"
        sibling.gate = 0
        at.ready()
        assert at.count == 1, "all are full: the queue has a time-out, and the kernel's has none"


def test_room_that_comes_back_is_noticed_without_an_event() -> None:
    """Replies on kept connections ring no bell: only the moment's end can find that a thread is free."""
    with scene() as (at, connect):
        at.sibling(1, 100)
        at.running(1.0, 1.0)
        connect()
        at.ready()
        assert at.own.gate == 0
        at.running(1.0)
        at.later()
        at.ready()
        assert at.count == 1
        assert at.own.gate == 1


def test_a_sibling_that_hangs_has_no_room() -> None:
    with scene() as (at, connect):
        at.sibling(1, 0).beat = monotonic_ns() - LIFELESS - 1
        at.running(1.0, 1.0)
        connect()
        at.ready()
        assert at.count == 1


def test_two_without_room_share_by_number() -> None:
    with scene() as (at, connect):
        at.sibling(1, 1, gate=0, load=40)
        at.running(1.0, 1.0, queued=MARK)
        connect(3)
        at.ready(2)
        assert at.count == 2
        at.ready()
        assert at.count == 2 and not at.listening


# ---- Connections of one request ---------------------------------------------------------------------


def test_where_each_is_a_request_requests_are_counted() -> None:
    with scene("uwsgi") as (at, connect):
        sibling = at.sibling(1, 0, load=1)
        connect(3)
        at.running(0.0)
        at.ready()
        assert at.count == 1, "as many requests; connections are not asked for"
        at.ready()
        assert at.count == 2
        sibling.load = 0
        at.ready()
        assert at.count == 2 and not at.listening
        at.later()
        at.ready()
        assert at.count == 3
