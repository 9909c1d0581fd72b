"""What options say together: errors, warnings, and what is put right as uWSGI does."""

import pytest

from penstock.config.assemble import InvalidConfigError, assemble
from penstock.config.consistency import RULES, option_of, put_right, slips
from penstock.config.finding import BAD_VALUE, CONFLICT, ERROR, WARNING, Finding
from penstock.config.raw import RawOption
from penstock.config.registry import by_name
from penstock.config.settings import Settings


def raws(*lines: str) -> list[RawOption]:
    pairs = [line.split(" = ") for line in lines]
    return [RawOption(key, value, f"app.ini:{n}", "app.ini", n) for n, (key, value) in enumerate(pairs, 1)]


def read(*lines: str) -> tuple[Settings, list[Finding]]:
    findings: list[Finding] = []
    return assemble(raws(*lines), findings, application=True), findings


def refused(*lines: str) -> list[str]:
    with pytest.raises(InvalidConfigError) as caught:
        read(*lines)
    assert {(finding.level, finding.kind) for finding in caught.value.findings} == {(ERROR, BAD_VALUE)}
    return [finding.text for finding in caught.value.findings]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("harakiri-mode = thread", "request or process is expected"),
        ("start-timeout = 0", "a time above 0 is expected"),
        ("warmup = health", "a path is expected, such as /health"),
        ("reload-on-fd = stdin", "the number of a descriptor is expected"),
        ("brutal-reload-on-fd = -1", "the number of a descriptor is expected"),
        ("processes = -1", "a number from 1 to 1024 is expected, or auto"),
        ("processes = 1025", "a number from 1 to 1024 is expected, or auto"),
        ("event-loop = trio", "auto, uvloop or asyncio is expected"),
        ("request-queue = 0", "a number from 1 is expected"),
        ("uid = ", "a name or a number is expected"),
        ("immediate-gid = ", "a name or a number is expected"),
        (
            "emperor-stats = 1:2:3",
            "'1:2:3' is not an address: put brackets round an IPv6 address, [::1]:8000",
        ),
        ("env = =x", "NAME=VALUE is expected"),
        ("add-header = X", "'Name: value' is expected"),
        ("cheaper = 1", "a number below processes is expected, and that is 1"),
        ("cheaper-rss-limit-hard = 9", "needs cheaper-rss-limit-soft beside it, as in uWSGI"),
    ],
)
def test_a_value_that_cannot_be(line: str, said: str) -> None:
    assert refused(line) == [f"app.ini:1: {line}: {said}"]


def test_rules_have_their_order_over_all_their_options() -> None:
    settings, _ = read(
        "response-route-status = 404 log:none", "route-label = here", "not-log-alarm = a b",
        "route = ^/a last:", "final-route-run = log:end", "static-gzip-all = true", "route = ^/a last:",
        "error-route-if-not = empty:x last:",
    )  # fmt: skip
    assert settings.rules == (
        ("response-route-status", "404 log:none", "app.ini:1"),
        ("route-label", "here", "app.ini:2"),
        ("route", "^/a last:", "app.ini:4"),
        ("final-route-run", "log:end", "app.ini:5"),
        ("route", "^/a last:", "app.ini:7"),
        ("error-route-if-not", "empty:x last:", "app.ini:8"),
    )
    assert read("vacuum = true")[0].rules == ()
    rules = {name for name in by_name() if "route" in name.split("-") and not name.startswith("log-")}
    assert len(rules) == 51
    assert all(RULES.fullmatch(name) for name in rules)


def test_of_a_list_the_entry_is_named() -> None:
    (text,) = refused("reload-on-fd = 5", "reload-on-fd = 7:8", "reload-on-fd = eight", "vacuum = true")
    assert text == "app.ini:3: reload-on-fd = eight: the number of a descriptor is expected"


@pytest.mark.parametrize("least", ["4", "5"])
def test_cheaper_is_below_processes(least: str) -> None:
    said = "a number below processes is expected, and that is 4"
    assert refused("processes = 4", f"cheaper = {least}") == [f"app.ini:2: cheaper = {least}: {said}"]


