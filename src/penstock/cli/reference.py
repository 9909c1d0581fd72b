"""``penstock options``, ``schema``, ``completion`` and ``man``: the reference as people and tools read it.

Runs in the command alone; what is printed is made elsewhere.
"""

import sys

from penstock.cli.paint import width
from penstock.cli.words import FAILED, Asked, Misused


def options(asked: Asked) -> int:
    """One option in full, or those that a word finds; 1 where there is none."""
    from penstock.config.reference import as_json, as_text, search
    from penstock.config.registry import suggest

    if len(asked.files) > 1:
        raise Misused("one name or one word at a time")
    word = asked.files[0] if asked.files else ""
    found = search(word)
    if asked.flags.get("--format") == "json":
        print(as_json(found), end="")
    else:
        print(as_text(found, width()), end="")
    if not found:
        print(f"penstock options: nothing is called {word}{suggest(word, '')}", file=sys.stderr)
    return 0 if found else FAILED


def schema(asked: Asked) -> int:
    """The JSON schema of yaml, json and toml files."""
    from penstock.config.schema import as_json

    nothing(asked)
    print(as_json(), end="")
    return 0


def completion(asked: Asked) -> int:
    """The script of a shell. Raises Misused for one that is not known."""
    from penstock.config.completion import completion

    if len(asked.files) != 1:
        raise Misused("name the shell")
    try:
        print(completion(asked.files[0]), end="")
    except ValueError as error:
        raise Misused(f"{asked.files[0]}: {error}") from error
    return 0


def man(asked: Asked) -> int:
    """The manual page, for ``man -l -``."""
    from penstock import __version__
    from penstock.config.manpage import manpage

    nothing(asked)
    print(manpage(__version__), end="")
    return 0


def nothing(asked: Asked) -> None:
    """No word is expected. Raises Misused for one."""
    if asked.files:
        raise Misused(f"unexpected {asked.files[0]}")
