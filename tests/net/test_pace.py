"""Whether a client moves: silence and dripping both fail it, a burst does not buy time for ever."""

import pytest

from penstock.net.pace import PACKET, Pace, often


def stalled(pace: Pace, now: float, total: int, window: float, rate: int) -> bool:
    """With all of the window allowed."""
    return pace.stalled(now, total, window, rate, window)


def test_nothing_for_a_window_is_a_stall_and_not_an_instant_sooner() -> None:
    pace = Pace(100.0)
    assert not stalled(pace, 129.9, 0, window=30, rate=256)
    assert stalled(pace, 130.0, 0, window=30, rate=256)


def test_bytes_that_came_before_the_watch_do_not_count() -> None:
    pace = Pace(0.0, total=1_000_000)
    assert stalled(pace, 30.0, 1_000_000, window=30, rate=1)


@pytest.mark.parametrize(("each", "stalls"), [(1, True), (255, True), (256, False), (10_000, False)])
def test_a_rate_below_the_least_is_a_stall_although_bytes_come(each: int, stalls: bool) -> None:
    pace = Pace(0.0)
    found = [stalled(pace, second, each * second, window=10, rate=256) for second in range(1, 11)]
    assert found == [False] * 9 + [stalls]


def test_each_window_is_measured_by_itself() -> None:
    pace = Pace(0.0)
    assert not stalled(pace, 10.0, 1_000_000, window=10, rate=256), "fast at first"
    dripping = [
        stalled(pace, 10.0 + second, 1_000_000 + second, window=10, rate=256) for second in range(1, 11)
    ]
    assert dripping == [False] * 9 + [True], "the early burst is spent"


def test_a_late_look_measures_by_the_time_that_went_by() -> None:
    """The tick may come late: 20 s and 3000 bytes are 150 bytes a second, whatever the window."""
    pace = Pace(0.0)
    assert stalled(pace, 20.0, 3_000, window=10, rate=256)
    pace = Pace(0.0)
    assert not stalled(pace, 20.0, 6_000, window=10, rate=256)


def test_silence_counts_from_the_last_byte() -> None:
    pace = Pace(0.0)
    assert not stalled(pace, 9.0, 5_000, window=10, rate=256)
    assert not stalled(pace, 10.0, 5_000, window=10, rate=256)
    assert not stalled(pace, 18.0, 5_000, window=10, rate=256)
    assert stalled(pace, 19.0, 5_000, window=10, rate=256)


def test_a_rate_of_nought_asks_only_for_movement() -> None:
    pace = Pace(0.0)
    assert not any(stalled(pace, 9.0 * turn, turn, window=10, rate=0) for turn in range(1, 20))


def test_how_long_it_stood_still_is_known_from_the_looks_at_it() -> None:
    pace = Pace(10.0, total=5)
    assert [pace.still(now, total) for now, total in ((12.0, 5), (13.0, 6), (14.5, 6))] == [2.0, 0.0, 1.5]


def test_who_is_allowed_less_is_cut_sooner_where_nothing_moves() -> None:
    pace = Pace(0.0)
    assert not pace.stalled(14.9, 0, window=60, rate=256, allowed=15)
    assert pace.stalled(15.0, 0, window=60, rate=256, allowed=15)


@pytest.mark.parametrize(("each", "at"), [(1, 15), (100, 15), (200, 26), (250, 60), (255, 60)])
def test_who_is_allowed_less_and_drips_is_cut_when_a_packet_is_missing(each: int, at: int) -> None:
    pace = Pace(0.0)
    found = [pace.stalled(second, each * second, 60, 256, allowed=15) for second in range(1, 61)]
    assert found.index(True) + 1 == at


@pytest.mark.parametrize("every", [1, 2, 5])
def test_who_keeps_to_the_rate_is_not_cut_whatever_is_allowed(every: int) -> None:
    """Packets come whole: at the moment of a look all of one may be missing, at the end of a window none."""
    pace = Pace(0.0)
    size = 256 * every
    assert size < PACKET
    for second in range(1, 600):
        assert not pace.stalled(second, size * (second // every), 60, 256, allowed=5.7), second


@pytest.mark.parametrize(("seconds", "between"), [(60, 5), (600, 5), (30, 2.5), (6, 0.5)])
def test_looks_are_as_seldom_as_the_time_lets_them_be(seconds: float, between: float) -> None:
    assert often(seconds) == between
