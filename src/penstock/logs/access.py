"""uWSGI's own line of a request, and how what a client said is written.

Run by the service thread that writes the diary. Everything that a client said is escaped, so a request is
always exactly one line and cannot speak to a terminal. It does not know where lines go.
"""

import re
from collections.abc import Sequence
from time import ctime
from typing import Any, Final

from penstock.core.record import LANE, Record
from penstock.logs.house import MB, House
from penstock.logs.pick import KIND, LOGGED, Pick

UNSAFE = re.compile(r"[^\x20-\x21\x23-\x5b\x5d-\x7e]")
SAFE = bytes(range(0x20, 0x7F)).translate(None, b'"\\')
LONGEST: Final = 4096
"""Characters of one field of the client's that are written; and of uWSGI's line with its end, beyond which it
has its short form."""
ADDRESS = 64  # characters of an address that the short form has
APP: Final = Record._fields.index("app")
SAID: Final = Record._fields.index("said")

FEW: Final = 1024
NUMBERS = [str(number) for number in range(FEW)]
"""As text: formatting four small numbers takes a sixth of formatting a line."""
NOBODY: Final = -2  # neither an application's number nor -1, that of none


def escape(text: str) -> str:
    """``text`` with quotes, backslashes, controls and 8-bit characters as ``\\xNN``, cut when endless."""
    if len(text) > LONGEST:
        text = text[:LONGEST] + "..."
    if UNSAFE.search(text) is None:
        return text
    return UNSAFE.sub(lambda match: f"\\x{ord(match[0]) & 0xFF:02x}", text)


def escaped(record: tuple[Any, ...]) -> tuple[Any, ...]:
    """The record with what a client said as it is written."""
    return (*record[:2], *map(escape, record[2:7]), *record[7:])


def safe(said: Sequence[str]) -> bool:
    """Whether there is nothing in these texts that is to be escaped."""
    text = "".join(said)
    return text.isascii() and not text.encode().translate(None, SAFE)


def size_of(variables: int, size: int, second: int) -> str:
    """What a line says of a request's size, and of its time."""
    return f"{{{variables * 2} vars in {size} bytes}} [{ctime(second)}]"


def end_of(what: Sequence[Any]) -> str:
    """A line's end: by whom, protocol, status, fields of the head and their bytes, blocks, thread."""
    via, protocol, status, headers, header_bytes, switches, core = what
    by = f"via {via} " if via else ""
    counts = f"{headers} headers in {header_bytes} bytes ({switches} switches on core {core})"
    return f"{by}({protocol} {status}) {counts}"


