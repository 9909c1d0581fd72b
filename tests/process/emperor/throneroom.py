"""A court with real processes and a real loop, and what the tests ask of it."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from penstock.config.assemble import from_keywords
from penstock.config.settings import Settings
from penstock.logs.setup import Diary
from penstock.process.emperor import demand
from penstock.process.emperor.emperor import Emperor, Life
from penstock.process.emperor.rites import nobody
from penstock.process.emperor.vassal import Vassal
from tests.sinks import file_sink

STANDIN = Path(__file__).parent / "standin.py"
LONGEST = 15.0  # seconds that a test waits for anything


def settings(*places: Path | str, **options: Any) -> Settings:
    given = {
        "emperor": [str(place) for place in places],
        "emperor_freq": "0.05",
        "emperor_throttle": 50,
        **options,
    }
    return from_keywords(given)


class Room(Emperor):
    """An emperor whose signals are not the tests': it is looked after by ``until``."""

    def __init__(self, given: Settings, log: Path, start: Path) -> None:
        super().__init__(given, Diary(file_sink(str(log)), None), str(start), Life(nobody, nobody, nobody))
        self.log = log
        self.faults: list[str] = []
        self.watch.failed = self.faults.append

    def reap(self) -> None:
        """Only those that are its own: the tests have other children."""
        for pid in list(self.children):
            try:
                found, status = os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                continue
            if found:
                self.children.pop(pid)(os.waitstatus_to_exitcode(status))

    def clean_up(self) -> None:
        """A sweep would kill what other tests have started."""
        for pid in self.pids():
            os.kill(pid, 9)
            os.waitpid(pid, 0)
        self.watch.stop()

    def until(self, done: Callable[[], object]) -> None:
        end = time.monotonic() + LONGEST

        def check() -> None:
            self.reap()
            if done() or time.monotonic() > end:
                self.watch.stop()

        timer = self.watch.every(0.01, check)
        self.watch.run()
        timer.cancel()
        assert done(), self.text()

    def look_until(self, done: Callable[[], object]) -> None:
        """The same with looks at the folder."""
        timer = self.watch.every(0.05, self.look)
        self.until(done)
        timer.cancel()

    def text(self) -> str:
        return self.log.read_text()

    def vassal(self, name: str) -> Vassal:
        return next(one for one in self.court.vassals.values() if one.name == name)

    def has(self, name: str) -> bool:
        return any(one.name == name for one in self.court.vassals.values())

    def pids(self) -> list[int]:
        return [one.pid for one in self.court.vassals.values() if one.pid]


@contextmanager
def room(tmp: Path, **options: Any) -> Iterator[Room]:
    """An emperor of ``tmp/vassals``, whose vassals are stand-ins where ``emperor_wrapper`` says nothing."""
    folder = tmp / "vassals"
    folder.mkdir(exist_ok=True)
    wrapper = tmp / "standin"
    wrapper.write_text(f'#!/bin/sh\nexec {sys.executable} -S -E {STANDIN} "$@"\n')
    wrapper.chmod(0o755)
    options.setdefault("emperor_wrapper", str(wrapper))
    emperor = Room(settings(*options.pop("emperor", [folder]), **options), tmp / "log", tmp)
    try:
        yield emperor
    finally:
        for pid in list(emperor.children):
            with suppress(OSError):
                os.kill(pid, 9)
                os.waitpid(pid, 0)
        for vassal in emperor.court.vassals.values():
            vassal.part()
            demand.close(vassal)
        emperor.stats.close()
        emperor.watch.close()
        emperor.diary.close()
    assert emperor.faults == []


def put(tmp: Path, name: str, *deeds: str) -> Path:
    """A vassal's file."""
    path = tmp / "vassals" / name
    path.parent.mkdir(exist_ok=True)
    fresh = path.with_name(f".{name}.new")
    fresh.write_text("\n".join(deeds))
    fresh.rename(path)
    return path


def heard(path: Path) -> list[int]:
    """What a stand-in was told so far."""
    told = Path(f"{path}.heard")
    return [int(word) for word in told.read_text().split()] if told.exists() else []
