"""What differs between two records, and the list of what is allowed to.

Pure: knows no server, reads nothing but ``differences.toml``. A listed difference is narrow on purpose:
it names both sides' values, so that a third value is a new difference.
"""

import re
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from tests.compat.cases import DIRECT, NGINX
from tests.compat.pair import Environ, Record, Seen
from tests.compat.wire import Reply

LIST = Path(__file__).parent / "differences.toml"
ABSENT = "absent"
WAYS = {"nginx": (*NGINX, "stream", "underscores"), "direct": DIRECT}
FIELDS = {"scope", "where", "part", "ways", "uwsgi", "penstock", "reason", "nginx_before"}


@dataclass(frozen=True)
class Difference:
    """One thing that is not the same. ``part`` is an environ key, a header's name in lower case, or
    "called", "reply" (where the statuses differ), "order", "body" or "end"."""

    scope: str
    way: str
    case: str
    part: str
    uwsgi: str
    penstock: str

    def __str__(self) -> str:
        return (
            f"{self.scope} {self.way}/{self.case} {self.part}: "
            f"uwsgi {self.uwsgi[:300]!r}, penstock {self.penstock[:300]!r}"
        )


def differences(uwsgi: Record, penstock: Record) -> list[Difference]:
    """All of them, in the order in which the cases were asked."""
    assert uwsgi.keys() == penstock.keys()
    found = []
    for (way, case), one in uwsgi.items():
        for scope, part, left, right in compare(one, penstock[way, case]):
            found.append(Difference(scope, way, case, part, left, right))
    return found


Row = tuple[str, str, str, str]


def compare(one: Seen, other: Seen) -> Iterator[Row]:
    """(scope, part, uWSGI's, penstock's) for one request."""
    if one.environ is None or other.environ is None:
        if one.environ is not other.environ:
            yield "reply", "called", called(one), called(other)
    else:
        yield from compare_environ(one.environ, other.environ)
    yield from compare_reply(one.reply, other.reply)


def called(seen: Seen) -> str:
    return "no" if seen.environ is None else "yes"


def compare_environ(one: Environ, other: Environ) -> Iterator[Row]:
    for key in sorted(one.keys() | other.keys()):
        left, right = one.get(key, ABSENT), other.get(key, ABSENT)
        if left != right:
            yield "environ", key, left, right


def compare_reply(one: Reply, other: Reply) -> Iterator[Row]:
    """By parts where both say the same status; whole where they say different things."""
    if one.status != other.status:
        yield "reply", "reply", summary(one), summary(other)
        return
    names = {name.lower() for name, _ in one.headers + other.headers}
    for name in sorted(names):
        left, right = values(one, name), values(other, name)
        if left != right:
            yield "reply", name, left, right
    left, right = order(one, other), order(other, one)
    if left != right:
        yield "reply", "order", left, right
    if not same_body(one, other):
        yield "reply", "body", one.body, other.body
    if one.end != other.end:
        yield "reply", "end", one.end, other.end


def same_body(one: Reply, other: Reply) -> bool:
    """Of a reply that was cut only the beginning is sure: how much of it still came is chance."""
    if {one.end, other.end} & {"cut", "reset"}:
        return one.body.startswith(other.body) or other.body.startswith(one.body)
    return one.body == other.body


def summary(reply: Reply) -> str:
    names = " ".join(name for name, _ in reply.headers)
    return f"{reply.status or 'no head'} [{names}] {reply.body!r} {reply.end}"


def values(reply: Reply, name: str) -> str:
    found = [value for own, value in reply.headers if own.lower() == name]
    return " | ".join(found) if found else ABSENT


def order(reply: Reply, other: Reply) -> str:
    """The names as they were written, of those fields that the other reply has too."""
    names = {name.lower() for name, _ in other.headers}
    return " ".join(name for name, _ in reply.headers if name.lower() in names)


# ---- The list ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Entry:
    """A listed difference. ``where`` are globs of environ keys or case names; in ``uwsgi`` and
    ``penstock``, each one value or several, "…" stands for any text."""

    scope: str
    where: tuple[str, ...]
    part: tuple[str, ...]
    ways: tuple[str, ...]
    uwsgi: tuple[str, ...]
    penstock: tuple[str, ...]
    reason: str
    nginx_before: tuple[int, ...] = ()

    def covers(self, found: Difference) -> bool:
        """Whether ``found`` is this one."""
        if found.scope != self.scope or not self.goes(found.way):
            return False
        if self.part and found.part not in self.part:
            return False
        name = self.name(found)
        return (
            any(fnmatchcase(name, glob) for glob in self.where)
            and any(fits(text, found.uwsgi) for text in self.uwsgi)
            and any(fits(text, found.penstock) for text in self.penstock)
        )

    def name(self, found: Difference) -> str:
        """What ``where`` speaks of."""
        return found.part if self.scope == "environ" else found.case

    def goes(self, way: str) -> bool:
        return not self.ways or any(way in WAYS.get(name, (name,)) for name in self.ways)

    def unseen(self, found: Sequence[Difference], nginx: tuple[int, ...]) -> list[str]:
        """What of the entry did not occur among ``found``."""
        if self.nginx_before and nginx >= self.nginx_before:
            return []
        mine = [one for one in found if self.covers(one)]
        return [
            *without(self.where, lambda glob: any(fnmatchcase(self.name(one), glob) for one in mine)),
            *without(self.ways, lambda way: any(one.way in WAYS.get(way, (way,)) for one in mine)),
            *without(self.part, lambda part: any(one.part == part for one in mine)),
            *without(self.uwsgi, lambda text: any(fits(text, one.uwsgi) for one in mine)),
            *without(self.penstock, lambda text: any(fits(text, one.penstock) for one in mine)),
        ]


def without(words: Sequence[str], occurs: Callable[[str], bool]) -> list[str]:
    return [word for word in words if not occurs(word)]


def fits(text: str, value: str) -> bool:
    """Whether ``value`` is ``text``, where "…" stands for anything."""
    pattern = ".*".join(re.escape(piece) for piece in text.split("…"))
    return re.fullmatch(pattern, value, re.DOTALL) is not None


def listed() -> list[Entry]:
    """The entries of the list. Raises AssertionError for one that is not well-formed."""
    return [entry(table) for table in tomllib.loads(LIST.read_text(encoding="utf-8"))["difference"]]


def entry(table: dict[str, str | list[str]]) -> Entry:
    assert table.keys() <= FIELDS, table
    scope, reason = table["scope"], table["reason"]
    assert scope in ("environ", "reply") and isinstance(scope, str), table
    assert isinstance(reason, str), table
    before = [int(number) for text in several(table, "nginx_before") for number in text.split(".")]
    return Entry(
        scope,
        several(table, "where"),
        several(table, "part"),
        several(table, "ways"),
        several(table, "uwsgi"),
        several(table, "penstock"),
        reason,
        tuple(before),
    )


def several(table: dict[str, str | list[str]], name: str) -> tuple[str, ...]:
    value = table.get(name, [])
    return (value,) if isinstance(value, str) else tuple(value)
