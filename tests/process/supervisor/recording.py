"""A supervisor that only remembers what it was asked, with a real loop and a real log."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from penstock.config.assemble import from_keywords
from penstock.config.settings import Settings
from penstock.logs.setup import Diary
from penstock.process.supervisor.handle import Handle
from penstock.process.supervisor.watch import Watch
from tests.sinks import file_sink


def settings(**options: Any) -> Settings:
    return from_keywords({"bind": "127.0.0.1:0", **options}, application=True)


class Recording:
    """``asked``: what it was asked, in order; ``until(count)`` runs the loop until there are so many."""

    def __init__(self, log: Path, given: Settings) -> None:
        self.log = log
        self.settings = given
        self.diary = Diary(file_sink(str(log)), None)
        self.faults: list[str] = []
        self.watch = Watch(self.faults.append)
        self.asked: list[tuple[Any, ...]] = []
        self.workers: list[Handle] = []
        self.enough = 0

    def handles(self) -> list[Handle]:
        return list(self.workers)

    def reload(self, why: str, how: str = "graceful") -> None:
        self.note("reload", why, how)

    def replace(self, handle: Handle, why: str) -> None:
        self.note("replace", handle, why)

    def kill(self, handle: Handle, why: str) -> None:
        self.note("kill", handle, why)

    def note(self, *asked: Any) -> None:
        self.asked.append(asked)
        if len(self.asked) >= self.enough:
            self.watch.stop()

    def run(self, seconds: float) -> None:
        """Let the loop run for so long, or until ``enough`` was asked."""
        timer = self.watch.later(seconds, self.watch.stop)
        self.watch.run()
        timer.cancel()

    def until(self, count: int, seconds: float = 10.0) -> None:
        self.enough = count
        if len(self.asked) < count:
            self.run(seconds)
        assert len(self.asked) >= count, self.text()
        self.enough = 1 << 30

    def text(self) -> str:
        return self.log.read_text()


@contextmanager
def recording(tmp: Path, **options: Any) -> Iterator[Recording]:
    """One for the block; what its callbacks raised fails the test."""
    supervisor = Recording(tmp / "supervisor.log", settings(**options))
    supervisor.enough = 1 << 30
    try:
        yield supervisor
    finally:
        supervisor.watch.close()
        supervisor.diary.close()
    assert supervisor.faults == []


def later(path: Path, seconds: float = 5.0) -> None:
    """Give a file a time of change that is as much later than the one it has."""
    found = os.stat(path)
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns + int(seconds * 1e9)))
