"""``log-format``: every variable, the text around them, the forms by name."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from time import ctime, localtime, strftime, tzset
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.config.settings import Settings
from penstock.core.record import FILE, LANE, READ_ERROR, WRITE_ERROR, Record
from penstock.logs.fields import CLF_TIME
from penstock.logs.format import LogFormat, compile_format, metrics_named
from penstock.logs.house import House
from tests.records import PLAIN, record, said_of

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
HOUSE = House(wid=3, memory=lambda: (300 << 20, 20 << 20))
HOUSE.metrics = {"worker.0.requests": 7}


def compiled(text: str, **options: Any) -> LogFormat:
    made = compile_format(Settings(log_format=text, **options), HOUSE)
    assert made is not None
    return made


def line(text: str, *, seen: Record = PLAIN, variables: dict[str, str] | None = None, **options: Any) -> str:
    made = compiled(text, **options)
    [found] = made.lines([seen._replace(said=said_of(made.wanted, **variables or {}))])
    return found


SEEN = record(
    started=1795216000.2504,
    seconds=0.0019014,
    user="eva",
    status=404,
    body_bytes=900,
    variables=10,
    core=5,
    headers=4,
    id="4f",
    mount="/shop",
    kind=FILE,
)
SECOND = localtime(1795216000)
VARIABLES = {
    "HTTP_HOST": "shop.example:8000",
    "HTTP_USER_AGENT": "curl/8.5.0",
    "HTTP_REFERER": "http://shop.example/",
    "CONTENT_LENGTH": "42",
    "HTTP_X_ONE": "eins",
    "HTTP_TRACEPARENT": TRACEPARENT,
}
UWSGIS = {
    "uri": "/hi?a=b",
    "method": "GET",
    "user": "eva",
    "addr": "127.0.0.1",
    "host": "shop.example:8000",
    "proto": "HTTP/1.1",
    "uagent": "curl/8.5.0",
    "referer": "http://shop.example/",
    "status": "404",
    "rsize": "900",
    "hsize": "58",
    "size": "958",
    "cl": "42",
    "micros": "1901",
    "msecs": "1",
    "secs": "0.001901",
    "tmsecs": "1795216000250",
    "tmicros": "1795216000250400",
    "time": "1795216000",
    "ltime": strftime(CLF_TIME, SECOND),
    "ftime": strftime(CLF_TIME, SECOND),
    "ctime": ctime(1795216000),
    "epoch": "1795216000",
    "pid": str(os.getpid()),
    "wid": "3",
    "switches": "2",
    "vars": "20",
    "core": "5",
    "vsz": str(300 << 20),
    "rss": str(20 << 20),
    "vszM": "300",
    "rssM": "20",
    "pktsize": "197",
    "modifier1": "0",
    "modifier2": "0",
    "headers": "4",
    "werr": "0",
    "rerr": "0",
    "ioerr": "0",
    "var.HTTP_X_ONE": "eins",
    "metric.worker.0.requests": "7",
    "metric.nothing": "0",
}
OURS = {
    "id": "4f",
    "receive": "0.000100",
    "queue": "0.000200",
    "run": "0.001500",
    "write": "0.000100",
    "mount": "/shop",
    "kind": "file",
    "bytes": "900",
    "trace_id": "0af7651916cd43dd8448eb211c80319c",
    "span_id": "b7ad6b7169203331",
}


@pytest.mark.parametrize(
    ("name", "text"), [pytest.param(*one, id=one[0]) for one in [*UWSGIS.items(), *OURS.items()]]
)
def test_every_variable(name: str, text: str) -> None:
    assert line(f"<%({name})>", seen=SEEN, variables=VARIABLES) == f"<{text}>"


def test_all_at_once() -> None:
    names = [*UWSGIS, *OURS]
    made = line("|".join(f"%({name})" for name in names), seen=SEEN, variables=VARIABLES)
    assert made == "|".join([*UWSGIS.values(), *OURS.values()])


EMPTY = {
    "uri": "-",
    "method": "-",
    "user": "-",
    "addr": "-",
    "proto": "-",
    "host": "-",
    "uagent": "-",
    "referer": "-",
    "cl": "0",
    "rsize": "0",
    "var.HTTP_X_ONE": "-",
    "var.wsgi.input": "-",
    "var.penstock.disconnected": "-",
    "no_such_thing": "-",
    "id": "-",
    "mount": "-",
    "bytes": "-",
    "trace_id": "-",
    "span_id": "-",
}


@pytest.mark.parametrize(("name", "text"), EMPTY.items())
def test_what_is_empty(name: str, text: str) -> None:
    nothing = record(uri="", method="", address="", protocol="", body_bytes=0)
    assert line(f"%({name})", seen=nothing) == text


@pytest.mark.parametrize(
    ("faults", "text"),
    [(0, "0 0 0"), (READ_ERROR, "1 0 1"), (WRITE_ERROR, "0 1 1"), (READ_ERROR | WRITE_ERROR, "1 1 2")],
)
def test_errors_are_counted(faults: int, text: str) -> None:
    assert line("%(rerr) %(werr) %(ioerr)", seen=record(faults=faults)) == text


@pytest.mark.parametrize(
    "text",
    ["plain", "100%", "%d %s %%", "%(", "%()", "(uri)", "% (uri)", "{uri} $uri ${uri}", "%(uri", "é"],
)
def test_text_around_is_as_it_is(text: str) -> None:
    assert line(text) == text
    assert line(f"{text}%(status){text}") == f"{text}200{text}"


def test_a_percent_before_a_variable_is_a_percent() -> None:
    assert line("%%(method)") == "%GET"


def test_logvars_are_the_sites_own_names() -> None:
    seen = record(logvars={"user_id": "17", "queue": "mine", "uri": "not asked", "empty": ""})
    assert line("%(user_id) %(queue) %(uri) %(empty) %(other)", seen=seen) == "17 mine /hi?a=b - -"


def test_what_is_said_is_escaped_wherever_it_comes_from() -> None:
    evil = 'a"\n\x1b[2J\xff'
    safe = "a\\x22\\x0a\\x1b[2J\\xff"
    seen = record(uri=evil, method=evil, user=evil, address=evil, protocol=evil, id=evil, mount=evil,
                  logvars={"mine": evil})  # fmt: skip
    text = "%(uri) %(method) %(user) %(addr) %(proto) %(id) %(mount) %(mine) %(host) %(var.X)"
    made = line(text, seen=seen, variables={"HTTP_HOST": evil, "X": evil})
    assert made == " ".join([safe] * 10)


def test_a_variable_that_is_no_length_has_one() -> None:
    assert line("%(cl)", variables={"CONTENT_LENGTH": "1\n2"}) == "1\\x0a2"


def test_metrics_are_those_of_now() -> None:
    assert metrics_named(Settings(log_format="%(metric.a.b) %(uri) %(metric.c) %(metric.a.b)")) == (
        "a.b",
        "c",
    )
    assert metrics_named(Settings()) == ()
    house = House()
    made = compile_format(Settings(log_format="%(metric.a.b)"), house)
    assert made is not None
    assert made.lines([PLAIN]) == ["0"]
    house.metrics = {"a.b": 5}
    assert made.lines([PLAIN]) == ["5"]


def test_each_variable_is_asked_for_once() -> None:
    made = compiled("%(host) %(var.HTTP_HOST) %(uagent) %(status) %(var.A) %(cl)")
    assert made.wanted == ("HTTP_HOST", "HTTP_USER_AGENT", "A", "CONTENT_LENGTH")
    assert compiled("%(status)").wanted == ()


def test_ids_are_made_where_lines_have_them() -> None:
    assert compiled("%(id)").uses_id
    assert compiled("json").uses_id
    assert not compiled("%(uri)").uses_id
    assert not compiled("").uses_id


COMMON = re.compile(r'(\S+) - (\S+) \[([^]]+)\] "([^"]*)" (\d{3}) (\d+|-)')


def test_common_and_combined_by_name() -> None:
    when = strftime("%d/%b/%Y:%H:%M:%S %z", SECOND)
    common = f'127.0.0.1 - eva [{when}] "GET /hi?a=b HTTP/1.1" 404 900'
    assert line("common", seen=SEEN) == common
    assert line("combined", seen=SEEN, variables=VARIABLES) == (
        f'{common} "http://shop.example/" "curl/8.5.0"'
    )
    assert line("common", seen=record(body_bytes=0)).endswith(" 200 -")
    assert line("combined").endswith(' 200 9 "-" "-"')


@given(st.text(st.characters(max_codepoint=255), max_size=40))
def test_no_request_breaks_the_common_form(text: str) -> None:
    made = line("common", seen=record(uri=text, method=text, protocol=text))
    assert COMMON.fullmatch(made)


@pytest.fixture
def winter() -> Iterator[None]:
    """A time zone that is not UTC."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "AAA-05:30"
    tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    tzset()


