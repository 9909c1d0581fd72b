"""Values that have a form of their own, looked at by the parser of their topic: a bad one is an error that
names its line, at a start as at a check, and not a surprise hours later.

Called by ``assemble`` once every option is read. A topic's module is loaded when an option of it is given.
"""

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any

from penstock.config.settings import Settings
from penstock.config.settings.logs import RULES
from penstock.config.settings.observing import PATHS

PHASES = ("asap", "pre-jail", "post-jail", "in-jail", "as-root", "as-user", "pre-app", "post-app")
JAIL = (*PHASES[:5], "as-emperor", "as-vassal")
HOOKS = (
    *(f"hook-{name}" for name in (*PHASES, "as-user-atexit", "as-mule", "touch", "post-fork")),
    *("hook-accepting", "hook-accepting1", "hook-accepting-once", "hook-accepting1-once"),
    *("hook-master-start", "hook-emperor-start", "hook-emperor-stop", "hook-emperor-reload"),
    *("hook-emperor-lost", "hook-as-emperor", "hook-as-emperor-before-vassal", "hook-as-vassal"),
    *("hook-as-vassal-before-drop", "hook-as-on-config-vassal", "hook-as-on-demand-vassal"),
    *(f"exec-{name}" for name in (*PHASES, "as-user-atexit", "as-emperor", "as-vassal")),
    *(f"mount-{name}" for name in JAIL),
    *(f"umount-{name}" for name in JAIL),
    "file-write",
)
WAITS = ("wait-for-fs", "wait-for-mountpoint", "wait-for-interface", "wait-for-socket")
DAEMONS = ("attach-daemon", "attach-control-daemon", "attach-daemon2")
SMART = ("smart-attach-daemon", "smart-attach-daemon2")
NOTHING: tuple[object, ...] = (None, [], (), 0)
Remark = tuple[str, str, str, bool]
"""The option, the value, what is to be said, and whether it is only doubtful."""
EXPIRES = ("static-expires", "static-expires-uri", "static-expires-path-info")
HOUSEHOLD: dict[str, tuple[str, str]] = {
    **dict.fromkeys(HOOKS, ("hooks", "parse_option")),
    **dict.fromkeys(WAITS, ("waits", "parse_option")),
    **dict.fromkeys((*DAEMONS, *SMART), ("daemons", "PARSERS")),
    **dict.fromkeys(("cron", "cron2", "unique-cron", "curl-cron"), ("cron", "PARSERS")),
    **dict.fromkeys(("mule", "mules", "farm"), ("mules", "PARSERS")),
    "touch-exec": ("touches", "parse_exec"),
    "alarm": ("alarms", "parse"),
    "alarm-fd": ("alarms", "parse_readable"),
    "log-alarm": ("alarms", "parse_rule"),
    "not-log-alarm": ("alarms", "parse_rule"),
    "emperor": ("vassals", "parse"),
    "vassals-set": ("vassals", "parse_set"),
    "unshare": ("isolation", "namespaces"),
    "unshare2": ("isolation", "namespaces"),
    "cap": ("isolation", "capabilities"),
    "emperor-cap": ("isolation", "capabilities"),
    "pivot-root": ("isolation", "pivot"),
    "cgroup-opt": ("isolation", "cgroup_option"),
    "namespace": ("isolation", "own_root"),
}
SITE: dict[str, tuple[str, str]] = {
    **dict.fromkeys(("static-map", "static-map2"), ("files", "mapping")),
    **dict.fromkeys((*EXPIRES, *(f"{name}-mtime" for name in EXPIRES)), ("files", "expires")),
    **dict.fromkeys(("static-expires-type", "static-expires-type-mtime"), ("files", "type_expires")),
    "static-gzip": ("files", "regex"),
    "static-immutable": ("files", "immutable"),
    "file-serve-mode": ("files", "mode"),
    **dict.fromkeys(("cache2", "add-cache-item", "load-file-in-cache"), ("caches", "PARSERS")),
    "load-file-in-cache-gzip": ("caches", "PARSERS"),
    "mount": ("mounts", "parse"),
    "rem-header": ("replies", "name"),
    **dict.fromkeys(("collect-header", "pull-header"), ("replies", "noted")),
    "compress": ("replies", "way"),
    "compress-types": ("replies", "kind"),
    "http-to-https": ("listeners", "redirect"),
    **dict.fromkeys(("https", "https-socket"), ("listeners", "secured")),
    "http-var": ("listeners", "variable"),
    "http-to": ("listeners", "backend"),
}
OBSERVING: dict[str, tuple[str, str]] = {
    **dict.fromkeys(("stats", "emperor-stats"), ("places", "address")),
    "metrics": ("places", "listener"),
    "metrics-path": ("places", "path"),
    **dict.fromkeys(("health-live", "health-ready"), ("places", "probe")),
    "status-page": ("places", "page"),
    "status-auth": ("places", "credentials"),
    "request-id": ("places", "header"),
    "otel": ("places", "endpoint"),
    "stats-push": ("figures", "push"),
    "metric": ("figures", "metric"),
    "metric-threshold": ("figures", "threshold"),
    "carbon": ("figures", "carbon"),
    "carbon-idle-avg": ("figures", "idle"),
}
LOGS: dict[str, tuple[str, str]] = {
    **dict.fromkeys(("logger", "req-logger"), ("loggers", "parse_logger")),
    **dict.fromkeys(("worker-logger", "worker-logger-req"), ("loggers", "parse_logger")),
    "log-syslog": ("loggers", "parse_syslog"),
    "log-socket": ("loggers", "parse_socket"),
    **dict.fromkeys(("log-encoder", "log-req-encoder"), ("encoders", "parse_encoder")),
    **dict.fromkeys(("log-route", "log-req-route"), ("lines", "parse_route")),
    **dict.fromkeys(("log-drain", "log-filter"), ("lines", "parse_pattern")),
}
PARSED = {
    **{name: (f"household.{topic}", word) for name, (topic, word) in HOUSEHOLD.items()},
    **{name: (f"site.{topic}", word) for name, (topic, word) in SITE.items()},
    **{name: (f"observing.{topic}", word) for name, (topic, word) in OBSERVING.items()},
    **{name: (f"logs.{topic}", word) for name, (topic, word) in LOGS.items()},
}
"""Options with the module of ``config`` and what in it takes a value apart: a function of the text; one
called ``parse_option`` of the option's name too, or a table of functions by the names."""
BY_FIELD = {name.replace("-", "_"): name for name in PARSED}


