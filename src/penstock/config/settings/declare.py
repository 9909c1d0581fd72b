"""How options are declared: with the particulars that a group's share, or without any in one line.

Read at boot only. It knows what an option is, not which there are.
"""

from collections.abc import Callable
from typing import Any

from penstock.config.option import FLAG, LIST, TEXT, Option, opt


def within(group: str, **usual: Any) -> Callable[..., Option]:
    """What makes options of a group, of a name, a kind, a text and particulars; ``usual``: those that they
    have unless they say otherwise."""

    def option(name: str, kind: str, text: str, **more: Any) -> Option:
        return Option(name, kind, help=text, **{"group": group, **usual, **more})

    return option


def flag(group: str, name: str, text: str, **more: Any) -> Any:
    """An option that is off unless it is given."""
    return opt(False, Option(name, FLAG, group, text, bare="true", **more))


def many(group: str, name: str, text: str, metavar: str, **more: Any) -> Any:
    """An option that keeps every text that it is given."""
    return opt((), Option(name, LIST, group, text, metavar=metavar, **more))


def text(group: str, name: str, said: str, metavar: str, **more: Any) -> Any:
    """An option of which the last text counts; "" without one."""
    return opt("", Option(name, TEXT, group, said, metavar=metavar, **more))


def number(kind: str, default: float, group: str, name: str, text: str, **more: Any) -> Any:
    """An option of one of the kinds of numbers."""
    return opt(default, Option(name, kind, group, text, **more))
