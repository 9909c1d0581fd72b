"""The hooks of processes that serve, on real loops."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest

from penstock.config.settings import Settings
from penstock.core.errors import StartError
from penstock.process.hooks import lives

ALL = {
    f"hook_{name.replace('-', '_')}": ("print:x",)
    for name in ("accepting", "accepting-once", "accepting1", "accepting1-once")
}


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    made = asyncio.new_event_loop()
    yield made
    made.close()


class Server:
    """A worker that remembers what it was told."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.diary = self
        self.did: list[Any] = []

    def on_signal(self, number: int) -> None:
        self.did.append(number)

    def on_hup(self) -> None:
        self.did.append("hup")

    def halt(self) -> None:
        self.did.append("halt")

    def reopen(self) -> None:
        self.did.append("reopen")

    def say(self, text: str) -> None:
        self.did.append(text)

    warning = say


def get_signal(loop: asyncio.AbstractEventLoop, number: int) -> None:
    os.kill(os.getpid(), number)
    loop.run_until_complete(asyncio.sleep(0.02))


def test_who_does_what_when_it_is_ready() -> None:
    settings = Settings(**ALL)
    assert lives.accepting_phases(settings, 1, True) == [
        "accepting", "accepting-once", "accepting1", "accepting1-once",
    ]  # fmt: skip
    assert lives.accepting_phases(settings, 1, False) == ["accepting", "accepting1"]
    assert lives.accepting_phases(settings, 2, True) == ["accepting", "accepting-once"]
    assert lives.accepting_phases(settings, 2, False) == ["accepting"]
    assert lives.accepting_phases(Settings(), 1, True) == []


def test_a_server_alone(loop: asyncio.AbstractEventLoop) -> None:
    server = Server(loop)
    lives.accepting_alone(server, Settings(**ALL))
    assert server.did == [
        "hook-accepting-once, hook-accepting1-once: not done without a master, as in uWSGI",
        'penstock: hook-accepting: "print:x"', "x", 'penstock: hook-accepting1: "print:x"', "x",
    ]  # fmt: skip


def test_signals_of_a_server_alone(loop: asyncio.AbstractEventLoop) -> None:
    server = Server(loop)
    meanings = ("10 kill_them_all", "12 gracefully_kill_them_all", "23 grace_them_all", "28 uwsgi_log_reopen")
    settings = Settings(hook_accepting=tuple(f"unix_signal:{text}" for text in meanings))
    calls = lives.accepting_alone(server, settings)
    server.did.clear()
    for number in (10, 12, 23, 28):
        calls[number]()
    assert server.did == ["halt", signal.SIGTERM, "hup", "reopen"]


def test_the_time_of_a_worker_stands_still_and_begins_anew() -> None:
    sent: list[dict[str, Any]] = []
    patience = lives.Patience(Settings(start_timeout=7.0), sent.append)
    began = patience.since
    patience(False)
    patience(True)
    assert sent == [{"is": "clock", "seconds": 0}, {"is": "clock", "seconds": 7.0}]
    assert began <= patience.since <= time.monotonic()


def test_what_a_server_alone_does_not_know(loop: asyncio.AbstractEventLoop) -> None:
    settings = Settings(hook_accepting=("unix_signal:10 uwsgi_go_cheap",))
    with pytest.raises(StartError, match="a single process does not know 'cheap'"):
        lives.accepting_alone(Server(loop), settings)


def test_what_a_worker_has_of_its_own(loop: asyncio.AbstractEventLoop) -> None:
    sent: list[dict[str, Any]] = []
    did: list[str] = []
    own = lives.own(loop, {"halt": lambda: did.append("halt")}, sent.append)
    own["alarm"]("mail it is full")
    own["unix_signal"]("12 end_me")
    get_signal(loop, 12)
    assert sent == [{"is": "alarm", "name": "mail", "text": "it is full"}]
    assert did == ["halt"]
