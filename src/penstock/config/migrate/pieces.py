"""A configuration file in pieces: options, comments, headers and blank lines, in the order of the file.

For writing it anew with nothing lost. Values are as written: nothing is expanded. Runs in the command alone.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from penstock.config.sources.formats import parse
from penstock.config.sources.lines import MARK

OPTION, COMMENT, HEADER, BLANK, FOREIGN = "option", "comment", "header", "blank", "foreign"
SPACES = " \t\r"


class Piece(NamedTuple):
    """``kind`` OPTION with ``key`` and ``value`` (None without ``=``), COMMENT or HEADER with the text in
    ``value``, BLANK, or FOREIGN, which counts by its ``raw`` alone; ``section`` it stands in; ``number`` of
    its line; ``raw``: an ini's line itself."""

    kind: str
    key: str
    value: str | None
    section: str
    number: int
    raw: str = ""


def of_ini(text: str) -> Iterator[Piece]:
    """The pieces of uWSGI's ini, all sections."""
    section = ""
    for number, raw in enumerate(text.removeprefix(MARK).split("\n"), 1):
        line = raw.strip(SPACES)
        if not line:
            yield Piece(BLANK, "", "", section, number, raw)
        elif line[0] == "[":
            section = line[1:-1]
            yield Piece(HEADER, "", line, section, number, raw)
        elif line[0] in ";#":
            yield Piece(COMMENT, "", line, section, number, raw)
        else:
            key, equals, value = line.partition("=")
            known = value.strip(SPACES) if equals else None
            yield Piece(OPTION, key.rstrip(SPACES), known, section, number, raw)


def of_others(kind: str, text: str, section: str, name: str) -> Iterator[Piece]:
    """The pieces of one section of another format, with the comments that stood between them.

    Raises SyntaxFault.
    """
    lines = parse(kind, text, section, name).lines
    remarks = list(comments(kind, text))
    for line in lines:
        while remarks and remarks[0][0] <= line.number:
            number, remark = remarks.pop(0)
            yield Piece(COMMENT, "", f"# {remark}".rstrip(), section, number)
        yield Piece(OPTION, line.key, line.value, section, line.number)
    for number, remark in remarks:
        yield Piece(COMMENT, "", f"# {remark}".rstrip(), section, number)


def comments(kind: str, text: str) -> Iterator[tuple[int, str]]:
    """The comments of a file with their lines; json has none."""
    if kind == "xml":
        for found in re.finditer(r"<!--(.*?)-->", text, re.DOTALL):
            first = text.count("\n", 0, found.start()) + 1
            for more, line in enumerate(found[1].strip().splitlines()):
                yield first + more, line.strip()
    elif kind != "json":
        for number, line in enumerate(text.split("\n"), 1):
            found_line = re.match(r"""(?:[^#"']|"[^"]*"|'[^']*')*?(?:^|(?<=\s))#\s?(.*)""", line)
            if found_line:
                yield number, found_line[1].rstrip()


def sections(kind: str, text: str, wanted: str, name: str) -> list[Piece]:
    """The pieces of the wanted section, and of those of the same file that it names (``ini = :base``).

    Raises SyntaxFault.
    """
    if kind == "ini":
        parse(kind, text, wanted, name)  # what cannot be read is not written either
        return list(of_ini(text))
    found: list[Piece] = []
    waiting, done = [wanted], set()
    while waiting:
        section = waiting.pop(0)
        if section in done:
            continue
        done.add(section)
        own = [piece._replace(section=section or "uwsgi") for piece in of_others(kind, text, section, name)]
        if found:
            # Comments are of the file, not of a section: they came with the first one.
            own = [piece for piece in own if piece.kind != COMMENT]
            found.append(Piece(BLANK, "", "", section, 0))
        found += [Piece(HEADER, "", f"[{section or 'uwsgi'}]", section or "uwsgi", 0), *own]
        waiting += references(own)
    return found


def references(pieces: list[Piece]) -> list[str]:
    """The sections of the same file that are read from these pieces."""
    from penstock.config.language.names import LOADS

    keys = {*LOADS, "inherit"}
    return [str(piece.value)[1:] for piece in pieces if piece.key in keys and str(piece.value)[:1] == ":"]
