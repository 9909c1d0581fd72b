"""What an option is: declared once, beside the typed field that holds its value.

Everything else is derived from it: command line, aliases, help, reference page, "did you mean".
"""

from dataclasses import dataclass
from typing import Any

from pydantic import Field

FLAG, INT, SIZE, SECONDS, TEXT, LIST, MODE = "flag", "int", "size", "seconds", "text", "list", "mode"
"""Kinds of values: on or off; a whole number; bytes (``64k``, ``1g``); seconds (``500ms``, ``2m``); text,
the last one wins; texts, all are kept; an octal file mode."""

ACTED_ON, HARMLESS, NOT_YET = "acted-on", "harmless", "not supported yet"
"""What penstock does with an option: acts on it; takes it because what it asks for is always so; takes it
with one warning at start."""


@dataclass(frozen=True, slots=True)
class Option:
    """One option.

    ``name``      as on the command line, without dashes
    ``kind``      of its value (see above)
    ``group``     heading in the help
    ``help``      one line of what it does
    ``short``     one letter, or ""
    ``aliases``   other names for the same
    ``bare``      the value it has when it is given without one; None when a value must follow
    ``metavar``   what stands for the value in the help
    ``own``       penstock's, not uWSGI's
    ``state``     and ``reason``: what is done with it, and why, where it is not acted on
    ``field``     the settings' attribute, filled in by the registry
    ``default``   as the help shows it
    """

    name: str
    kind: str
    group: str
    help: str
    short: str = ""
    aliases: tuple[str, ...] = ()
    bare: str | None = None
    metavar: str = ""
    own: bool = False
    state: str = ACTED_ON
    reason: str = ""
    field: str = ""
    default: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The name and its aliases."""
        return (self.name, *self.aliases)


def opt(default: Any, option: Option) -> Any:
    """A pydantic field that holds ``option``'s value."""
    extra: dict[str, Any] = {"option": option}
    if isinstance(default, list):
        default = tuple(default)
    return Field(default=default, description=option.help, json_schema_extra=extra)
