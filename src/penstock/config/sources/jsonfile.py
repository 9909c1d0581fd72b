"""JSON as uWSGI reads it: true is 1, false and null are 0, an array repeats its key, objects are left out.

Run in a reading child (``isolated``). The members of the objects that matter are walked one by one, so that
repeated names stay and each has its line; json itself reads the values. It knows no option.
"""

import re
from collections.abc import Iterator

from penstock.config.sources.lines import Parsed, Sheet, SyntaxFault, plain, ruler

BLANK = re.compile(r"[ \t\r\n]+")


def parse(text: str, section: str) -> Parsed:
    """The members of the top object's ``section`` ("" is ``uwsgi``). Raises SyntaxFault, also without it.

    Numbers stay as written; values are never None.
    """
    cursor = Cursor(plain(text))
    wanted = section or "uwsgi"
    sheet = Sheet()
    found = False
    cursor.skip()
    for key, _ in cursor.members():
        if key == wanted and cursor.peek() == "{":
            found = True
            options(cursor, sheet)
        else:
            cursor.value()
    cursor.skip()
    if cursor.peek():
        raise cursor.fault("something follows the end of the object")
    if not found:
        raise SyntaxFault(f'an object "{wanted}" is expected at the top')
    return sheet.parsed()


def options(cursor: "Cursor", sheet: Sheet) -> None:
    """The members of one object as options."""
    for key, at in cursor.members():
        number = cursor.line(at)
        if cursor.peek() == "[":
            for item in cursor.items():
                put(key, cursor.value(), cursor.line(item), sheet)
        else:
            put(key, cursor.value(), number, sheet)


def put(key: str, value: object, number: int, sheet: Sheet) -> None:
    """Add a value in uWSGI's words."""
    if isinstance(value, str):
        sheet.add(key, value, number)
    elif value is None or isinstance(value, bool):
        sheet.add(key, "1" if value else "0", number)
    else:
        sheet.warn(number, f"{key}: an object, or an array in an array, is not read")


class Cursor:
    """A place in a text."""

    def __init__(self, text: str) -> None:
        import json

        self.text = text
        self.at = 0
        self.line = ruler(text)
        # Numbers as they are written: no limits, no rounding.
        self.decoder = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=self.constant)

    def constant(self, name: str) -> None:
        """NaN and the like, which only Python writes."""
        raise self.fault(f"{name} is no JSON")

    def fault(self, message: str, at: int = -1) -> SyntaxFault:
        """A fault at an offset, or here."""
        return SyntaxFault(message, self.line(self.at if at < 0 else at))

    def peek(self) -> str:
        """The next character, "" at the end."""
        return self.text[self.at : self.at + 1]

    def skip(self) -> None:
        """Go to what is not blank."""
        found = BLANK.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def expect(self, characters: str) -> str:
        """Take one of ``characters`` and the blanks behind it; which one it was."""
        found = self.peek()
        if not found or found not in characters:
            raise self.fault(f"{' or '.join(characters)} is expected, not {found or 'the end'}")
        self.at += 1
        self.skip()
        return found

    def value(self) -> object:
        """Take the value that begins here, and the blanks behind it."""
        try:
            value, self.at = self.decoder.raw_decode(self.text, self.at)
        except RecursionError:
            raise self.fault("nested too deeply") from None
        except ValueError as error:
            said = getattr(error, "msg", str(error))
            raise self.fault(f"no JSON: {said}", getattr(error, "pos", -1)) from None
        self.skip()
        return value

    def members(self) -> Iterator[tuple[str, int]]:
        """Names and where they stand; the caller takes each value before it asks for the next."""
        for at in self.within("{", "}"):
            if self.peek() != '"':
                raise self.fault("a name in double quotes is expected")
            name = str(self.value())
            self.expect(":")
            yield name, at

    def items(self) -> Iterator[int]:
        """Where the items of an array stand; the caller takes each before it asks for the next."""
        yield from self.within("[", "]")

    def within(self, begin: str, end: str) -> Iterator[int]:
        """Where the parts between two brackets begin."""
        self.expect(begin)
        if self.peek() == end:
            self.expect(end)
            return
        while True:
            yield self.at
            if self.expect("," + end) == end:
                return
            if self.peek() == end:
                raise self.fault(f"JSON has no comma before {end}")
