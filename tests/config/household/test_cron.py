"""Times as uWSGI writes them: what they mean, how they are read, and what nobody can have meant."""

from calendar import monthrange
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.config.household.cron import PARSERS, Entry, Times, parse, parse_keys, parse_unique, parse_url


def hits(text: str, start: str, hours: float = 24.0) -> list[str]:
    """The minutes of the hours from ``start`` on that five numbers mean."""
    times = parse(f"{text} x").times
    moment = datetime.fromisoformat(start)
    minutes = (moment + timedelta(minutes=count) for count in range(int(hours * 60)))
    return [minute.isoformat(" ", "minutes") for minute in minutes if times.mean(minute)]


def test_each_field_is_compared() -> None:
    assert hits("59 2 -1 -1 -1", "2026-11-20") == ["2026-11-20 02:59"]
    assert hits("0 0 3 -1 -1", "2026-11-01", 24 * 60) == ["2026-11-03 00:00", "2026-12-03 00:00"]
    assert hits("0 0 1 2 -1", "2026-01-01", 24 * 365) == ["2026-02-01 00:00"]
    assert hits("0 0 -1 -1 1", "2026-11-16", 24 * 7) == ["2026-11-16 00:00"]


@pytest.mark.parametrize("sunday", ["0", "7"])
def test_sunday_has_two_numbers(sunday: str) -> None:
    assert hits(f"0 0 -1 -1 {sunday}", "2026-11-16", 24 * 7) == ["2026-11-22 00:00"]


def test_negative_is_every_so_many() -> None:
    assert hits("-20 -1 -1 -1 -1", "2026-11-20", 1) == [
        "2026-11-20 00:00",
        "2026-11-20 00:20",
        "2026-11-20 00:40",
    ]
    assert [hit[11:13] for hit in hits("0 -7 -1 -1 -1", "2026-11-20")] == ["00", "07", "14", "21"]
    assert [hit[8:10] for hit in hits("0 0 -10 -1 -1", "2026-11-01", 24 * 30)] == ["10", "20", "30"]
    assert [hit[5:7] for hit in hits("0 0 1 -6 -1", "2026-01-01", 24 * 365)] == ["06", "12"]
    assert [hit[8:10] for hit in hits("0 0 -1 -1 -3", "2026-11-15", 24 * 7)] == ["15", "18", "21"]


def test_of_a_day_and_a_weekday_one_is_enough() -> None:
    found = hits("0 0 20 -1 1", "2026-11-15", 24 * 10)
    assert found == ["2026-11-16 00:00", "2026-11-20 00:00", "2026-11-23 00:00"]


def test_sunday_and_the_first_weekday_are_plain_numbers_too() -> None:
    assert hits("0 0 20 -1 0", "2026-11-15", 24 * 10) == [
        "2026-11-15 00:00",
        "2026-11-20 00:00",
        "2026-11-22 00:00",
    ]


def test_of_an_interval_of_days_and_a_weekday_both_are_needed() -> None:
    found = hits("0 0 -2 -1 1", "2026-11-15", 24 * 20)
    assert found == ["2026-11-16 00:00", "2026-11-30 00:00"]


@pytest.mark.parametrize(
    ("text", "times", "command"),
    [
        ("59 2 -1 -1 -1 sh -c 'a  b'", (59, 2, -1, -1, -1), "sh -c 'a  b'"),
        ("  5\t-1  -1 -1 -1\techo", (5, -1, -1, -1, -1), "echo"),
        ("-1 -1 -1 -1 -1echo", (-1, -1, -1, -1, -1), "echo"),
        ("-1-1-1-1+3 echo", (-1, -1, -1, -1, 3), "echo"),
        ("0 0 1 1 7 7z x", (0, 0, 1, 1, 7), "7z x"),
    ],
)
def test_five_numbers_and_a_command(text: str, times: tuple[int, ...], command: str) -> None:
    for parser, unique in ((parse, False), (parse_unique, True)):
        found = parser(text)
        assert found == Entry(Times(*times), command, unique)


@pytest.mark.parametrize(
    "text",
    [
        *("", "echo", "* * * * * echo", "*/5 -1 -1 -1 -1 echo", "-1,5 -1 -1 -1 -1 echo"),
        *("-1 -1 -1 -1 echo", "12345 echo", "1 1 1 1 99999999999 echo", "1 - 1 1 1 echo"),
    ],
)
def test_what_is_no_five_numbers(text: str) -> None:
    for parser in (parse, parse_unique, parse_url):
        with pytest.raises(ValueError, match="five whole numbers"):
            parser(text)