class UwsgiLine:
    """uWSGI's default request line, with its counters. One writer.

    ``micros``: times in microseconds (``log-micros``). ``vhost``: what a record's ``said`` begins with is the
    host, and comes before the line. ``memory``: 0, 1 or 2, as ``memory-report`` has it. ``pick`` says of a
    record whether it has a line, None: each has one. Those without count, too, but not the lane's.
    """

    def __init__(
        self,
        house: House,
        micros: bool = False,
        vhost: bool = False,
        memory: int = 0,
        pick: Pick | None = None,
    ) -> None:
        self.house = house
        self.unit = "micros" if micros else "msecs"
        self.scale = 1e6 if micros else 1e3
        self.vhost = vhost
        self.memory = memory
        self.pick = pick
        self.prefixed = vhost or memory > 0
        self.by_app = {-1: -1}  # requests of each application; those of none have no number
        self.total = 0
        # Of the batch: what clients said, and the lines' ends, which are seldom new. Of the last line: its
        # second, and who asked.
        self.said: list[str] = []
        self.ends: dict[tuple[Any, ...], str] = {}
        self.second = -1
        self.stamp = self.address = self.user = ""
        self.who = "]  () {"
        house.needs |= {"others", "memory"} if memory else {"others"}
        house.needs |= {"shares"} if memory > 1 else set()

    def make(self, record: tuple[Any, ...]) -> str:
        """The line of one record, without its end of line."""
        return self.lines([record])[0]

    def lines(self, batch: Sequence[tuple[Any, ...]]) -> list[str]:
        """The lines of those records that have one, in their order, without ends of line."""
        before = self.total, self.by_app.copy()
        lines = self.made(batch)
        # What clients said is looked at once for all: a look at each line takes a fourth of what it does.
        if not safe(self.said):
            self.total, self.by_app = before
            lines = self.made([escaped(record) for record in batch])
        self.said.clear()
        self.ends.clear()
        return lines

    def made(self, batch: Sequence[tuple[Any, ...]]) -> list[str]:
        """The same, as if clients said nothing that is to be escaped; what they did goes to ``said``, too."""
        app: int
        lines: list[str] = []
        # Names of other modules are dear, once for each record.
        pick, by_app, lane, kind, logged = self.pick, self.by_app, LANE, KIND, LOGGED
        elsewhere = self.house.elsewhere
        total, count, last, begin = self.total + elsewhere, -1, NOBODY, ""
        for record in batch:
            if record[kind] == lane:
                continue
            total += 1
            app = record[APP]
            if app != last:
                by_app[last] = count
                last, count = app, by_app.get(app, 0)
                begin = f"[pid: {self.house.pid}|app: {app}|req: "
            if app >= 0:
                count += 1
            if record[logged] and (pick is None or pick(record)):
                line = self.line(record, begin, count, total)
                if len(line) >= LONGEST:
                    line = self.short(line, record)
                lines.append(self.prefix(record) + line if self.prefixed else line)
        by_app[last] = count
        self.total = total - elsewhere
        return lines

    def line(self, record: tuple[Any, ...], begin: str, count: int, total: int) -> str:
        """One, with the counts of its application and of all."""
        # What the compiled build does at once with values of known types.
        started: float
        seconds: float
        address: str
        user: str
        method: str
        uri: str
        sent: int
        variables: int
        size: int
        # Taken apart by position, all at once: names on a tuple cost a third of the line.
        (
            started, seconds, address, user, method, uri, protocol, status, headers, header_bytes,
            sent, variables, size, switches, core, via, _, _, _, _, _, _, _, _, _, _, _, _,
        ) = record  # fmt: skip
        if int(started) != self.second:
            self.second = int(started)
            self.stamp = f" bytes}} [{ctime(started)}] "
        if address != self.address or user != self.user:
            self.address, self.user, self.who = address, user, f"] {address} ({user}) {{"
            self.said += (address, user)
        what = (via, protocol, status, headers, header_bytes, switches, core)
        end = self.ends.get(what) or self.ending(what)
        self.said += (method, uri)
        few, pairs, spent = NUMBERS, 2 * variables, int(seconds * self.scale)
        return (
            f"{begin}{count}/{total}{self.who}{few[pairs] if pairs < FEW else pairs} vars in "
            f"{few[size] if size < FEW else size}{self.stamp}{method} {uri} => generated "
            f"{few[sent] if sent < FEW else sent} bytes in {few[spent] if spent < FEW else spent}{end}"
        )

    def ending(self, what: tuple[Any, ...]) -> str:
        """A line's end that is new in its batch."""
        self.said.append(what[1])
        end = self.ends[what] = f" {self.unit} {end_of(what)}"
        return end

    def short(self, line: str, record: Sequence[Any]) -> str:
        """The line without what the client said, as uWSGI writes what does not fit its buffer."""
        # uWSGI's has 0.0.0.0 here, so that whoever sends a long URI hides his address.
        address, begin = record[2], line[: line.index("] ") + 1]
        address = address if len(address) <= ADDRESS else "0.0.0.0"
        middle = size_of(record[11], record[12], int(record[0]))
        took = f"generated {record[10]} bytes in {int(record[1] * self.scale)} {self.unit}"
        end = end_of((record[15], "-", *record[7:10], *record[13:15]))
        return f"{begin} {address} () {middle} - - => {took} {end}"

    def prefix(self, record: Sequence[Any]) -> str:
        """What options put before the line: the host, and the worker's memory."""
        house = self.house
        text = f"{escape(record[SAID][0])} " if self.vhost else ""
        if self.memory:
            text += (
                f"{{address space usage: {house.vsz} bytes/{house.vsz // MB}MB}} "
                f"{{rss usage: {house.rss} bytes/{house.rss // MB}MB}} "
            )
        if self.memory > 1:
            text += (
                f"{{uss usage: {house.uss} bytes/{house.uss // MB}MB}} "
                f"{{pss usage: {house.pss} bytes/{house.pss // MB}MB}} "
            )
        return text
