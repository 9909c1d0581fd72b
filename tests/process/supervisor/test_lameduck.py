"""The lame duck: when a stop is put off, for how long, and who hears of it."""

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from penstock.config.settings import Settings
from penstock.logs.setup import Diary
from penstock.process.supervisor.lameduck import LameDuck
from penstock.process.supervisor.watch import Watch
from tests.sinks import file_sink


@dataclass
class Line:
    """A channel that keeps what is sent."""

    sent: list[dict[str, Any]] = field(default_factory=list)

    def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)


@dataclass
class Worker:
    channel: Line = field(default_factory=Line)


class Stopping:
    """A supervisor as far as its lame duck knows it; ``stops`` are the reasons of those that began."""

    def __init__(self, tmp: Path, seconds: float = 0.1, serving: int = 2) -> None:
        self.watch = Watch(lambda text: None)
        self.diary = Diary(file_sink(str(tmp / "log")), None)
        self.settings = Settings(lame_duck=seconds)
        self.workers = [Worker() for _ in range(serving)]
        self.herd = SimpleNamespace(serving=self.workers, tell_all=self.tell_all)
        self.ending: object = None
        self.lame = False
        self.stops: list[str] = []
        self.postpone: Any = None
        supervisor: Any = self
        self.duck = LameDuck(supervisor)

    def tell_all(self, message: dict[str, Any]) -> None:
        for worker in self.workers:
            worker.channel.send(message)

    def stop(self, why: str, code: int = 0) -> None:
        """As the supervisor does it."""
        if not self.postpone(why, code):
            self.ending = why
            self.stops.append(why)
            self.watch.stop()

    def run(self, seconds: float) -> None:
        self.watch.later(seconds, self.watch.stop)
        self.watch.run()


def test_it_begins_when_the_time_is_over(tmp_path: Path) -> None:
    it = Stopping(tmp_path)
    it.stop("TERM")
    assert it.lame and not it.stops
    assert [worker.channel.sent for worker in it.workers] == [[{"do": "limp"}]] * 2
    it.run(10)
    assert it.stops == ["TERM"]


def test_asked_twice_it_is_one_wish(tmp_path: Path) -> None:
    it = Stopping(tmp_path, seconds=0.2)
    it.stop("q in the pipe")
    it.stop("TERM")
    assert not it.stops and [len(worker.channel.sent) for worker in it.workers] == [1, 1]
    it.run(10)
    assert it.stops == ["q in the pipe"]


def test_a_failure_does_not_wait_for_it(tmp_path: Path) -> None:
    it = Stopping(tmp_path, seconds=0.2)
    it.stop("TERM")
    it.stop("no worker is left", 1)
    assert it.stops == ["no worker is left"]
    it.run(0.4)
    assert it.stops == ["no worker is left"]


@pytest.mark.parametrize(
    ("more", "code"), [({"seconds": 0.0}, 0), ({"serving": 0}, 0), ({}, 1)], ids=["none", "nobody", "failed"]
)
def test_some_stops_are_not_put_off(tmp_path: Path, more: dict[str, Any], code: int) -> None:
    it = Stopping(tmp_path, **more)
    it.stop("why", code)
    assert it.stops == ["why"] and not it.lame
