"""The access log's line: uWSGI's own, made from raw fields off the request path.

Called by the service thread that writes the diary; pool threads only append records. Everything that a
client said is escaped, so a request is always exactly one line and cannot speak to a terminal.
"""

import os
import re
from time import ctime
from typing import NamedTuple

UNSAFE = re.compile(r"[^\x20-\x21\x23-\x5b\x5d-\x7e]")
LONGEST = 4096  # characters of one field of the client's that are written


class AccessRecord(NamedTuple):
    """One request's raw fields. ``started`` in seconds since the epoch, ``seconds`` it took; sizes in
    bytes; ``via`` is "" or ``sendfile()``; ``app`` -1 when no application answered."""

    started: float
    seconds: float
    address: str
    user: str
    method: str
    uri: str
    protocol: str
    status: int
    headers: int
    header_bytes: int
    body_bytes: int
    variables: int
    size: int
    switches: int
    core: int
    via: str
    app: int


def escape(text: str) -> str:
    """``text`` with quotes, backslashes, controls and 8-bit characters as ``\\xNN``, cut when endless."""
    if len(text) > LONGEST:
        text = text[:LONGEST] + "..."
    if UNSAFE.search(text) is None:
        return text
    return UNSAFE.sub(lambda match: f"\\x{ord(match[0]) & 0xFF:02x}", text)


class AccessFormat:
    """uWSGI's default request line, with its counters. One writer."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.by_app: dict[int, int] = {}
        self.total = 0
        self.last: tuple[int, str] = (0, "")

    def line(self, record: tuple[object, ...] | AccessRecord) -> str:
        """The line of one record, without its end of line."""
        r = AccessRecord._make(record)
        self.total += 1
        count = -1
        if r.app >= 0:
            count = self.by_app[r.app] = self.by_app.get(r.app, 0) + 1
        second = int(r.started)
        if second != self.last[0]:
            self.last = (second, ctime(second))
        via = f"via {r.via} " if r.via else ""
        return (
            f"[pid: {self.pid}|app: {r.app}|req: {count}/{self.total}] {escape(r.address)} "
            f"({escape(r.user)}) {{{r.variables * 2} vars in {r.size} bytes}} [{self.last[1]}] "
            f"{escape(r.method)} {escape(r.uri)} => generated {r.body_bytes} bytes in "
            f"{int(r.seconds * 1000)} msecs {via}({escape(r.protocol)} {r.status}) "
            f"{r.headers} headers in {r.header_bytes} bytes ({r.switches} switches on core {r.core})"
        )
