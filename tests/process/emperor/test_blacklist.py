"""How long vassals that fail have to wait."""

from penstock.process.emperor.blacklist import Blacklist

KEY = (0, "a.ini")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_each_failure_costs_a_step_more_and_beyond_the_longest_half() -> None:
    clock = Clock()
    listed = Blacklist(1.0, 3.0, clock=clock)
    assert listed.pause(KEY) == 0
    levels = []
    for attempt in range(1, 9):
        assert listed.failed(KEY) == attempt
        levels.append(round(listed.pause(KEY), 2))
    assert levels == [0.0, 1.0, 2.0, 3.0, 1.5, 2.5, 3.5, 1.75]


def test_time_passes() -> None:
    clock = Clock()
    listed = Blacklist(10.0, 60.0, clock=clock)
    listed.failed(KEY)
    listed.failed(KEY)
    clock.now += 4
    assert 6 < listed.pause(KEY) < 6.1
    clock.now += 60
    assert listed.pause(KEY) == 0


def test_a_clock_that_is_put_back_makes_nobody_wait_longer() -> None:
    clock = Clock()
    listed = Blacklist(10.0, 60.0, clock=clock)
    listed.failed(KEY)
    listed.failed(KEY)
    clock.now -= 3600
    assert 10 < listed.pause(KEY) < 10.1


def test_who_is_forgiven_begins_anew() -> None:
    listed = Blacklist(1.0, 60.0, clock=Clock())
    for key in (KEY, KEY, (1, "a.ini")):
        listed.failed(key)
    listed.forgive(KEY)
    assert listed.pause(KEY) == 0 and list(listed.entries) == [(1, "a.ini")]
    listed.clear()
    assert not listed.entries
    assert listed.failed(KEY) == 1


def test_nobody_is_listed_where_it_is_off() -> None:
    listed = Blacklist(1.0, 60.0, off=True, clock=Clock())
    assert listed.failed(KEY) == 0 and listed.pause(KEY) == 0 and not listed.entries


def test_the_statistics_are_uwsgis() -> None:
    listed = Blacklist(1.0, 60.0, clock=Clock())
    listed.failed(KEY)
    listed.failed(KEY)
    assert listed.figures() == [
        {"id": "a.ini", "throttle_level": 1001, "attempt": 2, "first_attempt": 1000, "last_attempt": 1000}
    ]
