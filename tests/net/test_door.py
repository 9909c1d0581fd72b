"""What a worker's connections share: the table, the tick, the room, and leaving."""

from collections.abc import Callable
from time import monotonic, time
from typing import Any

import pytest

from penstock.core.request import Request
from penstock.handoff.doorway import Doorway
from penstock.handoff.exchange import Exchange
from penstock.handoff.pool import Pool, Slot
from penstock.net.buckets import TICK
from penstock.net.door import Door, Intake, Patience
from tests.fakes import FakeLoop


class Guest:
    """A connection as the table knows it: remembers what it was told."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.bucket = 0
        self.told: list[str] = []
        self.again: float | None = None
        self.adopted = self.holds = True
        self.owner: Guest | None = None  # as an outbox it has both
        self.exchange: Exchange | None = None
        door.connections.add(self)

    def check(self, now: float) -> float | None:
        self.told.append("check")
        return self.again

    def still(self, now: float) -> float:
        return 0.0

    def leave(self) -> None:
        self.told.append("leave")

    def cut(self) -> None:
        self.told.append("cut")
        self.door.forget(self)

    def struck(self) -> None:
        self.told.append("struck")

    def refuse_queued(self, x: Exchange) -> None:
        self.told.append(f"refuse {x.request.vars['n']}")


class Box:
    """An outbox that knows its owner."""

    def __init__(self, owner: Guest) -> None:
        self.owner = owner


def make_door(
    loop: FakeLoop,
    patience: Patience | None = None,
    room: int = 1000,
    failed: Callable[[str], None] = lambda text: None,
) -> Door:
    doorway = Doorway(loop(), failed=failed)
    pool = Pool(loop(), doorway, threads=0, queue=10)
    return Door(loop(), doorway, pool, patience or Patience(), Intake(max_connections=room))


def exchange(owner: Guest, number: int, received_at: float) -> Exchange:
    outbox: Any = Box(owner)
    return Exchange(Request({"n": number}), outbox, None, received_at)


# ---- The tick ---------------------------------------------------------------------------------------


def test_the_tick_looks_at_what_is_due_and_comes_again() -> None:
    loop = FakeLoop()
    door = make_door(loop)
    due, later = Guest(door), Guest(door)
    times: list[float] = []
    door.on_tick.append(times.append)
    door.buckets.file(due, monotonic() - 1)
    door.buckets.file(later, monotonic() + 100)
    before = monotonic()
    door.tick()
    assert due.told == ["check"] and later.told == []
    assert before <= times[0] <= monotonic()
    assert loop.later == [(TICK, door.tick)]


def test_every_tick_looks_at_who_holds_a_thread_while_requests_wait() -> None:
    door = make_door(FakeLoop())
    guest = Guest(door)
    box: Any = guest
    x = Exchange(Request({}), box, None, monotonic())
    guest.owner, guest.exchange = guest, x
    slot = Slot(0)
    slot.exchange = x
    door.pool.slots.append(slot)
    door.tick()
    assert guest.told == []
    door.pool.submit(exchange(guest, 1, monotonic()))
    door.tick()
    door.tick()
    assert guest.told == ["check"] * 2


def test_the_tick_asks_the_clock_again_which_may_have_been_set() -> None:
    door = make_door(FakeLoop())
    door.doorway.epoch = 0.0
    door.tick()
    assert door.doorway.epoch + monotonic() == pytest.approx(time(), abs=0.1)


def test_the_last_tick_does_not_come_again() -> None:
    loop = FakeLoop()
    door = make_door(loop)
    door.ticking = False
    door.tick()
    assert loop.later == []


def test_what_waited_too_long_for_a_thread_is_given_back_to_its_connection() -> None:
    loop = FakeLoop()
    door = make_door(loop, Patience(queue=30))
    first, second = Guest(door), Guest(door)
    now = monotonic()
    for owner, number, age in ((first, 1, 40.0), (second, 2, 31.0), (first, 3, 29.0)):
        door.pool.submit(exchange(owner, number, now - age))
    door.tick()
    assert (first.told, second.told) == (["refuse 1"], ["refuse 2"])
    assert [x.request.vars["n"] for x in door.pool.work if x is not None] == [3]


@pytest.mark.parametrize(
    ("patience", "look"),
    [
        (Patience(), 3.75),
        (Patience(head=100, keepalive=100), 5.0),
        (Patience(head=2, keepalive=100), 0.5),
        (Patience(head=100, keepalive=0.1), TICK),
    ],
)
def test_idle_connections_are_looked_at_as_often_as_the_shortest_limit_needs(
    patience: Patience, look: float
) -> None:
    assert make_door(FakeLoop(), patience).look == look


# ---- The table --------------------------------------------------------------------------------------


def test_room_is_what_the_limit_leaves() -> None:
    door = make_door(FakeLoop(), room=2)
    assert door.room
    first = Guest(door)
    assert door.room
    Guest(door)
    assert not door.room
    door.forget(first)
    assert door.room


def test_what_a_thread_closed_by_itself_makes_room_when_somebody_asks() -> None:
    door = make_door(FakeLoop(), room=1)
    guest = Guest(door)
    assert not door.room
    door.doorway.gone.append(guest)
    assert door.room
    assert guest.told == ["struck"]
    assert not door.connections


def test_the_tick_strikes_what_threads_have_closed() -> None:
    door = make_door(FakeLoop())
    guest = Guest(door)
    door.buckets.file(guest, monotonic() - 1)
    door.doorway.gone.append(guest)
    door.tick()
    assert guest.told == ["struck"], "it is not looked at any more"
    assert guest.bucket == 0


def test_who_waits_for_room_is_told_only_when_there_is_some() -> None:
    door = make_door(FakeLoop(), room=2)
    calls: list[int] = []
    door.on_room.append(lambda: calls.append(len(door.connections)))
    guests = [Guest(door) for _ in range(4)]
    for guest in guests:
        door.forget(guest)
    assert calls == [1, 0]


def test_forgetting_twice_does_no_harm() -> None:
    door = make_door(FakeLoop())
    guest = Guest(door)
    door.buckets.file(guest, monotonic() + 1)
    door.forget(guest)
    door.forget(guest)
    assert guest.bucket == 0
    assert not any(door.buckets.filed.values())


# ---- Leaving ----------------------------------------------------------------------------------------


def test_leaving_marks_the_doorway_before_it_tells_anybody() -> None:
    door = make_door(FakeLoop())
    seen: list[bool] = []

    class Looking(Guest):
        def leave(self) -> None:
            seen.append(self.door.doorway.draining)

    Looking(door)
    Looking(door)
    gone = Guest(door)
    door.doorway.gone.append(gone)
    door.leave()
    assert seen == [True, True]
    assert gone.told == ["struck"]


def test_all_are_cut_although_the_table_shrinks_meanwhile() -> None:
    door = make_door(FakeLoop())
    guests = [Guest(door) for _ in range(5)]
    door.cut_all()
    assert [guest.told for guest in guests] == [["cut"]] * 5
    assert not door.connections


def test_a_door_without_refusals_says_so() -> None:
    refuse: Callable[..., bytes] = make_door(FakeLoop()).refusal
    with pytest.raises(RuntimeError, match="refusals"):
        refuse(503, "full", None, False)


def test_a_fault_of_ours_in_a_tick_cuts_that_connection_and_ends_nothing_else() -> None:
    loop = FakeLoop()
    faults: list[str] = []
    door = make_door(loop, failed=faults.append)

    class Failing(Guest):
        def check(self, now: float) -> float | None:
            raise KeyError("a fault of ours")

    failing = Failing(door)
    door.buckets.file(failing, 0.0)
    door.tick()
    assert failing.told == ["cut"] and "KeyError" in faults[0] and "Traceback" in faults[0]
    assert len(loop.later) == 1


def test_a_tick_that_fails_comes_again() -> None:
    loop = FakeLoop()
    door = make_door(loop)

    def failing(now: float) -> None:
        raise KeyError("a fault of ours")

    door.on_tick.append(failing)
    with pytest.raises(KeyError):
        door.tick()
    assert len(loop.later) == 1
