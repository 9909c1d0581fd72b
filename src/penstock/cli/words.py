"""The words behind a verb, sorted into files, flags and a command line; the exit statuses of verbs.

Runs in the command alone; knows no verb.
"""

import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import NamedTuple

FAILED = 1
MISUSED = 2


class Misused(Exception):
    """Words that a verb does not understand; the text says which."""


class Asked(NamedTuple):
    """A verb's words, sorted.

    ``files`` what has no dashes; ``flags`` what has, with their values; ``line`` what stands after ``--``,
    None without it
    """

    files: tuple[str, ...]
    flags: dict[str, str]
    line: tuple[str, ...] | None


def sorted_out(words: Sequence[str], known: dict[str, str]) -> Asked:
    """Sort a verb's words. ``known``: its flags, each with what its value may be, ``""`` for none, ``*`` for
    anything, else words between blanks. Raises Misused."""
    files: list[str] = []
    flags: dict[str, str] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            return Asked(tuple(files), flags, tuple(rest))
        if not word.startswith("-") or word == "-":
            files.append(word)
            continue
        name, equals, value = word.partition("=")
        choices = known.get(name)
        if choices is None:
            hint = " (a command line of options goes behind --)" if "--" in known else ""
            raise Misused(f"unknown option {name}{hint}")
        flags[name] = checked(name, choices, following(name, rest) if choices and not equals else value)
    return Asked(tuple(files), flags, None)


def unbroken(errors: str = "backslashreplace") -> None:
    """Let nothing that a file may hold break the printing of it: bytes that are no text, a narrow locale."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors=errors)


def following(name: str, rest: list[str]) -> str:
    """The word behind a flag, taken out. Raises Misused where there is none."""
    if not rest:
        raise Misused(f"{name} needs a value")
    return rest.pop(0)


def checked(name: str, choices: str, value: str) -> str:
    """A flag's value. Raises Misused for one that it cannot have."""
    if choices == "*" or (value in choices.split() if choices else not value):
        return value
    raise Misused(f"{name}: {choices.replace(' ', ', ') or 'no value'} is expected")
