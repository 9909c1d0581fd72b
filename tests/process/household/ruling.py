"""A house with settings, occasions and an end: what daemons see of a supervisor, and no workers."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from penstock.config.settings import Settings
from penstock.process.household.daemons import Daemons
from penstock.process.supervisor.supervisor import Ending
from tests.process.household.keeping import Keeping
from tests.process.supervisor.recording import settings


@dataclass
class Loading:
    processes: dict[int, object]


@dataclass
class Lineage:
    loadings: list[Loading] = field(default_factory=list)


class Ruling(Keeping):
    """``change`` is a reload; ``drain`` the end of the last worker."""

    def __init__(self, log: Path, given: Settings) -> None:
        super().__init__(log)
        self.settings = given
        self.ending: Ending | None = None
        self.on_change: list[Callable[[], None]] = []
        self.on_generation: list[Callable[[str], None]] = []
        self.on_stop: list[Callable[[], None]] = []
        self.on_drained: list[Callable[[], None]] = []
        self.unfinished: list[Callable[[], bool]] = []
        self.carrying: dict[str, Any] = {}
        self.lineage = Lineage()
        self.looked = 0
        self.stops: list[str] = []
        self.workers: list[Any] = []

    def environ(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "FROM": "settings"}

    def handles(self) -> list[Any]:
        return self.workers

    def stop(self, why: str, now: bool = False) -> None:
        self.stops.append(why)
        self.ending = Ending(why, now)
        for call in self.on_stop:
            call()

    def look_whether_done(self) -> None:
        self.looked += 1

    def change(self, given: Settings, how: str = "graceful") -> None:
        self.settings = given
        for call in self.on_change:
            call()
        for tell in self.on_generation:
            tell(how)

    def drain(self, seconds: float = 10.0) -> None:
        for call in self.on_drained:
            call()
        self.until(lambda: not any(ask() for ask in self.unfinished), seconds)


@contextmanager
def ruling(tmp: Path, **options: Any) -> Iterator[tuple[Ruling, Daemons]]:
    """One for the block, with its daemons started; at the end nobody is left."""
    house = Ruling(tmp / "house.log", settings(**options))
    daemons = Daemons(house)
    try:
        daemons.start()
        yield house, daemons
        if house.ending is None:
            house.stop("the test is over")
        house.drain()
        house.rest(0.02)
        assert not house.children
    finally:
        for pid in house.children:
            os.kill(pid, 9)
        if house.children:
            house.until(lambda: not house.children)
        house.watch.close()
        house.diary.close()
    assert house.faults == []
