"""Mules and farms, ``mule``, ``mules`` and ``farm``: what is to run, and who hears what is said to whom.

Pure. Read at boot, by the supervisor, and by every mule.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

MOST = 1000  # mules; each has a door that every process holds
BARE = ("", "1", "true", "yes", "on")
"""Values that say nothing but that a mule is wanted."""
FUNCTION = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*:[^\W\d]\w*(?:\.[^\W\d]\w*)*(?:\(\))?")


@dataclass(frozen=True, slots=True)
class Work:
    """What a mule does. ``script`` is a file that it runs as ``__main__``, ``function`` a ``module:name``
    that it calls; without either it hears messages. ``doubtful``: what whoever wrote it should know."""

    text: str = ""
    script: str = ""
    function: str = ""
    doubtful: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """For the log."""
        return f" ({self.text})" if self.script or self.function else ""


@dataclass(frozen=True, slots=True)
class Farm:
    """A group of mules by their numbers, of which any may take what is sent to it."""

    name: str
    mules: tuple[int, ...] = field(default=())


def parse(text: str) -> Work:
    """A value of ``mule``. As in uWSGI, what is neither a Python file nor a function means a mule that hears
    messages. Raises ValueError with what is expected."""
    text = text.strip()
    if text.endswith(".py"):
        return Work(text, script=text)
    if ":" in text:
        if not FUNCTION.fullmatch(text):
            raise ValueError("the path of a Python file (*.py) or module:function is expected")
        return Work(text, function=text)
    if text.lower() in BARE:
        return Work(text)
    return Work(text, doubtful=("neither a Python file (*.py) nor module:function: it only hears messages",))


def parse_count(text: str) -> int:
    """A value of ``mules``. Raises ValueError with what is expected."""
    text = text.strip()
    if not (text.isascii() and text.isdecimal()) or int(text[:9]) > MOST:
        raise ValueError(f"a number of processes is expected, at most {MOST}")
    return int(text)


def parse_farm(text: str) -> Farm:
    """A value of ``farm``. Raises ValueError with what is expected."""
    name, found, numbers = text.strip().partition(":")
    words = [word.strip() for word in numbers.split(",") if word.strip()]
    if not found or not name or not all(word.isascii() and word.isdecimal() for word in words):
        raise ValueError("NAME:NUMBER[,NUMBER…] is expected: the numbers of mules, counted from 1")
    return Farm(name, tuple(dict.fromkeys(int(word[:9]) for word in words)))


PARSERS: Mapping[str, Callable[[str], object]] = {
    "mule": parse,
    "mules": parse_count,
    "farm": parse_farm,
}
"""What takes a value apart, by its option."""


def works(mule: Sequence[str], mules: Sequence[str], before: Sequence[int] = ()) -> tuple[Work, ...]:
    """Every mule, number 1 first: those of ``mule`` in their order, and as many as ``mules`` say, at most
    1000. As in uWSGI they are numbered as they stand: ``before`` says of each value of ``mules`` how many of
    ``mule`` were there already; without it all were.

    Raises ValueError.
    """
    found = [parse(text) for text in mule]
    places = [*before, *[len(found)] * len(mules)]
    added = 0
    for text, place in zip(mules, places, strict=False):
        count = min(MOST - added, parse_count(text))
        found[place + added : place + added] = [Work()] * count
        added += count
    return tuple(found)


def farms(farm: Sequence[str]) -> dict[str, Farm]:
    """Farms by their names; of two with one name the first counts, as in uWSGI. Raises ValueError."""
    found: dict[str, Farm] = {}
    for text in farm:
        one = parse_farm(text)
        found.setdefault(one.name, one)
    return found


def missing(farm: str, count: int) -> str:
    """What is wrong with a value of ``farm`` where there are ``count`` mules, "" for nothing."""
    strangers = [str(number) for number in parse_farm(farm).mules if not 1 <= number <= count]
    if not strangers:
        return ""
    return f"there is no mule {', '.join(strangers)}: mule and mules ask for {count or 'none'}"
