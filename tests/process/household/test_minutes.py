"""Which minutes are due: once each, over gaps and overlaps of the local time, a stopped supervisor, a clock
that is set."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest

from penstock.config.household.cron import Times
from penstock.process.household.minutes import LATE, SHIFT, Minutes, fresh

try:
    BERLIN = ZoneInfo("Europe/Berlin")
    LORD_HOWE = ZoneInfo("Australia/Lord_Howe")  # daylight saving of half an hour
except ZoneInfoNotFoundError:
    pytest.skip("this system has no time zones (tzdata)", allow_module_level=True)


def local_in(zone: ZoneInfo) -> Callable[[int], datetime]:
    return lambda minute: datetime.fromtimestamp(minute * 60, zone).replace(tzinfo=None)


utc = local_in(ZoneInfo("UTC"))


def minute_of(text: str) -> int:
    """Of a time in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) // 60


def runs(times: Times, zone: ZoneInfo, start: str, minutes: int) -> list[str]:
    """The local times of the minutes at which something runs, looked at minute by minute."""
    local, first = local_in(zone), minute_of(start)
    mark = fresh(times, first)
    found = [local(now) for now in range(first, first + minutes) if mark.due(now, local)]
    return [moment.isoformat(" ", "minutes") + "'" * moment.fold for moment in found]


def test_a_minute_counts_once_however_often_it_is_looked_at() -> None:
    now = minute_of("2026-11-21T12:00")
    mark = fresh(Times(), now)
    assert [mark.due(now, utc) for _ in range(3)] == [True, False, False]
    assert mark.due(now + 1, utc)


def test_one_that_is_new_counts_the_minute_that_is_now() -> None:
    now = minute_of("2026-11-21T12:00")
    assert fresh(Times(0, 12), now).due(now, utc)
    assert not fresh(Times(59, 11), now).due(now, utc)


def test_a_gap_of_the_local_time_loses_nothing() -> None:
    # 29 March 2026, 02:00 to 03:00 are not there in Berlin.
    day = ("2026-03-28T22:00", 24 * 60)
    assert runs(Times(30, 2), BERLIN, *day) == ["2026-03-29 03:00"]
    assert runs(Times(0, 2), BERLIN, *day) == ["2026-03-29 03:00"]
    assert runs(Times(59, 2), BERLIN, *day) == ["2026-03-29 03:00"]
    assert runs(Times(0, 3), BERLIN, *day) == ["2026-03-29 03:00"]
    assert runs(Times(59, 1), BERLIN, *day) == ["2026-03-29 01:59"]
    assert runs(Times(30, 2, week=1), BERLIN, *day) == []


def test_what_runs_at_intervals_goes_by_the_clock_over_a_gap() -> None:
    found = runs(Times(-30), BERLIN, "2026-03-29T00:00", 120)
    assert found == ["2026-03-29 01:00", "2026-03-29 01:30", "2026-03-29 03:00", "2026-03-29 03:30"]
    assert runs(Times(-30, 2), BERLIN, "2026-03-29T00:00", 120) == []


def test_an_hour_that_comes_twice_has_a_fixed_time_once() -> None:
    # 25 October 2026, 02:00 to 03:00 come twice in Berlin.
    day = ("2026-10-24T22:00", 25 * 60)
    for times in (Times(0, 2), Times(30, 2), Times(59, 2)):
        assert runs(times, BERLIN, *day) == [f"2026-10-25 02:{times.minute:02d}"]
    assert runs(Times(0, 3), BERLIN, *day) == ["2026-10-25 03:00"]


def test_what_runs_at_intervals_goes_by_the_clock_over_an_overlap() -> None:
    found = runs(Times(-30), BERLIN, "2026-10-25T00:00", 120)
    assert found == ["2026-10-25 02:00", "2026-10-25 02:30", "2026-10-25 02:00'", "2026-10-25 02:30'"]


def test_half_an_hour_of_daylight_saving() -> None:
    assert runs(Times(15, 2), LORD_HOWE, "2026-10-03T14:00", 24 * 60) == ["2026-10-04 02:30"]
    assert runs(Times(45, 1), LORD_HOWE, "2026-04-04T13:00", 24 * 60) == ["2026-04-05 01:45"]


@pytest.mark.parametrize(("start", "hours"), [("2026-03-26T23:00", 119), ("2026-10-22T22:00", 121)])
def test_each_day_of_a_change_has_its_fixed_time_once(start: str, hours: int) -> None:
    for times in (Times(30, 2), Times(0, 0), Times(0, 3), Times(59, 1)):
        found = runs(times, BERLIN, start, hours * 60)
        assert len({text[:10] for text in found}) == len(found) == 5


def test_minutes_that_were_missed_are_made_up_for_once() -> None:
    start = minute_of("2026-11-21T12:00")
    for times in (Times(5, 12), Times(-1), Times(-5)):
        mark = fresh(times, start - 1)
        mark.due(start - 1, utc)
        assert mark.due(start + 20, utc)
        assert not mark.due(start + 20, utc)
    mark = fresh(Times(30, 12), start)
    mark.due(start, utc)
    assert not mark.due(start + 29, utc)
    assert mark.due(start + 31, utc)
    assert not mark.due(start + 32, utc)


@pytest.mark.parametrize(("away", "made_up"), [(LATE, True), (LATE + 1, False)])
def test_they_are_made_up_for_within_an_hour(away: int, made_up: bool) -> None:
    start = minute_of("2026-11-21T12:00")
    mark = fresh(Times(1, 12), start)
    mark.due(start, utc)
    assert mark.due(start + away, utc) is made_up


def test_a_clock_that_is_set_back_brings_no_fixed_time_again() -> None:
    start = minute_of("2026-11-21T12:00")
    fixed, every = fresh(Times(0, 12), start), fresh(Times(-10), start)
    assert fixed.due(start, utc) and every.due(start, utc)
    back = range(start - 20, start + 11)
    assert [now - start for now in back if fixed.due(now, utc)] == []
    assert [now - start for now in back if every.due(now, utc)] == [-20, -10, 0, 10]
    tomorrow = start + 24 * 60
    fixed.due(tomorrow - 1, utc)
    assert fixed.due(tomorrow, utc)


def test_a_clock_that_was_wrong_is_believed_from_now_on() -> None:
    start = minute_of("2026-11-21T12:00")
    mark = Minutes(Times(0, 12), start + SHIFT + 1, start + SHIFT + 1)
    assert mark.due(start, utc)
    mark = Minutes(Times(0, 12), start + SHIFT, start + SHIFT)
    assert not mark.due(start, utc)


def test_a_day_that_a_country_leaves_out_is_no_daylight_saving() -> None:
    # Samoa had no 30 December 2011.
    found = runs(Times(0, 12), ZoneInfo("Pacific/Apia"), "2011-12-29T12:00", 2 * 24 * 60)
    assert found == ["2011-12-29 12:00", "2011-12-31 12:00"]
    assert timedelta(minutes=SHIFT) < timedelta(days=1)
