"""Lines on their way to loggers: which are left out, which go where, and what is made of them.

Run by the supervisor for all processes, or by a thread of a process that is alone. It knows no logger but
by its sink.
"""

from collections.abc import Iterator, Mapping

from penstock.config.logs.lines import Rules
from penstock.config.logs.loggers import STDIO, Logger
from penstock.logs.encoders import Encode, chain
from penstock.logs.sinks import Sink

Goal = tuple[Sink, Encode | None]


class Routing:
    """One log's ``rules``; ``sinks`` are the loggers', and ``default`` is where the log goes without any."""

    def __init__(self, rules: Rules, sinks: Mapping[Logger, Sink], default: Sink) -> None:
        def goal(logger: Logger) -> Goal:
            sink, encode = sinks.get(logger, default), chain(rules.encoders, logger.id)
            if logger in sinks:  # lines that are the sink's own are read by whoever reads the others
                sink.encode = encode
            return sink, encode

        self.drains = [pattern.search for pattern in rules.drains]
        self.filters = [pattern.search for pattern in rules.filters]
        by_id: dict[str, Goal] = {}
        for logger in rules.loggers:  # the first one of a name counts
            if logger.id:
                by_id.setdefault(logger.id, goal(logger))
        self.routes = [(route.pattern.search, by_id[route.id]) for route in rules.routes if route.id in by_id]
        self.usual = [goal(logger) for logger in rules.loggers if not logger.id]
        if not self.usual:
            self.usual = [(default, chain(rules.encoders, ""))]
        self.simple = not (self.drains or self.filters or self.routes)

    def take(self, data: bytes) -> None:
        """Lines, of which the last may have no end; each goes its way by itself."""
        if self.simple and all(encode is None and not sink.by_line for sink, encode in self.usual):
            for sink, _ in self.usual:
                sink.put(data)
            return
        ready: dict[Sink, list[bytes]] = {}
        for line in lines_of(data):
            for sink, encode in self.goals(line):
                ready.setdefault(sink, []).append(line if encode is None else encode(line))
        for sink, lines in ready.items():
            sink.put_lines(lines)

    def goals(self, line: bytes) -> list[Goal]:
        """Where a line goes."""
        if any(search(line) for search in self.drains):
            return []
        if self.filters and not any(search(line) for search in self.filters):
            return []
        return [goal for search, goal in self.routes if search(line)] or self.usual


def targets(rules: Rules) -> list[Logger]:
    """Loggers that need a sink of their own."""
    return [logger for logger in rules.loggers if logger.kind != STDIO]


def lines_of(data: bytes) -> Iterator[bytes]:
    """Each line with its end."""
    start = 0
    while start < len(data):
        end = data.find(b"\n", start) + 1 or len(data)
        yield data[start:end]
        start = end
