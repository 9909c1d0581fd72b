"""The end of prototypes: what the log says of it, and whether another is to be loaded."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.interprocess.channel import pair
from penstock.logs.setup import Diary
from penstock.process.supervisor.generation import Generation, Prototype, Stage
from penstock.process.supervisor.loading import Loading, Workshop
from penstock.process.supervisor.watch import Watch
from tests.process.supervisor.recording import settings
from tests.sinks import file_sink

PID = 4321


class Place:
    """A generation with one loading; ``lost`` are the generations that are to be loaded anew."""

    def __init__(self, tmp: Path) -> None:
        self.log = tmp / "log"
        self.watch = Watch(pytest.fail)
        self.diary = Diary(file_sink(str(self.log)), None)
        self.generation = Generation(1, settings(), [], str(tmp))
        self.lost: list[Generation] = []
        shop = Workshop(
            self.watch, self.diary, lambda generation, lazy: pytest.fail(), lambda generation: {},
            pytest.fail, self.lost.append, lambda generation, message: None,
        )  # fmt: skip
        self.loading = Loading(shop, self.generation, lambda: None, lambda text, code: pytest.fail(text))

    def prototype(self, pid: int) -> Prototype:
        """One that forks workers; the other end of its channel is closed, as if it had died."""
        ours, theirs = pair()
        theirs.close()
        made = Prototype(pid, ours, False, Stage.LOADED)
        self.loading.adopt(made)
        return made

    def end(self) -> None:
        for prototype in self.loading.processes.values():
            prototype.channel.close()
        self.watch.close()
        self.diary.close()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    it = Place(tmp_path)
    yield it
    it.end()


def test_one_that_dies_is_told_and_followed(place: Place) -> None:
    place.prototype(PID)
    assert place.loading.reaped(PID, -signal.SIGKILL)
    assert f"its prototype (pid {PID}) died: killed by SIGKILL" in place.log.read_text()
    assert place.lost == [place.generation]


def test_one_that_has_a_follower_before_it_is_reaped_is_told_all_the_same(place: Place) -> None:
    """A worker that is to be forked just then finds its channel ended, and another is loaded at once."""
    place.prototype(PID)
    follower = place.prototype(PID + 1)
    assert place.loading.reaped(PID, -signal.SIGKILL)
    assert f"its prototype (pid {PID}) died: killed by SIGKILL" in place.log.read_text()
    assert place.lost == [] and place.generation.prototype is follower


def test_one_that_was_told_to_end_is_neither(place: Place) -> None:
    made = place.prototype(PID)
    made.move("gone")
    assert place.loading.reaped(PID, 0) and not place.loading.reaped(PID, 0)
    assert "died" not in place.log.read_text() and place.lost == []
