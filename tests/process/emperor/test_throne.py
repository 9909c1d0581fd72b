"""A supervisor's emperor: started, followed, replaced when the settings change, ended."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from penstock.config.assemble import from_keywords
from penstock.config.settings import Settings
from penstock.process.emperor.throne import PAUSE, Throne, differ
from tests.e2e.surroundings import environment
from tests.process.supervisor.recording import Recording

LONGEST = 15.0
LONG_LIVED = 100.0  # seconds


def given(folder: Path, **options: Any) -> Settings:
    options = {"emperor": [str(folder)], **options}
    return from_keywords({"bind": "127.0.0.1:0", **options}, application="app:application")


class Supervised(Recording):
    """What a throne asks of its supervisor; ``reap`` is done by ``until``."""

    def __init__(self, log: Path, settings: Settings, folder: Path) -> None:
        super().__init__(log, settings)
        self.carrying: dict[str, Any] = {}
        self.children: dict[int, Callable[[int], None]] = {}
        self.on_change: list[Any] = []
        self.on_stop: list[Any] = []
        self.on_reopen: list[Any] = []
        self.scan: Callable[[], bool] = lambda: False
        self.unfinished: list[Any] = []
        self.ending: Any = None
        self.lineage = SimpleNamespace(launch=SimpleNamespace(folder=str(folder)))

    def environ(self) -> dict[str, str]:
        return environment()

    def look_whether_done(self) -> None:
        self.note("done?", any(unfinished() for unfinished in self.unfinished))

    def reap_until(self, done: Callable[[], object]) -> None:
        end = time.monotonic() + LONGEST

        def check() -> None:
            for pid in list(self.children):
                found, status = os.waitpid(pid, os.WNOHANG)
                if found:
                    self.children.pop(pid)(os.waitstatus_to_exitcode(status))
            if done() or time.monotonic() > end:
                self.watch.stop()

        timer = self.watch.every(0.01, check)
        self.watch.run()
        timer.cancel()
        assert done(), self.text()


@contextmanager
def throne(tmp: Path, **options: Any) -> Iterator[tuple[Supervised, Throne]]:
    folder = tmp / "vassals"
    folder.mkdir()
    supervisor = Supervised(tmp / "log", given(folder, **options), tmp)
    supervisor.enough = 1 << 30
    seat = Throne(supervisor)  # type: ignore[arg-type]  # as far as it is asked
    try:
        yield supervisor, seat
    finally:
        for pid in supervisor.children:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        supervisor.watch.close()
        supervisor.diary.close()
    assert supervisor.faults == []


def test_one_emperor_lives_as_long_as_its_supervisor(tmp_path: Path) -> None:
    with throne(tmp_path) as (supervisor, seat):
        seat.start()
        supervisor.reap_until(lambda: "the emperor looks for vassals in" in supervisor.text())
        assert supervisor.unfinished[0]()
        supervisor.ending = SimpleNamespace(now=False)
        supervisor.on_stop[0]()
        supervisor.reap_until(lambda: not seat.pid)
        assert supervisor.asked == [("done?", False)]


def test_one_that_dies_is_followed_ever_more_slowly(tmp_path: Path) -> None:
    with throne(tmp_path) as (supervisor, seat):
        seat.start()
        first = seat.pid
        os.kill(first, signal.SIGKILL)
        supervisor.reap_until(lambda: seat.pid not in (0, first))
        assert "the emperor has ended: killed by SIGKILL" in supervisor.text()
        assert seat.pause == 2 * PAUSE
        seat.began -= LONG_LIVED
        os.kill(seat.pid, signal.SIGKILL)
        supervisor.reap_until(lambda: not seat.pid)
        assert seat.pause == 2 * PAUSE  # it had lived long enough to begin anew


def test_other_settings_are_anothers(tmp_path: Path) -> None:
    with throne(tmp_path) as (supervisor, seat):
        seat.start()
        supervisor.reap_until(lambda: "the emperor looks for vassals in" in supervisor.text())
        first = seat.pid
        supervisor.on_change[0]()
        assert seat.pid == first
        supervisor.settings = given(tmp_path / "vassals", emperor_freq="9")
        supervisor.on_change[0]()
        supervisor.reap_until(lambda: seat.pid not in (0, first))
        supervisor.settings = given(tmp_path / "vassals", emperor=[])
        supervisor.reap_until(lambda: supervisor.text().count("the emperor looks for vassals in") == 2)
        supervisor.on_change[0]()
        supervisor.reap_until(lambda: not seat.pid)
        supervisor.run(0.1)
        assert not seat.pid


def test_what_counts_as_other_settings(tmp_path: Path) -> None:
    plain = given(tmp_path)
    assert not differ(plain, given(tmp_path, threads=9))
    for options in ({"vassals_include": ["x"]}, {"reload_mercy": "9"}, {"env": ["A=b"]}):
        assert differ(plain, given(tmp_path, **options))


def test_without_a_folder_there_is_none(tmp_path: Path) -> None:
    with throne(tmp_path, emperor=[]) as (supervisor, seat):
        seat.start()
        assert not seat.pid and not supervisor.unfinished[0]()


def test_beside_a_server_it_is_not_early(tmp_path: Path) -> None:
    with throne(tmp_path, early_emperor=True) as (supervisor, seat):
        seat.start()
        assert "early-emperor: beside a server" in supervisor.text()


def test_another_penstock_keeps_it(tmp_path: Path) -> None:
    with throne(tmp_path) as (supervisor, seat):
        seat.start()
        pid = seat.pid
        supervisor.children.clear()
        again = Throne(supervisor)  # type: ignore[arg-type]  # as far as it is asked
        again.resume(seat.state())
        again.start()
        assert again.pid == pid and list(supervisor.children) == [pid]
        again.scan()
        again.signal(signal.SIGKILL)
        supervisor.reap_until(lambda: not again.pid)
