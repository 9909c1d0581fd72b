"""What an option is: declared once, beside the typed field that holds its value.

Everything else is derived from it: command line, aliases, help, reference page, "did you mean". Options that
have no field are made from the catalogue. Read at boot only.
"""

from typing import Any, NamedTuple, TypeVar, dataclass_transform

Group = TypeVar("Group")

FLAG, INT, SIZE, SECONDS, TEXT, LIST, MODE = "flag", "int", "size", "seconds", "text", "list", "mode"
"""Kinds of values: on or off; a whole number; bytes (``64k``, ``1g``); seconds (``500ms``, ``2m``); text,
the last one wins; texts, all are kept; an octal file mode."""

SIGNED, KILOBYTES, MEGABYTES, MILLISECONDS, KEYVAL = (
    *("signed", "kilobytes", "megabytes"),
    *("milliseconds", "keyval"),
)
"""More kinds, of uWSGI's alone: a number that may be negative; sizes and times whose plain number has
another unit; ``key=value`` pairs between commas, each option kept."""

NUMBERS = frozenset((INT, SIGNED, SIZE, KILOBYTES, MEGABYTES, SECONDS, MILLISECONDS))
"""Kinds that uWSGI reads by their leading digits."""
COUNTED = frozenset(("processes", "threads"))
"""Options of which uWSGI has a number, and we a number or ``auto``."""

ACTED_ON, HARMLESS, UNSUPPORTED = "acted-on", "harmless", "unsupported"
"""What penstock does with an option: acts on it; takes it because what it asks for is always so; says in one
warning that it does not do it."""


class Option(NamedTuple):
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
    ``unasked``   values that ask for nothing, so that nothing is said about them
    ``language``  a word of the configuration language, not a setting
    ``later``     which part of penstock is to bring it
    ``note``      what who writes it should know, for ``explain``
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
    unasked: tuple[str, ...] = ()
    language: bool = False
    later: str = ""
    note: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The name and its aliases."""
        return (self.name, *self.aliases)

    @property
    def keeps_all(self) -> bool:
        """Whether each time it is given counts; of the others the last one wins."""
        return self.kind in (LIST, KEYVAL)


class Setting(NamedTuple):
    """A field of the settings: its default, and its option, if it has one; ``name`` by its group."""

    default: Any
    option: Option | None
    name: str = ""


def opt(default: Any, option: Option) -> Any:
    """A field that holds ``option``'s value; in a group."""
    return Setting(default, option)


@dataclass_transform(frozen_default=True, eq_default=False)
def group(cls: type[Group]) -> type[Group]:
    """A group of the settings: fields become attributes with their defaults, ``settings_of`` has them.

    Of a dataclass it has what is read: 45 dataclasses would be a tenth of a start, for functions that are
    written as text and compiled each time.
    """
    found = {name: setting for base in cls.__bases__ for name, setting in settings_of(base).items()}
    for name in cls.__annotations__:
        given = vars(cls)[name]
        found[name] = (given if isinstance(given, Setting) else Setting(given, None))._replace(name=name)
        setattr(cls, name, found[name].default)
    cls.settings = found  # type: ignore[attr-defined]  # its type is told by ``settings_of``
    return cls


def settings_of(group: type) -> dict[str, Setting]:
    """The fields of a group, or of all groups together, in the order of declaration."""
    found: dict[str, Setting] = getattr(group, "settings", {})
    return found
