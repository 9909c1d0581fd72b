"""What the reading of a configuration collects: entries, in the order in which uWSGI lists them.

Made and changed at start, by one thread. An entry is an option, a word of the language or a placeholder;
it does not know which.
"""

from dataclasses import dataclass, field

from penstock.config.raw import RawOption


@dataclass(slots=True, eq=False, repr=False)
class Entry:
    """One line of what was collected.

    ``written``   the value before anything was expanded
    ``done``      it has acted, so that passes and setters leave it alone (uWSGI's "configured")
    ``declared``  a placeholder by ``set-placeholder``, so that ``strict`` has nothing against it
    ``became``    the options that a declared option stands for
    """

    key: str
    value: str | None
    origin: str
    file: str = ""
    line: int = 0
    written: str = ""
    done: bool = False
    declared: bool = False
    became: list[RawOption] = field(default_factory=list)

    @property
    def raw(self) -> RawOption:
        """As the rest of penstock takes it."""
        return RawOption(self.key, self.value, self.origin, self.file, self.line)


def entry_of(raw: RawOption) -> Entry:
    """An entry that was just read."""
    return Entry(*raw, written=raw.value or "")
