"""Figures that are kept and sent, as uWSGI writes them: pushes, metrics, thresholds, Graphite's servers.

Pure, for whoever reads the configuration and for the process that sends. It knows neither a figure's value
nor how one is sent.
"""

import re
from typing import NamedTuple

KINDS = ("socket", "statsd", "file")
ABSENT = {
    "mongodb": "nothing is written to MongoDB; statsd: and file: reach other programs",
    "zabbix": "nothing is sent to Zabbix; statsd: and file: reach other programs",
    "carbon": "carbon = HOST:PORT says where Graphite is",
    "rrdtool": "RRD files are not written; collect figures with an agent such as collectd",
    "cloudwatch": "nothing is sent to CloudWatch; statsd: reaches its agent",
}
"""uWSGI's ways to send figures that are not part of this version, and what to use in their place."""
TYPES = ("counter", "gauge", "absolute", "alias")
COLLECTORS = ("file", "sum", "avg", "accumulator", "adder", "multiplier", "manual")
OF_C = ("ptr", "func")
"""uWSGI's collectors that read its memory, or call a function of its own."""
METRIC = (
    *("name", "oid", "type", "initial_value", "collector", "freq", "arg1", "arg2", "arg3"),
    *("arg1n", "arg2n", "arg3n", "children", "alias", "reset_after_push"),
)
THRESHOLD = ("key", "value", "alarm", "rate", "msg", "reset")
NUMBER = re.compile(r"\s*[+-]?\d+")
IDLE = ("last", "zero", "none")


class Push(NamedTuple):
    """``kind`` as above; ``target`` the address or the file; ``prefix`` of statsd's and a socket's names, ""
    for none given; ``separator`` between a file's documents; ``freq`` in seconds, 0 for the usual one."""

    kind: str
    target: str
    prefix: str = ""
    separator: str = ""
    freq: float = 0.0
    doubtful: tuple[str, ...] = ()


def push(text: str) -> Push:
    """``stats-push``: ``KIND:ARGUMENT``. Raises ValueError with what is expected."""
    kind, _, argument = text.strip().partition(":")
    if kind in ABSENT:
        raise ValueError(ABSENT[kind])
    if kind not in KINDS:
        raise ValueError(f"{', '.join(KINDS)} are known, such as statsd:127.0.0.1:8125")
    if kind == "file":
        return _file(argument)
    target, _, prefix = argument.partition(",")
    if not target.strip():
        raise ValueError(f"an address is expected, such as {kind}:127.0.0.1:8125")
    doubt = f"{target.strip()} is a UNIX socket's path; {kind}:{target.strip()}:8125 would be an address"
    bare = ":" not in target and "/" not in target and not target.strip().startswith("@")
    return Push(kind, target.strip(), prefix, doubtful=(doubt,) if bare else ())


def _file(argument: str) -> Push:
    """``PATH``, or ``path=PATH,separator=TEXT,freq=SECONDS``."""
    if "=" not in argument:
        words = {"path": argument.strip()}
    else:
        words = pairs(argument, ("path", "separator", "freq"))
    if not words.get("path"):
        raise ValueError("a file is expected, such as file:/run/site.json")
    freq = float(leading(words["freq"], "freq")) if "freq" in words else 0.0
    return Push("file", words["path"], separator=words.get("separator", ""), freq=freq)


def pairs(text: str, known: tuple[str, ...]) -> dict[str, str]:
    """``key=value`` between commas, of known keys. Raises ValueError with what is expected."""
    found = {}
    for item in re.split(r"(?<!\\),", text):
        key, equals, value = item.partition("=")
        if not equals or key.strip() not in known:
            raise ValueError(f"KEY=VALUE between commas is expected, with {', '.join(known)}, not {item!r}")
        found[key.strip()] = value.replace("\\,", ",")
    return found


def leading(text: str, key: str) -> int:
    """A number by its leading digits, as C reads it. Raises ValueError where there are none."""
    match = NUMBER.match(text)
    if match is None:
        raise ValueError(f"a number is expected behind {key}=")
    return int(match[0])


class Metric(NamedTuple):
    """A metric of one's own: ``words`` what is said of it beside its name and its type."""

    name: str
    type: str
    words: dict[str, str]


def metric(text: str) -> Metric:
    """``metric``: a name, or ``key=value`` between commas. Raises ValueError with what is expected."""
    words = pairs(text, METRIC) if "=" in text else {"name": text.strip()}
    name = words.pop("name", "")
    if not re.fullmatch(r"[^\s/=,]+", name):
        raise ValueError("name=NAME is expected, such as name=shop.orders")
    kind = words.pop("type", "counter")
    if kind not in TYPES:
        raise ValueError(f"{', '.join(TYPES)} are known as type=")
    collector = words.get("collector", COLLECTORS[0])
    if collector in OF_C:
        raise ValueError(
            f"collector={collector} is about uWSGI's own memory; {', '.join(COLLECTORS)} are known"
        )
    if collector not in COLLECTORS:
        raise ValueError(f"{', '.join(COLLECTORS)} are known as collector=")
    for key in ("initial_value", "freq"):
        if key in words:
            leading(words[key], key)
    return Metric(name, kind, words)


class Threshold(NamedTuple):
    """When ``metric`` is ``value`` or more, it is set to ``reset`` where that is not None, and ``alarm`` is
    raised with ``text``, or else the metric's name, at most once in ``rate`` seconds."""

    metric: str
    value: int
    alarm: str = ""
    text: str = ""
    reset: int | None = None
    rate: int = 0


def threshold(text: str) -> Threshold:
    """``metric-threshold``: ``key=value`` between commas. Raises ValueError with what is expected."""
    words = pairs(text, THRESHOLD)
    if not words.get("key") or "value" not in words:
        raise ValueError("key=METRIC,value=NUMBER is expected, such as key=worker.1.requests,value=1000")
    reset = leading(words["reset"], "reset") if "reset" in words else None
    rate = leading(words["rate"], "rate") if "rate" in words else 0
    value = leading(words["value"], "value")
    return Threshold(words["key"], value, words.get("alarm", ""), words.get("msg", ""), reset, rate)


class Server(NamedTuple):
    """One of Graphite's. ``doubtful``: what whoever wrote it should know."""

    host: str
    port: int
    doubtful: tuple[str, ...] = ()


def carbon(text: str) -> Server:
    """``carbon``: ``HOST:PORT``; uWSGI goes on without a server that it cannot read."""
    host, colon, port = text.strip().rpartition(":")
    if not colon or not host or not port.isdecimal() or not 0 < int(port) < 1 << 16:
        doubt = "HOST:PORT is expected, such as 127.0.0.1:2003: nothing is sent there"
        return Server("", 0, (doubt,))
    return Server(host, int(port))


def idle(text: str) -> str:
    """``carbon-idle-avg``. Raises ValueError with what is expected."""
    if text not in IDLE:
        raise ValueError("last, zero or none is expected")
    return text
