"""What every source of configuration is turned into: one ordered list of keys, values and origins."""

from typing import NamedTuple


class RawOption(NamedTuple):
    """``key`` without dashes; ``value`` None when none was given; ``origin`` for people: ``command line``,
    ``environment PORT``."""

    key: str
    value: str | None
    origin: str
