"""A request as JSON: typed, with OpenTelemetry's names, and one line that parses whatever a client says."""

import json
import os
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.config.settings import Settings
from penstock.core.record import FAILED, READ_ERROR, RULE, WRITE_ERROR, Record
from penstock.logs.format import compile_format
from penstock.logs.house import House
from penstock.logs.jsonline import JsonLine
from tests.records import PLAIN, record, said_of

LINE = JsonLine(House(wid=2))
NOTHING = ("",) * len(LINE.wanted)


def made(seen: Record = PLAIN, **variables: str) -> dict[str, Any]:
    text = LINE.make(seen._replace(said=said_of(LINE.wanted, **variables)))
    assert text.isascii()
    assert "\n" not in text
    found = json.loads(text, object_pairs_hook=once)
    assert isinstance(found, dict)
    return found


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object, no name of which is there twice."""
    found = dict(pairs)
    assert len(found) == len(pairs), pairs
    return found


def test_a_plain_request() -> None:
    assert made(HTTP_HOST="shop.example:8000", wsgi__url_scheme="http", HTTP_USER_AGENT="curl/8") == {
        "timestamp": "2026-11-20T23:06:40.250000Z",
        "severity_text": "INFO",
        "logger": "penstock.access",
        "message": "GET /hi 200",
        "http.request.method": "GET",
        "url.path": "/hi",
        "url.query": "a=b",
        "url.scheme": "http",
        "http.response.status_code": 200,
        "http.response.body.size": 9,
        "http.response.size": 67,
        "client.address": "127.0.0.1",
        "server.address": "shop.example",
        "server.port": 8000,
        "user_agent.original": "curl/8",
        "network.protocol.name": "http",
        "network.protocol.version": "1.1",
        "http.server.request.duration": 0.0019,
        "penstock.receive": 0.0001,
        "penstock.queue": 0.0002,
        "penstock.run": 0.0015,
        "penstock.write": 0.0001,
        "penstock.kind": "application",
        "penstock.core": 0,
        "penstock.worker": 2,
        "process.pid": os.getpid(),
    }


def test_what_only_some_requests_have() -> None:
    seen = record(
        status=500,
        user="eva",
        via="sendfile()",
        id="4f",
        mount="/shop",
        kind=RULE,
        core=-1,
        faults=FAILED | WRITE_ERROR,
        logvars={"order": "17", 'a"b': "\n"},
    )
    found = made(
        seen,
        HTTP_REFERER="http://a/",
        CONTENT_LENGTH="42",
        HTTP_TRACEPARENT="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )
    wanted = {
        "severity_text": "ERROR",
        "user.name": "eva",
        "penstock.via": "sendfile()",
        "request_id": "4f",
        "penstock.mount": "/shop",
        "penstock.kind": "rule",
        "penstock.core": -1,
        "error.type": "exception",
        "logvars": {"order": "17", 'a"b': "\n"},
        "http.request.header.referer": ["http://a/"],
        "http.request.body.size": 42,
        "trace_id": "0af7651916cd43dd8448eb211c80319c",
        "span_id": "b7ad6b7169203331",
        "trace_flags": "01",
    }
    assert {name: found.get(name) for name in wanted} == wanted


@pytest.mark.parametrize(
    ("host", "name", "port"),
    [
        ("shop.example", "shop.example", None),
        ("shop.example:80", "shop.example", 80),
        ("[::1]:8000", "[::1]", 8000),
        ("[::1]", "[::1]", None),
        ("a:b", "a:b", None),
        ("a:123456", "a:123456", None),
        ("a:", "a:", None),
    ],
)
def test_the_host_and_its_port(host: str, name: str, port: int | None) -> None:
    found = made(HTTP_HOST=host)
    assert (found["server.address"], found.get("server.port")) == (name, port)


@pytest.mark.parametrize("length", ["", "x", "-1", "1\n2", "²"])
def test_a_length_that_is_none_is_left_out(length: str) -> None:
    assert "http.request.body.size" not in made(CONTENT_LENGTH=length)


def test_an_endless_length_is_a_number() -> None:
    assert made(CONTENT_LENGTH="9" * 5000)["http.request.body.size"] == int("9" * 19)


@pytest.mark.parametrize(
    ("status", "faults", "severity"),
    [(200, 0, "INFO"), (404, 0, "INFO"), (499, 0, "INFO"), (500, 0, "ERROR"), (503, 0, "ERROR"),
     (0, READ_ERROR, "ERROR"), (200, FAILED, "ERROR"), (200, WRITE_ERROR, "INFO")],
)  # fmt: skip
def test_severity(status: int, faults: int, severity: str) -> None:
    assert made(record(status=status, faults=faults))["severity_text"] == severity


@pytest.mark.parametrize(
    ("faults", "kind"), [(0, None), (READ_ERROR, "read"), (WRITE_ERROR, "write"), (FAILED, "exception")]
)
def test_what_went_wrong(faults: int, kind: str | None) -> None:
    assert made(record(faults=faults)).get("error.type") == kind


def test_carried_bytes_are_read_as_what_they_are() -> None:
    utf8 = "Grüße ☃".encode().decode("latin-1")
    assert made(HTTP_USER_AGENT=utf8)["user_agent.original"] == "Grüße ☃"
    assert made(HTTP_USER_AGENT="gr\xfc\xdfe")["user_agent.original"] == "grüße"
    assert made(record(logvars={"a": "☃ \ud800"}))["logvars"] == {"a": "☃ \\ud800"}


def test_endless_fields_are_cut() -> None:
    found = made(record(uri="/" + "x" * 100_000))
    assert len(found["url.path"]) == 4096 + 3


def test_microseconds_do_not_run_over() -> None:
    assert made(record(started=1795216000.9999995))["timestamp"].endswith(".999999Z")


ANY = st.text(st.characters(max_codepoint=255), max_size=30)


@given(ANY, ANY, ANY, ANY, ANY)
def test_any_text_comes_back(one: str, two: str, three: str, four: str, five: str) -> None:
    seen = record(user=one, address=two, protocol=three, id=four, mount=five, logvars={one: two})
    found = made(seen, HTTP_USER_AGENT=one, HTTP_HOST=two, HTTP_REFERER=three, CONTENT_LENGTH=four)
    assert found["http.response.status_code"] == 200
    assert found.get("request_id", "") == readable(four)


def readable(text: str) -> str:
    try:
        return text.encode("latin-1").decode()
    except UnicodeDecodeError:
        return text


PIECES = (
    *('"', "\\", "\n", "\r", "\r\n", "\x00", "\x1b[31m", "\x7f", "\xff", "\xc3\xa9", "\xc3", "\xed\xa0\x80"),
    *("\x85", "\xe2\x80\xa8", "{", "}", '","a":"', "%s", "%(uri)", "${msg}", "\\u0000", "x" * 300, "é"),
)


def test_ten_thousand_hostile_requests_are_ten_thousand_lines() -> None:
    made_format = compile_format(Settings(log_format="json"))
    assert made_format is not None
    dice = random.Random(8)

    def evil() -> str:
        return "".join(dice.choices(PIECES, k=dice.randrange(6)))

    batch = [
        record(
            user=evil(),
            address=evil(),
            method=evil(),
            uri=evil(),
            protocol=evil(),
            id=evil(),
            mount=evil(),
            said=tuple(evil() for _ in made_format.wanted),
            logvars={evil(): evil()},
            status=number % 1000,
        )
        for number in range(10_000)
    ]
    text = "".join(f"{one}\n" for one in made_format.lines(batch))
    lines = text.split("\n")
    assert lines.pop() == ""
    assert len(lines) == 10_000
    assert len(text.splitlines()) == 10_000  # nor anything else that some reader takes for an end of line
    for number, one in enumerate(lines):
        found = json.loads(one, parse_constant=pytest.fail)
        assert found["http.response.status_code"] == number % 1000


def test_the_page_shows_a_line() -> None:
    page = (Path(__file__).parents[2] / "docs" / "logging.md").read_text()
    shown = json.loads(page.partition("<!-- json -->")[2].partition("```json")[2].partition("```")[0])
    found = made(
        record(id="4f1c"),
        HTTP_HOST="shop.example:8000",
        wsgi__url_scheme="http",
        HTTP_USER_AGENT="curl/8.5.0",
        CONTENT_LENGTH="42",
        HTTP_TRACEPARENT="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )
    assert list(found) == list(shown)
    assert {**found, "process.pid": 14681, "penstock.worker": 1} == shown
    more = (
        "http.request.header.referer",
        "user.name",
        "penstock.mount",
        "penstock.via",
        "logvars",
        "error.type",
    )
    assert all(f"`{name}`" in page for name in more)
