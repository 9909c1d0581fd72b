"""A house with the occasions of a supervisor, and what it was asked; nothing serves in it."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from penstock.config.settings import Settings
from penstock.process.supervisor.supervisor import Ending
from tests.process.household.keeping import PATH, Keeping
from tests.process.supervisor.recording import settings


class Attended(Keeping):
    """``asked``: the stops that were asked for; ``looked``: how often it was told that somebody is done."""

    def __init__(self, log: Path, given: Settings) -> None:
        super().__init__(log)
        self.settings = given
        self.variables = dict(PATH)
        self.on_serving: list[Callable[[], None]] = []
        self.on_change: list[Callable[[], None]] = []
        self.on_drained: list[Callable[[], None]] = []
        self.on_exec: list[Callable[[], None]] = []
        self.on_stay: list[Callable[[], None]] = []
        self.unfinished: list[Callable[[], bool]] = []
        self.carrying: dict[str, Any] = {}
        self.ending: Ending | None = None
        self.asked: list[tuple[str, bool, int]] = []
        self.looked = 0

    def environ(self) -> dict[str, str]:
        return dict(self.variables)

    def look_whether_done(self) -> None:
        self.looked += 1

    def stop(self, why: str, now: bool = False, code: int = 0) -> None:
        self.asked.append((why, now, code))

    def serve(self, **options: Any) -> None:
        """The first generation serves, or another one with other settings."""
        first, others = self.on_serving, self.on_change
        if options:
            self.settings = settings(**options)
        for call in others if options else first:
            call()

    def finish(self, now: bool = False) -> None:
        """The end has begun, and the last worker is gone."""
        self.ending = Ending("the end", now)
        for call in self.on_drained:
            call()

    def done(self) -> bool:
        """Whether nobody has anything to finish."""
        return not any(unfinished() for unfinished in self.unfinished)


@contextmanager
def attended(tmp: Path, **options: Any) -> Iterator[Attended]:
    """One for the block; what its callbacks raised fails the test, and nobody is left."""
    house = Attended(tmp / "house.log", settings(**options))
    try:
        yield house
    finally:
        house.ending = Ending("the test is over")
        for pid in house.children:
            kill(pid)
        house.until(lambda: not house.children)
        house.watch.close()
        house.diary.close()
    assert house.faults == []


def kill(pid: int) -> None:
    """Its group, and it."""
    for call in (os.killpg, os.kill):
        try:
            call(pid, 9)
        except OSError:
            pass
