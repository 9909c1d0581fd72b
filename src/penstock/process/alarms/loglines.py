"""Which alarms a line of the log raises: ``log-alarm`` and ``not-log-alarm``.

Used on the thread that writes or reads the line. It knows neither where the line is from nor what an alarm
does.
"""

from collections.abc import Callable, Iterable

from penstock.config.household.alarms import parse_rule
from penstock.config.settings import Settings

LONGEST = 8192  # bytes of a line that are looked at and told, uWSGI's log-master-bufsize
OURS = b"[uwsgi-alarm"
"""What begins so is not looked at, in uWSGI too: what alarms themselves say must not raise any."""


class Lines:
    """The rules of one reading of the settings."""

    def __init__(self, settings: Settings) -> None:
        texts = settings.alarm_rules or [("log-alarm", text) for text in settings.log_alarm]
        rules = [(option == "log-alarm", parse_rule(text)) for option, text in texts]
        self.rules = [(rule.pattern.search, rule.names if raises else ()) for raises, rule in rules]

    def __bool__(self) -> bool:
        """Whether any line raises an alarm."""
        return any(names for _, names in self.rules)

    def check(self, data: bytes, hit: Callable[[str, bytes], None]) -> None:
        """Look at the lines of ``data``, the last of which may have no end; ``hit(name, line)`` is called
        for each alarm that one raises. A line has its end, as uWSGI's have."""
        start, end = 0, len(data)
        while start < end:
            stop = data.find(b"\n", start) + 1 or end
            for name in self.raised(data[start : min(stop, start + LONGEST)]):
                hit(name, data[start : min(stop, start + LONGEST)])
            start = stop

    def raised(self, line: bytes) -> Iterable[str]:
        """The alarms of one line, each once. The order of the options counts: what stands below one that
        forbids alarms for the line is not looked at, what stands above it has raised its own."""
        found: list[str] = []
        for search, names in self.rules:
            if search(line):
                if not names:
                    break
                found += names
        return () if not found or line.startswith(OURS) else dict.fromkeys(found)
