"""Which lines go where, as it is written."""

import re
from typing import Any

import pytest

from penstock.config.logs import lines
from penstock.config.logs.lines import Route, Rules, log_rules, parse_route, plain_loggers, request_rules
from penstock.config.logs.loggers import Logger
from penstock.config.settings import Settings
from penstock.config.settings.logs import LOGGERS, REQUEST_LOGGERS, RULES


def test_a_route() -> None:
    assert parse_route("mail  ^ERROR .*") == Route("mail", re.compile(b"^ERROR .*"))
    for text in ("", "mail", "mail   "):
        with pytest.raises(ValueError, match="ID REGEX is expected"):
            parse_route(text)
    with pytest.raises(ValueError, match="a regular expression"):
        parse_route("mail (")


def test_the_rules_of_both_logs() -> None:
    settings = Settings(
        logger=("a fd:1",),
        log_encoder=("nl",),
        log_route=("a x",),
        log_drain=("d",),
        log_filter=("f",),
        req_logger=("fd:2",),
        log_req_encoder=("hex",),
        log_req_route=("b y",),
    )
    log, requests = log_rules(settings), request_rules(settings)
    assert [one.name for one in log.loggers] == ["a fd:1"]
    assert [one.name for one in log.encoders] == ["nl"]
    assert [one.id for one in log.routes] == ["a"]
    assert [one.pattern for one in log.drains + log.filters] == [b"d", b"f"]
    assert [one.name for one in requests.loggers] == ["fd:2", "a fd:1"], "a route may lead there, too"
    assert [one.name for one in requests.encoders] == ["hex"]
    assert [one.id for one in requests.routes] == ["b"]
    assert requests.drains == requests.filters == (), "uWSGI's look at no request"
    assert log and requests and not Rules()


@pytest.mark.parametrize("field", RULES)
def test_each_field_asks_for_a_look(field: str) -> None:
    values = {"log_route": "a x", "log_req_route": "a x", "log_drain": "x", "log_filter": "x"}
    text = values.get(field, "nl" if "encoder" in field else "/x" if field == "log_socket" else "stdio")
    options: dict[str, Any] = {field: ("site",) if field == "log_syslog" else (text,)}
    settings = Settings(**options)
    assert settings.any_of(RULES) and not Settings().any_of(RULES)
    both = (field not in REQUEST_LOGGERS, field in REQUEST_LOGGERS)
    assert (bool(log_rules(settings)), bool(request_rules(settings))) == both
    assert (field in LOGGERS) + (field in REQUEST_LOGGERS) + (field in ("log_drain", "log_filter")) == 1


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, (None, None)),
        ({"logger": ("file:a",)}, (Logger(kind="file", target="a"), None)),
        ({"req_logger": ("file:logfile=a,maxsize=3",)}, (None, Logger(kind="file", target="a", size=3))),
        ({"logger": ("x file:a",)}, (None, None)),
        ({"logger": ("fd:3",)}, (None, None)),
        ({"logger": ("file:a", "file:b")}, (None, None)),
        ({"logger": ("file:a",), "log_drain": ("x",)}, (None, None)),
        ({"logger": ("file:a",), "log_filter": ("x",)}, (None, None)),
        ({"logger": ("file:a",), "log_encoder": ("nl",)}, (None, None)),
        ({"logger": ("file:a",), "logto": "b"}, (None, None)),
        ({"logger": ("file:a",), "daemonize": "b"}, (None, None)),
    ],
)
def test_what_is_just_a_file(options: dict[str, Any], expected: tuple[Any, Any]) -> None:
    assert plain_loggers(Settings(**options)) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, []),
        ({"logger": ["a fd:1"], "log_route": ["a x"], "log_encoder": ["nl:a"]}, []),
        ({"log_route": ["a x"]}, [("log_route", "a x", "there is no logger a,")]),
        ({"logger": ["a fd:1"]}, [("logger", "a fd:1", "no line gets there: log-route a REGEX is missing")]),
        ({"log_encoder": ["nl:a"]}, [("log_encoder", "nl:a", "there is no logger a, so it is never used")]),
        (
            {"logger": ["a fd:1"], "log_req_route": ["a x", "b x"]},
            [("log_req_route", "b x", "there is no logger b,")],
        ),
        (
            {"worker_logger_req": ["a fd:1"]},
            [("worker_logger_req", "a fd:1", "no line gets there: log-req-route a")],
        ),
        ({"logger": ["nonsense"], "log_route": ["x"], "log_encoder": ["y"]}, []),
    ],
)
def test_what_has_no_effect_is_said(values: dict[str, Any], expected: list[tuple[str, str, str]]) -> None:
    found = [(remark.field, remark.value, remark.text) for remark in lines.remarks(values)]
    assert [one[:2] for one in found] == [one[:2] for one in expected]
    assert all(text.startswith(start) for (_, _, text), (_, _, start) in zip(found, expected, strict=True))
