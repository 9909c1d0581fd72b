"""How options without particulars are declared in one line. Read at boot only."""

from typing import Any

from penstock.config.option import FLAG, LIST, TEXT, Option, opt


def flag(group: str, name: str, text: str, **more: Any) -> Any:
    """An option that is off unless it is given."""
    return opt(False, Option(name, FLAG, group, text, bare="true", **more))


def many(group: str, name: str, text: str, metavar: str, **more: Any) -> Any:
    """An option that keeps every text that it is given."""
    return opt((), Option(name, LIST, group, text, metavar=metavar, **more))


def text(group: str, name: str, said: str, metavar: str, **more: Any) -> Any:
    """An option of which the last text counts; "" without one."""
    return opt("", Option(name, TEXT, group, said, metavar=metavar, **more))


def number(kind: str, default: float, group: str, name: str, text: str, metavar: str, **more: Any) -> Any:
    """An option of one of the kinds of numbers."""
    return opt(default, Option(name, kind, group, text, metavar=metavar, **more))
