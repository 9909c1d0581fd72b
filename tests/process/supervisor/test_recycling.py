"""Who waits for other workers hears of it, whatever becomes of the old ones."""

from collections.abc import Iterator

import pytest

from penstock.interprocess.channel import Channel, pair
from penstock.interprocess.scoreboard import Scoreboard
from penstock.process.supervisor.building import Asked, Outcome
from penstock.process.supervisor.handle import Handle
from penstock.process.supervisor.herd import FAILED
from penstock.process.supervisor.recycling import ALL, Recycling


class Shepherd:
    """What is asked of the supervisor."""

    def __init__(self) -> None:
        self.replaced: list[tuple[int, str]] = []
        self.noted: list[tuple[bool, str]] = []

    def replace(self, handle: Handle, why: str) -> None:
        self.replaced.append((handle.wid, why))

    def note(self, ok: bool, text: str) -> None:
        self.noted.append((ok, text))


class Scene:
    """Three workers, and who waits."""

    def __init__(self) -> None:
        self.board = Scoreboard.create(4)
        self.ends: list[Channel] = []
        self.shepherd = Shepherd()
        self.recycling = Recycling(self.shepherd)
        self.told: list[Outcome] = []
        self.handles = [self.handle(wid) for wid in (1, 2, 3)]

    def handle(self, wid: int) -> Handle:
        ours, theirs = pair()
        self.ends += [ours, theirs]
        return Handle(wid, wid, 1, ours, self.board.cell(wid), pid=1000 + wid)

    def begin(self, how: str = "workers") -> None:
        self.recycling.begin(self.handles, Asked("HUP", how, [self.told.append]))

    def close(self) -> None:
        for channel in self.ends:
            channel.close()
        self.board.close()


@pytest.fixture
def scene() -> Iterator[Scene]:
    one = Scene()
    yield one
    one.close()


def test_the_end_is_told_when_the_last_is_replaced(scene: Scene) -> None:
    scene.handles[0].asked = True  # for another reason, by code that is old by now
    scene.begin()
    assert scene.shepherd.replaced == [(1, "HUP"), (2, "HUP"), (3, "HUP")]
    assert not scene.handles[0].asked
    scene.recycling.settled([1])
    scene.recycling.settled([3])
    assert scene.told == []
    scene.recycling.settled([2])
    assert scene.told == [Outcome(True, ALL)]
    assert scene.shepherd.noted == [(True, f"HUP: {ALL}")]
    scene.recycling.settled([2])
    assert len(scene.told) == 1


def test_a_brutal_one_says_so_to_its_workers(scene: Scene) -> None:
    scene.begin("brutal-workers")
    assert [handle.brutal for handle in scene.handles] == [True, True, True]


def test_without_workers_it_is_over_at_once(scene: Scene) -> None:
    scene.handles = []
    scene.begin()
    assert scene.told == [Outcome(True, ALL)]


@pytest.mark.parametrize(("why", "code"), [(FAILED, 22), ("", 1)])
def test_one_that_cannot_start_is_told_at_once(scene: Scene, why: str, code: int) -> None:
    scene.begin()
    following = scene.handle(2)
    following.reason, following.why = "SyntaxError: invalid syntax", why
    scene.recycling.failed(following)
    (outcome,) = scene.told
    assert not outcome.ok
    assert outcome.code == code
    assert "SyntaxError" in outcome.text


def test_of_another_place_it_means_nothing(scene: Scene) -> None:
    scene.begin()
    scene.recycling.settled([2])
    scene.recycling.failed(scene.handle(2))
    assert scene.told == []


def test_a_stop_is_told_to_all(scene: Scene) -> None:
    scene.begin()
    scene.begin()
    scene.recycling.cancel("the server is stopping")
    assert [outcome.ok for outcome in scene.told] == [False, False]
