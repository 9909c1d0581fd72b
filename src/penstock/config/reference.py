"""The reference that is searched: every option by its name or by a word, as text or as plain data.

What ``penstock options`` shows. Read when somebody asks; a start never comes here.
"""

import textwrap
from typing import Any

from penstock.config.option import ACTED_ON, Option
from penstock.config.registry import lookup, options
from penstock.config.show import described, groups, spelled, title

MARKS = {"acted-on": "+", "harmless": "=", "unsupported": "-"}
LEGEND = "+ acted on  = taken, as it is always so  - not supported"


def search(word: str = "") -> tuple[Option, ...]:
    """The option of that name alone, else those that have ``word`` in a name, else in what is said of them;
    all of them without a word."""
    word = word.strip().lstrip("-").lower()
    exact = lookup(word)
    if exact is not None:
        return (exact,)
    named = tuple(option for option in options() if any(word in name for name in option.names))
    return named or tuple(option for option in options() if word in f"{option.help} {option.reason}".lower())


def rows(found: tuple[Option, ...]) -> list[dict[str, Any]]:
    """Options as plain data, for ``--format json``."""
    return [
        {
            "name": option.name,
            "aliases": list(option.aliases),
            "short": option.short,
            "kind": option.kind,
            "default": option.default,
            "state": option.state,
            "reason": option.reason,
            "group": option.group,
            "help": option.help,
        }
        for option in found
    ]


def as_json(found: tuple[Option, ...]) -> str:
    """Options as JSON, one list."""
    import json

    return json.dumps(rows(found), indent=1, ensure_ascii=False) + "\n"


def as_text(found: tuple[Option, ...], width: int = 80) -> str:
    """Options for a terminal of ``width`` columns: one in full, several a line each; "" for none."""
    width = max(60, min(width, 110))
    if not found:
        return ""
    return in_full(found[0], width) if len(found) == 1 else in_lines(found, width)


def in_full(option: Option, width: int) -> str:
    """All that is known of an option."""
    lines = [spelled(option), *textwrap.wrap(described(option), width - 4)]
    facts = [("kind", option.kind), ("group", title(option.group)), ("state", stated(option))]
    if option.unasked:
        facts.append(("asks for nothing", ", ".join(option.unasked)))
    if option.note:
        facts.append(("note", option.note))
    for name, value in facts:
        lines += textwrap.wrap(f"{name}: {value}", width - 4, subsequent_indent="  ")
    return "\n".join([lines[0], *(f"    {line}" for line in lines[1:])]) + "\n"


def stated(option: Option) -> str:
    """What is done with an option, and why."""
    said = "acted on" if option.state == ACTED_ON else option.state
    if option.own:
        said += ", penstock's own"
    return f"{said}: {option.reason}" if option.reason else said


def in_lines(found: tuple[Option, ...], width: int) -> str:
    """Options by their groups, a line each, with what is done with them."""
    lines = []
    for group, members in groups(found).items():
        lines += [f"{title(group)}:"]
        for option in members:
            head = f"  {MARKS[option.state]} {option.name}"
            room = width - max(33, len(head) + 1)
            lines.append(f"{head:32} {textwrap.shorten(option.help, room, placeholder=' …')}".rstrip())
        lines.append("")
    return "\n".join([*lines, LEGEND]) + "\n"
