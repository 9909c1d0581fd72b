"""What is wrong, or worth knowing, about a configuration: one finding for each, and all of them at once.

Made wherever a configuration is read; shown by the command line and the log. Nothing here decides whether
the server starts: the level does.
"""

from typing import NamedTuple

ERROR, WARNING = "error", "warning"

SYNTAX, UNKNOWN, UNSUPPORTED, BAD_VALUE, MISSING_PATH, CONFLICT = (
    *("syntax", "unknown-option", "unsupported", "bad-value"),
    *("missing-path", "conflict"),
)
"""Kinds: a file that cannot be read as what it is; a name that nobody knows; one that is known and not acted
on; a value that is not what is expected; a path that is not there; options that exclude each other."""


def visible(text: str) -> str:
    """``text`` on one line with its control characters written out: what a file says must not move a cursor,
    forge a line, or be other than it seems."""
    if text.isprintable():
        return text
    parts = (letter if letter.isprintable() else letter.encode("unicode_escape") for letter in text)
    return "".join(part if isinstance(part, str) else part.decode() for part in parts)


class Finding(NamedTuple):
    """``message`` says what is wrong and what was expected; ``option`` is the key as written, ``value`` its
    value; ``origin`` is for people (``app.ini:12``), ``file`` and ``line`` for programs, where there are."""

    level: str
    kind: str
    message: str
    option: str = ""
    value: str | None = None
    origin: str = ""
    file: str = ""
    line: int = 0

    @property
    def text(self) -> str:
        """One line: ``app.ini:12: threads = abc: a whole number is expected``."""
        said = self.option if self.value is None else f"{self.option} = {self.value}"
        return ": ".join(part for part in (self.origin, said, self.message) if part)


def told(finding: Finding) -> str:
    """A finding as a line of the log: by its place in a file, or as the words of a command line."""
    if finding.file or not finding.option:
        return finding.text
    name = finding.option if finding.option.startswith("<") else f"--{finding.option.lstrip('-')}"
    if finding.level == WARNING:
        return f"{name} ({finding.origin}): {finding.message}"
    value = "" if finding.value is None else f" {finding.value}"
    return f"{finding.origin}: {name}{value}: {finding.message}"
