"""Every name of uWSGI's option table: what it is, and what penstock does with it. Data, not fields.

Read when a name needs it, not at import, and one name without the others: a start mostly needs few. What
penstock acts on is declared with its settings; the rows here say so, and a test compares the two.
"""

from functools import cache
from typing import Any, NamedTuple

FILE = __file__.rpartition("/")[0] + "/catalogue.jsonl"


class Entry(NamedTuple):
    """One option with its aliases; see ``config.option`` for kinds.

    ``arg``        "none", "required" or "optional", as getopt has it on the command line
    ``immediate``  it acts while the configuration is read, so its value is never expanded
    ``inverted``   a flag that turns something off
    ``language``   a word of the configuration language, not a setting
    ``state``      "acted-on", "harmless" or "unsupported"; ``reason`` why, where it is not acted on
    ``unasked``    values that ask for nothing, so that nothing is said about them
    ``later``      which part of penstock is to bring it
    """

    name: str
    kind: str
    arg: str
    group: str
    state: str
    reason: str
    help: str
    aliases: tuple[str, ...] = ()
    short: str = ""
    later: str = ""
    immediate: bool = False
    inverted: bool = False
    language: bool = False
    unasked: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The name and its aliases."""
        return (self.name, *self.aliases)


@cache
def text() -> str:
    """The file, one entry a line."""
    with open(FILE, encoding="utf-8") as file:
        return file.read()


@cache
def entries() -> tuple[Entry, ...]:
    """All of them, by group and name."""
    return tuple(_entry(line) for line in text().splitlines())


@cache
def by_name() -> dict[str, Entry]:
    """Entries by every name they have: 1,335 names."""
    return {name: entry for entry in entries() for name in entry.names}


@cache
def entry(name: str) -> Entry | None:
    """The entry of one name, found without taking the others apart."""
    whole, quoted = text(), f'"{name}"'
    at = whole.find(quoted)
    while at >= 0:
        # Names come first in a line; the same word behind them is a kind, a group or a value.
        start, end = whole.rfind("\n", 0, at) + 1, whole.find("\n", at)
        if at < whole.find('"short":', start):
            found = _entry(whole[start:end])
            if name in found.names:
                return found
        at = whole.find(quoted, end)
    return None


def _entry(line: str) -> Entry:
    import json

    row: dict[str, Any] = json.loads(line)
    row["aliases"] = tuple(row["aliases"])
    row["unasked"] = tuple(row.get("unasked", ()))
    return Entry(**row)
