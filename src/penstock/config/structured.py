"""Values that have a form of their own, looked at by the parser of their topic: a bad one is an error that
names its line, at a start as at a check, and not a surprise hours later.

Called by ``assemble`` once every option is read. A topic's module is loaded when an option of it is given.
"""

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any

from penstock.config.settings import Settings

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
Remark = tuple[str, str, str, bool]
"""The option, the value, what is to be said, and whether it is only doubtful."""
PARSED: dict[str, tuple[str, str]] = {
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
"""Options with the module of ``config.household`` and what in it takes a value apart: a function of the text;
one called so of the option's name too, or a table of functions by the names."""
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
        if any(values.get(field) for field in fields):
            yield from look(values)


def alarms(values: Mapping[str, Any]) -> Iterator[Remark]:
    """What the options of alarms say together."""
    from penstock.config.household.alarms import remarks

    for remark in remarks(values):
        yield remark.field.replace("_", "-"), remark.value, remark.text, not remark.fatal


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


TOGETHER = (
    (("farm",), farms),
    (("namespace_keep_mount",), mounts),
    (("alarm", "alarm_backlog", "alarm_fd", "alarm_segfault", "log_alarm", "not_log_alarm"), alarms),
)
"""Fields of which one has to be given, and what looks at them together."""


def parser(name: str) -> Callable[[str], object]:
    """What takes a value of the option ``name`` apart; it raises ValueError with what is expected."""
    topic, word = PARSED[name]
    found: Any = getattr(import_module(f"penstock.config.household.{topic}"), word)
    if word == "PARSERS":
        found = found[name]
    if word != "parse_option":
        return lambda text: found(text)
    return lambda text: found(name, text)
