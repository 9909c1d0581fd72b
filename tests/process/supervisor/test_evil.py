"""Workers that are looked at from outside: too large ones are replaced, deaf ones killed, each once."""

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.interprocess.channel import Channel, pair
from penstock.interprocess.scoreboard import Scoreboard
from penstock.process.supervisor.evil import BREATH, GRACE, LATE, LOOK, Evil
from penstock.process.supervisor.handle import Handle, State
from penstock.process.supervisor.starved import Starved
from tests.process.supervisor.recording import Recording, recording, settings

NOBODY = 1 << 22  # beyond what a process number can be


@pytest.fixture
def board() -> Iterator[Scoreboard]:
    made = Scoreboard.create(4)
    yield made
    made.close()


@pytest.fixture
def channel() -> Iterator[Channel]:
    ours, theirs = pair()
    yield ours
    ours.close()
    theirs.close()


def a_worker(
    board: Scoreboard, channel: Channel, slot: int = 0, pid: int = 0, state: State = State.SERVING
) -> Handle:
    """A worker whose process is this one."""
    pid = pid or os.getpid()
    board.claim(slot, pid)
    handle = Handle(slot + 1, slot, 1, channel, board.cell(slot), pid=pid, state=state)
    handle.ready_at = time.monotonic()
    return handle


# ---- Memory ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["as", "rss"])
def test_a_large_one_is_replaced_once(tmp_path: Path, board: Scoreboard, channel: Channel, kind: str) -> None:
    with recording(tmp_path, **{f"evil_reload_on_{kind}": 1}) as it:
        it.workers = [a_worker(board, channel)]
        evil = Evil(it)
        evil.look_at_memory()
        evil.look_at_memory()
        ((what, handle, why),) = it.asked
        assert (what, handle) == ("replace", it.workers[0])
        assert re.fullmatch(rf"evil-reload-on-{kind}: \d+ MB", why)


def test_a_small_one_and_one_that_leaves_stay(tmp_path: Path, board: Scoreboard, channel: Channel) -> None:
    with recording(tmp_path, evil_reload_on_rss=1 << 20, evil_reload_on_as=1 << 30) as it:
        it.workers = [a_worker(board, channel)]
        evil = Evil(it)
        evil.look_at_memory()
        it.settings = settings(evil_reload_on_rss=1)
        for state in (State.STARTING, State.LEAVING, State.GONE):
            it.workers[0].state = state
            evil.look_at_memory()
        it.settings = settings()
        it.workers[0].state = State.SERVING
        evil.look_at_memory()
        assert it.asked == []


def test_one_that_has_just_died_is_no_fault(tmp_path: Path, board: Scoreboard, channel: Channel) -> None:
    with recording(tmp_path, evil_reload_on_rss=1) as it:
        it.workers = [a_worker(board, channel, pid=NOBODY), a_worker(board, channel, 1)]
        Evil(it).look_at_memory()
        assert [handle for _, handle, _ in it.asked] == [it.workers[1]]


def test_the_next_one_in_its_place_is_looked_at_too(
    tmp_path: Path, board: Scoreboard, channel: Channel
) -> None:
    with recording(tmp_path, evil_reload_on_rss=1) as it:
        evil = Evil(it)
        for _ in range(3):
            it.workers = [a_worker(board, channel)]
            evil.look_at_memory()
        assert len(it.asked) == 3
        assert len(evil.asked) == 1, "nothing is kept of those that are gone"


def test_it_looks_by_itself(tmp_path: Path, board: Scoreboard, channel: Channel) -> None:
    with recording(tmp_path, mem_collector_freq=0.1) as it:
        it.workers = [a_worker(board, channel)]
        Evil(it).start()
        it.run(0.3)
        assert it.asked == []
        it.settings = settings(mem_collector_freq=0.1, evil_reload_on_rss=1)
        it.until(1, 2.0)  # by itself it would look every 3 s


# ---- Heartbeats -----------------------------------------------------------------------------------------


class Clock:
    """Looks at the beats, as the supervisor does, at times that are said; ``beats`` whoever is alive."""

    def __init__(self, it: Recording) -> None:
        self.evil = Evil(it)
        self.now = self.evil.looked = time.monotonic()

    def run(self, seconds: float, *beats: Handle) -> None:
        until = self.now + seconds
        while self.now < until:
            self.now += LOOK
            for handle in beats:
                handle.cell.beat = int(self.now * 1e9)
            self.evil.look_at_beats(self.now)


