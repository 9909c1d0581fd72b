"""Blocks: ``for`` and ``if``, which say how often, and with what, an option inside them counts.

Runs at start while a configuration is read. It knows one open block and its conditions; what becomes of the
options is the reading's.
"""

import os
import re
import socket
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from penstock.config import plugins
from penstock.config.language.limits import MOST_OPTIONS
from penstock.config.language.names import LOOPS

HOLE = "%(_)"
LONGEST_FILE = 1 << 20
"""Octets of a file that ``for-readline`` reads."""
RELOADED = "UWSGI_RELOADS"  # uWSGI leaves it for the process that takes over


class Fault(Exception):
    """The word's argument cannot be used; the message says why."""


class World(NamedTuple):
    """What conditions look at: the environment, and the first value of an option so far."""

    environ: Mapping[str, str]
    first: Callable[[str], str | None]


Outcome = tuple[bool, str | None]
"""Whether the condition holds, and what ``%(_)`` is then; None leaves it as it stands."""


@dataclass(slots=True, eq=False, repr=False)
class Block:
    """An open block: its word, its argument, and whether its condition failed when it was last looked at."""

    word: str
    argument: str
    failed: bool | None = None
    items: tuple[str, ...] | None = field(default=None)

    def values(self, value: str | None, world: World) -> Iterator[str | None]:
        """The values with which an option of ``value`` counts; none where it does not.

        A condition is looked at for each option anew, as uWSGI does. Raises Fault.
        """
        if self.word in LOOPS:
            if self.items is None:
                self.items = ()  # a fault is told once
                self.items = _ITEMS[self.word](self.argument)
            for item in self.items:
                yield _filled(value, item)
            return
        holds, found = self.look(world)
        if holds:
            yield _filled(value, found)

    def look(self, world: World) -> Outcome:
        """Whether the condition holds now. Raises Fault."""
        if self.word == "else":
            return bool(self.failed), None
        holds, item = _holds(self.word, self.argument, world)
        self.failed = not holds
        return holds, item

    def other(self, world: World) -> "Block":
        """The block after ``else``. Raises Fault."""
        if self.failed is None and self.word not in (*LOOPS, "else"):
            self.look(world)
        return Block("else", "", bool(self.failed))


def _filled(value: str | None, item: str | None) -> str | None:
    return value if value is None or item is None else value.replace(HOLE, item)


def _holds(word: str, argument: str, world: World) -> Outcome:
    """The condition of any ``if-*``; a negated one has the item of the other."""
    negated = word.startswith("if-not-")
    subject = word.removeprefix("if-not-").removeprefix("if-").removeprefix("if")
    if subject == "reload":
        return (RELOADED in world.environ) is not negated, None
    if subject in ("opt", "env"):
        get = world.first if subject == "opt" else world.environ.get
        name, equals, wanted = argument.partition("=")
        found = get(name)
        holds = found is not None and (not equals or found == wanted)
        return holds is not negated, found
    return _TESTS[subject](argument) is not negated, argument


def _mode(path: str) -> int:
    try:
        return os.stat(path).st_mode
    except (OSError, ValueError):
        return 0


def _matches(pattern: str) -> bool:
    try:
        return re.search(pattern, socket.gethostname()) is not None
    except re.error as error:
        raise Fault(f"no regular expression: {error}") from error


def _exists(path: str) -> bool:
    try:
        return os.access(path, os.R_OK)
    except ValueError:
        return False


def _is_folder(path: str) -> bool:
    return stat.S_ISDIR(_mode(path))


_TESTS: dict[str, Callable[[str], bool]] = {
    "exists": _exists,
    "file": lambda path: stat.S_ISREG(_mode(path)),
    "dir": _is_folder,
    "directory": _is_folder,
    "plugin": lambda name: not plugins.reason(name),
    "hostname": lambda name: name == socket.gethostname(),
    "hostname-match": _matches,
}


# ---- Loops --------------------------------------------------------------------------------------------


def _bounded(items: Iterator[str]) -> tuple[str, ...]:
    return tuple(islice(items, MOST_OPTIONS + 1))  # one too many is for the reading to notice


def _words(argument: str) -> tuple[str, ...]:
    return _bounded(found[0] for found in re.finditer("[^ ]+", argument))


def _times(argument: str) -> tuple[str, ...]:
    from penstock.config.language.passes import leading

    return _bounded(str(number) for number in range(1, leading(argument) + 1))


def _glob(argument: str) -> tuple[str, ...]:
    """Paths in order, folders with a slash; the pattern itself where nothing is found."""
    from glob import iglob

    found = sorted(path + "/" if os.path.isdir(path) else path for path in _bounded(iglob(argument)))
    return tuple(path.replace("//", "/") if path.endswith("//") else path for path in found) or (argument,)


def _lines(argument: str) -> tuple[str, ...]:
    try:
        if not stat.S_ISREG(os.stat(argument).st_mode):
            raise Fault("this is no plain file")
        with open(argument, "rb") as file:
            data = file.read(LONGEST_FILE + 1)
    except OSError as error:
        raise Fault(error.strerror or str(error)) from error
    if len(data) > LONGEST_FILE:
        raise Fault(f"the file is longer than {LONGEST_FILE >> 20} MB")
    text = data.decode("utf-8", "surrogateescape")
    lines = text.split("\n")
    return _bounded(iter(lines[:-1] if text.endswith("\n") or not text else lines))


_ITEMS: dict[str, Callable[[str], tuple[str, ...]]] = {
    "for": _words,
    "for-times": _times,
    "for-glob": _glob,
    "for-readline": _lines,
}
