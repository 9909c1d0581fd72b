"""Lines on their way: left out, led to one logger, or to all."""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import pytest

from penstock.config.logs.lines import log_rules
from penstock.config.logs.loggers import STDIO
from penstock.config.settings import Settings
from penstock.logs.routing import Routing
from penstock.logs.sinks import Sink


class Ends:
    """Pipes by name; ``sink`` makes one."""

    def __init__(self) -> None:
        self.fds: dict[str, int] = {}
        self.sinks: dict[str, Sink] = {}

    def sink(self, name: str) -> Sink:
        self.fds[name], writing = os.pipe()
        os.set_blocking(self.fds[name], False)
        self.sinks[name] = Sink(writing)
        return self.sinks[name]

    def got(self) -> dict[str, bytes]:
        found = {}
        for name, fd in self.fds.items():
            with suppress(BlockingIOError):
                found[name] = os.read(fd, 1 << 16)
        return found

    def close(self) -> None:
        for name, sink in self.sinks.items():
            os.close(sink.fd)
            sink.close()
            os.close(self.fds[name])


@pytest.fixture
def ends() -> Iterator[Ends]:
    made = Ends()
    yield made
    made.close()


def routed(ends: Ends, lines: bytes, **options: Sequence[str]) -> dict[str, bytes]:
    """What gets where; a logger is called by its id, or its kind."""
    given: dict[str, Any] = {name: tuple(texts) for name, texts in options.items()}
    rules = log_rules(Settings(**given))
    sinks = {one: ends.sink(one.id or one.target) for one in rules.loggers if one.kind != STDIO}
    Routing(rules, sinks, ends.sink("default")).take(lines)
    return ends.got()


LINES = b"one error\ntwo\nthree error two\n"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, {"default": LINES}),
        ({"logger": ["fd:1"]}, {"1": LINES}),
        ({"logger": ["fd:1", "fd:2"]}, {"1": LINES, "2": LINES}),
        ({"logger": ["stdio", "fd:2"]}, {"default": LINES, "2": LINES}),
        ({"logger": ["a fd:1"]}, {"default": LINES}),
        (
            {"logger": ["a fd:1"], "log_route": ["a error"]},
            {"a": b"one error\nthree error two\n", "default": b"two\n"},
        ),
        (
            {"logger": ["a fd:1", "b fd:2", "fd:3"], "log_route": ["a error", "b two"]},
            {"a": b"one error\nthree error two\n", "b": b"two\nthree error two\n"},
        ),
        ({"log_route": ["a error"]}, {"default": LINES}),
        ({"log_drain": ["error"]}, {"default": b"two\n"}),
        ({"log_drain": ["^one", "^two"]}, {"default": b"three error two\n"}),
        ({"log_filter": ["^one", "^two"]}, {"default": b"one error\ntwo\n"}),
        ({"log_filter": ["error"], "log_drain": ["^one"]}, {"default": b"three error two\n"}),
        ({"log_filter": [r"two\n$"]}, {"default": b"two\nthree error two\n"}),
        ({"log_encoder": ["prefix > "]}, {"default": b"> one error\n> two\n> three error two\n"}),
        (
            {"logger": ["a fd:1", "fd:2"], "log_route": ["a two"], "log_encoder": ["prefix:a A", "prefix *"]},
            {"a": b"*Atwo\n*Athree error two\n", "2": b"*one error\n"},
        ),
        ({"logger": ["a fd:1"], "log_route": ["a ^two", "a two"]}, {"a": b"two\n" * 2 + b"three error two\n",
                                                                    "default": b"one error\n"}),
    ],
)  # fmt: skip
def test_where_lines_go(ends: Ends, options: dict[str, list[str]], expected: dict[str, bytes]) -> None:
    assert routed(ends, LINES, **options) == expected


def test_a_line_without_an_end(ends: Ends) -> None:
    assert routed(ends, b"one\nprompt: ", log_drain=["one"]) == {"default": b"prompt: "}


def test_the_first_logger_of_a_name_counts(ends: Ends) -> None:
    rules = log_rules(Settings(logger=("a fd:1", "a fd:2"), log_route=("a .",)))
    sinks = {one: ends.sink(one.target) for one in rules.loggers}
    Routing(rules, sinks, ends.sink("default")).take(b"x\n")
    assert ends.got() == {"1": b"x\n"}
