"""A house with the occasions of a supervisor, and what it was asked; nothing serves in it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from penstock.config.settings import Settings
from penstock.process.supervisor.occasions import Occasions
from penstock.process.supervisor.supervisor import Ending
from tests.process.programs.keeping import PATH, Keeping
from tests.process.supervisor.recording import settings


class Attended(Keeping, Occasions):
    """``asked``: the stops that it was asked for; ``raised``: the alarms; ``looked``: how often it was told
    that somebody is done."""

    on_message: list[Callable[[Any, dict[str, Any]], None]]
    on_gone: list[Callable[[Any], None]]

    def __init__(self, log: Path, given: Settings) -> None:
        Occasions.__init__(self)
        Keeping.__init__(self, log)
        self.settings = given
        self.variables = dict(PATH)
        self.ending: Any = None
        self.current: Any = None
        self.build: Any = None
        self.lineage = SimpleNamespace(loadings=[], lent=None, doors=None)
        self.herd = SimpleNamespace(by_pid=lambda pid: None, strangers={})
        self.workers: list[Any] = []
        self.asked: list[tuple[str, bool, int]] = []
        self.raised: list[tuple[str, str]] = []
        self.looked = 0
        self.elders: set[int] = set()
        self.reopened = 0
        self.alarm = lambda name, text: self.raised.append((name, text))

    def environ(self) -> dict[str, str]:
        return dict(self.variables)

    def reopen_logs(self) -> None:
        self.reopened += 1
        self.diary.reopen()
        for call in self.on_reopen:
            call((), "")

    def handles(self) -> list[Any]:
        return self.workers

    def look_whether_done(self) -> None:
        self.looked += 1

    def stop(self, why: str, now: bool = False, code: int = 0) -> None:
        self.asked.append((why, now, code))

    def serve(self, **options: Any) -> None:
        """The first generation serves, or another one with other settings."""
        if options:
            self.change(settings(**options))
        else:
            for call in self.on_serving:
                call()

    def change(self, given: Settings, how: str = "graceful") -> None:
        """Another generation serves."""
        self.settings = given
        for call in self.on_change:
            call()
        for tell in self.on_generation:
            tell(how)

    def finish(self, now: bool = False) -> None:
        """The end has begun, and the last worker is gone."""
        self.ending = Ending("the end", now)
        for call in self.on_drained:
            call()

    def done(self) -> bool:
        """Whether nobody has anything to finish."""
        return not any(unfinished() for unfinished in self.unfinished)

    def close(self) -> None:
        """Nothing is started any more, and nobody is left."""
        self.ending = Ending("the test is over")
        super().close()


@contextmanager
def attended(tmp: Path, **options: Any) -> Iterator[Attended]:
    """One for the block; what its callbacks raised fails the test, and nobody is left."""
    house = Attended(tmp / "house.log", settings(**options))
    try:
        yield house
    finally:
        house.close()
    assert house.faults == []
