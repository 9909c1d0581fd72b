"""Conditions on texts: equality, beginnings, ends, what they contain, regexes, emptiness.

Built at boot, asked by pool threads. All compare bytes, as uWSGI does (latin-1 carried).
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from penstock.serve.routing.template import constant_of
from penstock.serve.routing.turn import Turn

if TYPE_CHECKING:
    from penstock.serve.routing.tools import Condition, Test, Tools

Compare = Callable[[str, str], bool]


def never(turn: Turn) -> bool:
    """False."""
    return False


def half(arguments: list[str], tools: "Tools") -> "Test":
    """A condition of two texts without its semicolon: never so, as in uWSGI, and said at boot."""
    tools.warn("", f"a condition of two texts needs a semicolon between them: {arguments[0]!r} is never so")
    return never


def compared(compare: Compare) -> "Condition":
    """A comparison of two texts."""

    def build(arguments: list[str], tools: "Tools") -> "Test":
        if len(arguments) < 2:
            return half(arguments, tools)
        one, other = tools.words(arguments[0]), tools.words(arguments[1])
        fixed = constant_of(arguments[1], captures=False)
        if fixed is not None:
            return lambda turn: compare(one(turn), fixed)
        return lambda turn: compare(one(turn), other(turn))

    return build


def equal(one: str, other: str) -> bool:
    """Whether they are the same."""
    return one == other


def contains(one: str, other: str) -> bool:
    """Whether one has the other in it; nothing has the empty text in it. (uWSGI's search misses what begins
    inside a false beginning: ``ab`` in ``aab``.)"""
    return bool(other) and other in one


def regexp(arguments: list[str], tools: "Tools") -> "Test":
    """``regexp:subject;pattern``: the pattern as written, its captures for the action."""
    if len(arguments) < 2:
        return half(arguments, tools)
    subject, search = tools.words(arguments[0]), tools.regex(arguments[1]).search

    def test(turn: Turn) -> bool:
        turn.match = match = search(subject(turn))
        return match is not None

    return test


def empty(arguments: list[str], tools: "Tools") -> "Test":
    """``empty:text``."""
    text = tools.words(";".join(arguments))
    return lambda turn: not text(turn)


def lord(arguments: list[str], tools: "Tools") -> "Test":
    """``lord:legion``: never so, as in a uWSGI that has no such legion."""
    tools.warn("", f"lord:{arguments[0]}: there are no legions here, so it is never so")
    return never


CONDITIONS: "dict[str, Condition]" = {
    "equal": compared(equal),
    "isequal": compared(equal),
    "eq": compared(equal),
    "==": compared(equal),
    "startswith": compared(str.startswith),
    "endswith": compared(str.endswith),
    "contains": compared(contains),
    "contain": compared(contains),
    "regexp": regexp,
    "re": regexp,
    "empty": empty,
    "lord": lord,
}
