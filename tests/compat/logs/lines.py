"""The cases: what is asked, in which words the line is wished for, and what of each line is compared.

Pure: knows no server.
"""

import re
from dataclasses import dataclass, field

from tests.compat.site.packets import packet

NAMES = (
    *("uri", "method", "user", "addr", "host", "proto", "uagent", "referer", "status", "rsize", "hsize"),
    *("size", "cl", "micros", "msecs", "secs", "tmsecs", "tmicros", "time", "ltime", "ftime", "ctime"),
    *("epoch", "pid", "wid", "switches", "vars", "core", "vsz", "rss", "vszM", "rssM", "pktsize"),
    *("modifier1", "modifier2", "headers", "werr", "rerr", "ioerr"),
)
"""Every name of uWSGI's table (``uwsgi_register_logchunks``)."""
MORE = (
    *("var.HTTP_X_ONE", "var.QUERY_STRING", "var.SERVER_PROTOCOL", "var.HTTP_NONE", "var.CONTENT_TYPE"),
    *("metric.worker.1.requests", "metric.none", "mine", "never_set"),
)
"""And one of each kind that is made of a name."""

SHAPES = {
    "micros": r"\d{1,7}",
    "msecs": r"\d{1,3}",
    "secs": r"\d\.\d{6}",
    "tmsecs": r"1\d{12}",
    "tmicros": r"1\d{15}",
    "time": r"1\d{9}",
    "epoch": r"1\d{9}",
    "ltime": r"\d\d/[A-Z][a-z]{2}/20\d\d:\d\d:\d\d:\d\d [+-]\d{4}",
    "ftime": r"\d\d/[A-Z][a-z]{2}/20\d\d:\d\d:\d\d:\d\d [+-]\d{4}",
    "ctime": r"[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d 20\d\d",
    "pid": r"[1-9]\d*",
    "vsz": r"[1-9]\d{6,}",
    "rss": r"[1-9]\d{6,}",
    "vszM": r"[1-9]\d*",
    "rssM": r"[1-9]\d*",
}
"""What is of the moment or of the process: its shape is compared."""

DEFAULT = re.compile(
    r"(?P<before>.*?)\[pid: (?P<pid>\d+)\|app: (?P<app>-?\d+)\|req: (?P<req>-?\d+)/(?P<all>\d+)\] "
    r"(?P<addr>.*?) \((?P<user>.*?)\) \{(?P<vars>\d+) vars in (?P<pktsize>\d+) bytes\} "
    r"\[(?P<ctime>[^]]+)\] (?P<method>.*?) (?P<uri>.*?) => generated (?P<rsize>\d+) bytes in "
    r"(?P<time>\d+) (?P<unit>\w+)(?P<via> via \w+\(\))? "
    r"\((?P<proto>\S*) (?P<status>\d+)\) (?P<headers>\d+) headers in (?P<hsize>\d+) bytes "
    r"\((?P<switches>\d+) switches on core (?P<core>\d+)\)"
)
PIECES = {**SHAPES, "time": r"\d{1,7}"}
MEMORY = re.compile(r"\d+(?= bytes)|\d+(?=MB)")


def http(word: str, *fields: str, method: str = "GET", body: str = "", version: str = "1.1") -> bytes:
    """A request for ``/word/CASE``."""
    lines = [f"{method} /{word}/CASE HTTP/{version}", *fields, "Connection: close", "", body]
    if version == "1.1":
        lines.insert(1, "Host: site.test:8000")
    return "\r\n".join(lines).encode("latin-1")


REQUESTS: dict[str, bytes] = {
    "plain": http("ok"),
    "query": http("ok").replace(b"CASE", b"CASE?a=b&c=%22"),
    "head": http("ok", method="HEAD"),
    "fields": http("ok", "User-Agent: curl/8.5.0", "Referer: http://site.test/", "X-One: eins"),
    "post": http("read", "Content-Length: 4", "Content-Type: text/plain", method="POST", body="abcd"),
    "old": http("ok", version="1.0"),
    "missing": http("missing"),
    "broken": http("broken"),
    "moved": http("moved"),
    "big": http("big"),
    "zero": http("zero"),
    "blocks": http("blocks"),
    "raise": http("raise"),
    "slow": http("slow"),
    "quoted": http("ok", 'User-Agent: a"b\\c \xe9'),
    "static": http("static"),
    "ruled": http("ruled"),
    "logvar": http("logvar"),
    "packet": packet(
        REQUEST_URI="/ok/packet", PATH_INFO="/ok/packet", REMOTE_USER="eva", REMOTE_ADDR="192.0.2.7"
    ),
    "silent": http("silent"),
}
RULES = (
    "static-map = /static/static=DIR/page.txt\n"
    "route = ^/ruled/ break:410 Gone\n"
    "route = ^/logvar/ logvar:mine=four words, one = two\n"
    "route = ^/silent/ donotlog:\n"
)


