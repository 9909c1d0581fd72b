"""gunicorn's settings to a penstock configuration, with a note for what has no equal.

Each ``_setting`` function takes what was given and returns the lines for it. Runs in the command alone.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from os.path import exists

from penstock.config.finding import MISSING_PATH, UNSUPPORTED, WARNING, Finding
from penstock.config.migrate.gunicorn_logs import LOGGING, logs
from penstock.config.migrate.gunicorn_names import SETTINGS
from penstock.config.migrate.gunicorn_rows import note, of, option, plain
from penstock.config.migrate.gunicorn_words import Gunicorn, command_line, read_file
from penstock.config.migrate.known import ABSENT, Known, joined
from penstock.config.migrate.written import Row, Written, comment, ini, literal, spelled

THREADED = ("gthread", "gunicorn.workers.gthread.ThreadWorker")
GREEN = ("gevent", "eventlet", "tornado", "gevent_wsgi", "gevent_pywsgi")
GREEN_THREADS = 64
"""Threads that stand for greenlets where none are named: waiting costs a thread some memory, no processor."""


def read_gunicorn(words: Sequence[str], environ: Mapping[str, str]) -> Written:
    """From a command line, ``GUNICORN_CMD_ARGS`` and the file that they name, or gunicorn.conf.py."""
    inner, outer, file = command_line(words, environ)
    whole = Gunicorn(outer.name)
    if not file and exists("gunicorn.conf.py"):
        file = "gunicorn.conf.py"
    if file.startswith("python:"):
        said = f"configuration {file}: name the file itself, it is not imported"
        whole.findings.append(Finding(WARNING, MISSING_PATH, said, origin="command line"))
    elif file:
        _load(whole, file.removeprefix("file:"))
    for words_of in (inner, outer):  # the command line comes last, and wins
        whole.given.update(words_of.given)
        whole.findings += words_of.findings
    return translate(whole)


def read_gunicorn_file(path: str) -> Written:
    """From a configuration file."""
    gunicorn = Gunicorn(path)
    _load(gunicorn, path)
    return translate(gunicorn)


def _load(gunicorn: Gunicorn, path: str) -> None:
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError) as error:
        said = getattr(error, "strerror", None) or str(error)
        gunicorn.findings.append(Finding("error", MISSING_PATH, f"{path}: {said}", origin=path, file=path))
        return
    read_file(gunicorn, text, path)


def translate(gunicorn: Gunicorn) -> Written:
    """The configuration, group by group."""
    rows: list[Row] = []
    for part in PARTS:
        rows += [*part(gunicorn), Row()]
    for setting in SETTINGS:
        given = gunicorn.given.get(setting.name)
        if given is not None and setting.name not in TAKEN:
            rows += plain(gunicorn, setting.name, given)
    name = gunicorn.name
    return Written(ini(rows, f"{name}, as penstock has it. Notes beginning with gunicorn: have no equal."),
                   tuple(gunicorn.findings))  # fmt: skip


# ---- Settings with rules of their own -----------------------------------------------------------------


def _application(gunicorn: Gunicorn) -> list[Row]:
    rows = of(gunicorn, "chdir", "chdir") + _pythonpath(gunicorn)
    given = gunicorn.given.get("wsgi_app")
    if given is None:
        said = "the application stood on gunicorn's command line: name it here"
        gunicorn.findings.append(Finding(WARNING, UNSUPPORTED, said, "module", origin=gunicorn.name))
        return [*rows, Row(comments=(*comment(said), "# module = package.module:application"))]
    name = str(given.known.value) if given.known else ""
    if "(" in name and not re.fullmatch(r"[\w.]+:[\w.]+\(\)", name):
        text = f"{name}: a factory is called without arguments here; write a module that calls it with them"
        return [*rows, note(gunicorn, "wsgi_app", given, text)]
    return rows + option(gunicorn, "wsgi_app", given, "module")


def _pythonpath(gunicorn: Gunicorn) -> list[Row]:
    value = gunicorn.value("pythonpath")
    if isinstance(value, str) and "," in value:
        return [Row("pythonpath", literal(folder.strip())) for folder in value.split(",")]
    return of(gunicorn, "pythonpath", "pythonpath")


def _listening(gunicorn: Gunicorn) -> list[Row]:
    given = gunicorn.given.get("bind")
    key, tail = _spoken(gunicorn)
    if given is None:
        port = Known(ABSENT, "$(PORT)", env=("PORT",))
        first = joined(Known("0.0.0.0:"), port, Known(tail))
        return spelled(key, first._replace(value=f"127.0.0.1:8000{tail}"), True)
    value = given.known.value if given.known is not None else ABSENT
    if isinstance(value, str):
        value = value.split(",")
    if given.known is None or not isinstance(value, list | tuple):  # $(BIND) and nothing else
        return option(gunicorn, "bind", given, key)
    addresses = [_address(str(one).strip()) + tail for one in value if str(one).strip()]
    rows = option(gunicorn, "bind", given._replace(known=given.known._replace(value=addresses)), key)
    if any(address.startswith(("unix:", "/")) for address in addresses):
        mask = gunicorn.value("umask")
        rows.append(Row("chmod-socket", f"{0o666 & ~(mask if isinstance(mask, int) else 0):03o}"))
    return rows


def _spoken(gunicorn: Gunicorn) -> tuple[str, str]:
    """The option that listens, and what stands behind its address."""
    certificate = gunicorn.value("certfile")
    if certificate:
        # Never in plain where it was encrypted: https is known, and check says when it is not acted on.
        return "https", f",{certificate},{gunicorn.value('keyfile') or ''}"
    return ("uwsgi-socket" if gunicorn.value("protocol") == "uwsgi" else "bind"), ""


def _address(text: str) -> str:
    """gunicorn's address with the port that it adds to a bare host."""
    if text.startswith(("unix:", "fd://")):
        return text
    text = text.removeprefix("tcp://")
    bare = text.endswith("]") if text.startswith("[") else ":" not in text
    return f"{text}:8000" if bare else text


