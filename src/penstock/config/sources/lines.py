"""What every configuration format is read into: keys, values and line numbers, in the order of the file.

Used by all parsers, in the starting process and in its reading children. It holds what they share: the
bounds, what no text may contain, and the fault; it knows no format and no option.
"""

import re
from bisect import bisect_left
from collections.abc import Callable
from typing import NamedTuple

MOST = 16 << 20  # characters of one text, and of all keys and values that come of it
MOST_LINES = 100_000  # of a text, and options that come of it
DEEPEST = 32  # collections within collections; real files need three
UNREADABLE = re.compile("[\x00\ud800-\udfff]")
MARK = "\ufeff"


class Line(NamedTuple):
    """One option as written; ``number`` is the line, from 1, on which it or its list item begins."""

    key: str
    value: str | None
    number: int


class Parsed(NamedTuple):
    """The options of one section in order, and warnings: line (0 where there is none) and message."""

    lines: tuple[Line, ...]
    warnings: tuple[tuple[int, str], ...]


class SyntaxFault(Exception):
    """The text cannot be read as what it is; ``line`` counts from 1, 0 where none is to blame."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(f"line {line}: {message}" if line else message)
        self.message = message
        self.line = line


class Sheet:
    """Gathers lines and warnings within bounds. Everything put in is text that a C program can take."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.warnings: list[tuple[int, str]] = []
        self.size = 0

    def add(self, key: str, value: str, number: int) -> None:
        """Take one option. Raises SyntaxFault for what no value can hold, and beyond the bounds."""
        for part in (key, value):
            if found := UNREADABLE.search(part):
                raise SyntaxFault(blame(found[0]), number)
        self.size += len(key) + len(value)
        if self.size > MOST or len(self.lines) >= MOST_LINES:
            raise SyntaxFault(f"more than {MOST_LINES} options, or {MOST >> 20} MB of them", number)
        self.lines.append(Line(key, value, number))

    def warn(self, number: int, message: str) -> None:
        """Note something that does not stop the reading; beyond the first hundred nobody reads them."""
        if len(self.warnings) < 100:
            self.warnings.append((number, message))

    def parsed(self) -> Parsed:
        """What was gathered."""
        return Parsed(tuple(self.lines), tuple(self.warnings))


def blame(character: str) -> str:
    """Why a character is not taken; octets that are not UTF-8 arrive as lone surrogates (PEP 383)."""
    if character == "\0":
        return "a NUL byte: this is not a text file"
    if "\udc80" <= character <= "\udcff":
        return f"the byte 0x{ord(character) & 0xFF:02x} is not UTF-8"
    return f"half a surrogate pair, U+{ord(character):04X}"


def plain(text: str, octets: bool = False) -> str:
    """The text without its byte order mark, once it is known to be one that can be read.

    ``octets``: bytes that are not UTF-8 are left for the caller to judge. Raises SyntaxFault.
    """
    if len(text) > MOST:
        raise SyntaxFault(f"larger than {MOST >> 20} MB")
    at = text.find("\0")
    if not octets and (found := UNREADABLE.search(text)):
        at = found.start()
    if at >= 0:
        raise SyntaxFault(blame(text[at]), text.count("\n", 0, at) + 1)
    if text.count("\n") > MOST_LINES:
        raise SyntaxFault(f"more than {MOST_LINES} lines", MOST_LINES)
    return text.removeprefix(MARK)


def ruler(text: str | bytes) -> Callable[[int], int]:
    """A function from offset to line number: lines end at line feeds, as editors and uWSGI count them."""
    feed = b"\n" if isinstance(text, bytes) else "\n"
    ends: list[int] = []
    at = -1
    while (at := text.find(feed, at + 1)) >= 0:  # type: ignore[arg-type]  # feed is of text's own type
        ends.append(at)
    return lambda offset: bisect_left(ends, offset) + 1
