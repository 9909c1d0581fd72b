"""The variables of ``log-format``: how each is read from a record.

Made once for a format; run by the service thread that writes the diary. A field is a call that is given a
record and gives a text or a number; what is empty is ``-``, what somebody else said is escaped.
"""

from collections.abc import Callable, Sequence
from time import ctime, localtime, strftime
from typing import Any

from penstock.core.record import APPLICATION, FILE, LANE, READ_ERROR, REFUSED, RULE, WRITE_ERROR, Record
from penstock.core.running import trace
from penstock.logs.access import escape
from penstock.logs.house import MB, House

Field = Callable[[Sequence[Any]], object]
CLF_TIME = "%d/%b/%Y:%H:%M:%S %z"
KINDS = {APPLICATION: "application", FILE: "file", RULE: "rule", REFUSED: "refused", LANE: "lane"}
AT = {name: index for index, name in enumerate(Record._fields)}

TEXTS = {"uri": "uri", "method": "method", "user": "user", "addr": "address", "proto": "protocol"}
"""Variables of uWSGI's, and which text of a record each is."""

SAID = {"host": "HTTP_HOST", "uagent": "HTTP_USER_AGENT", "referer": "HTTP_REFERER"}
"""Variables of uWSGI's, and which variable of the request each is."""

NUMBERS: dict[str, Callable[[Sequence[Any]], object]] = {
    "status": lambda r: r[7],
    "rsize": lambda r: r[10],
    "hsize": lambda r: r[9],
    "size": lambda r: r[9] + r[10],
    "headers": lambda r: r[8],
    "vars": lambda r: r[11] * 2,
    "pktsize": lambda r: r[12],
    "switches": lambda r: r[13],
    "core": lambda r: r[14],
    "micros": lambda r: int(r[1] * 1_000_000),
    "msecs": lambda r: int(r[1] * 1000),
    "secs": lambda r: f"{r[1]:.6f}",
    "time": lambda r: int(r[0]),
    "epoch": lambda r: int(r[0] + r[1]),
    "tmsecs": lambda r: int(r[0] * 1000),
    "tmicros": lambda r: int(r[0] * 1_000_000),
    "rerr": lambda r: int(r[23] & READ_ERROR > 0),
    "werr": lambda r: int(r[23] & WRITE_ERROR > 0),
    "ioerr": lambda r: (r[23] & READ_ERROR > 0) + (r[23] & WRITE_ERROR > 0),
}
"""Variables of uWSGI's that are figures of a record. By position, see ``core.record``."""

OWN: dict[str, Field] = {
    "id": lambda r: escape(r[24]) or "-",
    "receive": lambda r: f"{r[17]:.6f}",
    "queue": lambda r: f"{r[18]:.6f}",
    "run": lambda r: f"{r[19]:.6f}",
    "write": lambda r: f"{r[20]:.6f}",
    "mount": lambda r: escape(r[21]) or "-",
    "kind": lambda r: KINDS[r[22]],
    # Apache's %b: no bytes are a dash.
    "bytes": lambda r: r[10] or "-",
}
"""Variables of penstock's. A logvar of the same name, which is the site's own, goes before."""

TRACES = ("trace_id", "span_id")
TRACEPARENT = "HTTP_TRACEPARENT"
HOUSE = ("pid", "wid", "vsz", "rss", "vszM", "rssM")
TIMES = ("ctime", "ltime", "ftime")
PACKET = ("modifier1", "modifier2")
NOT_TEXT = ("wsgi.", "penstock.")
"""Beginnings of names in the environ that are no variables of a request: uWSGI's has none of them."""


class Fields:
    """Makes the fields of one format. ``wanted`` is which variables of requests they need, in the order in
    which a record's ``said`` has them. ``ftime``: strftime's form of ``%(ftime)``, "" for that of ltime."""

    def __init__(self, house: House, ftime: str = "") -> None:
        self.house = house
        self.wanted: list[str] = []
        self.used: set[str] = set()
        self.forms = {"ltime": CLF_TIME, "ftime": ftime or CLF_TIME}

    def field(self, name: str) -> Field:
        """The one that ``%(name)`` is."""
        self.used.add(name)
        if name in TEXTS:
            return text_at(AT[TEXTS[name]])
        if name in SAID:
            return self.said(SAID[name])
        if name in NUMBERS:
            return NUMBERS[name]
        if name in HOUSE:
            return self.of_house(name)
        if name in TIMES:
            return clock(ctime if name == "ctime" else form(self.forms[name]))
        if name in PACKET:
            return nothing
        return self.other(name)

    def other(self, name: str) -> Field:
        """One that is not of uWSGI's table."""
        if name == "cl":
            at = self.place("CONTENT_LENGTH")
            return lambda record: escape(record[25][at]) or "0"
        if name.startswith("var."):
            return self.said(name[4:])
        if name.startswith("metric."):
            house, key = self.house, name[7:]
            # uWSGI, too, has 0 for a metric that there is not.
            return lambda record: house.metrics.get(key, 0)
        if name in TRACES:
            return logvar(name, self.trace(TRACES.index(name)))
        return logvar(name, OWN.get(name, lambda record: "-"))

    def place(self, name: str) -> int:
        """Where ``said`` has a variable of the request."""
        if name not in self.wanted:
            self.wanted.append(name)
        return self.wanted.index(name)

    def said(self, name: str) -> Field:
        """A variable of the request."""
        if name.startswith(NOT_TEXT) and name != "wsgi.url_scheme":
            return lambda record: "-"
        at = self.place(name)
        return lambda record: escape(record[25][at]) or "-"

    def trace(self, index: int) -> Field:
        """A part of the trace's context."""
        at = self.place(TRACEPARENT)
        return lambda record: trace(record[25][at])[index] or "-"

    def of_house(self, name: str) -> Field:
        """What is the process's."""
        house = self.house
        if name in ("pid", "wid"):
            return lambda record: getattr(house, name)
        house.needs.add("memory")
        scale = MB if name.endswith("M") else 1
        attribute = name.removesuffix("M")
        return lambda record: getattr(house, attribute) // scale


def nothing(record: Sequence[Any]) -> object:
    """uWSGI's modifiers: the application is always the Python one, whose number is 0."""
    return 0


def text_at(index: int) -> Field:
    """A text of the record's."""
    return lambda record: escape(record[index]) or "-"


def logvar(name: str, otherwise: Field) -> Field:
    """What rules and the application have set by that name."""

    def field(record: Sequence[Any]) -> object:
        said = record[26]
        if said and said.get(name):
            return escape(said[name])
        return otherwise(record)

    return field


def form(text: str) -> Callable[[int], str]:
    """strftime's text of a local time."""
    return lambda second: strftime(text, localtime(second))


def clock(make: Callable[[int], str]) -> Field:
    """A time that is written once for each second."""
    last = (-1, "")

    def field(record: Sequence[Any]) -> object:
        nonlocal last
        second = int(record[0])
        if last[0] != second:
            last = (second, escape(make(second)) or "-")
        return last[1]

    return field
