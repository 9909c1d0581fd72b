"""TOML: the table ``[uwsgi]``, or ``[tool.penstock]`` as in pyproject.toml; an array repeats its key.

Run in a reading child (``isolated``). tomllib judges and reads; since it tells no lines and no spelling, the
text is also divided into statements and tokens here. It knows no option.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from penstock.config.sources.lines import Parsed, Sheet, SyntaxFault, plain, ruler

USUAL = (("uwsgi",), ("tool", "penstock"))
QUOTED = r'"(?:[^"\\\n]|\\.)*"|' + r"'[^'\n]*'"
TEXT = r'"""(?:[^\\]|\\.)*?"{3,5}(?!")|' + r"'''.*?'{3,5}(?!')|" + QUOTED
TOKEN = re.compile(TEXT + r"|#[^\n]*|[\[\]{}\n]", re.DOTALL)
KEY = re.compile(rf"(?:{QUOTED}|[\w\-]|[ \t.])+=", re.DOTALL)
SCALAR = re.compile(TEXT + r"|#[^\n]*|[^\s,\[\]{}\"'#][^,\[\]{}\"'#\n]*", re.DOTALL)
PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


class Statement(NamedTuple):
    """A header or a pair: where it begins and its text, comments included."""

    start: int
    text: str


def parse(text: str, section: str) -> Parsed:
    """The pairs of the table ``section`` (``a.b`` is inside ``a``; "" one of the usual ones).

    Booleans are ``true`` and ``false``; numbers are as written, without ``_``, ``0o17`` as ``017``. Values
    are never None. Raises SyntaxFault.
    """
    text = plain(text)
    document = loaded(text)
    wanted = chosen(document, section)
    sheet = Sheet()
    line = ruler(text)
    here: tuple[str, ...] | None = ()
    for statement in statements(text):
        if statement.text.startswith("["):
            here = headed(statement.text)
        elif here is not None and here == wanted[: len(here)]:
            read(statement, here, wanted, (sheet, line(statement.start)))
        if here and len(here) > len(wanted) and here[: len(wanted)] == wanted and statement.text[0] == "[":
            sheet.warn(line(statement.start), f"{statement.text}: a table inside is not read")
    if not sheet.lines:
        named = section or "uwsgi] or [tool.penstock"
        sheet.warn(0, f"no table [{named}], or nothing in it")
    return sheet.parsed()


def loaded(text: str) -> dict[str, object]:
    """What tomllib makes of a text. Raises SyntaxFault with its line."""
    import tomllib

    try:
        return tomllib.loads(text)
    except RecursionError:
        raise SyntaxFault("nested too deeply") from None
    except ValueError as error:
        said = str(error)
        place = PLACE.search(said)
        number = int((place and place[1]) or text.rstrip().count("\n") + 1)
        raise SyntaxFault(f"no TOML: {PLACE.sub('', said)}", number) from None


def chosen(document: object, section: str) -> tuple[str, ...]:
    """The path of the table that is to be read."""
    if section:
        return tuple(section.split("."))
    there = (path for path in USUAL if isinstance(inside(document, path), dict))
    return next(there, USUAL[0])


def inside(value: object, path: tuple[str, ...]) -> object:
    """What a path leads to, None where there is nothing."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def statements(text: str) -> Iterator[Statement]:
    """The statements of a text that tomllib has taken."""
    depth, start = 0, 0
    for found in TOKEN.finditer(text):
        mark = found[0]
        depth += (mark in ("[", "{")) - (mark in ("]", "}"))
        if depth or mark != "\n":
            continue
        yield from stripped(text, start, found.start())
        start = found.end()
    yield from stripped(text, start, len(text))


def stripped(text: str, start: int, end: int) -> Iterator[Statement]:
    """One statement without the blanks around it, unless there is none."""
    body = text[start:end]
    bare = body.lstrip()
    if bare and bare[0] != "#":
        yield Statement(start + len(body) - len(bare), bare.rstrip())


def headed(text: str) -> tuple[str, ...] | None:
    """The path of a header; None for an array of tables, in which nothing is read."""
    return None if text.startswith("[[") else deepest(loaded(text), 64)[0]


def deepest(value: object, most: int) -> tuple[tuple[str, ...], object]:
    """The path through tables of one entry, and what is at its end."""
    path: tuple[str, ...] = ()
    while len(path) < most and isinstance(value, dict) and len(value) == 1:
        ((key, value),) = value.items()
        path += (key,)
    return path, value


def read(statement: Statement, here: tuple[str, ...], wanted: tuple[str, ...], to: tuple[Sheet, int]) -> None:
    """Put a pair of the table, or of a table around it, into the sheet."""
    sheet, number = to
    path, value = deepest(loaded(statement.text), len(wanted) + 1 - len(here))
    path = here + path
    if path[: len(wanted)] != wanted:
        return
    written = Value(statement.text, number)
    if len(path) > len(wanted):
        put(path[-1], value, written, sheet)
    elif isinstance(value, dict):  # the table itself, as an inline table
        for key, one in value.items():
            put(key, one, Value("", number), sheet)


def put(key: str, value: object, written: "Value", sheet: Sheet) -> None:
    """One key with its value or values."""
    parts = list(flat(value))
    if any(isinstance(part, dict) for part in parts):
        sheet.warn(written.number, f"{key}: a table is not read as a value")
        return
    for part, (spelt, number) in zip(parts, written.tokens(len(parts)), strict=True):
        sheet.add(key, said(part, spelt), number)


def flat(value: object) -> Iterator[object]:
    """A value, or those of an array and of arrays in it."""
    if isinstance(value, list):
        for item in value:
            yield from flat(item)
    else:
        yield value


def said(value: object, spelt: str) -> str:
    """A value as uWSGI's options take it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        number = (spelt or str(value)).replace("_", "")
        return "0" + number[2:] if number.startswith("0o") else number
    return spelt or str(value)


class Value:
    """The spelling of a statement's value: its tokens with their lines."""

    def __init__(self, text: str, number: int) -> None:
        self.text, self.number = text, number

    def tokens(self, count: int) -> list[tuple[str, int]]:
        """As many as there are values; without spelling where the text does not tell them apart."""
        key = KEY.match(self.text)
        found = []
        for token in SCALAR.finditer(self.text, key.end()) if key else ():
            if not token[0].startswith("#"):
                line = self.number + self.text.count("\n", 0, token.start())
                found.append((token[0].rstrip(), line))
        return found if len(found) == count else [("", self.number)] * count
