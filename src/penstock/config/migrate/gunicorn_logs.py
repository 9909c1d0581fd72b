"""gunicorn's logs, and who is sent its figures: where lines go, what is in them, syslog, statsd.

Each function takes what was given and returns the lines for it. Runs in the command alone.
"""

import re

from penstock.config.migrate.gunicorn_names import by_name
from penstock.config.migrate.gunicorn_rows import note, of, option
from penstock.config.migrate.gunicorn_words import Given, Gunicorn
from penstock.config.migrate.known import ABSENT
from penstock.config.migrate.written import Row, comment, literal

ATOMS = {
    **{"h": "%(addr)", "l": "-", "u": "%(user)", "t": "[%(ltime)]", "r": "%(method) %(uri) %(proto)"},
    **{"m": "%(method)", "U": "%(var.PATH_INFO)", "q": "%(var.QUERY_STRING)", "H": "%(proto)"},
    **{"s": "%(status)", "b": "%(rsize)", "B": "%(rsize)", "f": "%(referer)", "a": "%(uagent)"},
    **{"T": "%(secs)", "L": "%(secs)", "M": "%(msecs)", "D": "%(micros)", "p": "%(pid)"},
}
"""What gunicorn's access_log_format names, in the words of log-format."""
ATOM = re.compile(r"%\((?:\{([^}]+)\}([ieo])|(\w))\)s")
BEHIND = ("syslog_addr", "syslog_prefix", "syslog_facility", "disable_redirect_access_to_syslog")
"""Settings that only count where ``syslog`` is on."""
LOGGING = (
    *("accesslog", "errorlog", "access_log_format", "logger_class", "syslog", *BEHIND),
    *("statsd_host", "statsd_prefix"),
)
"""Settings that are dealt with here."""
STATSD_PORT = 8125
FACILITIES = (
    *("kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news"),
    *("uucp", "cron", "authpriv", "ftp", "ntp", "audit", "alert", "clock"),
    *(f"local{number}" for number in range(8)),
)
INFO = 6  # the severity of all lines (RFC 5424 §6.2.1)
SHIPPED = ("gunicorn.glogging.Logger", "simple", "gunicorn.instrument.statsd.Statsd")
"""gunicorn's own values of ``logger_class``."""


def logs(gunicorn: Gunicorn) -> list[Row]:
    """All of it."""
    rows = _access(gunicorn) + _log_format(gunicorn)
    errors = gunicorn.value("errorlog")
    if gunicorn.value("daemon"):
        rows.append(Row("daemonize", literal(errors if errors not in ("-", None, ABSENT) else "/dev/null")))
    elif errors != "-":
        rows += of(gunicorn, "errorlog", "logto")
    return rows + _logger_class(gunicorn) + _syslog(gunicorn) + _statsd(gunicorn)


def _access(gunicorn: Gunicorn) -> list[Row]:
    given, where = gunicorn.given.get("accesslog"), gunicorn.value("accesslog")
    if given is not None and (given.known is None or given.known.spelled):
        return option(gunicorn, "accesslog", given, "access-log")
    comments = given.comments if given is not None else ()
    if not where:
        return [] if _to_syslog(gunicorn) else [Row("disable-logging", "true", comments)]
    return [Row("access-log", "stdout" if where == "-" else literal(str(where)), comments)]


def _to_syslog(gunicorn: Gunicorn) -> bool:
    """Whether lines of requests go to syslog, as they do unless that is turned off."""
    return bool(gunicorn.value("syslog")) and not gunicorn.value("disable_redirect_access_to_syslog")


def _log_format(gunicorn: Gunicorn) -> list[Row]:
    given, usual = gunicorn.given.get("access_log_format"), by_name()["access_log_format"].default
    if given is not None and given.known is None:
        return option(gunicorn, "access_log_format", given, "")
    text = given.known.value if given is not None and given.known is not None else usual
    comments = given.comments if given is not None else ()
    if text == usual:
        logged = gunicorn.value("accesslog") or _to_syslog(gunicorn)
        return [Row("log-format", "combined", comments)] if logged else []
    return [_own_format(text, comments)] if isinstance(text, str) else []


def _own_format(text: str, comments: tuple[str, ...]) -> Row:
    """One that is not gunicorn's own, in the words of log-format."""
    if text.lstrip().startswith("{"):
        comments = (*comments, *comment("log-format = json writes JSON that no quote in a request breaks"))
    if lost := sorted({found[0] for found in ATOM.finditer(text) if _atom(found) == "-" and found[3] != "l"}):
        comments = (*comments, *comment(f"log-format has no {', '.join(lost)}: a - stands there"))
    text = ATOM.sub(_atom, text)
    text = re.sub(r"%(?!\()", "%%", text.replace("\n", " "))
    return Row("log-format", text, comments)


def _atom(found: re.Match[str]) -> str:
    if not found[1]:
        return ATOMS.get(found[3], "-")
    field = f"%(var.HTTP_{found[1].upper().replace('-', '_')})"
    return {"i": field, "e": f"%(var.{found[1]})"}.get(found[2], "-")


def _logger_class(gunicorn: Gunicorn) -> list[Row]:
    given = gunicorn.given.get("logger_class")
    if given is None or (given.known is not None and given.known.value in SHIPPED):
        return []
    return [note(gunicorn, "logger_class", given, by_name()["logconfig"].note)]


def _syslog(gunicorn: Gunicorn) -> list[Row]:
    given = gunicorn.given.get("syslog")
    if given is None:
        return []
    if given.known is None:
        return option(gunicorn, "syslog", given, "")
    return [_syslog_row(gunicorn, given)] if given.known.value else []


def _syslog_row(gunicorn: Gunicorn, given: Given) -> Row:
    """To the system's own, or by UDP."""
    prefix = gunicorn.value("syslog_prefix") or gunicorn.value("proc_name") or "gunicorn"
    ident = f"gunicorn.{str(prefix).replace(':', '.')}"
    facility = str(gunicorn.value("syslog_facility")).lower()
    kind, _, where = str(gunicorn.value("syslog_addr") or "udp://localhost:514").partition("://")
    if kind == "unix":
        return Row("log-syslog", literal(f"{ident},{facility}"), given.comments)
    if kind != "udp" or facility not in FACILITIES:
        text = "syslog is reached through its socket, or by UDP: logger = rsyslog:HOST:PORT,NAME"
        return note(gunicorn, "syslog", given, text)
    priority = FACILITIES.index(facility) << 3 | INFO
    return Row("logger", literal(f"rsyslog:{where or 'localhost'},{ident},{priority}"), given.comments)


def _statsd(gunicorn: Gunicorn) -> list[Row]:
    given = gunicorn.given.get("statsd_host")
    if given is None or (given.known is not None and not given.known.value):
        return []
    if given.known is None or not isinstance(given.known.value, str):
        return option(gunicorn, "statsd_host", given, "")
    prefix = str(gunicorn.value("statsd_prefix") or "").rstrip(".")
    target = _statsd_address(given.known.value) + (f",{prefix}" if prefix else "")
    said = comment("the figures have other names than gunicorn's: worker.1.requests, core.busy_workers, …")
    return [Row("stats-push", literal(f"statsd:{target}"), (*given.comments, *said))]


def _statsd_address(text: str) -> str:
    """gunicorn's address with the port that it adds."""
    if text.startswith("unix:"):
        return text.removeprefix("unix:").removeprefix("//")
    bare = text.endswith("]") if text.startswith("[") else ":" not in text
    return f"{text}:{STATSD_PORT}" if bare else text
