"""All options by name: those of the settings' fields, and the catalogue's for all other names of uWSGI.

Nothing is declared here. A name is looked for among the settings' own first, then alone in the catalogue, so
that a start does not read what it does not need.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from penstock.config import catalogue
from penstock.config.option import FLAG, LIST, MILLISECONDS, MODE, SECONDS, SIZE, Option, settings_of
from penstock.config.settings import GROUPS

BARE = {"none": "true", "optional": "", "required": None}
"""What an option of the catalogue has that is given without a value, by its ``arg``."""
METAVARS = {
    "int": "N", "signed": "N", "size": "BYTES", "kilobytes": "KB", "megabytes": "MB", "seconds": "TIME",
    "milliseconds": "MS", "mode": "MODE", "keyval": "KEY=VALUE,…", "list": "VALUE", "text": "VALUE",
}  # fmt: skip
FEW = 2
"""Letters that are too few for an abbreviation."""


@cache
def declared() -> tuple[Option, ...]:
    """The settings' options, in the order of declaration."""
    found = []
    for group in GROUPS:
        for setting in settings_of(group).values():
            if (option := setting.option) is not None:
                default = shown(option.kind, setting.default)
                found.append(option._replace(field=setting.name, default=default))
    return tuple(found)


@cache
def by_name() -> dict[str, Option]:
    """The settings' options by every name they have; ``lookup`` knows the others too."""
    return {name: option for option in declared() for name in option.names}


@cache
def by_short() -> dict[str, Option]:
    """The settings' options by their letter."""
    return {option.short: option for option in declared() if option.short}


@cache
def options() -> tuple[Option, ...]:
    """Every option there is: the settings' in the order of declaration, then the catalogue's others."""
    known = by_name()
    return (*declared(), *(of_entry(entry) for entry in catalogue.entries() if entry.name not in known))


@cache
def every_name() -> dict[str, Option]:
    """Every option by every name it has. Reads the whole catalogue."""
    return {name: option for option in options() for name in option.names}


@cache
def lookup(name: str) -> Option | None:
    """An option by its whole name, whoever's it is."""
    option = by_name().get(name)
    if option is None:
        entry = catalogue.entry(name)
        option = of_entry(entry) if entry is not None else None
    return option


def of_entry(entry: catalogue.Entry) -> Option:
    """The catalogue's entry as an option without a field."""
    return Option(
        entry.name,
        entry.kind,
        entry.group,
        entry.help,
        short=entry.short,
        aliases=entry.aliases,
        bare=BARE[entry.arg],
        metavar=METAVARS.get(entry.kind, ""),
        state=entry.state,
        reason=entry.reason,
        unasked=entry.unasked,
        language=entry.language,
        later=entry.later,
    )


def shown(kind: str, value: object) -> str:
    """A default value as the help shows it; nothing for what is off or empty."""
    if value in (None, "", (), False, 0):
        return ""
    return SHOWN.get(kind, str)(value)


def shown_size(value: Any) -> str:
    """Bytes with the largest unit that divides them."""
    for unit, name in ((1 << 30, "g"), (1 << 20, "m"), (1 << 10, "k")):
        if value % unit == 0:
            return f"{value // unit}{name}"
    return str(value)


SHOWN: dict[str, Callable[[Any], str]] = {
    FLAG: lambda value: "on",
    SIZE: shown_size,
    SECONDS: lambda value: f"{value:g}s",
    MILLISECONDS: lambda value: f"{value:g}s",
    LIST: ",".join,
    MODE: lambda value: f"{value:03o}",
}


def find(name: str) -> Option | None:
    """An option by its name, or by a beginning that only one has (getopt's abbreviations)."""
    option = lookup(name)
    if option is not None:
        return option
    matches = beginnings(name)
    return every_name()[matches[0]] if len(matches) == 1 else None


def beginnings(name: str) -> list[str]:
    """The options, by their first name, that have a name which begins so; none for one or two letters.

    uWSGI's names come first: an abbreviation that works there means the same here.
    """
    if len(name) <= FEW:
        return []
    found = {(option.own, option.name) for full, option in every_name().items() if full.startswith(name)}
    theirs = sorted(full for own, full in found if not own)
    return theirs or sorted(full for _, full in found)


def suggest(name: str, dashes: str = "--") -> str:
    """``; did you mean --x?`` for a name that is close to one, else ""."""
    close = [dashes + full for full in closest(name)]
    return f"; did you mean {' or '.join(close)}?" if close else ""


def closest(name: str) -> list[str]:
    """The names that may be meant: the nearest, and a second one that is as near.

    Whoever mistypes a name rarely does so at its first letter, unless by one too many.
    """
    from difflib import SequenceMatcher, get_close_matches

    word = name.lower().replace("_", "-")
    if lookup(word) is not None:
        return [word]
    matcher = SequenceMatcher()
    matcher.set_seq2(word)

    def likeness(full: str) -> float:
        matcher.set_seq1(full)
        return matcher.ratio()

    known = [full for full in every_name() if full[:1] == word[:1] or (full == word[1:] and len(full) > FEW)]
    near = get_close_matches(word, known, n=8, cutoff=0.75)
    ranked = sorted(near, key=lambda full: (-likeness(full), full))
    return [full for full in ranked if likeness(full) == likeness(ranked[0])][:2]
