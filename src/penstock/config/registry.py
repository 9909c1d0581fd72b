"""All options by name, derived from the settings' fields and the table; nothing is declared here."""

from collections.abc import Callable
from dataclasses import replace
from difflib import get_close_matches
from functools import cache
from typing import Any

from pydantic import BaseModel

from penstock.config.option import FLAG, LIST, SECONDS, SIZE, Option
from penstock.config.settings import Settings
from penstock.config.table import ROWS


@cache
def options() -> tuple[Option, ...]:
    """Every option, in the order of declaration; those of the table last."""
    found: list[Option] = []
    for field, info in Settings.model_fields.items():
        extra = info.json_schema_extra
        option = extra.get("option") if isinstance(extra, dict) else None
        if isinstance(option, Option):
            found.append(replace(option, field=field, default=shown(option.kind, info.default)))
    # pydantic lists the fields of the last base first; people read from the first.
    bases = [base for base in Settings.__bases__ if issubclass(base, BaseModel)]
    order = {field: at for at, base in enumerate(bases) for field in base.model_fields}
    found.sort(key=lambda option: order[option.field])
    return (*found, *ROWS)


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
    LIST: ",".join,
}


@cache
def by_name() -> dict[str, Option]:
    """Options by every name they have."""
    return {name: option for option in options() for name in option.names}


@cache
def by_short() -> dict[str, Option]:
    """Options by their letter."""
    return {option.short: option for option in options() if option.short}


def find(name: str) -> Option | None:
    """An option by its name, or by a beginning that only one has (getopt's abbreviations)."""
    known = by_name()
    if name in known:
        return known[name]
    matches = beginnings(name)
    return known[matches[0]] if len(matches) == 1 else None


def beginnings(name: str) -> list[str]:
    """The options, by their first name, that have a name which begins so; none for one or two letters."""
    found = {option.name for full, option in by_name().items() if full.startswith(name)}
    return sorted(found) if len(name) > 2 else []


def suggest(name: str) -> str:
    """``; did you mean --x?`` for a name that is close to one, else ""."""
    close = get_close_matches(name, by_name(), n=1, cutoff=0.6)
    return f"; did you mean --{close[0]}?" if close else ""