@pytest.mark.parametrize(
    ("lines", "first"),
    [
        (("cheaper = 2", "cheaper-initial = 3", "processes = 4"), 3),
        (("cheaper = 2", "cheaper-initial = 2", "processes = 4"), 2),
        (("cheaper = 2", "cheaper-initial = 4", "processes = 4"), 4),
        (("cheaper = 2", "cheaper-initial = 64", "processes = auto"), 64),
        (("cheaper = 2", "processes = 4"), 0),
        (("cheaper = 0", "cheaper-initial = 9", "processes = 4"), 9),
    ],
)
def test_numbers_of_workers_that_go_together(lines: tuple[str, ...], first: int) -> None:
    settings, findings = read(*lines)
    assert (settings.cheaper_initial, findings) == (first, [])


@pytest.mark.parametrize(
    ("given", "said", "first"),
    [
        ("1", "below cheaper: 2 workers are started", 2),
        ("9", "above processes: 4 workers are started", 4),
    ],
)
def test_workers_at_the_start_are_put_right_as_uwsgi_does(given: str, said: str, first: int) -> None:
    settings, (finding,) = read("processes = 4", "cheaper = 2", f"cheaper-initial = {given}")
    assert settings.cheaper_initial == first
    assert (finding.level, finding.kind, finding.line) == (WARNING, CONFLICT, 3)
    assert finding.message == said


def test_steps_of_none_are_steps_of_one() -> None:
    settings, (finding,) = read("processes = 4", "cheaper = 2", "cheaper-step = 0")
    assert settings.cheaper_step == 1
    assert finding.message == "no worker would ever be added: read as 1"


@pytest.mark.parametrize(
    ("lines", "named"),
    [
        (("cheaper-busyness-min = 60",), "cheaper-busyness-min"),
        (("cheaper-busyness-max = 25",), "cheaper-busyness-max"),
        (("cheaper-busyness-max = 30", "cheaper-busyness-min = 40"), "cheaper-busyness-min"),
    ],
)
def test_marks_of_busyness_the_wrong_way_round(lines: tuple[str, ...], named: str) -> None:
    _, (finding,) = read(*lines)
    assert (finding.level, finding.option) == (WARNING, named)
    assert "workers come and go for nothing" in finding.message


@pytest.mark.parametrize("hard", ["99m", "100m"])
def test_the_hard_limit_of_memory_is_above_the_soft_one(hard: str) -> None:
    (text,) = refused("cheaper-rss-limit-soft = 100m", f"cheaper-rss-limit-hard = {hard}")
    assert text.endswith("more than cheaper-rss-limit-soft is expected")
    settings, _ = read("cheaper-rss-limit-soft = 100m", "cheaper-rss-limit-hard = 101m")
    assert settings.cheaper_rss_limit_hard == 101 << 20


@pytest.mark.parametrize(
    ("lines", "asks"),
    [
        (("processes = 2",), "processes"),
        (("workers = auto",), "processes"),
        (("touch-reload = /srv/x",), "touch-reload"),
        (("max-requests = 9",), "max-requests"),
        (("python-autoreload = 1", "idle = 9"), "idle"),
    ],
)
def test_no_master_beside_what_needs_one(lines: tuple[str, ...], asks: str) -> None:
    settings, (finding,) = read("master = false", *lines)
    assert settings.supervised
    assert (finding.level, finding.option, finding.line) == (WARNING, "master", 1)
    assert finding.message == f"workers are supervised all the same: {asks} asks for it"


