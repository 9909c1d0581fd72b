"""What is wrong with a configuration, or worth knowing: each with its place, and what strict makes of it."""

import subprocess
import sys

import pytest

from penstock.config.assemble import InvalidConfigError, assemble
from penstock.config.finding import (
    BAD_VALUE,
    CONFLICT,
    ERROR,
    SYNTAX,
    UNKNOWN,
    UNSUPPORTED,
    WARNING,
    Finding,
    told,
)
from penstock.config.raw import RawOption
from penstock.config.settings import Settings
from penstock.core.errors import ConfigError
from tests.e2e.surroundings import environment

HEAVY = ("pydantic", "yaml", "json", "difflib", "pathlib", "importlib.resources", "asyncio", "urllib.parse")


def raws(*lines: str) -> list[RawOption]:
    """``key = value`` as lines of a file, the key alone for one without a value."""
    made = []
    for number, line in enumerate(lines, 1):
        key, equals, value = line.partition("=")
        text = value.strip() if equals else None
        made.append(RawOption(key.strip(), text, f"app.ini:{number}", "app.ini", number))
    return made


BASE = ("module = app", "socket = :3031")


def read(*lines: str) -> tuple[Settings, list[Finding]]:
    findings: list[Finding] = []
    return assemble(raws(*BASE, *lines), findings), findings


def refused(*lines: str) -> list[Finding]:
    with pytest.raises(InvalidConfigError) as caught:
        assemble(raws(*BASE, *lines))
    assert str(caught.value).splitlines() == [told(finding) for finding in caught.value.findings]
    return list(caught.value.findings)


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("vaccum = true", "vacuum"), ("process = 4", "processes"), ("guid = 33", "gid or uid"),
        ("chmod-sock = 660", "chmod-socket"), ("harakari = 30", "harakiri"), ("thread = 4", "threads"),
    ],
)  # fmt: skip
def test_a_name_that_nobody_knows_is_a_warning_with_what_was_meant(line: str, meant: str) -> None:
    settings, (finding,) = read(line)
    said = f"there is no such option; did you mean {meant}?"
    assert (finding.level, finding.kind, finding.message) == (WARNING, UNKNOWN, said)
    assert (finding.file, finding.line, finding.origin) == ("app.ini", 3, "app.ini:3")
    assert settings.notices == (f"app.ini:3: {line}: {said}",)
    (finding,) = refused(line, "strict = true")
    assert (finding.level, finding.kind, finding.message) == (ERROR, UNKNOWN, said)


def test_strict_counts_wherever_it_stands_and_may_be_off() -> None:
    assert [finding.line for finding in refused("strict = true", "foo = 1")] == [4]
    assert [finding.line for finding in refused("foo = 1", "strict")] == [3]
    settings, findings = read("foo = 1", "strict = true", "strict = false")
    assert not settings.strict
    assert [finding.level for finding in findings] == [WARNING]


@pytest.mark.parametrize(
    ("line", "field", "value", "tail"),
    [
        ("threads = 4 ; four", "threads", "4", "; four"),
        ("buffer-size = 131072  # Increase", "buffer_size", 131072, "# Increase"),
        ("http-timeout = 20 ; s", "body_timeout", 20.0, "; s"),
        ("chmod-socket = 664 # group", "chmod_socket", 0o664, "# group"),
        ("umask = 022 ; usual", "umask", 0o22, "; usual"),
        ("listen = 64 ; few", "listen", 64, "; few"),
    ],
)
def test_a_number_with_a_comment_behind_it(line: str, field: str, value: object, tail: str) -> None:
    settings, (finding,) = read(line)
    assert getattr(settings, field) == value
    assert (finding.level, finding.kind, finding.line) == (WARNING, BAD_VALUE, 3)
    assert finding.message.endswith(f"a comment is a line of its own, '{tail}' is part of the value")
    settings, (finding,) = read(line, "strict")
    assert getattr(settings, field) == value
    assert (finding.level, finding.kind, finding.line) == (WARNING, BAD_VALUE, 3), "uWSGI takes it too"


@pytest.mark.parametrize(
    "line", ["threads = four", "listen = -1", "buffer-size = ; none", "limit-post =", "processes = many"]
)
def test_a_number_that_is_none_is_an_error(line: str) -> None:
    (finding,) = refused(line)
    assert (finding.level, finding.kind, finding.line) == (ERROR, BAD_VALUE, 3)
    assert "is expected" in finding.message


def test_a_flag_that_is_neither_on_nor_off_is_on_with_a_warning() -> None:
    settings, (finding,) = read("vacuum = false ; keep it")
    assert settings.vacuum
    assert finding.kind == BAD_VALUE
    assert finding.message.startswith("taken for on: only false, off, no and 0 turn a flag off: a comment")
    settings, findings = read("disable-logging = banana", "strict = true")
    assert settings.disable_logging
    assert [finding.level for finding in findings] == [WARNING], "uWSGI takes it under strict too"


