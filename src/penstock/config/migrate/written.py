"""A configuration as it is written out: lines of ini with the notes above them.

Used by the readers of other servers' configurations; runs in the command alone.
"""

from collections.abc import Iterable
from typing import NamedTuple

from penstock.config.finding import Finding
from penstock.config.migrate.known import ABSENT, Known

WIDTH = 108


class Row(NamedTuple):
    """One line: ``key`` and ``value``, with comments above it; without a key, the comments alone; without
    either, a blank one."""

    key: str = ""
    value: str = ""
    comments: tuple[str, ...] = ()


class Written(NamedTuple):
    """What came out: the ``text`` of the file, and what the reader of it should know."""

    text: str
    findings: tuple[Finding, ...]


def comment(text: str) -> tuple[str, ...]:
    """A note as lines of comment, wrapped."""
    from textwrap import wrap

    lines = wrap(text, WIDTH - 2, break_on_hyphens=False, break_long_words=False)
    # A percent sign at the end would take the line break with it: magic letters count in comments too.
    return tuple(f"# {line}%" if line.endswith("%") else f"# {line}" for line in lines)


def ini(rows: Iterable[Row], headline: str = "") -> str:
    """The file."""
    lines = [*comment(headline), "[uwsgi]"]
    for row in rows:
        lines += row.comments
        if not row.key and not row.comments and lines[-1]:
            lines.append("")
        if row.key:
            lines.append(f"{row.key} = {row.value}".rstrip())
    return "\n".join(lines).rstrip() + "\n"


def spelled(key: str, known: Known, listed: bool = False) -> list[Row]:
    """The lines that give ``key`` a value, wherever they run.

    ``listed``: the option keeps every line, so that the default must not stand beside the variable's value.
    """
    text = known.text
    if known.fixed or (text and not known.env):
        return [Row(key, literal(str(known.value)) if known.fixed else str(text))]
    if text is None or len(known.env) != 1:
        row = Row(key, literal(str(known.value)), comment(depends(known)))
        return [row] if known.value is not None else []
    return [Row(key, text)] if known.value is ABSENT else conditional(key, known, text, listed)


def conditional(key: str, known: Known, text: str, listed: bool) -> list[Row]:
    """The lines for a value that one variable gives, with a default where it is not set."""
    given = [Row("if-env", known.env[0]), Row(key, text), Row("endif")]
    if known.value is None:
        return given
    default = [Row(key, known.default or literal(str(known.value)))]
    return [Row("if-not-env", known.env[0]), *default, Row("endif"), *given] if listed else default + given


def literal(text: str) -> str:
    """A value whose ``%`` stay what they are (a file's text is read for ``%n`` and the like)."""
    return text.replace("%", "%%").replace("\n", " ")


def depends(known: Known) -> str:
    """What a value depends on that the configuration language cannot follow."""
    sources, given = [f"${name}" for name in known.env], []
    if known.env:
        given.append("without it" if len(known.env) == 1 else "without them")
    if known.cpus:
        sources.append("the number of processors")
        given.append("on as many as there are here")
    return f"computed from {' and '.join(sources)}: this is what it gives {', '.join(given)}"
