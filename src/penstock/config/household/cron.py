"""What runs at set times, as uWSGI writes it: ``cron``, ``unique-cron``, ``cron2``, ``curl-cron``.

Pure: texts become times and commands, and times say whether they mean a minute. Nothing here knows what
time it is.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from urllib.parse import urlsplit

NAMES = ("minute", "hour", "day", "month", "week")
"""The five fields in their order, crontab(5)'s; there are no lists, ranges or names."""
KEYS = (*NAMES, "unique", "harakiri")
BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
MOST_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
# Like scanf's %d: a sign and digits, as many as there are, blanks between two fields or none.
FIELDS = re.compile(r"\s*+([+-]?+\d++)" * 5 + r"\s*+(.*)", re.ASCII | re.DOTALL)
LEADING = re.compile(r"\s*([+-]?\d+)", re.ASCII)
SHAPE = "MINUTE HOUR DAY MONTH WEEKDAY COMMAND is expected, five whole numbers before the command; -1 is any"
LONGEST = 9  # digits of a number


@dataclass(frozen=True, slots=True)
class Times:
    """Five numbers. Below zero: every N of them, so that -1 is any; a weekday is 0 to 6 from Sunday on, and
    7 is Sunday, too."""

    minute: int = -1
    hour: int = -1
    day: int = -1
    month: int = -1
    week: int = -1

    def mean(self, moment: datetime) -> bool:
        """Whether the minute of this local time is one of them.

        Of a day of the month and a day of the week that are both given, one is enough (so in crontab(5)).
        """
        if not (fits(self.minute, moment.minute) and fits(self.hour, moment.hour)):
            return False
        if not fits(self.month, moment.month):
            return False
        day = fits(self.day, moment.day)
        week = fits(0 if self.week == 7 else self.week, moment.isoweekday() % 7)
        return day or week if self.day >= 0 and self.week >= 0 else day and week

    @property
    def fixed(self) -> bool:
        """Whether it is one minute of a day, which daylight saving can take away or bring twice."""
        return self.minute >= 0 and self.hour >= 0

    @property
    def values(self) -> tuple[int, ...]:
        """In their order."""
        return self.minute, self.hour, self.day, self.month, self.week


def fits(wanted: int, value: int) -> bool:
    """One field; an interval counts the number itself, not from when something began: -5 is 0, 5, 10…"""
    return value == wanted if wanted >= 0 else value % -wanted == 0


@dataclass(frozen=True, slots=True)
class Entry:
    """What is run, and when.

    ``unique``    not while it still runs
    ``harakiri``  seconds that it may run, 0 for any; None for what ``cron-harakiri`` says
    ``url``       the command is an address that is asked for
    """

    times: Times
    command: str
    unique: bool = False
    harakiri: float | None = None
    url: bool = False
    doubtful: tuple[str, ...] = ()


def doubts(times: Times, command: str) -> tuple[str, ...]:
    """What uWSGI takes and nobody can have meant."""
    found = list(odd_fields(times))
    if times.week < 0 and 1 <= times.month <= 12 and MOST_DAYS[times.month - 1] < times.day <= 31:
        found.append(f"month {times.month} has no day {times.day}, so it never runs")
    if not command.strip():
        found.append("there is no command")
    return tuple(found)


def odd_fields(times: Times) -> Iterator[str]:
    """Those that no time has."""
    for name, value, (least, most) in zip(NAMES, times.values, BOUNDS, strict=True):
        if value > most or 0 <= value < least:
            alone = name not in ("day", "week") or times.day < 0 or times.week < 0
            end = "so it never runs" if alone else "so this field means nothing"
            yield f"there is no {name} {value}, {end}"
        elif -value > most and value < -1:
            when = f"only at {name} 0" if least == 0 else "never"
            yield f"{name} {value} is {when}: it counts from 0 to {most}, and does not go on after that"


def entry(times: Times, command: str, unique: bool = False, harakiri: float | None = None) -> Entry:
    """With what is doubtful about it."""
    return Entry(times, command, unique, harakiri, doubtful=doubts(times, command))


def fields(text: str) -> tuple[Times, str]:
    """Five numbers and the rest. Raises ValueError."""
    found = FIELDS.match(text)
    if found is None or any(len(word.lstrip("+-")) > LONGEST for word in found.groups()[:5]):
        raise ValueError(SHAPE)
    *numbers, command = found.groups()
    return Times(*map(int, numbers)), command


def parse(text: str) -> Entry:
    """``cron``. Raises ValueError with what is expected."""
    return entry(*fields(text))


def parse_unique(text: str) -> Entry:
    """``unique-cron``. Raises ValueError."""
    return entry(*fields(text), unique=True)


def parse_keys(text: str) -> Entry:
    """``cron2``: ``KEY=NUMBER,KEY=NUMBER COMMAND``, where a first word without ``=`` is the command already.

    Keys that are not given are any; ``harakiri=0`` is no limit, whatever ``cron-harakiri`` says. As in uWSGI
    a key that there is not is left out, and what is no number is 0. Raises ValueError.
    """
    first, _, command = text.partition(" ")
    if "=" not in first:
        return entry(Times(), text)
    if not command.strip():
        raise ValueError("KEY=NUMBER,... COMMAND is expected, the command behind one space")
    numbers: dict[str, int] = {}
    odd = []
    for item in first.split(","):
        name, _, value = item.partition("=")
        if name == "legion":
            raise ValueError("legion: penstock does not join clusters")
        if name not in KEYS:
            odd.append(f"there is no key {name!r}, it is left out; there are {', '.join(KEYS)}")
            continue
        numbers[name], doubt = number(value)
        odd += [f"{name}={value}: {doubt}"] * bool(doubt)
    unique = numbers.pop("unique", 0) != 0
    harakiri = numbers.pop("harakiri", None)
    found = entry(Times(**numbers), command, unique, None if harakiri is None else max(0.0, float(harakiri)))
    return replace(found, doubtful=(*odd, *found.doubtful))


def number(text: str) -> tuple[int, str]:
    """Like C's atoi, and what is doubtful about it."""
    found = LEADING.match(text)
    if found is None or len(found[1]) > LONGEST:
        return 0, "this is no number, and counts as 0"
    return int(found[1]), "" if found.end() == len(text) else f"this counts as {int(found[1])}"


def parse_url(text: str) -> Entry:
    """``curl-cron``: an address in the place of the command; http is understood. Raises ValueError."""
    times, address = fields(text)
    address = address.strip()
    if "://" not in address:
        address = f"http://{address}"
    try:
        parts = urlsplit(address)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or any(character.isspace() for character in address):
        raise ValueError("an address is expected behind the five numbers, of http or https")
    return Entry(times, address, url=True, doubtful=doubts(times, address))


PARSERS: Mapping[str, Callable[[str], Entry]] = MappingProxyType(
    {"cron": parse, "unique-cron": parse_unique, "cron2": parse_keys, "curl-cron": parse_url}
)
"""By option, in the order in which those that are due are run."""