def _processes(gunicorn: Gunicorn) -> list[Row]:
    rows = of(gunicorn, "workers", "processes") + _threads(gunicorn)
    preload = gunicorn.given.get("preload_app")
    if preload is None or preload.known is None or not preload.known.value:
        rows.append(Row("lazy-apps", "true", preload.comments if preload else ()))
    reload = gunicorn.given.get("reload")
    if reload is not None and reload.known is not None and reload.known.value:
        rows.append(Row("py-autoreload", "1", reload.comments))
    return rows


def _control(gunicorn: Gunicorn) -> list[Row]:
    given = gunicorn.given.get("control_socket_disable")
    if given is not None and given.known is not None and given.known.value:
        return [Row("control-socket", "off", given.comments)]
    return of(gunicorn, "control_socket", "control-socket")


def _threads(gunicorn: Gunicorn) -> list[Row]:
    rows = of(gunicorn, "threads", "threads")
    given = gunicorn.given.get("worker_class")
    if given is None or given.known is None:
        return rows + (option(gunicorn, "worker_class", given, "") if given else [])
    name = str(given.known.value)
    if name in ("sync", *THREADED, "None"):
        return rows
    if name.startswith("uvicorn") or "asgi" in name.lower():
        return [
            *rows,
            note(gunicorn, "worker_class", given, "penstock serves WSGI applications, this is ASGI"),
        ]
    if name in GREEN or name.startswith("gunicorn.workers.g"):
        text = "each request has a thread here, no greenlet; threads say how many run at once"
        first = [] if rows else [Row("threads", str(GREEN_THREADS))]
        return [note(gunicorn, "worker_class", given, text), *first, *rows]
    return [*rows, note(gunicorn, "worker_class", given, "a worker's class cannot be chosen; see threads")]


def _waiting(gunicorn: Gunicorn) -> list[Row]:
    threads = gunicorn.value("threads")
    alone = gunicorn.value("worker_class") == "sync" and not (isinstance(threads, int) and threads > 1)
    given, rows = gunicorn.given.get("timeout"), []
    if alone:
        rows = of(gunicorn, "timeout", "harakiri")
        if given is None:
            rows = [Row("harakiri", "30", ("# gunicorn's default for a request of a sync worker",))]
    elif given is not None:
        text = "with threads it bounds no request, only a worker that hangs; harakiri bounds requests"
        rows = [note(gunicorn, "timeout", given, text)]
    grace = of(gunicorn, "graceful_timeout", "shutdown-timeout")
    if grace:
        grace += [row for row in of(gunicorn, "graceful_timeout", "worker-reload-mercy") if row.key]
    return rows + grace


def _limits(gunicorn: Gunicorn) -> list[Row]:
    rows = []
    line = gunicorn.given.get("limit_request_line")
    if line is not None and gunicorn.value("limit_request_line") == 0:
        rows.append(
            note(gunicorn, "limit_request_line", line, "there is always a limit; request-line sets it")
        )
    else:
        rows += of(gunicorn, "limit_request_line", "request-line")
    field = gunicorn.given.get("limit_request_field_size")
    if field is not None:
        text = "one field has no limit of its own; header-bytes bounds all of them together"
        rows.append(note(gunicorn, "limit_request_field_size", field, text))
        size = gunicorn.value("limit_request_field_size")
        if isinstance(size, int) and size > 64 << 10:
            rows.append(Row("header-bytes", str(size)))
    return rows


def _umask(gunicorn: Gunicorn) -> list[Row]:
    mask = gunicorn.value("umask")
    if "umask" not in gunicorn.given or not isinstance(mask, int | str):
        return []
    return [Row("umask", f"{int(mask, 0) if isinstance(mask, str) else mask:03o}")]


PARTS: tuple[Callable[[Gunicorn], list[Row]], ...] = (
    _application,
    _listening,
    _processes,
    _control,
    _waiting,
    _limits,
    logs,
    _umask,
)
TAKEN = frozenset(
    [
        "config",
        "wsgi_app",
        "chdir",
        "pythonpath",
        "bind",
        "protocol",
        "certfile",
        "keyfile",
        "workers",
        "worker_class",
        "threads",
        "preload_app",
        "control_socket",
        "control_socket_disable",
        "reload",
        "timeout",
        "graceful_timeout",
        "limit_request_line",
        "limit_request_field_size",
        "daemon",
        "umask",
        *LOGGING,
    ]
)
"""Settings that the parts above have dealt with."""
