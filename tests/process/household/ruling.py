"""A house with daemons: what they see of a supervisor, and no workers."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.config.settings import Settings
from penstock.process.household.daemons import Daemons
from penstock.process.supervisor.supervisor import Ending
from tests.process.household.attending import Attended
from tests.process.supervisor.recording import settings


@dataclass
class Loading:
    processes: dict[int, object]


class Ruling(Attended):
    """``drain`` is the end of the last worker; a stop that is asked for begins."""

    def __init__(self, log: Path, given: Settings) -> None:
        super().__init__(log, given)
        self.variables = {"PATH": os.environ["PATH"], "FROM": "settings"}

    def stop(self, why: str, now: bool = False, code: int = 0) -> None:
        super().stop(why, now, code)
        self.ending = Ending(why, now)
        for call in self.on_stop:
            call()

    def drain(self, seconds: float = 10.0) -> None:
        for call in self.on_drained:
            call()
        self.until(self.done, seconds)


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
        house.until(lambda: not house.children)
    finally:
        house.close()
    assert house.faults == []
