"""The diary: what penstock itself says, and the access log, each on its way to a sink.

Pool threads and the loop write errors at once, one system call each; a service thread writes the lines of
requests in batches. The standard library's ``logging`` is the application's own and is not touched.
"""

import io
import os
from collections import deque
from collections.abc import Callable, Sequence
from time import ctime, strftime, time
from typing import TYPE_CHECKING, Any

from penstock.logs.sinks import Sink

if TYPE_CHECKING:
    from penstock.logs.complaints import Complaints
    from penstock.logs.format import LogFormat

KEYS = 1000  # things that are said once
TIME = "%Y-%m-%d %H:%M:%S"


class ErrorStream(io.TextIOBase):
    """``wsgi.errors`` (PEP 3333): text to the error log; each write is one system call, so the lines of
    several threads do not run into each other."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink

    def write(self, text: str, /) -> int:
        """Write text as it is."""
        if text:
            self.sink.write(text)
        return len(text)

    def writable(self) -> bool:
        """True."""
        return True

    def flush(self) -> None:
        """Nothing is held back."""


class Diary:
    """What a server says. ``format`` makes the lines of requests, where this process writes any; ``pid``
    is the process that it is of, as whoever keeps it knows it. ``led`` counts the lines that were lost on
    their way to loggers; ``flushed`` are called when all that could be written at the end is."""

    def __init__(self, error_sink: Sink, access_sink: Sink | None) -> None:
        self.error_sink = error_sink
        self.access_sink = access_sink
        self.format: LogFormat | None = None
        self.date: str | None = None
        self.pid = os.getpid()
        self.errors = ErrorStream(error_sink)
        self.said: set[str] = set()
        self.recent: deque[float] = deque()
        self.held_back = 0
        self.complaints: Complaints | None = None
        self.led: Callable[[], int] = nothing
        self.flushed: list[Callable[[], None]] = []

    @property
    def access_wanted(self) -> bool:
        """Whether records are to be made for the access log."""
        return self.access_sink is not None and self.format is not None

    def write_access(self, batch: Sequence[tuple[Any, ...]]) -> None:
        """Write the lines of records (see ``core.record``), in one piece. One thread at a time."""
        if self.access_sink is not None and self.format is not None:
            lines = self.format.lines(batch)
            if lines:
                self.access_sink.write("\n".join(lines) + "\n")

    @property
    def sinks(self) -> tuple[Sink, ...]:
        """Where it is written, each once."""
        if self.access_sink is None or self.access_sink is self.error_sink:
            return (self.error_sink,)
        return self.error_sink, self.access_sink

    def retry(self) -> None:
        """Write what there was no room for. Called with every tick; it does not wait."""
        for sink in self.sinks:
            sink.retry()
        self.complain()

    @property
    def lost(self) -> int:
        """Lines that were lost so far."""
        return sum(sink.dropped for sink in self.sinks) + self.led()

    def complain(self, last: bool = False) -> None:
        """Tell of a log that cannot be written on the other one. Called by whoever tries again."""
        sinks = self.sinks
        if len(sinks) < 2 or not any(sink.failing or sink.dropped for sink in sinks):
            return
        if self.complaints is None:
            from penstock.logs.complaints import Complaints

            self.complaints = Complaints()
        for name, sink in zip(("error log", "access log"), sinks, strict=True):
            self.complaints.look(name, sink, sinks, last)

    def flush(self) -> None:
        """The end of the process, or of what it serves: what waits is written if that is soon possible, else
        it is lost, and told of."""
        for sink in self.sinks:
            sink.end()
            sink.abandon()
        self.complain(last=True)
        for call in self.flushed:
            call()

    def reopen(self) -> None:
        """Open log files anew (they were rotated)."""
        for sink in self.sinks:
            sink.reopen()

    def close(self) -> None:
        """Close what is ours."""
        for sink in self.sinks:
            sink.close()

    # ---- What penstock says; any thread ---------------------------------------------------------------

    def dated(self, form: str) -> None:
        """Begin lines as uWSGI's ``log-date`` has it: with ``form`` of strftime, or ctime's for ""."""
        self.date = form

    def begin(self, usual: str = "") -> str:
        """What a line begins with."""
        if self.date is None:
            return usual and f"{strftime(usual)} "
        return f"{strftime(self.date) if self.date else ctime()} - "

    def say(self, text: str) -> None:
        """A line as it is, behind the time only where ``log-date`` asks for it."""
        self.error_sink.write(f"{self.begin()}{text}\n")

    def info(self, text: str) -> None:
        """A line with its time."""
        self.error_sink.write(f"{self.begin(TIME)}penstock: {text}\n")

    def warning(self, text: str) -> None:
        """Something the operator should know."""
        self.error_sink.write(f"{self.begin(TIME)}penstock warning: {text}\n")

    def error(self, text: str) -> None:
        """Something failed; ``text`` may be a traceback of many lines."""
        self.error_sink.write(f"{self.begin(TIME)}penstock error: {text}\n")

    def warn_once(self, key: str, text: str) -> None:
        """A warning that is said once for ``key``; always, for an empty key."""
        if key:
            if key in self.said or len(self.said) >= KEYS:
                return
            self.said.add(key)
        self.warning(text)

    def warn_of_client(self, text: str) -> None:
        """A warning about something a client did: at most ten a second, the rest counted.

        Called by the loop only.
        """
        now = time()
        recent = self.recent
        while recent and recent[0] < now - 1.0:
            recent.popleft()
        if len(recent) >= 10:
            self.held_back += 1
            return
        recent.append(now)
        if self.held_back:
            text += f" ({self.held_back} more like this were not written)"
            self.held_back = 0
        self.warning(printable(text))


def nothing() -> int:
    """There are no loggers."""
    return 0


def printable(text: str) -> str:
    """``text`` as one line without controls: what a client sent cannot forge a line or move a cursor."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
