"""Whether a client moves: silence and dripping both fail it, a burst does not buy time for ever."""

import pytest

from penstock.net.pace import Pace


def test_nothing_for_a_window_is_a_stall_and_not_an_instant_sooner() -> None:
    pace = Pace(100.0)
    assert not pace.stalled(129.9, 0, window=30, rate=256)
    assert pace.stalled(130.0, 0, window=30, rate=256)


def test_bytes_that_came_before_the_watch_do_not_count() -> None:
    pace = Pace(0.0, total=1_000_000)
    assert pace.stalled(30.0, 1_000_000, window=30, rate=1)


@pytest.mark.parametrize(("each", "stalls"), [(1, True), (255, True), (256, False), (10_000, False)])
def test_a_rate_below_the_least_is_a_stall_although_bytes_come(each: int, stalls: bool) -> None:
    pace = Pace(0.0)
    found = [pace.stalled(second, each * second, window=10, rate=256) for second in range(1, 11)]
    assert found == [False] * 9 + [stalls]


def test_each_window_is_measured_by_itself() -> None:
    pace = Pace(0.0)
    assert not pace.stalled(10.0, 1_000_000, window=10, rate=256), "fast at first"
    dripping = [
        pace.stalled(10.0 + second, 1_000_000 + second, window=10, rate=256) for second in range(1, 11)
    ]
    assert dripping == [False] * 9 + [True], "the early burst is spent"


def test_a_late_look_measures_by_the_time_that_went_by() -> None:
    """The tick may come late: 20 s and 3000 bytes are 150 bytes a second, whatever the window."""
    pace = Pace(0.0)
    assert pace.stalled(20.0, 3_000, window=10, rate=256)
    pace = Pace(0.0)
    assert not pace.stalled(20.0, 6_000, window=10, rate=256)


def test_silence_counts_from_the_last_byte() -> None:
    pace = Pace(0.0)
    assert not pace.stalled(9.0, 5_000, window=10, rate=256)
    assert not pace.stalled(10.0, 5_000, window=10, rate=256)
    assert not pace.stalled(18.0, 5_000, window=10, rate=256)
    assert pace.stalled(19.0, 5_000, window=10, rate=256)


def test_a_rate_of_nought_asks_only_for_movement() -> None:
    pace = Pace(0.0)
    assert not any(pace.stalled(9.0 * turn, turn, window=10, rate=0) for turn in range(1, 20))
