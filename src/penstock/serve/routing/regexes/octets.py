"""Sets of octets as PCRE writes them: ``[...]``, POSIX names, and the escapes that mean one octet.

Runs when rules are compiled, for ``parse``. All of them come down to a set of numbers below 256.
"""

import re
from typing import Protocol

from penstock.serve.routing.regexes.tree import DIGIT, HORIZONTAL, OCTETS, SPACE, VERTICAL, WORD

SETS = {
    "d": DIGIT,
    "D": OCTETS - DIGIT,
    "w": WORD,
    "W": OCTETS - WORD,
    "s": SPACE,
    "S": OCTETS - SPACE,
    "h": HORIZONTAL,
    "H": OCTETS - HORIZONTAL,
    "v": VERTICAL,
    "V": OCTETS - VERTICAL,
    "N": OCTETS - {10},
}
ALPHA = frozenset(octet for octet in WORD - DIGIT if octet != 0x5F)
GRAPH = frozenset(range(0x21, 0x7F))
POSIX = {
    "alpha": ALPHA,
    "digit": DIGIT,
    "alnum": ALPHA | DIGIT,
    "upper": frozenset(octet for octet in ALPHA if octet < 0x60),
    "lower": frozenset(octet for octet in ALPHA if octet > 0x60),
    "word": WORD,
    "space": SPACE,
    "blank": frozenset(b" \t"),
    "punct": GRAPH - ALPHA - DIGIT,
    "graph": GRAPH,
    "print": GRAPH | {0x20},
    "cntrl": frozenset((*range(0x20), 0x7F)),
    "xdigit": frozenset(b"0123456789abcdefABCDEF"),
    "ascii": frozenset(range(0x80)),
}
POSIX_NAME = re.compile(r"\[:(\^?)([a-z]*):\]")
LITERAL_ESCAPES = {"n": 10, "r": 13, "t": 9, "f": 12, "a": 7, "e": 27}
REFUSED = {
    "p": "a Unicode property \\p",
    "P": "a Unicode property \\P",
    "X": "\\X",
    "C": "\\C",
    "K": "\\K",
    "G": "\\G",
    "g": "a call of a group with \\g",
    "k": "this form of \\k",
}
HEX = re.compile(r"x(?:\{([0-9A-Fa-f]*)\}|([0-9A-Fa-f]{0,2}))")
OCTAL = re.compile(r"o\{([0-7]+)\}|([0-7]{1,3})")


class Place(Protocol):
    """Where the reading stands."""

    text: str
    at: int

    def wrong(self, what: str) -> ValueError: ...
    def next(self) -> str: ...
    def take(self, text: str) -> bool: ...
    def matched(self, pattern: re.Pattern[str]) -> re.Match[str] | None: ...


class Escapes:
    """What is behind a backslash where it means one octet."""

    def __init__(self, place: Place) -> None:
        self.place = place

    def octet(self) -> int:
        """Its number. Raises ValueError for what is no octet."""
        place = self.place
        found = place.matched(HEX)
        if found:
            return self.below(int(found[1] or found[2] or "0", 16))
        found = place.matched(OCTAL)
        if found:
            return self.below(int(found[1] or found[2], 8))
        letter = place.next()
        return self.control() if letter == "c" else self.of_letter(letter)

    def control(self) -> int:
        """Of ``\\c`` and a letter. Raises ValueError without one."""
        letter = self.place.next().upper()
        if not " " <= letter <= "~":
            raise self.place.wrong("\\c without a letter")
        return ord(letter) ^ 0x40

    def of_letter(self, letter: str) -> int:
        """Of a backslash and one character. Raises ValueError for one that has no such meaning."""
        place = self.place
        if not letter:
            raise place.wrong("a backslash at the end")
        if letter in LITERAL_ESCAPES:
            return LITERAL_ESCAPES[letter]
        if letter in REFUSED:
            raise place.wrong(f"{REFUSED[letter]} is PCRE's alone and not supported")
        if letter.isascii() and letter.isalnum():
            raise place.wrong(f"\\{letter} has no meaning")
        return ord(letter)

    def below(self, number: int) -> int:
        """The number of an octet. Raises ValueError for a character that is none."""
        if number > 255:
            raise self.place.wrong(f"a character {number:#x}: subjects are octets")
        return number


def one_set(place: Place) -> frozenset[int]:
    """The octets of ``[...]``, read from behind its bracket."""
    negated = place.take("^")
    members: set[int] = set()
    first = True
    while first or not place.take("]"):
        if place.at >= len(place.text):
            raise place.wrong("a [ without its ]")
        first = False
        members |= item(place)
    return OCTETS - members if negated else frozenset(members)


def item(place: Place) -> frozenset[int]:
    """A member of a set, or a range of them."""
    low = member(place)
    if isinstance(low, frozenset):
        return low
    if not place.text.startswith("-", place.at) or place.text[place.at + 1 : place.at + 2] in ("]", ""):
        return frozenset((low,))
    place.at += 1
    high = member(place)
    if isinstance(high, frozenset):  # PCRE: before a kind of character the hyphen is itself
        return high | {low, ord("-")}
    if high < low:
        raise place.wrong("a range that ends before it begins")
    return frozenset(range(low, high + 1))


def member(place: Place) -> int | frozenset[int]:
    """One octet, or the octets of a kind."""
    found = place.matched(POSIX_NAME)
    if found:
        if found[2] not in POSIX:
            raise place.wrong(f"[:{found[2]}:] is no kind of character")
        return OCTETS - POSIX[found[2]] if found[1] else POSIX[found[2]]
    if place.text.startswith(("[.", "[="), place.at):
        raise place.wrong("collating elements are not supported")
    letter = place.next()
    if letter != "\\":
        return ord(letter)
    kind = place.text[place.at : place.at + 1]
    if kind in SETS and kind != "N":
        place.at += 1
        return SETS[kind]
    if kind == "b":
        place.at += 1
        return 8
    if kind and kind in "QERBNXAZz":
        raise place.wrong(f"\\{kind} inside [...] is not supported")
    return Escapes(place).octet()
