"""What the operator reads at the start, on one screen: what serves, how large and why, what is not acted on,
where the logs are and where to look.

Sentences alone, made from settings in whichever process starts; who says them, and when, is not known here.
"""

from collections.abc import Sequence
from typing import Any, Protocol

from penstock.config.settings import Settings
from penstock.config.values import OFF
from penstock.logs.setup import Diary
from penstock.logs.sinks import Sink


class Prototypical(Protocol):
    """What a prototype has said of itself."""

    facts: dict[str, Any]


class Loaded(Protocol):
    """What is seen of a generation: its settings, who has loaded it, or that its workers do."""

    settings: Settings

    @property
    def prototype(self) -> Prototypical | None: ...
    @property
    def loads_lazily(self) -> bool: ...


FEW = 3
"""Options that are not acted on of which each has its line."""
MOST = 8
"""Warnings of a configuration that each have their line."""
NAMED = 6
"""Names in one line."""
STREAMS = {1: "stdout", 2: "stderr"}
PICKING = ("log_4xx", "log_5xx", "log_slow", "log_big", "log_zero", "log_sendfile", "log_ioerror")
LOGGERS = ("logger", "worker_logger", "log_syslog", "log_socket")
REQUEST_LOGGERS = ("req_logger", "worker_logger_req")


def welcome(settings: Settings, diary: Diary, listeners: Sequence[str], lines: Sequence[str]) -> None:
    """Say who listens, then ``lines`` about what serves, then where the logs are and where to look."""
    said = [f"listening on {name}" for name in listeners]
    for text in (*said, *lines, logs(settings, diary), sights(settings, diary.pid)):
        if text:
            diary.say(f"penstock: {text}")


def notices(settings: Settings) -> list[str]:
    """What is to be said of the configuration: masses of it as a count, and the way to see all."""
    unacted = settings.unacted
    hidden = {text for _, _, text in unacted} if len(unacted) > FEW else set()
    others = [text for text in settings.notices if text not in hidden]
    said = others if len(others) <= MOST else others[: MOST - 1]
    if len(others) > len(said):
        said.append(f"{len(others) - len(said)} more warnings: penstock check shows all of them")
    if hidden:
        names = list(dict.fromkeys(name for name, _, _ in unacted))
        files = {file for _, file, _ in unacted}
        where = f" {files.pop()}" if len(files) == 1 else ""
        said.append(
            f"{len(names)} options are taken, but not acted on: {several(names)}; "
            f"penstock explain{where.rstrip()} says why"
        )
    return said


def several(names: Sequence[str], last: str = "and") -> str:
    """The first names, and how many there are besides."""
    shown = list(names) if len(names) <= NAMED else [*names[: NAMED - 1], f"{len(names) - NAMED + 1} more"]
    return f" {last} ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))


def application(settings: Settings, seconds: float | None, given: bool = False) -> str:
    """What serves, and what its import took in seconds; None where each worker imports it."""
    name = "the object that was given" if given else named(settings)
    if not name:
        return "no application: files and rules answer"
    if given:
        return f"application: {name}"
    took = "each worker imports it" if seconds is None else f"imported in {seconds:.2f} s"
    return f"application: {name}, {took}"


def ready(generation: Loaded, count: int, took: float) -> str:
    """That a first generation serves: ``count`` workers after ``took`` seconds."""
    facts = generation.prototype.facts if generation.prototype is not None else {}
    seconds = None if generation.loads_lazily else facts.get("seconds")
    said = application(generation.settings, seconds if isinstance(seconds, int | float) else None)
    return f"{said}; {count} worker{'s' if count != 1 else ''} ready after {took:.1f} s"


def named(settings: Settings) -> str:
    """The applications as the operator wrote them."""
    name = settings.module or settings.wsgi_file or ("that of eval" if settings.eval else "")
    if settings.callable and name and ":" not in name:
        name = f"{name}:{settings.callable}"
    mounted = f"{len(settings.mount)} mounted" if settings.mount else ""
    return " and ".join(filter(None, (name, mounted)))


def logs(settings: Settings, diary: Diary) -> str:
    """Where the logs are."""
    open_to_all, led = _loggers(settings, LOGGERS)
    rest = open_to_all or place(diary.error_sink, settings)
    picked, where = requests(settings, diary, rest)
    text = f"log: {picked.replace('those', 'requests', 1) or 'requests'} {where}, all else to {rest}"
    if where == f"to {rest}":
        text = f"log: all of it to {rest}"
        text += f"; of requests only {picked}" if picked else ""
    return f"{text}; by routes to {led}" if led else text


def requests(settings: Settings, diary: Diary, rest: str) -> tuple[str, str]:
    """Which ones have a line, "" for all, and where the lines go."""
    sink = diary.access_sink
    if sink is None:
        return "", "have no lines"
    where = _loggers(settings, REQUEST_LOGGERS)[0]
    if not where:
        where = rest if sink is diary.error_sink else place(sink, settings)
    if settings.disable_logging:
        names = [field.replace("_", "-") for field in _picking(settings)]
        return f"those that {several(names, 'or')} picks", f"to {where}"
    return "", f"to {where}"


def place(sink: Sink, settings: Settings) -> str:
    """A sink as people call it."""
    usual = settings.logto2 or settings.logto or f"descriptor {sink.fd}"
    return sink.path or STREAMS.get(sink.fd) or usual


def _loggers(settings: Settings, fields: Sequence[str]) -> tuple[str, str]:
    """Those that get every line, and those that get what a route leads to them."""
    given = [(field, text) for field in fields for text in getattr(settings, field)]
    if not given:
        return "", ""
    from penstock.config.logs.loggers import parse_logger

    led = [text for field, text in given if not field.startswith("log_") and parse_logger(text).id]
    rest = [text or field.replace("_", "-") for field, text in given if text not in led]
    return several(rest) if rest else "", several(led) if led else ""


def _picking(settings: Settings) -> list[str]:
    return [field for field in PICKING if getattr(settings, field)]


def sights(settings: Settings, pid: int) -> str:
    """Where to look at it: paths that the application's listeners answer, and the command. What has a
    listener of its own says so when it listens."""
    health = [path for path in (settings.health_live, settings.health_ready) if path and path not in OFF]
    found = [f"health at {' and '.join(health)}"] if health else []
    if settings.metrics_path:
        found.append(f"metrics at {settings.metrics_path}")
    if settings.status_page.startswith("/"):
        found.append(f"status page at {settings.status_page}")
    if settings.control_socket not in OFF:
        found.append(f"penstock ctl --pid {pid} status")
    return f"to look: {', '.join(found)}" if found else ""
