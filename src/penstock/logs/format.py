"""The access log's lines, by ``log-format``: uWSGI's own line, a template with variables, JSON, or the forms
that other servers have by name.

Compiled once in each process that serves; lines are made by the service thread that writes the diary, in
batches. Nothing here knows where they go.
"""

from collections.abc import Callable, Sequence
from typing import Any

from penstock.config.settings import Settings
from penstock.config.values import ON
from penstock.logs.access import UwsgiLine
from penstock.logs.house import House
from penstock.logs.pick import Pick, asked, compile_pick, everyone

COMMON = '%(addr) - %(user) [%(ltime)] "%(method) %(uri) %(proto)" %(status) %(bytes)'
COMBINED = f'{COMMON} "%(referer)" "%(uagent)"'
NAMED = {"common": COMMON, "combined": COMBINED}
"""Apache's forms, which log analysers know, in words of log-format."""
JSON = "json"

Make = Callable[[tuple[Any, ...]], str]


class LogFormat:
    """Lines of records. ``wanted`` names the variables of requests that a record's ``said`` must have, in
    this order; ``uses_id`` whether lines have the request's id. One thread at a time."""

    def __init__(self, house: House, pick: Pick, make: Make, wanted: Sequence[str] = ()) -> None:
        self.house = house
        self.pick = pick
        self.make = make
        self.wanted = tuple(wanted)
        self.uses_id = False
        self.whole: Callable[[Sequence[tuple[Any, ...]]], list[str]] | None = None
        """Picks and makes a batch's lines, where that is less than one after the other."""

    def lines(self, batch: Sequence[tuple[Any, ...]]) -> list[str]:
        """The lines of those that have one, in their order, without ends of line."""
        self.house.look()
        if self.whole is not None:
            return self.whole(batch)
        make, pick = self.make, self.pick
        return [make(record) for record in batch if pick(record)]


def compile_format(settings: Settings, house: House | None = None) -> LogFormat | None:
    """The format that settings ask for, None where no request has a line."""
    if not asked(settings):
        return None
    house = house or House()
    pick = compile_pick(settings)
    text = settings.log_format
    if text == JSON:
        from penstock.logs.jsonline import JsonLine

        json = JsonLine(house)
        made = LogFormat(house, pick, json.make, json.wanted)
        made.uses_id = True
        return made
    if text:
        return compile_template(NAMED.get(text, text), house, pick, ftime_of(settings))
    return default_line(settings, house, pick)


def default_line(settings: Settings, house: House, pick: Pick) -> LogFormat:
    """uWSGI's own line."""
    vhost = settings.vhost or settings.vhost_host
    picked = None if pick is everyone else pick
    line = UwsgiLine(house, settings.log_micros, vhost, settings.memory_report, picked)
    made = LogFormat(house, pick, line.make, ("HTTP_HOST",) if vhost else ())
    made.whole = line.lines
    return made


def compile_template(text: str, house: House, pick: Pick, ftime: str = "") -> LogFormat:
    """A text with ``%(variables)``; all else is written as it is."""
    from penstock.config.logs.variables import VARIABLE
    from penstock.logs.fields import Fields

    fields = Fields(house, ftime)
    pieces = VARIABLE.split(text)
    calls = [fields.field(name) for name in pieces[1::2]]
    template = "%s".join(piece.replace("%", "%%") for piece in pieces[::2])

    def make(record: tuple[Any, ...]) -> str:
        return template % tuple([call(record) for call in calls])

    made = LogFormat(house, pick, make, fields.wanted)
    made.uses_id = "id" in fields.used
    return made


def metrics_named(settings: Settings) -> tuple[str, ...]:
    """The metrics that lines have (``%(metric.NAME)``)."""
    from penstock.config.logs.variables import VARIABLE

    names = VARIABLE.findall(settings.log_format)
    return tuple(dict.fromkeys(name[7:] for name in names if name.startswith("metric.")))


def ftime_of(settings: Settings) -> str:
    """strftime's form of ``%(ftime)``: that of ``log-date``, with ``log-format-strftime``."""
    return date_form(settings) if settings.logformat_strftime else ""


def date_form(settings: Settings) -> str:
    """strftime's form that ``log-date`` or ``log-prefix`` names, "" where it names none."""
    for text in (settings.log_date, settings.log_prefix):
        if text and text.lower() not in ON:
            return text
    return ""
