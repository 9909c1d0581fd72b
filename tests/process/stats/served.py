"""A server as reporting sees one: a real scoreboard, ledger and loop; workers say what they are told to."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

from penstock.config.settings import Settings
from penstock.interprocess.ledger import CORE, CORES, CORES_AT, REQUESTS, RUNNING, SENT, Ledger
from penstock.interprocess.scoreboard import ACCEPTING, Scoreboard
from penstock.logs.setup import Diary
from penstock.process.alone.lone import OnlyGeneration
from penstock.process.supervisor.handle import State
from penstock.process.supervisor.inquiry import Inquiry
from penstock.process.supervisor.watch import Watch
from tests.sinks import file_sink


@dataclass(eq=False)
class Worker:
    """One of a real board's slots; ``says`` is what it answers when it is asked for requests."""

    wid: int
    slot: int
    pid: int
    cell: Any
    heard: Callable[["Worker", dict[str, Any]], None]
    state: State = State.SERVING
    born: float = field(default_factory=monotonic)
    says: list[Any] | None = None

    @property
    def channel(self) -> "Worker":
        return self

    def send(self, message: dict[str, Any]) -> None:
        """Ask it, as a channel does."""
        assert message["what"] == "requests" and message["vars"] is True
        if self.says is not None:
            self.heard(self, {"is": "told", "id": message["id"], "value": self.says})


class Served:
    """Of settings, with workers from 1 on."""

    def __init__(self, tmp: Path, **options: Any) -> None:
        self.settings = Settings(**options)
        self.faults: list[str] = []
        self.watch = Watch(self.faults.append)
        self.log = tmp / "log"
        self.diary = Diary(file_sink(str(self.log)), None)
        self.board = Scoreboard.create(8)
        self.ledger = Ledger.create(8)
        self.on_message: list[Callable[[Any, dict[str, Any]], None]] = []
        self.current: Any = OnlyGeneration(self.settings)
        self.build: Any = None
        self.wanted = 0
        self.beside: dict[str, Any] = {}
        self.workers: list[Worker] = []
        self.raised: list[tuple[str, str]] = []
        self.inquiry = Inquiry(self)

    def handles(self) -> list[Worker]:
        return self.workers

    def household(self) -> dict[str, Any]:
        return self.beside

    def alarm(self, name: str, text: str) -> None:
        self.raised.append((name, text))

    def say(self, worker: Worker, message: dict[str, Any]) -> None:
        for call in self.on_message:
            call(worker, message)

    def born(self, wid: int, pid: int = 1, threads: int = 2) -> Worker:
        """Another worker, which has said hello."""
        slot = next(slot for slot in range(8) if slot not in {one.slot for one in self.workers})
        cell = self.board.claim(slot, pid)
        cell.state, cell.threads = ACCEPTING, threads
        worker = Worker(wid, slot, pid, cell, self.say)
        self.workers.append(worker)
        self.say(worker, {"is": "hello", "pid": pid})
        return worker

    def served(self, worker: Worker, requests: int, core: int = 0, sent: int = 0, running: int = 0) -> None:
        """It has served so many."""
        words = self.ledger.cell(worker.slot).words
        words[REQUESTS] += requests
        words[SENT] += sent
        words[RUNNING] += running
        words[CORES] = max(words[CORES], core + 1)
        words[CORES_AT + core * CORE] += requests

    def turn(self, seconds: float = 0.03) -> None:
        """Let the loop run for a moment."""
        self.watch.later(seconds, self.watch.stop)
        self.watch.run()

    def until(self, done: Callable[[], object], seconds: float = 5.0) -> None:
        """Let it run until something is so."""
        begun = monotonic()
        while not done():
            assert monotonic() - begun < seconds
            self.turn(0.01)

    def text(self) -> str:
        return self.log.read_text()


@contextmanager
def served(tmp: Path, **options: Any) -> Iterator[Served]:
    """One for the block; a callback that raised fails the test."""
    server = Served(tmp, **options)
    try:
        yield server
    finally:
        server.watch.close()
        server.diary.close()
        server.board.close()
        server.ledger.close()
    assert server.faults == []
