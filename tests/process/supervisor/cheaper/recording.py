"""A supervisor of which only what sizing asks for is there, and which writes down what it is told."""

import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from penstock.config.assemble import from_keywords
from penstock.config.settings import Settings
from penstock.logs.setup import Diary
from penstock.process.supervisor.handle import State
from penstock.process.supervisor.watch import Watch
from tests.sinks import file_sink


def settings_of(**options: Any) -> Settings:
    return from_keywords({"bind": [], **options}, application=True)


def worker(wid: int, state: State = State.SERVING, **cell: int) -> Any:
    """A worker and its words of the scoreboard."""
    words = {"busy": 0, "threads": 1, "queued": 0, "requests": 0, "ticks": 0, "busy_ticks": 0, **cell}
    return SimpleNamespace(wid=wid, pid=100 + wid, state=state, cell=SimpleNamespace(**words))


@dataclass
class Supervisor:
    """``asked`` are the numbers of workers that it was told, ``stopped`` the reasons to stop."""

    settings: Settings
    diary: Diary
    watch: Watch
    wanted: int
    workers: list[Any] = field(default_factory=list)
    board: Any = field(default_factory=lambda: SimpleNamespace(totals={"requests": 0}))
    paused: bool = False
    build: Any = None
    ending: Any = None
    asked: list[int] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)

    def handles(self) -> Sequence[Any]:
        return self.workers

    def set_wanted(self, count: int) -> None:
        self.wanted = count
        self.asked.append(count)

    def stop(self, why: str) -> None:
        self.ending = why
        self.stopped.append(why)


def supervisor(folder: Path, wanted: int = 2, **options: Any) -> Supervisor:
    """One with as many workers as it wants; its diary is ``log`` in the folder."""
    diary = Diary(file_sink(str(folder / "log")), None)
    made = Supervisor(settings_of(**options), diary, Watch(diary.error), wanted)
    made.workers = [worker(wid) for wid in range(1, wanted + 1)]
    return made


def close(made: Supervisor) -> None:
    made.watch.close()
    made.diary.close()


def listening() -> socket.socket:
    """A listener on a port of the kernel's choice."""
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    sock.listen(20)
    return sock
