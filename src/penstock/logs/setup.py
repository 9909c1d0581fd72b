"""The diary: what penstock itself says, and the access log, each on its way to a sink.

Pool threads and the loop write errors at once, one system call each, and leave access records in a deque;
a service thread formats and writes them in batches. The standard library's ``logging`` is the
application's own and is not touched.
"""

import io
from collections import deque
from time import strftime, time

from penstock.logs.access import AccessFormat
from penstock.logs.sinks import Sink

PENDING = 100_000  # records that may wait; beyond that the oldest are dropped, counted, and said
BATCH = 512  # lines of one write
KEYS = 1000  # things that are said once


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
    """What a server says. ``access`` takes raw records (see ``AccessRecord``), or is None without a log."""

    def __init__(self, error_sink: Sink, access_sink: Sink | None) -> None:
        self.error_sink = error_sink
        self.access_sink = access_sink
        # A deque with a bound drops from the left by itself: a request never waits for its line.
        self.access: deque[tuple[object, ...]] | None = deque(maxlen=PENDING) if access_sink else None
        self.format = AccessFormat()
        self.errors = ErrorStream(error_sink)
        self.said: set[str] = set()
        self.recent: deque[float] = deque()
        self.held_back = 0

    @property
    def pending(self) -> bool:
        """Whether records wait for ``flush``."""
        return bool(self.access)

    def flush(self) -> None:
        """Format and write what waits. One thread at a time."""
        records, sink = self.access, self.access_sink
        if records is None or sink is None:
            return
        if len(records) == PENDING:
            self.warning(f"the access log cannot keep up: more than {PENDING} lines waited, some are lost")
        lines: list[str] = []
        while True:
            try:
                record = records.popleft()
            except IndexError:
                break
            lines.append(self.format.line(record))
            if len(lines) >= BATCH:
                sink.write("\n".join(lines) + "\n")
                lines = []
        if lines:
            sink.write("\n".join(lines) + "\n")

    def reopen(self) -> None:
        """Open log files anew (they were rotated)."""
        self.error_sink.reopen()
        if self.access_sink is not None and self.access_sink is not self.error_sink:
            self.access_sink.reopen()

    def close(self) -> None:
        """Close what is ours."""
        self.error_sink.close()
        if self.access_sink is not None and self.access_sink is not self.error_sink:
            self.access_sink.close()

    # ---- What penstock says; any thread ---------------------------------------------------------------

    def say(self, text: str) -> None:
        """A line as it is."""
        self.error_sink.write(f"{text}\n")

    def info(self, text: str) -> None:
        """A line with its time."""
        self.error_sink.write(f"{strftime('%Y-%m-%d %H:%M:%S')} penstock: {text}\n")

    def warning(self, text: str) -> None:
        """Something the operator should know."""
        self.error_sink.write(f"{strftime('%Y-%m-%d %H:%M:%S')} penstock warning: {text}\n")

    def error(self, text: str) -> None:
        """Something failed; ``text`` may be a traceback of many lines."""
        self.error_sink.write(f"{strftime('%Y-%m-%d %H:%M:%S')} penstock error: {text}\n")

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


def printable(text: str) -> str:
    """``text`` as one line without controls: what a client sent cannot forge a line or move a cursor."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
