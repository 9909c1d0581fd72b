"""The access log's line: uWSGI's own, made from raw fields off the request path.

Called by the service thread that writes the diary; pool threads only append records. Everything that a
client said is escaped, so a request is always exactly one line and cannot speak to a terminal.
"""

import os
import re
from time import ctime
from typing import Any, NamedTuple

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

    def line(self, record: tuple[Any, ...] | AccessRecord) -> str:
        """The line of one record, without its end of line."""
        # Taken apart by position: names on a tuple cost a third of the line.
        (started, seconds, address, user, method, uri, protocol, status, headers, header_bytes) = record[:10]
        (body_bytes, variables, size, switches, core, via, app) = record[10:]
        said = f"{address}{user}{method}{uri}{protocol}"
        if len(said) > LONGEST or UNSAFE.search(said) is not None:
            address, user, method = escape(address), escape(user), escape(method)
            uri, protocol = escape(uri), escape(protocol)
        self.total += 1
        count = -1
        if app >= 0:
            count = self.by_app[app] = self.by_app.get(app, 0) + 1
        second = int(started)
        if second != self.last[0]:
            self.last = (second, ctime(second))
        if via:
            via = f"via {via} "
        return (
            f"[pid: {self.pid}|app: {app}|req: {count}/{self.total}] {address} ({user}) "
            f"{{{variables * 2} vars in {size} bytes}} [{self.last[1]}] {method} {uri} => generated "
            f"{body_bytes} bytes in {int(seconds * 1000)} msecs {via}({protocol} {status}) "
            f"{headers} headers in {header_bytes} bytes ({switches} switches on core {core})"
        )
