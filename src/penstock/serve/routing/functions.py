"""The functions of templates: ``${cookie[name]}``, ``${qs[name]}``, ``${time[unix]}`` and their like.

Each is made at boot and called by pool threads. A variable's value is bytes to them, as everywhere in rules
(latin-1 carried). They know one request and the clock; they do not know which rule asks.
"""

import binascii
import os
from collections.abc import Callable
from time import monotonic, time
from typing import Protocol

from penstock.core.date import http_date
from penstock.serve.routing.turn import Turn

Asked = Callable[[Turn, str], str]
SPACES = " \t\n\v\f\r"
MISSING = {
    "metric": "there are no metrics for rules to read here",
    "geoip": "uWSGI has it as a plugin of its own, and penstock has none",
    "xattr": "uWSGI has it as a plugin of its own, and penstock has none",
    "xattr2": "uWSGI has it as a plugin of its own, and penstock has none",
    "math": "uWSGI has it as a plugin of its own, and penstock has none",
}


class Known(Protocol):
    """What functions ask of the tools that they are made with."""

    @property
    def number(self) -> int: ...

    @property
    def mime(self) -> Callable[[str], str] | None: ...

    @property
    def backlog(self) -> Callable[[], int]: ...


def function_of(name: str, known: Known) -> Asked | None:
    """The function of that name; None where uWSGI has none either, and looks for a variable.

    Raises ValueError for one that is not offered here.
    """
    if name in MISSING:
        raise ValueError(f"${{{name}[…]}} is not offered: {MISSING[name]}")
    make = FUNCTIONS.get(name)
    return None if make is None else make(known)


def cookie(turn: Turn, name: str) -> str:
    """A cookie that is not empty, as it was sent."""
    for each in turn.get("HTTP_COOKIE").split(";"):
        key, _, value = each.strip(SPACES).partition("=")
        if value and key == name:
            return value
    return ""


def item(turn: Turn, name: str) -> str:
    """An item of the query string that is not empty, not decoded."""
    for each in turn.get("QUERY_STRING").split("&"):
        key, _, value = each.partition("=")
        if value and key == name:
            return value
    return ""


def base64(turn: Turn, name: str) -> str:
    """A variable's bytes in base64."""
    return binascii.b2a_base64(turn.get(name).encode("latin-1"), newline=False).decode("ascii")


def hexed(turn: Turn, name: str) -> str:
    """A variable's bytes in upper-case hexadecimal."""
    return turn.get(name).encode("latin-1").hex().upper()


def upper(turn: Turn, name: str) -> str:
    """A variable with its ASCII letters in upper case."""
    return turn.get(name).encode("latin-1").upper().decode("latin-1")


def lower(turn: Turn, name: str) -> str:
    """A variable with its ASCII letters in lower case."""
    return turn.get(name).encode("latin-1").lower().decode("latin-1")


def clock(turn: Turn, what: str) -> str:
    """Now, in seconds or microseconds since 1970."""
    if what == "unix":
        return str(int(time()))
    return str(int(time() * 1e6)) if what == "micros" else ""


def http_time(turn: Turn, seconds: str) -> str:
    """The HTTP date that many seconds from now."""
    ahead = int(seconds) if seconds.isdecimal() and len(seconds) < 13 else 0
    return http_date(min(int(time()) + ahead, 253402300799))


def mime(known: Known) -> Asked:
    """The type of the file that a variable names, by its last extension."""
    kind = known.mime

    def say(turn: Turn, name: str) -> str:
        return kind(turn.get(name)) if kind is not None else ""

    return say


def server(known: Known) -> Asked:
    """What the server knows: of itself, and of this request."""
    from uuid import uuid4

    number, backlog = known.number, known.backlog
    values: dict[str, Callable[[Turn], str]] = {
        "wid": lambda turn: str(number or 1),  # without a supervisor it is 1 there
        "pid": lambda turn: str(os.getpid()),
        "uuid": lambda turn: str(uuid4()),
        "status": lambda turn: str(turn.call.status_code or 500),  # uWSGI's, until there is another
        "rtime": lambda turn: str(int((monotonic() - turn.call.x.received_at) * 1e6)),
        "lq": lambda turn: str(backlog()),
        "rsize": lambda turn: str(turn.call.body_sent),
        "sor": lambda turn: str(int((time() - (monotonic() - turn.call.x.received_at)) * 1e6)),
    }

    def say(turn: Turn, what: str) -> str:
        value = values.get(what)
        return "" if value is None else value(turn)

    return say


def simply(ask: Asked) -> Callable[[Known], Asked]:
    """A function that needs nothing but the request."""
    return lambda known: ask


FUNCTIONS: dict[str, Callable[[Known], Asked]] = {
    "cookie": simply(cookie),
    "qs": simply(item),
    "mime": mime,
    "uwsgi": server,
    "time": simply(clock),
    "httptime": simply(http_time),
    "base64": simply(base64),
    "hex": simply(hexed),
    "upper": simply(upper),
    "lower": simply(lower),
}
"""By name: what makes the function at boot."""
