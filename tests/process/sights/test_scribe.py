"""Records reach whoever wants to see them, in their order, whatever others among them do."""

from typing import Any

from penstock.handoff.doorway import Doorway
from penstock.process.sights.scribe import BATCH, MANY, PENDING, SOON, Scribe
from tests.fakes import FakeLoop
from tests.waiting import until


def scribe(*consumers: Any) -> tuple[Scribe, list[str]]:
    said: list[str] = []
    made = Scribe(said.append)
    made.consumers += consumers
    return made, said


def test_all_see_all_in_batches() -> None:
    one: list[Any] = []
    sizes: list[int] = []
    made, said = scribe(one.extend, lambda batch: sizes.append(len(batch)))
    made.records.extend((number,) for number in range(BATCH + 3))
    made.end()
    assert one == [(number,) for number in range(BATCH + 3)]
    assert sizes == [BATCH, 3] and said == [] and not made.records


def test_a_reader_that_fails_is_told_of_once_and_the_others_go_on() -> None:
    seen: list[Any] = []

    def bad(batch: Any) -> None:
        raise ValueError("cannot")

    made, said = scribe(bad, seen.extend)
    for number in range(3):
        made.records.append((number,))
        made.drain()
    assert seen == [(0,), (1,), (2,)]
    assert len(said) == 1 and "ValueError('cannot')" in said[0]


def test_what_does_not_fit_is_counted_and_said() -> None:
    seen: list[Any] = []
    made, said = scribe(seen.extend)
    for now in (0.0, 1.0):
        made.records.extend((number,) for number in range(PENDING + 10))
        made.tick(now)
        made.drain()
    assert len(seen) == 2 * PENDING and seen[0] == (10,) and seen[-1] == (PENDING + 9,)
    assert made.lost == 20
    assert said == ["requests are faster than their records are read: 10 have none so far"]


def test_some_are_called_with_every_tick() -> None:
    calls: list[int] = []
    made, _ = scribe()
    made.always.append(lambda: calls.append(1))
    made.drain()
    made.drain()
    assert calls == [1, 1]


def test_where_they_come_fast_they_are_shown_before_the_next_tick() -> None:
    loop, seen, ticks = FakeLoop(), list[Any](), list[int]()
    made, said = scribe(seen.extend)
    made.always.append(lambda: ticks.append(1))
    made.begin(Doorway(loop()))

    def shown(count: int) -> None:
        until(lambda: loop.soon)
        loop.turn()
        assert len(seen) == count and not made.busy

    made.records.extend([(0,)] * (MANY - 1))
    made.tick(0.0)
    shown(MANY - 1)
    assert not loop.later, "as few can wait for the tick"
    made.records.extend([(0,)] * MANY)
    made.tick(0.25)
    shown(2 * MANY - 1)
    for more in (MANY, 2 * MANY):
        ((seconds, call),) = loop.later
        assert seconds == SOON
        loop.later.clear()
        made.records.extend([(0,)] * more)
        count = len(seen) + more
        call()
        made.tick(0.3)  # they are being shown
        shown(count)
    ((_, call),) = loop.later
    loop.later.clear()
    made.records.extend([(0,)] * (MANY - 1))
    call()
    assert not made.busy and not loop.later and len(made.records) == MANY - 1
    assert len(ticks) == 2 and said == []
    made.end()