@pytest.mark.usefixtures("winter")
def test_times_are_local() -> None:
    assert line("%(ltime)", seen=record(started=0.5)) == "01/Jan/1970:05:30:00 +0530"
    assert line("%(ctime)", seen=record(started=0.5)) == "Thu Jan  1 05:30:00 1970"


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"log_date": "%Y", "logformat_strftime": True}, "2026"),
        ({"log_prefix": "%Y", "logformat_strftime": True}, "2026"),
        ({"log_date": "%Y"}, strftime(CLF_TIME, SECOND)),
        ({"logformat_strftime": True}, strftime(CLF_TIME, SECOND)),
        ({"log_date": "true", "logformat_strftime": True}, strftime(CLF_TIME, SECOND)),
    ],
)
def test_ftime_is_as_log_date_says(options: dict[str, Any], text: str) -> None:
    assert line("%(ftime)", **options) == text
    assert line("%(ltime)", **options) == strftime(CLF_TIME, SECOND)


def test_times_change_with_the_second() -> None:
    made = compiled("%(ctime)")
    seconds = [1795216000.9, 1795216001.0, 1795216001.5, 1795216000.1]
    lines = made.lines([record(started=second) for second in seconds])
    assert lines == [ctime(second) for second in seconds]


def test_the_default_line_has_its_options() -> None:
    made = compile_format(Settings(log_micros=True, vhost=True, memory_report=1), HOUSE)
    assert made is not None
    assert made.wanted == ("HTTP_HOST",)
    [found] = made.lines([record(said=("h",))])
    assert found.startswith("h {address space usage: 314572800 bytes/300MB} {rss usage: ")
    assert " bytes in 1900 micros (" in found


