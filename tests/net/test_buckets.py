"""The timetable: nothing is looked at too early, nothing is forgotten, a refiling moves and never copies."""

import random

import pytest

from penstock.net.buckets import TICK, Buckets


class Filed:
    """Something that is due: remembers when it was looked at, answers with the next of ``answers``."""

    def __init__(self, *answers: float | None) -> None:
        self.bucket = 0
        self.answers = list(answers)
        self.looks: list[float] = []

    def check(self, now: float) -> float | None:
        self.looks.append(now)
        return self.answers.pop(0) if self.answers else None


def run(buckets: Buckets, start: float, seconds: float) -> None:
    """Tick every quarter second."""
    for turn in range(int(seconds / TICK) + 1):
        buckets.tick(start + turn * TICK)


def unexpected(item: object, error: Exception) -> None:
    raise error


@pytest.mark.parametrize("start", [0.0, 0.1, 1000.0, 123456.78])
@pytest.mark.parametrize("delay", [0.0, 0.01, 0.25, 1.0, 7.3])
def test_one_look_at_its_time_or_up_to_a_tick_later(start: float, delay: float) -> None:
    buckets, item = Buckets(start, unexpected), Filed()
    buckets.file(item, start + delay)
    for turn in range(int((delay + 1) / TICK) + 2):
        buckets.tick(start + turn * TICK)
    (look,) = item.looks
    assert start + delay <= look <= start + delay + 2 * TICK
    assert item.bucket == 0
    assert not any(buckets.filed.values())


def test_what_is_due_later_is_refiled_when_its_bucket_comes_up() -> None:
    buckets, item = Buckets(10.0, unexpected), Filed(15.0, 15.5, None)
    buckets.file(item, 11.0)
    run(buckets, 10.0, 10)
    assert len(item.looks) == 3
    assert 11.0 <= item.looks[0] <= 11.5
    assert 15.0 <= item.looks[1] <= 15.25
    assert 15.5 <= item.looks[2] <= 15.75


@pytest.mark.parametrize(("first", "second"), [(11.0, 14.0), (14.0, 11.0), (12.0, 12.0)])
def test_a_second_filing_replaces_the_first(first: float, second: float) -> None:
    buckets, item = Buckets(10.0, unexpected), Filed()
    buckets.file(item, first)
    buckets.file(item, second)
    assert sum(len(items) for items in buckets.filed.values()) == 1
    run(buckets, 10.0, 8)
    (look,) = item.looks
    assert second <= look <= second + TICK


def test_what_is_struck_is_not_looked_at() -> None:
    buckets, item, other = Buckets(10.0, unexpected), Filed(), Filed()
    buckets.file(item, 11.0)
    buckets.file(other, 11.0)
    buckets.strike(item)
    buckets.strike(item)  # twice does no harm
    run(buckets, 10.0, 4)
    assert item.looks == []
    assert len(other.looks) == 1


def test_a_time_that_is_past_comes_up_at_the_next_tick() -> None:
    buckets, item = Buckets(10.0, unexpected), Filed()
    buckets.tick(20.0)
    buckets.file(item, 3.0)
    buckets.tick(20.25)
    assert item.looks == [20.25]


def test_after_a_long_gap_all_that_was_due_is_looked_at_once() -> None:
    buckets = Buckets(10.0, unexpected)
    items = [Filed() for _ in range(40)]
    for number, item in enumerate(items):
        buckets.file(item, 10.0 + number)
    buckets.tick(1000.0)
    assert all(item.looks == [1000.0] for item in items)
    assert buckets.filed == {}


def test_the_same_instant_twice_does_nothing() -> None:
    buckets, item = Buckets(10.0, unexpected), Filed(10.3)
    buckets.file(item, 10.0)
    buckets.tick(10.25)
    buckets.tick(10.25)
    assert item.looks == [10.25]


def test_one_that_strikes_another_while_it_is_looked_at() -> None:
    """A connection that ends may end others: the set being walked is not the one being changed."""
    buckets = Buckets(10.0, unexpected)
    others = [Filed() for _ in range(5)]

    class Striker(Filed):
        def check(self, now: float) -> float | None:
            for other in others:
                buckets.strike(other)
            return super().check(now)

    striker = Striker()
    for item in (*others, striker):
        buckets.file(item, 10.5)
    run(buckets, 10.0, 3)
    assert len(striker.looks) == 1
    assert all(other.bucket == 0 for other in others)


def test_any_order_of_filings_keeps_each_item_in_one_bucket() -> None:
    random.seed(7)
    buckets, now = Buckets(50.0, unexpected), 50.0
    items = [Filed(*(50.0 + random.random() * 20 for _ in range(3))) for _ in range(30)]
    for _ in range(400):
        item = random.choice(items)
        if random.random() < 0.8:
            buckets.file(item, now + random.random() * 5)
        else:
            buckets.strike(item)
        if random.random() < 0.2:
            now += TICK
            buckets.tick(now)
        places = [item for members in buckets.filed.values() for item in members]
        assert len(places) == len(set(places))
        assert all(item in buckets.filed[item.bucket] for item in items if item.bucket)
    buckets.tick(now + 100)
    assert buckets.filed == {}


def test_a_check_that_raises_does_not_take_the_others_turn() -> None:
    told: list[object] = []
    buckets = Buckets(10.0, lambda item, error: told.append(item))

    class Failing(Filed):
        def check(self, now: float) -> float | None:
            raise KeyError("a fault of ours")

    failing, item = Failing(), Filed()
    buckets.file(failing, 11.0)
    buckets.file(item, 11.0)
    run(buckets, 10.0, 2)
    assert told == [failing] and len(item.looks) == 1


def test_one_that_is_struck_by_the_check_of_another_is_not_looked_at() -> None:
    buckets, item = Buckets(10.0, unexpected), Filed()

    class Striking(Filed):
        def check(self, now: float) -> float | None:
            for other in others:
                buckets.strike(other)
            return super().check(now)

    others = [Striking(), Striking()]
    for other in others:
        buckets.file(other, 11.0)
    buckets.file(item, 11.0)
    run(buckets, 10.0, 2)
    assert sum(len(other.looks) for other in others) == 1
