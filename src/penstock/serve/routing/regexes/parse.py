"""A regular expression as PCRE means it, taken apart; what only PCRE can do is refused by name.

Runs when rules are compiled. Texts are octets held in ``str`` (latin-1), as the subjects are: uWSGI compiles
without UTF. It does not know which engine will search.
"""

import re

from penstock.serve.routing.regexes.emit import END
from penstock.serve.routing.regexes.octets import SETS, Escapes, one_set
from penstock.serve.routing.regexes.tree import (
    OCTETS,
    VERTICAL,
    Back,
    Branches,
    Chars,
    Edge,
    Group,
    Node,
    Repeat,
    Tree,
)

COUNT = re.compile(r"\{(\d+)(,?)(\d*)\}")
NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
FLAGS = re.compile(r"\?(-?[a-zA-Z^]*(?:-[a-zA-Z]*)?)([:)])")
REFERENCE = re.compile(r"g(?:\{(-?\w+)\}|(-?\d+))|k(?:\{(\w+)\}|<(\w+)>|'(\w+)')", re.ASCII)
CONDITION = re.compile(r"\?\((\w+)\)", re.ASCII)
NAMED = re.compile(r"\?(?:P<(\w+)>|<(\w+)>|'(\w+)')", re.ASCII)
EDGES = {
    "A": Edge(r"\A", r"\A"),
    "z": Edge(r"\Z", r"\z"),
    "Z": Edge(r"(?=\n?\Z)", END),
    "b": Edge(r"\b", r"\b"),
    "B": Edge(r"\B", r"\B"),
}
NOT_LF = Chars(OCTETS - {10})
MANY = 65535  # as PCRE has it
DEEP = 60  # brackets in brackets; PCRE goes further, Python's parser recurses
PLAIN_OPENINGS = ("?:", "?=", "?!", "?<=", "?<!", "?>")
NOT_HERE = {
    "?R": "recursion",
    "?&": "recursion",
    "?P>": "recursion",
    "?+": "recursion",
    "?|": "a branch reset (?|...)",
    "?C": "a callout (?C)",
    "*": "a verb (*...)",
}


def parse(text: str) -> Tree:
    """The tree of an expression. Raises ValueError saying what is wrong with it and where."""
    reading = Parser(text)
    beyond = next((letter for letter in text if ord(letter) > 255), "")
    if beyond:
        raise ValueError(f"a character {ord(beyond):#x}: subjects are octets, in {text!r}")
    branches = reading.branches(0)
    if reading.at < len(text):
        raise reading.wrong("a ) without its (")
    return Tree(branches, reading.groups, reading.fold, reading.dotall)