def test_a_comment_behind_an_address_is_named() -> None:
    (finding,) = refused("http-socket = 127.0.0.1:http # web")
    assert finding.message.endswith(
        "; a comment is a line of its own, and what follows a value is part of it"
    )


def test_two_applications_are_uwsgis_one() -> None:
    """uWSGI loads both and serves the module, in whichever order they stand."""
    settings, (finding,) = read("wsgi-file = web.py")
    assert (settings.module, settings.wsgi_file) == ("app", "")
    assert (finding.level, finding.kind, finding.option) == (WARNING, CONFLICT, "wsgi-file")
    assert finding.message == "not run: module = app names the application too"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("plugins = php", "php: uWSGI's plugins are not loaded"),
        ("plugin = python3,gevent", "gevent: requests run on threads here; set threads = N"),
        ("need-plugin = rack", "rack: uWSGI's plugins are not loaded"),
        ("loop = gevent", "threads = N"),
        ("queue = 100", "request-queue = N"),
    ],
)
def test_what_is_not_supported_by_its_value(line: str, said: str) -> None:
    settings, (finding,) = read(line)
    assert (finding.level, finding.kind, finding.line) == (WARNING, UNSUPPORTED, 3)
    assert finding.message.startswith("not acted on: ")
    assert said in finding.message
    assert (settings.loop, settings.queue) == ("auto", 1024)


@pytest.mark.parametrize(("line", "loop"), [("loop = uvloop", "uvloop"), ("loop = asyncio", "asyncio")])
def test_a_loop_that_penstock_has_is_chosen_by_uwsgis_name_too(line: str, loop: str) -> None:
    settings, findings = read(line)
    assert (settings.loop, findings) == (loop, [])


def test_findings_of_the_sources_count_too() -> None:
    before = Finding(ERROR, SYNTAX, "no section [uwsgi]", origin="app.ini", file="app.ini")
    findings = [before]
    with pytest.raises(InvalidConfigError) as caught:
        assemble(raws(*BASE, "threads = four"), findings)
    assert caught.value.findings[0] == before
    assert findings == list(caught.value.findings)
    assert str(caught.value).splitlines()[0] == "app.ini: no section [uwsgi]"
    assert isinstance(caught.value, ConfigError)
    warning = Finding(WARNING, SYNTAX, "odd", origin="app.ini:1", file="app.ini", line=1)
    assert assemble(raws(*BASE), [warning]).notices == ("app.ini:1: odd",)


def test_findings_come_in_the_order_of_the_lines() -> None:
    _, findings = read("tcp-fast-open = 30", "foo = 1", "threads = 2 x", "snmp = :1", "plugins = php")
    assert [finding.line for finding in findings] == [3, 4, 5, 6, 7]


@pytest.mark.parametrize("protocol", ["http", "uwsgi"])
def test_in_uwsgis_files_its_defaults_hold_beside_the_short_form(protocol: str) -> None:
    """One thread and the uwsgi protocol, also where the application is a word of the command line."""
    word = RawOption("<application>", "app", "command line")
    settings = assemble([*raws("socket = :3031", f"protocol = {protocol}"), word])
    assert (settings.short_form, settings.thread_count) == (False, 1)
    assert [spec.protocol for spec in settings.listeners] == [protocol]
    settings = assemble([*raws("socket = :3031"), word])
    assert [spec.protocol for spec in settings.listeners] == ["uwsgi"]
    toml = [raw._replace(file="pyproject.toml") for raw in raws("socket = :3031")]
    assert assemble([*toml, word]).short_form


def test_how_a_finding_is_told() -> None:
    place = ("queue", "x", "command line")
    assert told(Finding(ERROR, BAD_VALUE, "wrong", *place)) == "command line: --queue x: wrong"
    assert told(Finding(WARNING, BAD_VALUE, "odd", *place)) == "--queue (command line): odd"
    place = ("--queue", "x", "command line")
    assert told(Finding(ERROR, BAD_VALUE, "wrong", *place)) == "command line: --queue x: wrong"
    place = ("<application>", "x", "command line")
    assert told(Finding(ERROR, BAD_VALUE, "wrong", *place)) == "command line: <application> x: wrong"
    file = Finding(WARNING, BAD_VALUE, "odd", "queue", "x", "app.ini:3", "app.ini", 3)
    assert told(file) == "app.ini:3: queue = x: odd"
    assert told(Finding(ERROR, BAD_VALUE, "no socket")) == "no socket"


def test_a_start_imports_nothing_heavy() -> None:
    program = (
        "import sys\nfrom penstock.config.assemble import assemble\n"
        "from penstock.config.raw import RawOption\n"
        "assemble([RawOption('module', 'app', ''), RawOption('bind', ':1', '')])\n"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert done.stdout == "[]\n"
