"""What every source of configuration is turned into: one ordered list of keys, values and origins."""

from typing import NamedTuple


class RawOption(NamedTuple):
    """``key`` without dashes; ``value`` None when none was given; ``origin`` for people: ``command line``,
    ``environment PORT``, ``app.ini:12``; ``file`` and ``line`` where it came from a file, else "" and 0."""

    key: str
    value: str | None
    origin: str
    file: str = ""
    line: int = 0