@pytest.mark.parametrize("lines", [("processes = 1",), ("threads = 4",), ("die-on-term = true",), ()])
def test_no_master_beside_what_needs_none(lines: tuple[str, ...]) -> None:
    settings, findings = read("master = false", *lines)
    assert (settings.supervised, findings) == (False, [])


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("check-interval = 0", "check_interval", 1.0),
        ("mem-collector-freq = 0", "mem_collector_freq", 3.0),
        ("worker-reload-mercy = 0", "worker_reload_mercy", 60.0),
        ("min-worker-lifetime = 0", "min_worker_lifetime", 0.0),
        ("forkbomb-delay = 0", "forkbomb_delay", 0.0),
        ("cheaper-algo = magic", "cheaper_algo", "spare"),
        ("processes = 0", "processes", "1"),
    ],
)
def test_what_stands_for_another_value(line: str, field: str, value: object) -> None:
    settings, _ = read(line)
    assert getattr(settings, field) == value


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("reload-mercy = 8", "worker_reload_mercy", 8.0),
        ("harakiri-graceful-timeout = 10", "harakiri_grace", 10.0),
    ],
)
def test_what_sets_another(line: str, field: str, value: float) -> None:
    assert getattr(read(line)[0], field) == value
    own = {"worker_reload_mercy": "worker-reload-mercy = 1", "harakiri_grace": "harakiri-grace = 1"}[field]
    for lines in ((line, own), (own, line)):
        assert getattr(read(*lines)[0], field) == 1.0


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("processes = 0", "read as 1, where uWSGI would serve nothing"),
        ("cheaper-algo = magic", "read as spare, as uWSGI does"),
    ],
)
def test_what_is_read_as_something_else_is_said(line: str, said: str) -> None:
    _, (finding,) = read(line)
    assert finding.level == WARNING
    assert said in finding.message
    _, (again,) = read(line, "strict = true")
    assert again == finding, "strict is about names"


def test_another_server_than_ones_own_needs_no_application() -> None:
    for word in ("stop", "reload", "pause", "suspend", "resume", "connect-and-read"):
        settings = assemble([RawOption(word, "/run/app.pid", "command line")])
        assert settings.listeners == ()


def test_nothing_is_wrong_with_nothing() -> None:
    assert list(slips({}, set())) == []
    values: dict[str, object] = {}
    put_right(values)
    assert values == {}


def test_the_name_of_a_fields_option() -> None:
    assert option_of("queue") == "request-queue"
    assert option_of("py_auto_reload_ignore") == "py-auto-reload-ignore"


def test_rules_of_alarms_keep_the_order_of_their_lines() -> None:
    lines = ("alarm = a log:", "alarm-log = a error", "not-alarm-log = a debug", "log-alarm = a fatal")
    settings, findings = read(*lines)
    assert findings == []
    assert settings.alarm_rules == (
        *(("log-alarm", "a error"), ("not-log-alarm", "a debug"), ("log-alarm", "a fatal")),
    )
    assert read("alarm = a log:", "log-alarm = a error")[0].alarm_rules == ()


def test_mules_keep_the_order_of_their_lines() -> None:
    settings, findings = read("mules = 2", "mule = a.py", "mules = 1", "mule = a.py", "mules = 1")
    assert findings == []
    assert settings.mules_before == (0, 1, 2)
    assert read("mules = 2")[0].mules_before == read("mule = a.py")[0].mules_before == ()


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["stats-http = true"], "has no effect without stats"),
        (["stats-http = true", "stats = :1717"], ""),
        (["stats-http = false"], ""),
        (["status-auth = a:b"], "has no effect without status-page"),
        (["metrics-dir-restore = true"], "has no effect without metrics-dir"),
        (["carbon-id = x"], "has no effect without carbon"),
        (["logformat-strftime = true", "log-format = %(ftime)"], ""),
    ],
)
def test_what_needs_another_option_beside_it(lines: list[str], said: str) -> None:
    found = read(*lines)[1]
    assert [one.message for one in found] == ([said] if said else [])
    assert not found or (found[0].level, found[0].line) == ("warning", 1)


@pytest.mark.parametrize(
    ("name", "usual"), [("carbon-freq", 60.0), ("carbon-timeout", 3.0), ("rsyslog-packet-size", 1024)]
)
def test_zero_is_not_given(name: str, usual: float) -> None:
    settings, _ = read("carbon = 127.0.0.1:2003", f"{name} = 0")
    assert getattr(settings, name.replace("-", "_")) == usual
