"""For the application's own log: the id of the request that runs, in each of its lines, and JSON like the
access log's.

Imported by applications, in whatever process and thread they log. One line does it:
``penstock.logging.setup()``; without penstock in front it works as well, and there is no id.
"""

import json
import logging
import sys
import traceback
from time import gmtime, strftime
from typing import Any, TextIO

from penstock.core import running
from penstock.core.running import request_id

__all__ = ["JsonFormatter", "RequestIdFilter", "request_id", "setup"]

TEXT = "%(asctime)s %(levelname)s [%(request_id)s] %(name)s: %(message)s"
SEVERITIES = {10: "DEBUG", 20: "INFO", 30: "WARN", 40: "ERROR", 50: "FATAL"}
"""OpenTelemetry's words for the levels of ``logging``."""

PLAIN = frozenset((*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"))
"""What every record has; all else was given as ``extra``."""

NAMES = ("request_id", "trace_id", "span_id", "trace_flags")


class RequestIdFilter(logging.Filter):
    """Gives each record ``request_id``, ``trace_id``, ``span_id`` and ``trace_flags``, for ``%(request_id)s``
    in a format: "-" where there is none. It lets every record pass."""

    def filter(self, record: logging.LogRecord) -> bool:
        """True."""
        id, traceparent = running.REQUEST.get()
        for name, value in zip(NAMES, (id, *running.trace(traceparent)), strict=True):
            if not hasattr(record, name):
                setattr(record, name, value or "-")
        return True


class JsonFormatter(logging.Formatter):
    """One line of JSON for each record, with the names that ``log-format = json`` has: timestamp,
    severity_text, logger, message, request_id, trace_id; what was given as ``extra``, as it is; and of an
    exception its type, message and stack trace (OpenTelemetry's ``exception.…``)."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, in ASCII, without its end."""
        second = int(record.created)
        micros = int((record.created - second) * 1_000_000)
        said: dict[str, Any] = {
            "timestamp": f"{strftime('%Y-%m-%dT%H:%M:%S', gmtime(second))}.{micros:06d}Z",
            "severity_text": SEVERITIES.get(record.levelno, record.levelname),
            "logger": record.name,
            "message": whole(record.getMessage()),
            "process.pid": record.process,
            "thread.name": record.threadName,
            "code.file.path": record.pathname,
            "code.line.number": record.lineno,
            **about_request(record),
            **about_exception(record),
        }
        for name, value in vars(record).items():
            if name not in PLAIN and name not in NAMES:
                said.setdefault(name, value)
        return line(said)


def about_request(record: logging.LogRecord) -> dict[str, str]:
    """The request's id and its trace: the record's own where a ``RequestIdFilter`` has put them there, on the
    thread that logged; else those of this thread."""
    if hasattr(record, "request_id"):
        found = tuple(getattr(record, name, "-") for name in NAMES)
    else:
        id, traceparent = running.REQUEST.get()
        found = (id, *running.trace(traceparent))
    return {name: value for name, value in zip(NAMES, found, strict=True) if value and value != "-"}


def about_exception(record: logging.LogRecord) -> dict[str, str]:
    """What went wrong, and the stack that was asked for."""
    said = {}
    if record.exc_info and record.exc_info[0] is not None:
        kind, error, trace = record.exc_info
        said["exception.type"] = f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")
        said["exception.message"] = whole(str(error))
        said["exception.stacktrace"] = whole("".join(traceback.format_exception(kind, error, trace)))
    elif record.exc_text:  # another formatter was there first, or another process
        said["exception.stacktrace"] = whole(record.exc_text)
    if record.stack_info:
        said["code.stacktrace"] = whole(record.stack_info)
    return said


def whole(text: str) -> str:
    """Without halves of surrogate pairs, which strict readers refuse (RFC 8259 §8.2)."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def line(said: dict[str, Any]) -> str:
    """One line of JSON. What JSON has no word for is written as its text; NaN is none of JSON's numbers."""
    try:
        return json.dumps(said, default=str, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return json.dumps({key: plain(value) for key, value in said.items()})


def plain(value: Any) -> Any:
    """``value`` where JSON has it by itself, else its text."""
    if value is None or isinstance(value, str | bool | int):
        return value
    return whole(str(value))


def setup(level: int | str = logging.INFO, form: str = "json", stream: TextIO | None = None) -> None:
    """Log to stderr, or to ``stream``, from ``level`` on: in JSON, or with ``form="text"`` in plain lines.

    What the root logger had before is replaced. Raises ValueError for another form or level.
    """
    if form not in ("json", "text"):
        raise ValueError(f"form is json or text, not {form!r}")
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.addFilter(RequestIdFilter())
    handler.setFormatter(JsonFormatter() if form == "json" else logging.Formatter(TEXT))
    logging.basicConfig(level=level, handlers=[handler], force=True)
