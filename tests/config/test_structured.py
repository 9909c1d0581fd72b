"""Values with a form of their own: looked at while a configuration is read, each with its place."""

import subprocess
import sys

import pytest

from penstock.config.finding import CONFLICT, WARNING
from penstock.config.registry import by_name
from penstock.config.structured import BY_FIELD, PARSED, TOGETHER, looked_through, parser
from tests.cases import each
from tests.config.samples import SAMPLES
from tests.config.test_consistency import read, refused
from tests.e2e.surroundings import environment

BAD = {
    "hook-asap": "shout:hello", "hook-touch": "/file", "exec-as-root": None, "mount-asap": "tmpfs",
    "umount-asap": "/a b c", "file-write": "/file", "wait-for-socket": ":", "wait-for-fs": " ",
    "attach-daemon": " ", "attach-control-daemon": "", "attach-daemon2": "freq=3", "cron2": "minute=1",
    "smart-attach-daemon": "/pidfile", "smart-attach-daemon2": "/pidfile", "cron": "1 2 3 x",
    "unique-cron": "x", "curl-cron": "1 2 3 4 5 ftp://x/", "mules": "few", "mule": "shop:", "farm": "f",
    "touch-exec": "", "alarm": "shout", "alarm-fd": "shout", "log-alarm": "shout (", "not-log-alarm": "shout",
    "emperor": "pg://sites", "vassals-set": "=x", "unshare": "everything", "unshare2": "x", "cap": "fly",
    "emperor-cap": "fly", "pivot-root": "/new", "cgroup-opt": "x", "namespace": "relative",
    "static-map": "/static", "static-map2": "/static=", "static-expires": r"\.css$", "static-gzip": "(",
    "static-expires-type": "text/css", "static-immutable": "(", "file-serve-mode": None, "rem-header": None,
    "collect-header": "X-Kind", "pull-header": "X-Kind", "compress": "deflate", "compress-types": "text",
    "mount": "/shop", "http-to-https": ":80,https", "http-var": "KIND", "http-to": ":x",
    "https": ":443,a.pem", "https-socket": ":443", "cache2": "items=9",
    "add-cache-item": "x", "load-file-in-cache": "pages ", "load-file-in-cache-gzip": "pages ",
    "stats": "localhost:x", "metrics": "@", "metrics-path": "metrics", "health-live": "live",
    "health-ready": "/a b", "status-page": "/a?b", "status-auth": "secret", "request-id": "X Y",
    "otel": "127.0.0.1:4318", "stats-push": "mongodb:x", "metric": "type=gauge",
    "metric-threshold": "key=x", "carbon": None, "carbon-idle-avg": "most", "emperor-stats": "localhost:x",
    **dict.fromkeys(("logger", "req-logger", "worker-logger", "worker-logger-req"), "pigeon:home"),
    **dict.fromkeys(("log-encoder", "log-req-encoder"), "upper"),
    **dict.fromkeys(("log-route", "log-req-route"), "errors ("), "log-drain": "(", "log-filter": "(",
    "log-syslog": "shop,local9", "log-socket": "fd://3",
}  # fmt: skip
"""A value of each form that is none; None where every text is one."""


def family(name: str) -> str:
    """One option of each family stands for all of it."""
    if name.startswith("hook-"):
        return "hook-touch" if name == "hook-touch" else "hook-asap"
    if name.startswith("wait-for-"):
        return "wait-for-socket" if name == "wait-for-socket" else "wait-for-fs"
    if name.startswith("static-expires"):
        return "static-expires-type" if "-type" in name else "static-expires"
    firsts = {"exec-": "exec-as-root", "mount-": "mount-asap", "umount-": "umount-asap"}
    return next((first for start, first in firsts.items() if name.startswith(start)), name)


@each(PARSED)
def test_every_option_with_a_form_has_its_parser(name: str) -> None:
    assert by_name()[name].field == name.replace("-", "_")
    assert BY_FIELD[name.replace("-", "_")] == name
    value = SAMPLES[name][1]
    for text in value if isinstance(value, tuple) else (value,):
        parser(name)(str(text))  # and raises nothing
    bad = BAD[family(name)]
    if bad is not None:
        with pytest.raises(ValueError, match=r"\w"):
            parser(name)(bad)


@each([name for name in PARSED if BAD[family(name)]])
def test_a_value_that_is_none_is_an_error_with_its_place(name: str) -> None:
    good, bad = (f"{name} = {value}" for value in (SAMPLES[name][0], BAD[family(name)]))
    after = [good] if by_name()[name].keeps_all else []  # of the others the last one counts
    said = refused("mules = 1", good, bad, *after)[0]
    assert said.startswith(f"app.ini:3: {bad.strip()}")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["check-cache = pages"], "app.ini:1: check-cache = pages: there is no cache: cache2 makes one"),
        (["check-cache = "], "app.ini:1: check-cache = : there is no cache: cache2 makes one"),
        (["cache = 9", "check-cache = pages"], "app.ini:2: check-cache = pages: there is no cache 'pages'"),
        (
            ["cache2 = name=a,items=9", "check-cache = b"],
            "app.ini:2: check-cache = b: there is no cache 'b': there are a",
        ),
        (["cache = 9", "cache-blocksize = 4"], "app.ini:1: cache = 9: blocksize: at least 8 bytes"),
        (["cache2 = name=a", "check-cache = a"], "app.ini:1: cache2 = name=a: items="),
    ],
)
def test_a_cache_that_cannot_be_or_is_not_there(lines: list[str], said: str) -> None:
    (text,) = refused(*lines)
    assert text.startswith(said)


