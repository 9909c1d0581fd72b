"""A supervisor that does nothing of what it is told and remembers all of it, on a real loop."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from penstock.config.settings import Settings
from penstock.logs.setup import Diary
from penstock.process.supervisor.building import Outcome
from penstock.process.supervisor.commands import Commands
from penstock.process.supervisor.control import Control
from penstock.process.supervisor.figures import COUNTERS, GAUGES
from penstock.process.supervisor.handle import State
from penstock.process.supervisor.places import socket_in
from penstock.process.supervisor.watch import Watch
from tests.sinks import file_sink


@dataclass(eq=False)
class FakeHandle:
    """A worker whose channel remembers what was sent."""

    wid: int
    slot: int
    pid: int
    state: State = State.SERVING
    generation: int = 1
    born: float = 0.0
    why: str = ""
    sent: list[dict[str, Any]] = field(default_factory=list)
    figures: dict[str, int] = field(default_factory=dict)

    @property
    def channel(self) -> Any:
        return SimpleNamespace(send=self.sent.append)

    @property
    def cell(self) -> Any:
        zeros = dict.fromkeys((*GAUGES, *COUNTERS, "beat"), 0)
        return SimpleNamespace(read=lambda: {**zeros, **self.figures})


class Obeying:
    """``did``: what it was asked, in order. ``outcome``: what reloads and upgrades end with, None for later:
    then ``waiting`` are those who want to know."""

    def __init__(self, log: Path, **options: Any) -> None:
        self.log = log
        self.settings = Settings(**options)
        self.diary = Diary(file_sink(str(log)), None)
        self.faults: list[str] = []
        self.watch = Watch(self.faults.append)
        self.did: list[tuple[Any, ...]] = []
        self.outcome: Outcome | None = Outcome(True, "generation 2 serves")
        self.waiting: list[Callable[[Outcome], None]] = []
        self.workers: list[FakeHandle] = []
        self.on_message: list[Callable[[Any, dict[str, Any]], None]] = []
        self.wanted, self.paused = 2, False
        self.ending: Any = None
        self.lame = False
        self.build: Any = None
        self.current: Any = SimpleNamespace(number=1)
        self.last: dict[str, Any] = {}
        self.since = 0.0
        self.beside: dict[str, Any] = {}
        self.overview: Any = None
        self.emperor = False
        self.board = SimpleNamespace(totals=dict.fromkeys(COUNTERS, 0))
        self.herd = SimpleNamespace(places={}, deaths=0)

    def handles(self) -> list[FakeHandle]:
        return self.workers

    def household(self) -> dict[str, Any]:
        return self.beside

    def reinforce(self, why: str) -> bool:
        self.did.append(("reinforce", why))
        return self.emperor

    def scan(self) -> bool:
        self.did.append(("scan",))
        return self.emperor

    def stop(self, why: str, now: bool = False) -> None:
        self.ending = why
        self.did.append(("stop", why, now))

    def reload(self, why: str, how: str = "graceful", done: Callable[[Any], None] | None = None) -> None:
        self.did.append(("reload", why, how))
        self.told(done)

    def upgrade(self, why: str, done: Callable[[Any], None] | None = None) -> None:
        self.did.append(("upgrade", why))
        self.told(done)

    def told(self, done: Callable[[Any], None] | None) -> None:
        if done is None:
            return
        if self.outcome is None:
            self.waiting.append(done)
        else:
            done(self.outcome)

    def pause(self) -> None:
        self.paused = not self.paused
        self.did.append(("pause",))

    def resize(self, delta: int) -> None:
        self.wanted += delta
        self.did.append(("resize", delta))

    def replace(self, handle: Any, why: str) -> None:
        self.did.append(("replace", handle.wid, why))

    def cheap(self, why: str) -> None:
        self.did.append(("cheap", why))

    def reopen_logs(self) -> None:
        self.diary.reopen()
        self.did.append(("reopen_logs",))

    def write_pidfiles(self) -> None:
        self.did.append(("write_pidfiles",))

    def turn(self, seconds: float = 0.03) -> None:
        """Let the loop run for a moment."""
        self.watch.later(seconds, self.watch.stop)
        self.watch.run()

    def text(self) -> str:
        return self.log.read_text()

    def everything(self) -> str:
        """With the logs that were rotated."""
        return "".join(path.read_text() for path in sorted(self.log.parent.glob("log*")))

    def close(self) -> None:
        self.watch.close()
        self.diary.close()


@contextmanager
def obeying(tmp: Path, **options: Any) -> Iterator[Obeying]:
    """One for the block; a callback that raised fails the test."""
    supervisor = Obeying(tmp / "log", **options)
    try:
        yield supervisor
    finally:
        supervisor.close()
    assert supervisor.faults == []


@contextmanager
def commanded(tmp: Path, pid: int | None = None) -> Iterator[tuple[Obeying, Control]]:
    """One with a control socket, on a thread of its own; with ``pid`` it lies where that process's would."""
    with obeying(tmp) as supervisor:
        control = Control(Commands(supervisor))
        where = str(tmp / "ctl") if pid is None else socket_in(str(tmp / "penstock"), pid)
        control.open(supervisor.watch, where, {})
        thread = threading.Thread(target=supervisor.watch.run)
        thread.start()
        try:
            yield supervisor, control
        finally:
            ending = socket.socket(socket.AF_UNIX)
            supervisor.watch.later(0, supervisor.watch.stop)
            ending.connect(control.path)  # wakes the loop
            thread.join(10)
            ending.close()
            control.close()


@contextmanager
def controlled(tmp: Path) -> Iterator[tuple[Obeying, Control]]:
    """One with a control socket; the test lets its loop run."""
    with obeying(tmp) as supervisor:
        control = Control(Commands(supervisor))
        control.open(supervisor.watch, str(tmp / "ctl"), {})
        try:
            yield supervisor, control
        finally:
            control.close()