@dataclass(frozen=True)
class Group:
    """A server's ini, and which requests it is asked. ``default``: its lines are uWSGI's own; ``blind``: they
    do not say which request they are of. ``patterns``: what the rest of the log has with both."""

    name: str
    ini: str
    asks: tuple[str, ...]
    default: bool = True
    names: tuple[str, ...] = ()
    blind: bool = False
    patterns: tuple[str, ...] = field(default=())


ALL = tuple(REQUESTS)
PICKED = ("plain", "missing", "broken", "moved", "big", "zero", "slow", "static", "silent", "raise")


def template(names: tuple[str, ...]) -> str:
    """A format that has each of them, and names it."""
    return "LINE " + "\t".join(f"{name}=%({name})" for name in names)


def picking(name: str, text: str) -> Group:
    return Group(name, f"disable-logging = true\n{text}\n", PICKED)


DATED = r"^20\d\d! - \S"
CTIME_DATED = r"^\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d 20\d\d - \S"


def formatted(name: str, text: str, *names: str) -> Group:
    """One with a format that has no URI."""
    return Group(name, f"{text}\n", ("plain",), default=False, blind=True, names=names)


GROUPS = (
    Group(
        "variables",
        f"memory-report = true\nlog-format = {template((*NAMES, *MORE))}\n",
        ALL,
        default=False,
        names=(*NAMES, *MORE),
    ),
    Group("default", "", ALL),
    Group("micros", "log-micros = true\n", ("plain", "static")),
    Group("vhost", "vhost = true\n", ("plain", "packet")),
    Group("memory", "memory-report = true\n", ("plain",)),
    Group("all-before", "vhost = true\nmemory-report = true\nlog-micros = true\n", ("plain", "fields")),
    Group("forwarded", "log-x-forwarded-for = true\n", ("xff",)),
    Group("long", "buffer-size = 32768\n", ("long",), blind=True),
    picking("4xx", "log-4xx = true"),
    picking("5xx", "log-5xx = true"),
    picking("slow", "log-slow = 90"),
    picking("big-ones", "log-big = 5000"),
    picking("zero-ones", "log-zero = true"),
    picking("sendfile", "log-sendfile = true"),
    picking("ioerror", "log-ioerror = true"),
    picking("two", "log-4xx = true\nlog-big = 1000"),
    picking("none", ""),
    Group("picks-and-all", "log-4xx = true\nlog-slow = 90\n", PICKED),
    formatted(
        "ftime",
        "log-date = %%Y!\nlog-format-strftime = true\nlog-format = LINE ftime=%(ftime)\tltime=%(ltime)",
        *("ftime", "ltime"),
    ),
    formatted("ftime-plain", "log-date = %%Y!\nlog-format = LINE ftime=%(ftime)", "ftime"),
    formatted("around", "log-format = LINE text=100%% %%d (uri) %(method)%%(proto) {x} $(uri)", "text"),
    Group("date", "log-date = %%Y!\n", ("plain",), patterns=(DATED,)),
    Group("date-bare", "log-date = true\n", ("plain",), patterns=(CTIME_DATED,)),
    Group("prefix", "log-prefix = %%Y!\n", ("plain",), patterns=(DATED,)),
)
REQUESTS["long"] = http("ok").replace(b"CASE", b"CASE?" + b"x" * 5000)
REQUESTS["xff"] = http("ok", "X-Forwarded-For: 203.0.113.9, 192.0.2.1")


def parsed(group: Group, line: str) -> dict[str, str]:
    """The pieces of one line, those of the moment as their shape."""
    if group.default:
        found = DEFAULT.fullmatch(line)
        assert found, line
        pieces = {name: value or "" for name, value in found.groupdict().items()}
        pieces["before"] = MEMORY.sub("9", pieces["before"])
        return {name: shaped(value, PIECES.get(name)) for name, value in pieces.items()}
    pieces = dict(piece.split("=", 1) for piece in line.removeprefix("LINE ").split("\t"))
    assert tuple(pieces) == group.names, line
    return {name: shaped(value, SHAPES.get(name)) for name, value in pieces.items()}


def shaped(value: str, shape: str | None) -> str:
    return f"<{shape}>" if shape is not None and re.fullmatch(shape, value) else value


def is_line(group: Group, line: str) -> bool:
    """Whether it is one of a request."""
    return "[pid: " in line if group.default else line.startswith("LINE ")