@pytest.mark.parametrize(
    "lines",
    [
        ["cache = 9", "check-cache = "],
        ["cache = 9", "check-cache = default"],
        ["cache2 = name=a,items=9", "cache = 9", "check-cache = a"],
    ],
)
def test_a_cache_that_is_there(lines: list[str]) -> None:
    assert read(*lines)[1] == []


def test_a_logger_that_no_line_gets_to_is_a_warning_with_its_place() -> None:
    _, findings = read("logger = stdio", "logger = errors file:/var/log/errors", "log-req-route = api x")
    assert [(one.level, one.option, one.line) for one in findings] == [
        (WARNING, "logger", 2),
        (WARNING, "log-req-route", 3),
    ]


def test_what_is_probably_not_meant_is_a_warning_with_its_place() -> None:
    _, findings = read("attach-daemon2 = cmd=x,loud", "attach-daemon2 = cmd=y", "mule = neither")
    assert [(one.level, one.kind, one.option, one.line) for one in findings] == [
        (WARNING, CONFLICT, "attach-daemon2", 1),
        (WARNING, CONFLICT, "mule", 3),
    ]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (("mules = 2", "farm = f:1,2"), ""),
        (("mules = 2", "farm = f:1,3"), "app.ini:2: farm = f:1,3: there is no mule 3: "),
        (("alarm = a log:", "log-alarm = b x"), "app.ini:2: log-alarm = b x: there is no alarm b"),
        (("namespace-keep-mount = x",), "app.ini:1: namespace-keep-mount = x: "),
        (("namespace = /srv", "namespace-keep-mount = /srv/data"), ""),
        (
            ("metrics-path = /-/ready",),
            "app.ini:1: metrics-path = /-/ready: health-ready has this path already",
        ),
        (("health-live = /a", "health-ready = /a"), "app.ini:2: health-ready = /a: health-live has this"),
        (("metrics-path = /-/ready", "health-ready = off"), ""),
        (("logger = errors stdio", "log-route = errors x"), ""),
        (("status-page = /-/status", "status-auth = a:b", "metrics-path = /-/metrics"), ""),
        (("log-format = %(kind_of)", "route-run = logvar:kind_of=x"), ""),
    ],
)
def test_what_values_say_together(lines: tuple[str, ...], said: str) -> None:
    if not said:
        assert read(*lines)[1] == []
        return
    (text,) = refused(*lines)
    assert text.startswith(said)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (("status-page = /-/status",), "status-page = /-/status: nobody can see it without"),
        (
            ("metrics = /metrics",),
            "metrics = /metrics: this is a UNIX socket; metrics-path = /metr",
        ),
        (("metrics = /run/metrics.sock",), ""),
        (
            ("metric-threshold = key=a,value=1,alarm=b",),
            "metric-threshold = key=a,value=1,alarm=b: ",
        ),
        (("alarm = b log:", "metric-threshold = key=a,value=1,alarm=b"), ""),
        (
            ("log-encoder = json",),
            "log-encoder = json: json writes nothing without a template, such",
        ),
        (("stats-push = statsd:localhost",), "stats-push = statsd:localhost: localhost is a UNIX"),
        (("stats-push = statsd:@x", "stats-push = statsd:run/x", "stats-push = statsd:a:1"), ""),
        (
            ("log-format = %(addr) %(statsu)",),
            "log-format = %(addr) %(statsu): there is no variable",
        ),
        (("log-format = %(var.X) %(metric.y) 100%", "log-format = json"), ""),
        (
            ("log-format = JSON",),
            "log-format = JSON: no %(variable) is in it, so all lines are the",
        ),
        (
            ("log-format = %(addr %(status)",),
            "log-format = %(addr %(status): a %( that no ) follows",
        ),
    ],
)
def test_what_values_say_that_is_doubtful(lines: tuple[str, ...], said: str) -> None:
    if not said:
        assert read(*lines)[1] == []
        return
    (finding,) = read(*lines)[1]
    assert (finding.level, finding.line) == ("warning", 1)
    assert finding.text.removeprefix("app.ini:1: ").startswith(said)


def test_nothing_is_wrong_with_nothing() -> None:
    assert list(looked_through({})) == []
    assert list(looked_through({"unshare": "", "mule": ()})) == []
    assert all(fields for fields, _ in TOGETHER)


def test_a_start_without_them_loads_none_of_their_parsers() -> None:
    done = subprocess.run(
        [sys.executable, "-c", (
            "import sys\nfrom penstock.config.assemble import assemble\n"
            "from penstock.config.raw import RawOption\n"
            "assemble([RawOption('module', 'x', ''), RawOption('socket', ':0', '')])\n"
            "parts = ('household.', 'observing.', 'config.logs')\n"
            "print([name for name in sys.modules if any(part in name for part in parts)])"
        )],
        env=environment(), capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    assert done.stdout == "[]\n"