class Parser:
    """One reading of one text; ``at`` is where it stands."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.groups = 0
        self.all_groups = len(re.findall(r"(?<!\\)\((?!\?[^P<']|\?<[=!]|\?P[=>]|\*)", text))
        self.fold = False
        self.dotall = False
        self.multiline = False

    def wrong(self, what: str) -> ValueError:
        """What is to be raised about the place where it stands."""
        return ValueError(f"{what}, at character {max(self.at, 1)} of {self.text!r}")

    def next(self) -> str:
        """The next character, gone past; "" at the end."""
        letter = self.text[self.at : self.at + 1]
        self.at += len(letter)
        return letter

    def take(self, text: str) -> bool:
        """Go past ``text`` if it stands here."""
        if not self.text.startswith(text, self.at):
            return False
        self.at += len(text)
        return True

    def matched(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Go past what matches here."""
        found = pattern.match(self.text, self.at)
        if found:
            self.at = found.end()
        return found

    # ---- Alternatives and sequences ------------------------------------------------------------------

    def branches(self, depth: int) -> Branches:
        """Alternatives, up to the bracket that ends them or the end. Flags that are set between them hold
        to the end of the last (PCRE), and are a group of their own in each."""
        if depth > DEEP:
            raise self.wrong("brackets nested too deeply")
        multiline, flags, found = self.multiline, "", []
        while True:
            branch, flags = self.sequence(flags, depth)
            found.append(branch)
            if not self.take("|"):
                break
        self.multiline = multiline
        return tuple(found)

    def sequence(self, flags: str, depth: int) -> tuple[tuple[Node, ...], str]:
        """One alternative under ``flags``, and the flags that the next one is under."""
        found: list[Node] = []
        while self.at < len(self.text) and self.text[self.at] not in "|)":
            said = self.flags_here()
            if said:
                rest, after = self.sequence(said, depth)
                found += rest
                return self.under(flags, found), after
            found += self.repeated(depth)
        return self.under(flags, found), flags

    def under(self, flags: str, found: list[Node]) -> tuple[Node, ...]:
        """A sequence inside a group of its flags."""
        return (Group(f"(?{flags}:", (tuple(found),)),) if flags else tuple(found)

    def flags_here(self) -> str:
        """The letters of ``(?i)``; "" where there is none."""
        found = re.compile(r"\(" + FLAGS.pattern).match(self.text, self.at)
        if not found or found[2] != ")" or found[1] in ("", "R", "C"):
            return ""
        self.at = found.end()
        return self.known(found[1])

    def known(self, letters: str) -> str:
        """Flags that have one meaning everywhere. Raises ValueError for others."""
        on, _, off = letters.partition("-")
        if not set(on + off) <= set("ims"):
            raise self.wrong(f"(?{letters}) is not supported: of the flags only i, m and s are")
        self.fold = self.fold or "i" in on
        self.dotall = self.dotall or "s" in on
        if "m" in letters:
            self.multiline = "m" in on
        return letters

    # ---- One thing and how often ----------------------------------------------------------------------

    def repeated(self, depth: int) -> list[Node]:
        """The next thing with its quantifier. A list: comments are nothing, and ``\\Q`` is many."""
        found = self.one(depth)
        if not found:
            return []
        node = found[-1]
        count = self.count()
        if count is None:
            return found
        if isinstance(node, Edge | Repeat):
            raise self.wrong("nothing to repeat")
        how = "?" if self.take("?") else "+" if self.take("+") else ""
        if self.count() is not None:
            raise self.wrong("a quantifier behind a quantifier")
        return [*found[:-1], Repeat(node, count[0], count[1], how)]

    def count(self) -> tuple[int, int | None] | None:
        """The quantifier that stands here, as least and most; None where there is none."""
        for sign, bounds in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self.take(sign):
                return bounds
        if re.compile(r"\{,\d+\}").match(self.text, self.at):
            raise self.wrong("{,n} differs between versions of PCRE: write {0,n}, or \\{ for the bracket")
        found = self.matched(COUNT)
        if not found:
            return None
        least = int(found[1])
        most = least if not found[2] else int(found[3]) if found[3] else None
        if max(least, most or 0) > MANY or (most is not None and most < least):
            raise self.wrong(f"{found[0]} is no count")
        return least, most

    def one(self, depth: int) -> list[Node]:
        """The next thing without its quantifier."""
        letter = self.next()
        if letter == "(":
            return self.group(depth)
        if letter == "\\":
            return self.escape()
        if letter == "[":
            return [Chars(one_set(self))]
        if letter == ".":
            return [Chars(NOT_LF.members, dot=True)]
        if letter == "^":
            return [Edge("^", "^")]
        if letter == "$":
            return [Edge("$", "$" if self.multiline else END)]
        if letter in "*+?" or (letter == "{" and COUNT.match(self.text, self.at - 1)):
            raise self.wrong("nothing to repeat")
        return [Chars(frozenset((ord(letter),)))]

    # ---- Brackets --------------------------------------------------------------------------------------

    def group(self, depth: int) -> list[Node]:
        """What is behind an opening bracket, to its end."""
        for sign, what in NOT_HERE.items():
            if self.text.startswith(sign, self.at):
                raise self.wrong(f"{what} is PCRE's alone and not supported")
        if self.take("?#"):
            if ")" not in self.text[self.at :]:
                raise self.wrong("a comment without its )")
            self.at = self.text.index(")", self.at) + 1
            return []
        if self.take("?P="):
            return [self.referred(self.name(")"))]
        multiline = self.multiline
        group = Group(self.opening(), self.branches(depth + 1))
        self.multiline = multiline
        return [self.closed(group)]

    def closed(self, group: Group) -> Group:
        """The group, when its bracket is there."""
        if not self.take(")"):
            raise self.wrong("a ( without its )")
        return group

    def opening(self) -> str:
        """The beginning of a group in Python's words."""
        for sign in PLAIN_OPENINGS:
            if self.take(sign):
                return f"({sign}"
        named = self.matched(NAMED)
        if named or not self.text.startswith("?", self.at):
            self.groups += 1
            return f"(?P<{named[1] or named[2] or named[3]}>" if named else "("
        condition = self.matched(CONDITION)
        if condition and not condition[1].startswith(("R", "DEFINE")):
            return f"(?({condition[1]})"
        flags = self.matched(FLAGS)
        if not flags or flags[2] != ":":
            raise self.wrong("what follows (? is PCRE's alone and not supported")
        return f"(?{self.known(flags[1])}:"

    def name(self, end: str) -> str:
        """A group's name up to ``end``."""
        found = self.matched(NAME)
        if not found or not self.take(end):
            raise self.wrong("a group's name is not complete")
        return found[0]

    # ---- Escapes ---------------------------------------------------------------------------------------

    def escape(self) -> list[Node]:
        """What is behind a backslash outside a set."""
        letter = self.text[self.at : self.at + 1]
        if letter in EDGES:
            self.at += 1
            return [EDGES[letter]]
        if letter == "Q":
            return self.quoted()
        if letter == "E":
            self.at += 1
            return []
        if letter == "R":
            self.at += 1
            crlf = (Chars(frozenset(b"\r")), Chars(frozenset(b"\n")))
            return [Group("(?>", (crlf, (Chars(VERTICAL),)))]
        back = self.back()
        if back:
            return [back]
        if letter in SETS:
            self.at += 1
            return [Chars(SETS[letter])]
        return [Chars(frozenset((Escapes(self).octet(),)))]

    def quoted(self) -> list[Node]:
        r"""``\Q...\E``: as it stands."""
        self.at += 1
        end = self.text.find("\\E", self.at)
        end = len(self.text) if end < 0 else end
        said, self.at = self.text[self.at : end], min(end + 2, len(self.text))
        return [Chars(frozenset((ord(letter),))) for letter in said]

    def back(self) -> Back | None:
        """A reference to a group, by number or name."""
        found = self.matched(REFERENCE)
        if found:
            return self.referred(next(word for word in found.groups() if word is not None))
        digits = re.compile(r"[1-9]\d*").match(self.text, self.at)
        # PCRE: one digit always refers; more do where there are so many groups, else they are octal.
        if digits and (len(digits[0]) == 1 or int(digits[0]) <= self.all_groups):
            self.at = digits.end()
            return self.referred(digits[0])
        return None

    def referred(self, said: str) -> Back:
        """The reference in Python's words; a number below nought counts back from here."""
        if not said.lstrip("-").isdigit():
            return Back(f"(?P={said})")
        number = int(said)
        number = self.groups + 1 + number if number < 0 else number
        if not 0 < number <= self.groups:
            raise self.wrong(f"there is no group {number} before this")
        return Back(f"(?:\\{number})")
