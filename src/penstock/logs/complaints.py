"""Logs that cannot be written, told of on those that can.

Asked by whoever tries again what waits: a service thread, or the supervisor. It knows sinks and no line.
"""

from collections.abc import Iterable
from time import monotonic

from penstock.logs.sinks import Sink

PATIENCE = 1.0  # seconds in which nothing can be written before it is told of
TELL = 10.0  # seconds between two lines on one log
KB = 1 << 10


class Complaints:
    """Of one process: which of its logs were told of, and when."""

    def __init__(self) -> None:
        self.told: dict[str, tuple[float, int]] = {}
        """By log: the time.monotonic of the last line, and how many lines were lost until then."""

    def look(self, name: str, sink: Sink, others: Iterable[Sink], last: bool = False) -> None:
        """Tell of ``sink`` on the first of the others that can be written; at the end (``last``) at once."""
        now = monotonic()
        when, before = self.told.get(name, (now - TELL, 0))
        lost = sink.dropped - before
        stuck = sink.failing and now - sink.failing >= PATIENCE
        if not (lost or (stuck and not last)) or not (last or now - when >= TELL):
            return
        other = next((one for one in others if one is not sink and not one.failing), None)
        if other is not None:
            self.told[name] = (now, sink.dropped)
            other.put(other.own_line(f"penstock warning: {said(name, sink)}"))


class Losses:
    """What loggers could not write: for whoever tells of it where the log goes without them."""

    def __init__(self) -> None:
        self.told: dict[str, int] = {}
        self.stuck: set[str] = set()

    def news(self, loggers: Iterable[tuple[str, Sink]]) -> list[str]:
        """What is to be said of them, by their names, that was not said before."""
        now, stuck, texts = monotonic(), set[str](), []
        for name, sink in loggers:
            if sink.dropped > self.told.get(name, 0):
                self.told[name] = sink.dropped
                texts.append(f"logger {name}: {sink.dropped} lines were lost so far")
            if sink.failing and now - sink.failing >= PATIENCE:
                stuck.add(name)
                if name not in self.stuck:
                    waits = -(-sink.size // KB)
                    texts.append(f"logger {name} cannot be written ({sink.reason}): {waits} KB wait")
        self.stuck = stuck
        return texts


def said(name: str, sink: Sink) -> str:
    """How it is with a log."""
    where = f" {sink.path}" if sink.path else ""
    lost = "1 line was" if sink.dropped == 1 else f"{sink.dropped} lines were"
    if not sink.failing:
        return f"the {name}{where}: {lost} lost so far; it can be written again"
    waits = f"{-(-sink.size // KB)} KB wait, " if sink.size else ""
    return f"the {name}{where} cannot be written ({sink.reason}): {waits}{lost} lost so far"