def test_two_reports_all_of_the_memory() -> None:
    house = House(shares=lambda: (30 << 20, 20 << 20))
    made = compile_format(Settings(memory_report=2), house)
    assert made is not None
    [found] = made.lines([record()])
    assert "{uss usage: 20971520 bytes/20MB} {pss usage: 31457280 bytes/30MB} [pid: " in found


def test_there_is_none_where_no_request_has_a_line() -> None:
    assert compile_format(Settings(disable_logging=True)) is None
    assert compile_format(Settings(access_log="off")) is None
    assert compile_format(Settings(disable_logging=True, log_5xx=True)) is not None


def test_requests_without_a_line_are_counted() -> None:
    made = compile_format(Settings(disable_logging=True, log_4xx=True))
    assert made is not None
    found = made.lines([PLAIN, record(status=404), record(app=-1), record(status=403)])
    assert [one.partition("|req: ")[2].partition("]")[0] for one in found] == ["2/2", "3/4"]


def test_requests_that_said_donotlog_are_counted_too() -> None:
    made = compile_format(Settings())
    assert made is not None
    [found] = made.lines([record(logged=False), record(kind=LANE), PLAIN])
    assert "|req: 2/2]" in found


def test_the_page_has_every_variable() -> None:
    page = (Path(__file__).parents[2] / "docs" / "logging.md").read_text()
    rows = " ".join(line.split("|")[1] for line in page.splitlines() if line.startswith("| `"))
    named = {name.replace(".NAME", "") for name in re.findall(r"`([\w.]+)`", rows)}
    assert {name.split(".")[0] for name in (*UWSGIS, *OURS)} <= named
