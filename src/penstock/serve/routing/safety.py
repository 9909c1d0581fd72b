"""Regexes of strangers' configurations: what PCRE means by them, searched without ever stopping the worker.

Python's engine holds the interpreter while it searches and cannot be stopped, so no expression is used
before it is known how slow it can be. ``regex`` runs when rules are compiled, before there are threads; what
it gives is used by all of them. It does not know rules.
"""

import re
import sys
from collections.abc import Callable, Iterable
from typing import Any

from penstock.serve.routing.linear import engine
from penstock.serve.routing.regexes import emit
from penstock.serve.routing.regexes.parse import parse
from penstock.serve.routing.regexes.plain import is_plain
from penstock.serve.routing.regexes.trial import tried

LONGEST = 4096  # octets of an expression
ANY = sys.maxsize

known: dict[str, int | str] = {}
"""What trials have shown, by expression: the longest subject it may be asked about, or what is wrong with it.

Filled by ``try_all`` in the process that starts; children of its own have it by the fork.
"""


class Overlong(Exception):
    """A subject is longer than an expression may be asked about; ``limit`` is how long it may be, in octets.

    Neither "it matches" nor "it does not" would be safe, for a rule may refuse as well as admit. So a request
    is refused: 414 for what stands in its first line, 431 for a field.
    """

    def __init__(self, limit: int) -> None:
        super().__init__(f"longer than {limit} octets")
        self.limit = limit


class Regex:
    """A compiled expression.

    ``pattern``  as it was written; ``groups`` how many of its groups capture
    ``limit``    octets that a subject may have
    ``engine``   ``re`` or ``re2``
    ``inner``    the engine's own compiled expression
    ``search``   called with a subject: the first place where it matches, or None. Raises Overlong
    """

    __slots__ = ("engine", "groups", "inner", "limit", "pattern", "search")

    search: Callable[[str], re.Match[str] | None]

    def __init__(self, pattern: str, inner: Any, groups: int, limit: int) -> None:
        self.pattern = pattern
        self.inner = inner
        self.groups = groups
        self.limit = limit
        self.engine = "re" if isinstance(inner, re.Pattern) else "re2"
        self.search = inner.search if limit == ANY else capped(inner.search, limit)


def capped(search: Any, limit: int) -> Callable[[str], re.Match[str] | None]:
    """A search that refuses what is too long."""

    def searched(string: str, /) -> re.Match[str] | None:
        if len(string) > limit:
            raise Overlong(limit)
        found: re.Match[str] | None = search(string)
        return found

    return searched


def regex(text: str) -> Regex:
    """Compile an expression as PCRE means it; ``text`` is octets as latin-1, like the subjects.

    Nearly all are known to be linear by their shape. Any other is RE2's where that is installed, and else
    tried: subjects are then limited to 8 KB, or to 2 KB where 8 KB would take too long; one that is too slow
    even so is refused. Raises ValueError in one line: what is wrong, PCRE's own words by name, or that it is
    too slow.
    """
    if len(text) > LONGEST:
        raise ValueError(f"a regular expression of {len(text)} octets; at most {LONGEST} are allowed")
    tree = parse(text)
    said = emit.python(tree)
    inner = compiled(text, said)
    if is_plain(tree):
        return Regex(text, inner, tree.groups, ANY)
    quick = in_re2(emit.linear(tree))
    if quick is not None:
        return Regex(text, quick, tree.groups, ANY)
    if text not in known:
        try_all((text,))
    limit = known[text]
    if isinstance(limit, str):
        raise ValueError(f"{text!r} {limit}")
    return Regex(text, inner, tree.groups, limit)


def sparing(text: str) -> Regex:
    """The same for options of which a subject that is too long is none: it does not match. Raises
    ValueError."""
    made = regex(text)
    search = made.search

    def searched(string: str, /) -> re.Match[str] | None:
        try:
            return search(string)
        except Overlong:
            return None

    if made.limit != ANY:
        made = Regex(made.pattern, made.inner, made.groups, made.limit)
        made.search = searched
    return made


def compiled(text: str, said: str) -> re.Pattern[str]:
    """Python's own. Raises ValueError."""
    try:
        return re.compile(said, re.ASCII)
    except (re.error, OverflowError, RecursionError) as error:
        message = error.msg if isinstance(error, re.error) else str(error)
        raise ValueError(f"{message}, in {text!r}") from None


def in_re2(said: str) -> Any:
    """RE2's compiled expression; None where it is not installed or cannot do it."""
    compile_linear = engine() if said else None
    if compile_linear is None:
        return None
    try:
        return compile_linear(said)
    except re.error:
        return None


def try_all(texts: Iterable[str]) -> None:
    """Try expressions, all in one child, so that ``regex`` need not one by one. Wrong ones are passed over:
    ``regex`` says what is wrong. Call it before there are threads."""
    due = [text for text in dict.fromkeys(texts) if text not in known and doubtful(text)]
    if due:
        known.update(tried(due))


def doubtful(text: str) -> bool:
    """Whether only a trial can show how slow an expression is."""
    try:
        tree = parse(text)
        compiled(text, emit.python(tree))
    except ValueError:
        return False
    return not is_plain(tree) and in_re2(emit.linear(tree)) is None
