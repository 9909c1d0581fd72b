"""gunicorn's logs and figures, in penstock's options."""

import re
from pathlib import Path

import pytest

from penstock.config.logs.loggers import parse_logger
from penstock.config.observing.figures import push
from tests.config.migrate.test_gunicorn import lines, of, of_words


def test_the_usual_line_is_the_combined_one(tmp_path: Path) -> None:
    assert {"access-log = stdout", "log-format = combined"} <= set(lines(of('accesslog = "-"\n', tmp_path)))
    usual = """'%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s"'"""
    text = f'accesslog = "-"\naccess_log_format = {usual}\n'
    assert "log-format = combined" in lines(of(text, tmp_path))
    assert not [line for line in lines(of("workers = 2\n", tmp_path)) if line.startswith("log-format")]


def test_a_line_of_json_by_hand_has_a_hint(tmp_path: Path) -> None:
    written = of("""access_log_format = '{"status": %(s)s, "path": "%(U)s"}'\n""", tmp_path)
    assert (
        "# log-format = json writes JSON that no quote in a request breaks\n"
        'log-format = {"status": %(status), "path": "%(var.PATH_INFO)"}'
    ) in written.text


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--log-syslog"], "logger = rsyslog:localhost:514,gunicorn.gunicorn,14"),
        (
            ["--log-syslog", "--log-syslog-to", "udp://10.0.0.1:1514", "--log-syslog-facility", "local0"],
            "logger = rsyslog:10.0.0.1:1514,gunicorn.gunicorn,134",
        ),
        (
            ["--log-syslog", "--log-syslog-to", "unix:///dev/log", "-n", "shop"],
            "log-syslog = gunicorn.shop,user",
        ),
        (
            ["--log-syslog", "--log-syslog-to", "unix:///dev/log#dgram", "--log-syslog-prefix", "a:b"],
            "log-syslog = gunicorn.a.b,user",
        ),
    ],
)
def test_syslog(words: list[str], line: str) -> None:
    written = of_words(*words, "app")
    assert line in lines(written)
    key, _, value = line.partition(" = ")
    assert parse_logger(value if key == "logger" else f"syslog:{value}")
    assert "disable-logging = true" not in lines(written)
    assert "log-format = combined" in lines(written)
    quiet = lines(of_words(*words, "--disable-redirect-access-to-syslog", "app"))
    assert "disable-logging = true" in quiet and line in quiet


def test_what_syslog_would_have_said_is_nothing_without_it() -> None:
    written = of_words("--log-syslog-to", "udp://10.0.0.1:1514", "--log-syslog-prefix", "shop", "app")
    assert not [line for line in written.text.splitlines()[2:] if "syslog" in line]
    assert written.findings == ()


def test_syslog_by_tcp_is_a_note() -> None:
    written = of_words("--log-syslog", "--log-syslog-to", "tcp://10.0.0.1:1514", "app")
    (finding,) = written.findings
    assert finding.message.startswith("syslog is reached through its socket")


@pytest.mark.parametrize(
    ("words", "value"),
    [
        (["--statsd-host", "10.0.0.1:9125"], "statsd:10.0.0.1:9125"),
        (["--statsd-host", "stats", "--statsd-prefix", "shop.web."], "statsd:stats:8125,shop.web"),
        (["--statsd-host", "[::1]"], "statsd:[::1]:8125"),
        (["--statsd-host", "unix:///run/statsd.sock"], "statsd:/run/statsd.sock"),
    ],
)
def test_statsd(words: list[str], value: str) -> None:
    written = of_words(*words, "app")
    assert f"stats-push = {value}" in lines(written)
    assert push(value).kind == "statsd"
    assert re.search(r"^# the figures have other names than gunicorn's", written.text, re.MULTILINE)


def test_tags_are_a_note_and_a_prefix_alone_is_nothing() -> None:
    written = of_words("--dogstatsd-tags", "a:b", "--statsd-prefix", "shop", "app")
    assert [one.option for one in written.findings] == ["dogstatsd_tags"]
    assert "stats-push" not in written.text


@pytest.mark.parametrize("text", ["None", "''"])
def test_no_statsd(text: str, tmp_path: Path) -> None:
    assert "stats-push" not in of(f"statsd_host = {text}\n", tmp_path).text


@pytest.mark.parametrize(
    ("name", "said"), [("shop.logs.Logger", True), ("gunicorn.glogging.Logger", False), ("simple", False)]
)
def test_a_logger_of_ones_own(name: str, said: bool) -> None:
    written = of_words("--logger-class", name, "app")
    assert ("penstock.logging" in " ".join(one.message for one in written.findings)) == said


@pytest.mark.parametrize("name", ["syslog", "statsd_host", "logger_class", "access_log_format"])
def test_a_value_that_cannot_be_told(name: str, tmp_path: Path) -> None:
    written = of(f"import shop\n{name} = shop.value()\n", tmp_path)
    assert name in [one.option for one in written.findings]
    assert f"# gunicorn: {name}" in written.text
