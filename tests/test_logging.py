"""The application's own log: JSON like the access log's, and the id of the request that runs."""

import io
import json
import logging
import logging.config
import math
import sys
from collections.abc import Iterator
from contextvars import copy_context
from pathlib import Path
from typing import Any

import pytest

import penstock.logging
from penstock.core import running
from penstock.logging import JsonFormatter, RequestIdFilter, request_id

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """The root logger, put back afterwards."""
    logger = logging.getLogger()
    handlers, level = list(logger.handlers), logger.level
    yield logger
    logger.handlers[:] = handlers
    logger.setLevel(level)


@pytest.fixture(autouse=True)
def _no_request() -> None:
    """Whatever was answered on this thread before."""
    running.end()


def in_a_request(call: Any, *words: Any) -> Any:
    """``call`` on a thread that answers one."""

    def thread() -> Any:
        running.begin("4f", TRACEPARENT)
        return call(*words)

    return copy_context().run(thread)


def said(record: logging.LogRecord) -> dict[str, Any]:
    text = JsonFormatter().format(record)
    assert text.isascii()
    assert "\n" not in text
    found = json.loads(text, parse_constant=pytest.fail)
    assert isinstance(found, dict)
    return found


def record_of(message: str, *words: Any, level: int = logging.INFO, **more: Any) -> logging.LogRecord:
    made = logging.LogRecord("shop.orders", level, "/shop/orders.py", 17, message, words, None)
    made.created = 1795216000.25
    vars(made).update(more)
    return made


def test_a_record_has_the_access_logs_names() -> None:
    found = said(record_of("order %s", 5))
    wanted = {
        "timestamp": "2026-11-20T23:06:40.250000Z",
        "severity_text": "INFO",
        "logger": "shop.orders",
        "message": "order 5",
        "code.file.path": "/shop/orders.py",
        "code.line.number": 17,
        "thread.name": "MainThread",
    }
    assert {name: found.pop(name) for name in wanted} == wanted
    assert found.keys() == {"process.pid"}


def test_the_running_request_is_named() -> None:
    found = in_a_request(said, record_of("x"))
    assert found["request_id"] == "4f"
    assert found["trace_id"] == "0af7651916cd43dd8448eb211c80319c"
    assert found["span_id"] == "b7ad6b7169203331"
    assert found["trace_flags"] == "01"
    assert in_a_request(request_id) == "4f"


def test_the_filters_word_counts_where_another_thread_formats() -> None:
    record = record_of("x")
    assert in_a_request(RequestIdFilter().filter, record)
    assert said(record)["request_id"] == "4f"
    outside = record_of("x")
    RequestIdFilter().filter(outside)
    assert vars(outside)["request_id"] == "-"
    assert "request_id" not in in_a_request(said, outside)


@pytest.mark.parametrize(
    ("level", "word"),
    [(10, "DEBUG"), (20, "INFO"), (30, "WARN"), (40, "ERROR"), (50, "FATAL"), (25, "Level 25")],
)
def test_levels_have_opentelemetrys_words(level: int, word: str) -> None:
    assert said(record_of("x", level=level))["severity_text"] == word


def test_an_exception_is_one_line() -> None:
    try:
        raise KeyError('a"b\n')
    except KeyError:
        record = record_of("x", exc_info=sys.exc_info(), stack_info="Stack:\n  here")
    found = said(record)
    assert found["exception.type"] == "KeyError"
    assert found["exception.message"] == repr('a"b\n')
    assert found["exception.stacktrace"].startswith("Traceback (most recent call last):\n")
    assert found["code.stacktrace"] == "Stack:\n  here"
    again = record_of("x", exc_info=None, exc_text="Traceback: there")
    assert said(again)["exception.stacktrace"] == "Traceback: there"
    assert "exception.type" not in said(record_of("x", exc_info=(None, None, None)))


def test_extras_keep_their_types_and_take_no_name() -> None:
    found = said(record_of("x", order=5, paid=True, tags=["a"], who={"a": None}, logger="mine"))
    assert (found["order"], found["paid"], found["tags"], found["who"]) == (5, True, ["a"], {"a": None})
    assert found["logger"] == "shop.orders"


def test_what_json_has_no_word_for_is_text() -> None:
    circle: list[Any] = []
    circle.append(circle)
    things: dict[str, Any] = {
        "not_a_number": math.nan,
        "circle": circle,
        "keys": {(1, 2): 3},
        "odd": object(),
        "kept": 5,
    }
    found = said(record_of("x", **things))
    assert found["not_a_number"] == "nan"
    assert found["kept"] == 5
    assert found["odd"].startswith("<object object")
    assert found["keys"] == "{(1, 2): 3}"
    assert said(record_of("x", odd=object()))["odd"].startswith("<object")


def test_a_message_that_is_no_text_is_text() -> None:
    assert said(record_of("\ud800 \n \x00 ☃"))["message"] == "\\ud800 \n \x00 ☃"


@pytest.mark.usefixtures("root")
def test_one_line_sets_it_up() -> None:
    stream = io.StringIO()
    penstock.logging.setup(stream=stream)
    in_a_request(logging.getLogger("shop").info, "hello")
    logging.getLogger("shop").debug("not this")
    found = json.loads(stream.getvalue())
    assert (found["message"], found["request_id"]) == ("hello", "4f")


@pytest.mark.usefixtures("root")
def test_in_plain_lines() -> None:
    stream = io.StringIO()
    penstock.logging.setup("DEBUG", form="text", stream=stream)
    logging.getLogger("shop").debug("hello")
    in_a_request(logging.getLogger("shop").warning, "again")
    first, second = stream.getvalue().splitlines()
    assert first.endswith(" DEBUG [-] shop: hello")
    assert second.endswith(" WARNING [4f] shop: again")


def test_other_forms_are_refused(root: logging.Logger) -> None:
    before = list(root.handlers)
    with pytest.raises(ValueError, match="json or text"):
        penstock.logging.setup(form="xml")
    assert root.handlers == before


def test_the_pages_configuration_works(root: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    page = (Path(__file__).parents[1] / "docs" / "logging.md").read_text()
    words: dict[str, Any] = {}
    exec("LOGGING = {" + page.partition("\nLOGGING = {")[2].partition("\n```")[0], words)
    logging.config.dictConfig(words["LOGGING"])
    in_a_request(logging.getLogger("shop").info, "hello")
    found = json.loads(capsys.readouterr().err)
    assert (found["message"], found["request_id"]) == ("hello", "4f")
    assert root.level == logging.INFO
