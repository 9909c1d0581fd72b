"""The local time that a variable ``TZ`` means, where it is not the one of this process.

Called by the supervisor, which keeps the environment of its start: what ``env = TZ=…`` says is for the
application and for commands, and for the times at which they run, as in uWSGI, but not for the log.
"""

from collections.abc import Callable
from datetime import datetime, tzinfo
from io import BytesIO

SYSTEM = "/etc/localtime"
Clock = Callable[[float], datetime]


def clock(wanted: str | None, own: str | None) -> Clock:
    """What makes a local time of seconds since the epoch, without a zone but with ``fold`` (PEP 495).

    ``wanted`` and ``own`` are values of TZ; None without one. Raises ValueError where there is no such zone.
    """
    if wanted == own:
        return datetime.fromtimestamp
    zone = zone_of(SYSTEM if wanted is None else wanted)
    return lambda seconds: datetime.fromtimestamp(seconds, zone).replace(tzinfo=None)


def zone_of(text: str) -> tzinfo:
    """``Europe/Berlin``, with or without a colon before it; a file's path; or rules as in tzset(3),
    ``CET-1CEST,M3.5.0,M10.5.0/3``. Raises ValueError.
    """
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    name = text.removeprefix(":")
    try:
        if name.startswith("/"):
            with open(name, "rb") as file:
                return ZoneInfo.from_file(file)
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, OSError, ValueError):
        pass
    try:
        return ZoneInfo.from_file(BytesIO(file_of(name)))
    except (ValueError, UnicodeEncodeError):
        raise ValueError(f"TZ={text}: there is no such time zone") from None


def file_of(rules: str) -> bytes:
    """A file of a zone that is nothing but rules (RFC 8536 §3: two headers, no transitions, the rules)."""
    if not rules or "\n" in rules:
        raise ValueError(rules)
    # One type of time, which the rules overrule: UTC, no daylight saving, its name at 0 of "UTC\0".
    block = b"\0" * 6 + b"UTC\0"
    head = b"TZif2" + b"\0" * 15 + b"".join(count.to_bytes(4, "big") for count in (0, 0, 0, 0, 1, 4))
    return head + block + head + block + b"\n" + rules.encode("ascii") + b"\n"