def test_one_whose_loop_stands_still_for_the_deadline_is_killed(
    tmp_path: Path, board: Scoreboard, channel: Channel
) -> None:
    with recording(tmp_path, harakiri=2) as it:
        deaf, well = it.workers = [a_worker(board, channel), a_worker(board, channel, 1)]
        clock = Clock(it)
        clock.run(10, deaf, well)
        assert it.asked == []
        began = clock.now
        clock.run(2 + GRACE, well)
        while not it.asked:
            clock.run(LOOK, well)
        assert clock.now - began <= 2 + GRACE + 2 * LOOK
        ((what, handle, why),) = it.asked
        assert (what, handle) == ("kill", deaf)
        assert why.startswith("harakiri: its loop has stood still for 2.")
        clock.run(10, well)
        assert len(it.asked) == 1


def test_one_that_waited_for_a_processor_is_not(tmp_path: Path, board: Scoreboard, channel: Channel) -> None:
    with recording(tmp_path, harakiri=2) as it:
        it.workers = [a_worker(board, channel)]
        evil = Evil(it)
        waited = 100.0
        evil.starved = Starved(lambda pid: waited)
        begun = it.workers[0].ready_at
        board.cell(0).beat = int(begun * 1e9)
        for looks in range(1, 21):
            now = begun + looks * LOOK
            waited += LOOK * 0.8
            evil.look_at_beats(now)
        assert it.asked == [], "of 5 s it waited for 4"
        for looks in range(21, 30):
            evil.look_at_beats(begun + looks * LOOK)
        assert [(what, handle) for what, handle, _ in it.asked] == [("kill", it.workers[0])]


def test_one_that_never_ticked_counts_from_when_it_was_ready(
    tmp_path: Path, board: Scoreboard, channel: Channel
) -> None:
    with recording(tmp_path, harakiri=1) as it:
        it.workers = [a_worker(board, channel)]
        clock = Clock(it)
        assert it.workers[0].cell.beat == 0
        clock.run(0.9)
        assert it.asked == []
        clock.run(1)
        assert [what for what, _, _ in it.asked] == ["kill"]


def test_one_that_leaves_must_tick_while_it_has_requests(
    tmp_path: Path, board: Scoreboard, channel: Channel
) -> None:
    with recording(tmp_path, harakiri=1) as it:
        it.workers = [a_worker(board, channel, state=State.LEAVING)]
        clock = Clock(it)
        clock.run(5)
        assert it.asked == [], "its loop has ended, and the application cleans up"
        it.workers[0].cell.busy = 1
        clock.run(LOOK)
        assert [what for what, _, _ in it.asked] == ["kill"]


def test_one_that_is_replaced_for_its_memory_can_still_be_killed(
    tmp_path: Path, board: Scoreboard, channel: Channel
) -> None:
    with recording(tmp_path, harakiri=1, evil_reload_on_rss=1) as it:
        it.workers = [a_worker(board, channel)]
        clock = Clock(it)
        clock.run(1, *it.workers)
        clock.evil.look_at_memory()
        clock.run(3)
        assert [what for what, _, _ in it.asked] == ["replace", "kill"]


def test_without_a_deadline_nobody_is(tmp_path: Path, board: Scoreboard, channel: Channel) -> None:
    with recording(tmp_path) as it:
        it.workers = [a_worker(board, channel)]
        clock = Clock(it)
        clock.run(1, *it.workers)
        clock.run(1000)
        assert it.asked == []


def test_one_that_has_not_begun_is_left_alone(tmp_path: Path, board: Scoreboard, channel: Channel) -> None:
    with recording(tmp_path, harakiri=1) as it:
        starting, other, unborn = it.workers = [a_worker(board, channel, slot) for slot in range(3)]
        starting.state, starting.ready_at = State.STARTING, 0.0
        other.cell.pid = NOBODY  # the slot is somebody else's by now
        unborn.pid = 0
        Clock(it).run(20)
        assert it.asked == []


def test_a_machine_that_stood_still_is_nobodys_fault(
    tmp_path: Path, board: Scoreboard, channel: Channel
) -> None:
    with recording(tmp_path, harakiri=1) as it:
        well, deaf = it.workers = [a_worker(board, channel), a_worker(board, channel, 1)]
        clock = Clock(it)
        clock.run(1, well, deaf)
        clock.now += 600  # and the supervisor is the first that runs again
        clock.run(BREATH / 2)
        assert it.asked == []
        clock.run(BREATH, well)
        assert [handle for _, handle, _ in it.asked] == [deaf]
        assert LATE > 2 * LOOK
