"""uWSGI's plugins by name: which are there without being loaded, and what to say of the others.

Data, read when a configuration names plugins. Loading one asks for nothing by itself: the options of those
that count as harmless say for themselves what is not acted on.
"""

import re

PYTHON = re.compile(r"python[0-9.]*")
FAMILIES = ("alarm_", "cheaper_", "clock_", "router_", "stats_pusher_", "transformation_")
HARMLESS = frozenset(
    (
        *("uwsgi", "http", "corerouter", "fastrouter", "rawrouter", "sslrouter", "zergpool", "spooler"),
        *("cache", "rpc", "signal", "ping", "symcall", "carbon", "nagios", "rrdtool", "dumbloop", "notfound"),
        *("echo", "logfile", "logsocket", "logpipe", "logcrypto", "logzmq", "syslog", "rsyslog"),
        *("systemd_logger", "redislog", "mongodblog", "graylog2", "exception_log"),
    )
)
ENGINES = frozenset(
    ("asyncio", "coroae", "fiber", "gevent", "greenlet", "stackless", "tornado", "ugreen"),
)


def reason(value: str) -> str:
    """What is not done for ``plugins = value``, or "" when nothing is missing for it."""
    missing = [name for name in names(value) if not harmless(name)]
    engines = [name for name in missing if name.rstrip("0123456789") in ENGINES]
    if engines:
        return f"{', '.join(engines)}: requests run on threads here; set threads = N"
    if missing:
        return f"{', '.join(missing)}: uWSGI's plugins are not loaded; penstock runs Python WSGI applications"
    return ""


def harmless(name: str) -> bool:
    """Whether what a plugin brings is here already, or is asked for by options of its own."""
    return name in HARMLESS or name.startswith(FAMILIES) or PYTHON.fullmatch(name) is not None


def names(value: str) -> list[str]:
    """The plugins of a value: ``0:python3,http`` and ``/usr/lib/uwsgi/python3_plugin.so`` among them."""
    found = []
    for part in value.split(","):
        name = part.strip().rpartition("/")[2].rpartition(":")[2]
        name = name.removesuffix(".so").removesuffix("_plugin")
        found += [name] if name else []
    return found
