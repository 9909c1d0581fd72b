"""Files that are served, by their options' texts: where they are, how long they may be kept, who sends them.

Pure. Read at boot, by the process that reads the configuration and by those that serve.
"""

import re
from typing import NamedTuple
from warnings import catch_warnings, simplefilter

from penstock.config.values import OFF, ON, SPANS

SECONDS = re.compile(r"([0-9]{1,12})(ms|s|m|h)?")
BROKEN = (
    *("nothing to repeat", "missing )", "unbalanced parenthesis", "unterminated character set"),
    "bad escape (end of pattern)",
)
"""How Python's words begin for what is wrong in PCRE as well."""
MODES = {
    **dict.fromkeys(("nginx", "x-accel-redirect", "xaccelredirect"), "X-Accel-Redirect"),
    **dict.fromkeys(("x-sendfile", "xsendfile"), "X-Sendfile"),
}
"""Values of ``file-serve-mode``, and the header by which a front server is told."""


class Mapping(NamedTuple):
    """``static-map``: what a path begins with, and the folder (or the file) below which its rest is.
    ``doubtful``: what whoever wrote it should know."""

    point: str
    folder: str
    doubtful: tuple[str, ...] = ()


class Mode(NamedTuple):
    """``file-serve-mode``: the header, "" where files are sent from here."""

    header: str
    doubtful: tuple[str, ...] = ()


def mapping(text: str) -> Mapping:
    """A value of ``static-map`` or ``static-map2``, divided at its first ``=``. Raises ValueError with what
    is expected."""
    point, _, folder = text.partition("=")
    if not folder.strip():
        raise ValueError("PATH=FOLDER is expected")
    if point and not point.startswith("/"):
        return Mapping(point, folder, (f"paths begin with /, so that none begins with {point}",))
    return Mapping(point, folder)


def regex(text: str) -> str:
    """A regular expression. Raises ValueError for what no engine takes for one; what only PCRE understands
    is for whoever compiles it."""
    try:
        with catch_warnings():
            simplefilter("ignore")  # of [[:alpha:]], which has another meaning there
            re.compile(text, re.ASCII)
    except re.error as error:
        if error.msg.startswith(BROKEN) and "(*" not in text:
            raise ValueError(f"{text} is no regular expression: {error}") from error
    except (OverflowError, RecursionError):
        pass
    return text


def expires(text: str) -> tuple[str, int]:
    """``REGEX SECONDS`` of the ``static-expires`` family, divided at the first blank, as uWSGI does. Raises
    ValueError with what is expected."""
    pattern, _, seconds = text.partition(" ")
    if not pattern:
        raise ValueError("REGEX SECONDS is expected")
    return regex(pattern), _seconds(seconds, "REGEX SECONDS")


def type_expires(text: str) -> tuple[str, int]:
    """``TYPE=SECONDS`` of ``static-expires-type``. Raises ValueError with what is expected."""
    kind, _, seconds = text.partition("=")
    if not kind:
        raise ValueError("TYPE=SECONDS is expected")
    return kind, _seconds(seconds, "TYPE=SECONDS")


def immutable(text: str) -> str:
    """A value of ``static-immutable``: a flag's word, or a regex. Raises ValueError."""
    return text if text.strip().lower() in (*ON, *OFF) else regex(text)


def mode(text: str) -> Mode:
    """A value of ``file-serve-mode``; as in uWSGI, any other one means that files are sent from here."""
    header = MODES.get(text.strip().lower(), "")
    if header or not text.strip():
        return Mode(header)
    return Mode("", ("nginx or x-sendfile is expected: files are sent from here, as in uWSGI",))


def _seconds(text: str, expected: str) -> int:
    """uWSGI has a plain number."""
    found = SECONDS.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{expected} is expected, such as 86400 or 24h")
    return int(int(found[1]) * SPANS[found[2] or ""])
