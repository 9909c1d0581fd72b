"""The passes over everything that was collected: ``$(NAME)``, ``@(file)`` and ``%(name)`` become their
values. Runs once, at start; it knows values and a way to look a name up, not where either came from.
"""

import re
from collections.abc import Callable

from penstock.config.language.limits import Endless

LARGEST = 1 << 20
"""Characters of one value."""
REPLACEMENTS, CHARACTERS, LOOKS = 20_000, 32 << 20, 100_000
"""For all values together: how often something is put in, how much text is made so, and how many names are
looked up."""
IN_ONE = 1000  # replacements in one value
_NUMBER = re.compile(r"\s*([+-]?\d+)")
_MOST = (1 << 63) - 1
_MARKS = {symbol: re.compile(f"[(){symbol}]") for symbol in "$@%"}
STEPS, COUNTS = {"+", "-", "*", "/"}, {"++", "--"}
DIGITS = re.compile("[0-9]+")

Lookup = Callable[[str], str | None]


class Budget:
    """What may still be put in, over all values."""

    def __init__(self) -> None:
        self.replacements, self.characters, self.looks = REPLACEMENTS, CHARACTERS, LOOKS

    @property
    def spent(self) -> bool:
        """Whether nothing is left."""
        return min(self.replacements, self.characters, self.looks) < 0

    def look(self) -> None:
        """Take one look-up off. Raises Endless when nothing is left."""
        self.looks -= 1
        self.check()

    def spend(self, characters: int) -> None:
        """Take one replacement off. Raises Endless when nothing is left."""
        self.replacements -= 1
        self.characters -= characters
        self.check()

    def check(self) -> None:
        """Raises Endless when something is spent."""
        if self.spent:
            raise Endless("its placeholders, with those of the options before it, are too many or too large")


def expand(value: str, symbol: str, lookup: Lookup, budget: Budget) -> str:
    """``value`` with every ``symbol(...)`` that ``lookup`` knows replaced by what it gives.

    What was put in is looked through again, save for the value's first character (uWSGI begins anew at the
    second), so that a value can name others. Raises Endless where that never ends.
    """
    opening = f"{symbol}("
    at, made = value.find(opening), 0
    while at >= 0:
        end, name = _tag(value, at, symbol)
        if end < 0:
            break
        budget.look()
        found = lookup(name) if name else None
        if found is None:
            at = value.find(opening, end)
            continue
        made += 1
        value = f"{value[:at]}{found}{value[end:]}"
        if len(value) > LARGEST or made > IN_ONE:
            raise Endless("its placeholders never end")
        budget.spend(len(value))
        at = value.find(opening, 1)
    return value


def _tag(value: str, at: int, symbol: str) -> tuple[int, str]:
    """Where the tag that opens at ``at`` ends, and what is in it; -1 where no more tags are closed.

    A symbol inside begins anew: the innermost of ``%(a%(b))`` is the tag.
    """
    start, depth = at + 2, 0
    for mark in _MARKS[symbol].finditer(value, start):
        letter, place = mark[0], mark.start()
        if letter == "(":
            depth += 1
        elif letter == ")" and depth:
            depth -= 1
        elif letter == ")":
            return place + 1, value[start:place]
        elif letter == symbol:
            return place, ""
    return -1, ""


def referred(name: str, first: Callable[[str], str | None]) -> str | None:
    """The value of what stands between ``%(`` and ``)``: a name, or words joined and reckoned with.

    ``a b`` is joined text; ``+ - * /`` and ``++ --`` work on whole numbers, from left to right. ``first``
    gives the first definition of a name. None where there is none.
    """
    if " " not in name:
        return first(name)
    value: str | None = None
    step = ""
    for word in filter(None, name.split(" ")):
        if word in STEPS:
            step = word
            continue
        if word not in COUNTS:
            value = _joined(value or "", step, word if DIGITS.fullmatch(word) else first(word) or "")
        elif value is not None:
            value = reckon(value, word[0], "1")
        step = ""
    return value


def _joined(value: str, step: str, operand: str) -> str:
    return reckon(value, step, operand) if step else value + operand


def reckon(left: str, step: str, right: str) -> str:
    """One step on two numbers, as C does it on 64 bits: towards zero, and by zero is zero."""
    one, other = leading(left), leading(right)
    if step == "+":
        result = one + other
    elif step == "-":
        result = one - other
    elif step == "*":
        result = one * other
    else:
        result = 0 if other == 0 else abs(one) // abs(other) * (1 if (one < 0) == (other < 0) else -1)
    return str((result + _MOST + 1) % (1 << 64) - _MOST - 1)


def leading(text: str) -> int:
    """The whole number that ``text`` begins with, else 0."""
    found = _NUMBER.match(text[:40])
    return max(-_MOST - 1, min(_MOST, int(found[1]))) if found else 0
