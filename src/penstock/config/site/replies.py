"""Replies on their way out, by their options' texts: headers that are noted or taken out, ways to compress.

Pure. Read at boot, by the process that reads the configuration and by those that serve.
"""

import re
from typing import NamedTuple

TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110 §5.1
WAYS = ("gzip", "br", "zstd")
TYPE = re.compile(r"(?:\*|[\w.+*-]+/[\w.+*-]+)", re.ASCII)


class Name(NamedTuple):
    """A header's name. ``doubtful``: what whoever wrote it should know."""

    name: str
    doubtful: tuple[str, ...] = ()


def name(text: str) -> Name:
    """A value of ``rem-header``. What is no name is none of a header's, and removes nothing, as in uWSGI."""
    if TOKEN.fullmatch(text):
        return Name(text)
    return Name(text, ("no header has such a name: nothing is removed",))


def noted(text: str) -> tuple[str, str]:
    """``HEADER VARIABLE`` of ``collect-header`` and ``pull-header``, divided at the first blank, as uWSGI
    does. Raises ValueError with what is expected."""
    header, _, variable = text.partition(" ")
    if not (header and variable.strip()):
        raise ValueError("HEADER VARIABLE is expected")
    return header, variable


def way(text: str) -> str:
    """A value of ``compress``. Raises ValueError with what is expected."""
    if text not in WAYS:
        raise ValueError("gzip, br or zstd is expected")
    return text


def kind(text: str) -> str:
    """A value of ``compress-types``, in small letters; ``*`` stands for any part of it. Raises ValueError."""
    if not TYPE.fullmatch(text):
        raise ValueError("a type is expected, such as text/html or text/*")
    return text.lower()
