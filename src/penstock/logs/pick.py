"""Which requests have a line in the access log: all, or those that ``log-4xx`` and its like pick.

Made once from settings; asked by the service thread that writes the diary. It knows nothing of lines.
"""

from collections.abc import Callable, Sequence
from typing import Any

from penstock.config.settings import Settings
from penstock.config.values import OFF
from penstock.core.record import FILE, LANE, READ_ERROR, WRITE_ERROR, Record

STATUS, BODY, VIA, SECONDS, KIND, FAULTS, LOGGED = (
    Record._fields.index(name)
    for name in ("status", "body_bytes", "via", "seconds", "kind", "faults", "logged")
)
"""Places of a record: names on a tuple are dearer, and a record may be a plain one."""
BOTH = READ_ERROR | WRITE_ERROR

Pick = Callable[[Sequence[Any]], bool]


def asked(settings: Settings) -> bool:
    """Whether any request has a line: an access log has a place, and ``disable-logging`` leaves some."""
    if settings.access_log in OFF:
        return False
    return not settings.disable_logging or bool(conditions(settings))


def compile_pick(settings: Settings) -> Pick:
    """What says of a record whether it has a line."""
    if not settings.disable_logging:
        # uWSGI's conditions never take a line away.
        return everyone
    picks = conditions(settings)

    def pick(record: Sequence[Any]) -> bool:
        return everyone(record) and any(condition(record) for condition in picks)

    return pick


def everyone(record: Sequence[Any]) -> bool:
    """Each request but those that said ``donotlog``, and the loop's own paths (health, metrics)."""
    return bool(record[LOGGED]) and record[KIND] != LANE


def conditions(settings: Settings) -> list[Pick]:
    """Those that are asked for; one that holds is enough."""
    slow, big = round(settings.log_slow * 1000), settings.log_big
    table: list[tuple[object, Pick]] = [
        (settings.log_zero, lambda record: record[BODY] == 0),
        # Whole milliseconds, as uWSGI compares them.
        (slow, lambda record: int(record[SECONDS] * 1000) >= slow),
        (settings.log_4xx, lambda record: 400 <= record[STATUS] <= 499),
        (settings.log_5xx, lambda record: 500 <= record[STATUS] <= 599),
        (big, lambda record: record[BODY] >= big),
        # A small file is sent from memory; who asks for this wants the files.
        (settings.log_sendfile, lambda record: record[VIA] == "sendfile()" or record[KIND] == FILE),
        # Both kinds of errors on one request, as uWSGI has it.
        (settings.log_ioerror, lambda record: record[FAULTS] & BOTH == BOTH),
    ]
    return [condition for wanted, condition in table if wanted]
