"""Which lines of the log go where: loggers, their encoders, routes to those with an id, and what is left out.

Pure, for whoever reads the configuration and for the process that has the lines pass through it. It neither
opens nor writes anything.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from penstock.config.household.alarms import Remark, compiled
from penstock.config.logs.encoders import Encoder, parse_encoder, parsed_encoders
from penstock.config.logs.loggers import FILE, Logger, log_loggers, parse_logger, request_loggers
from penstock.config.settings.logs import RULES

if TYPE_CHECKING:
    from penstock.config.settings import Settings


@dataclass(frozen=True, slots=True)
class Route:
    """Lines that match ``pattern`` go to the logger ``id``, and to no other that has no route for them."""

    id: str
    pattern: re.Pattern[bytes]


@dataclass(frozen=True, slots=True)
class Rules:
    """Those of one log. A line that one of ``drains`` matches is left out, and where there are ``filters``
    one that none of them matches."""

    loggers: tuple[Logger, ...] = ()
    encoders: tuple[Encoder, ...] = ()
    routes: tuple[Route, ...] = ()
    drains: tuple[re.Pattern[bytes], ...] = ()
    filters: tuple[re.Pattern[bytes], ...] = ()

    def __bool__(self) -> bool:
        """Whether any line is to be looked at."""
        return bool(self.loggers or self.encoders or self.routes or self.drains or self.filters)

    @property
    def plain(self) -> Logger | None:
        """The one file that all lines go to as they are, where there is no more to it."""
        if len(self.loggers) != 1 or self.encoders or self.routes or self.drains or self.filters:
            return None
        logger = self.loggers[0]
        return logger if logger.kind == FILE and not logger.id else None


def parse_route(text: str) -> Route:
    """``log-route`` and ``log-req-route``: ``ID REGEX``. Raises ValueError."""
    ident, _, pattern = text.strip().partition(" ")
    if not pattern.strip():
        raise ValueError("ID REGEX is expected, such as: mail ^ERROR")
    return Route(ident, compiled(pattern.lstrip()))


def parse_pattern(text: str) -> re.Pattern[bytes]:
    """``log-drain`` and ``log-filter``. Raises ValueError."""
    return compiled(text)


def log_rules(settings: "Settings") -> Rules:
    """Those of everything that is written. Raises ValueError."""
    return Rules(
        log_loggers(settings),
        parsed_encoders(settings.log_encoder),
        routes(settings.log_route),
        patterns(settings.log_drain),
        patterns(settings.log_filter),
    )


def request_rules(settings: "Settings") -> Rules:
    """Those of the lines of requests. Where there are none, these go where all others go. Raises
    ValueError."""
    led = routes(settings.log_req_route)
    loggers = request_loggers(settings)
    if led:
        # uWSGI looks for the id there and nowhere else.
        loggers += tuple(logger for logger in log_loggers(settings) if logger.id)
    return Rules(loggers, parsed_encoders(settings.log_req_encoder), led)


def plain_loggers(settings: "Settings") -> tuple[Logger | None, Logger | None]:
    """The one file of the log, and that of requests, where loggers say no more than this. Raises
    ValueError."""
    if not settings.any_of(RULES):  # quicker than to read them
        return None, None
    log, requests = log_rules(settings).plain, request_rules(settings).plain
    # Beside another file it is one of two, and the supervisor writes to it.
    return None if settings.logto or settings.daemonize else log, requests


def routes(texts: Iterable[str]) -> tuple[Route, ...]:
    """Each as it is written."""
    return tuple(parse_route(text) for text in texts)


def patterns(texts: Iterable[str]) -> tuple[re.Pattern[bytes], ...]:
    """Each as it is written."""
    return tuple(parse_pattern(text) for text in texts)


# ---- Together -----------------------------------------------------------------------------------------


def remarks(values: Mapping[str, Any]) -> Iterator[Remark]:
    """What values say together that is without effect, as in uWSGI, which says nothing of it. Those that
    cannot be read are left out: the parsers say what they expect."""
    known = set[str]()
    for fields, encoder, route in (
        (("logger", "worker_logger"), "log_encoder", "log_route"),
        (("req_logger", "worker_logger_req"), "log_req_encoder", "log_req_route"),
    ):
        loggers = [(field, *pair) for field in fields for pair in _pairs(parse_logger, values, field)]
        known |= {logger.id for _, _, logger in loggers}
        yield from _unknown(values, known, encoder, route)
        yield from _unled(values, loggers, route)


def _unknown(values: Mapping[str, Any], known: Set[str], encoder: str, route: str) -> Iterator[Remark]:
    """Routes and encoders of loggers that there are not."""
    for text, found in _pairs(parse_route, values, route):
        if found.id not in known:
            yield Remark(route, text, f"there is no logger {found.id}, so these lines go to no other")
    for text, found in _pairs(parse_encoder, values, encoder):
        if found.logger and found.logger not in known:
            yield Remark(encoder, text, f"there is no logger {found.logger}, so it is never used")


def _unled(
    values: Mapping[str, Any], loggers: Iterable[tuple[str, str, Logger]], route: str
) -> Iterator[Remark]:
    """Loggers with an id, each with its field and its text, that no route has."""
    routes = (*_pairs(parse_route, values, route), *_pairs(parse_route, values, "log_req_route"))
    named = {found.id for _, found in routes}
    for field, text, logger in loggers:
        if logger.id and logger.id not in named:
            yield Remark(field, text, f"no line gets there: {dashed(route)} {logger.id} REGEX is missing")


def dashed(field: str) -> str:
    """An option by its field."""
    return field.replace("_", "-")


def _pairs(parser: Any, values: Mapping[str, Any], field: str) -> Iterator[tuple[str, Any]]:
    for text in values.get(field, ()):
        try:
            yield text, parser(text)
        except ValueError:
            continue