def looked_through(values: Mapping[str, Any]) -> Iterator[Remark]:
    """What is wrong with values, by field."""
    for field, value in values.items():
        name = BY_FIELD.get(field)
        if name is None or value == getattr(Settings, field):
            continue
        parse = parser(name)
        for text in value if isinstance(value, list | tuple) else (value,):
            try:
                found = parse(text)
            except ValueError as error:
                yield name, text, str(error), False
            else:
                for doubt in getattr(found, "doubtful", ()):
                    yield name, text, doubt, True
    for fields, look in TOGETHER:
        if any(values.get(field) not in NOTHING for field in fields):
            yield from look(values)


def alarms(values: Mapping[str, Any]) -> Iterator[Remark]:
    """What the options of alarms say together."""
    from penstock.config.household.alarms import remarks

    for remark in remarks(values):
        yield remark.field.replace("_", "-"), remark.value, remark.text, not remark.fatal


def lines(values: Mapping[str, Any]) -> Iterator[Remark]:
    """What the options of loggers say together."""
    from penstock.config.logs.lines import dashed, remarks

    for remark in remarks(values):
        yield dashed(remark.field), remark.value, remark.text, not remark.fatal


def farms(values: Mapping[str, Any]) -> Iterator[Remark]:
    """Farms of mules that there are not."""
    from penstock.config.household.mules import missing, works

    for text in values["farm"]:
        try:
            said = missing(text, len(works(values.get("mule", ()), values.get("mules", ()))))
        except ValueError:
            continue  # said already
        if said:
            yield "farm", text, said, False


def mounts(values: Mapping[str, Any]) -> Iterator[Remark]:
    """What is to stay mounted below a root of its own."""
    from penstock.config.household.isolation import kept_mount, own_root

    for text in values["namespace_keep_mount"]:
        try:
            kept_mount(text, own_root(values.get("namespace") or "/")[0])
        except ValueError as error:
            yield "namespace-keep-mount", text, str(error), False


def mounted(values: Mapping[str, Any]) -> Iterator[Remark]:
    """Paths of files that no request has any more, because a mount point was taken off it."""
    from penstock.config.site.mounts import hidden

    if values.get("manage_script_name"):
        for name in ("static-map", "static-map2"):
            for text in values.get(name.replace("-", "_"), ()):
                if said := hidden(text.partition("=")[0], values["mount"]):
                    yield name, text, said, True


def routers(values: Mapping[str, Any]) -> Iterator[Remark]:
    """Where another server's address stands beside our own."""
    from penstock.config.site.listeners import remarks

    yield from remarks(values)


def caches(values: Mapping[str, Any]) -> Iterator[Remark]:
    """Caches that cannot be, and names of some that there are not."""
    from penstock.config.site.caches import classic, missing, parse

    found = []
    try:
        if values.get("cache"):
            found.append(classic(values["cache"], values.get("cache_blocksize", 0)))
    except ValueError as error:
        yield "cache", str(values["cache"]), str(error), False
    try:
        found += [parse(text) for text in values.get("cache2", ())]
    except ValueError:
        return  # said already
    text = values.get("check_cache")
    if text is not None and (said := missing(text, found)):
        yield "check-cache", text, said, False


def places(values: Mapping[str, Any]) -> Iterator[Remark]:
    """Paths that two things have, and pages that nobody may see."""
    from penstock.config.observing.places import remarks

    yield from remarks(values)


def variables(values: Mapping[str, Any]) -> Iterator[Remark]:
    """Names in ``log-format`` that nobody knows."""
    from penstock.config.logs.variables import remarks

    yield from remarks(values)


def thresholds(values: Mapping[str, Any]) -> Iterator[Remark]:
    """Alarms of metrics that there are not."""
    from penstock.config.household.alarms import named_by_metrics

    for text, said in named_by_metrics(values):
        yield "metric-threshold", text, said, True


TOGETHER = (
    (RULES, lines),
    ((*PATHS, "metrics"), places),
    (("log_format",), variables),
    (("metric_threshold",), thresholds),
    (("cache", "check_cache"), caches),
    (("http_to",), routers),
    (("mount",), mounted),
    (("farm",), farms),
    (("namespace_keep_mount",), mounts),
    (("alarm", "alarm_backlog", "alarm_fd", "alarm_segfault", "log_alarm", "not_log_alarm"), alarms),
)
"""Fields of which one has to be given, and what looks at them together."""


def parser(name: str) -> Callable[[str], object]:
    """What takes a value of the option ``name`` apart; it raises ValueError with what is expected."""
    topic, word = PARSED[name]
    found: Any = getattr(import_module(f"penstock.config.{topic}"), word)
    if word == "PARSERS":
        found = found[name]
    if word != "parse_option":
        return lambda text: found(text)
    return lambda text: found(name, text)