@pytest.mark.parametrize(
    ("text", "doubt"),
    [
        ("60 -1 -1 -1 -1 x", "there is no minute 60, so it never runs"),
        ("0 24 -1 -1 -1 x", "there is no hour 24, so it never runs"),
        ("0 0 0 -1 -1 x", "there is no day 0, so it never runs"),
        ("0 0 -1 0 -1 x", "there is no month 0, so it never runs"),
        ("0 0 -1 13 -1 x", "there is no month 13, so it never runs"),
        ("0 0 -1 -1 8 x", "there is no week 8, so it never runs"),
        ("0 0 0 -1 1 x", "there is no day 0, so this field means nothing"),
        ("-1440 -1 -1 -1 -1 x", "minute -1440 is only at minute 0: it counts from 0 to 59"),
        ("0 0 -32 -1 -1 x", "day -32 is never: it counts from 0 to 31"),
        ("0 0 30 2 -1 x", "month 2 has no day 30, so it never runs"),
        ("0 0 -1 -1 -1", "there is no command"),
    ],
)
def test_what_nobody_can_have_meant(text: str, doubt: str) -> None:
    assert [one.startswith(doubt) for one in parse(text).doubtful] == [True]


def test_what_is_well_meant_is_not_doubted() -> None:
    for text in (
        "-1 -1 -1 -1 -1 x",
        "59 23 31 12 7 x",
        "0 0 29 2 -1 x",
        "-59 -23 -31 -12 -7 x",
        "0 0 30 2 1 x",
    ):
        assert parse(text).doubtful == ()


@pytest.mark.parametrize("month", range(1, 13))
def test_days_that_a_month_never_has(month: int) -> None:
    most = monthrange(2024, month)[1]
    assert parse(f"0 0 {most} {month} -1 x").doubtful == ()
    said = parse(f"0 0 {most + 1} {month} -1 x").doubtful
    assert len(said) == 1 and said[0].startswith(("month", "there is no day 32"))
    assert parse(f"0 0 {min(31, most + 1)} {month} 0 x").doubtful == ()


def test_keys_and_a_command() -> None:
    found = parse_keys("minute=-5,hour=3,day=1,month=2,week=4,unique=1,harakiri=20 sh -c 'a=b c'")
    assert found == Entry(Times(-5, 3, 1, 2, 4), "sh -c 'a=b c'", True, 20.0)
    assert parse_keys("minute=7 x") == Entry(Times(7), "x")
    assert parse_keys("unique=0,harakiri=0 x") == Entry(Times(), "x", False, 0.0)
    assert parse_keys("harakiri=-5 x").harakiri == 0.0


@pytest.mark.parametrize("command", ["/bin/true", "/bin/echo hello", "echo a=b hello"])
def test_a_first_word_without_a_key_is_the_command(command: str) -> None:
    assert parse_keys(command) == Entry(Times(), command)


def test_keys_and_numbers_that_uwsgi_takes_otherwise_than_they_look() -> None:
    found = parse_keys("minute=*/5,hour=3x,nonsense=1 x")
    assert found.times == Times(0, 3)
    assert found.doubtful[:2] == (
        "minute=*/5: this is no number, and counts as 0",
        "hour=3x: this counts as 3",
    )
    assert found.doubtful[2].startswith("there is no key 'nonsense', it is left out; there are minute, hour,")


@pytest.mark.parametrize(
    ("text", "said"), [("minute=1", "behind one space"), ("legion=a x", "does not join clusters")]
)
def test_keys_that_are_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_keys(text)


def test_addresses() -> None:
    found = parse_url("-5 -1 -1 -1 -1 https://user:word@example.com:8443/a?b=c")
    assert (found.times, found.command, found.url) == (
        Times(-5),
        "https://user:word@example.com:8443/a?b=c",
        True,
    )
    assert parse_url("-1 -1 -1 -1 -1  example.com/x ").command == "http://example.com/x"
    assert parse_url("60 -1 -1 -1 -1 example.com").doubtful


@pytest.mark.parametrize(
    "address", ["", "ftp://a/b", "file:///etc/passwd", "http://", "http://a b/", "http://a:x/"]
)
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(ValueError, match="an address is expected"):
        parse_url(f"-1 -1 -1 -1 -1 {address}")


def test_a_fixed_time_is_a_minute_of_the_day() -> None:
    assert Times(0, 0).fixed and Times(0, 2).fixed and Times(0, 2, -1, -1, 0).fixed
    assert not Times(0, -1).fixed and not Times(-5, 2).fixed


def test_every_option_has_its_parser() -> None:
    assert PARSERS["cron"]("0 0 -1 -1 -1 x") == PARSERS["cron2"]("minute=0,hour=0 x")
    assert PARSERS["unique-cron"]("0 0 -1 -1 -1 x").unique
    assert not any(PARSERS[name]("0 0 -1 -1 -1 x").url for name in ("cron", "unique-cron"))
    assert PARSERS["curl-cron"]("0 0 -1 -1 -1 x").url


PIECES = st.lists(
    st.sampled_from(
        [*"0179-+ =,*/:@[]%\\\t\0é", "minute=", "harakiri=", "-1 -1 -1 -1 -1 ", "http://", "9" * 12]
    ),
    max_size=20,
)


@given(PIECES.map("".join))
def test_whatever_is_written_is_an_entry_or_an_error_in_words(text: str) -> None:
    for parser in PARSERS.values():
        try:
            found = parser(text)
        except ValueError as error:
            assert "expected" in str(error) or "legion" in str(error)
        else:
            assert all(isinstance(value, int) for value in found.times.values)
            found.times.mean(datetime(2026, 11, 21, 12, 0))
