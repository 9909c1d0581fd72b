"""The scoreboard: words that other processes see, slots that change hands, totals that stay."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.core.errors import StartError
from penstock.interprocess import scoreboard
from penstock.interprocess.scoreboard import ACCEPTING, COUNTERS, FREE, NAMES, STARTING, STRIDE, Scoreboard

OTHER = """
import os, sys
from penstock.interprocess.scoreboard import Scoreboard
board = Scoreboard.attach(int(sys.argv[1]))
assert board.slots == 3 and board.cell(2).requests == 41, board.cell(2).read()
board.cell(1).connections = 7
board.cell(1).beat = 2**64 - 1
"""


@pytest.fixture
def board() -> Iterator[Scoreboard]:
    made = Scoreboard.create(3)
    yield made
    made.close()


def test_a_new_board_has_free_slots(board: Scoreboard) -> None:
    assert board.slots == 3
    assert [board.cell(slot).state for slot in range(3)] == [FREE] * 3
    assert set(board.totals.values()) == {0}
    assert not os.get_inheritable(board.fd)
    for slot in (-1, 3):
        with pytest.raises(IndexError):
            board.cell(slot)


def test_another_process_sees_the_words_and_is_seen(board: Scoreboard) -> None:
    board.cell(2).requests = 41
    subprocess.run([sys.executable, "-c", OTHER, str(board.fd)], pass_fds=[board.fd], check=True, timeout=30)
    assert board.cell(1).read() == dict.fromkeys(NAMES, 0) | {"connections": 7, "beat": 2**64 - 1}


def test_every_word_is_its_own(board: Scoreboard) -> None:
    for slot in range(3):
        for index, name in enumerate(NAMES):
            setattr(board.cell(slot), name, 1000 * slot + index + 1)
    for slot in range(3):
        cell = board.cell(slot)
        assert cell.read() == {name: 1000 * slot + index + 1 for index, name in enumerate(NAMES)}
        assert [getattr(cell, name) for name in NAMES] == list(cell.read().values())
        assert [cell.words[getattr(scoreboard, name.upper())] for name in NAMES] == list(cell.read().values())
    assert set(board.totals.values()) == {0}, "and none is the head's"


def test_cells_do_not_share_a_line_of_the_cache() -> None:
    assert STRIDE * 8 % 64 == 0
    assert len(NAMES) <= STRIDE


def test_a_claimed_slot_begins_anew(board: Scoreboard) -> None:
    cell = board.cell(1)
    cell.connections = cell.requests = cell.load = 5
    assert board.claim(1, 4711) is cell
    assert cell.read() == dict.fromkeys(NAMES, 0) | {"pid": 4711, "state": STARTING}


def test_the_counters_of_who_is_gone_stay(board: Scoreboard) -> None:
    for round_ in (1, 2):
        cell = board.claim(0, 100 + round_)
        cell.state, cell.connections, cell.ticks = ACCEPTING, 9, 9
        for number, name in enumerate(COUNTERS, 1):
            setattr(cell, name, number)
        board.free(0)
        assert cell.read() == dict.fromkeys(NAMES, 0)
        assert board.totals == {name: number * round_ for number, name in enumerate(COUNTERS, 1)}


def test_a_broken_counter_does_not_end_the_supervisor(board: Scoreboard) -> None:
    for _ in range(2):
        board.claim(0, 1).sent = 2**64 - 1
        board.free(0)
    assert board.totals["sent"] == 2**64 - 2


@given(
    steps=st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from(list(COUNTERS)), st.integers(0, 99)), max_size=20
    )
)
@settings(max_examples=40, deadline=None)
def test_nothing_is_counted_twice_or_lost(steps: list[tuple[int, str, int]]) -> None:
    board = Scoreboard.create(3)
    for slot, name, count in steps:
        board.claim(slot, 1)
        setattr(board.cell(slot), name, count)
        board.free(slot)
    assert sum(board.totals.values()) == sum(count for _, _, count in steps)
    board.close()


def test_what_others_have_had(board: Scoreboard) -> None:
    for slot in range(3):
        cell = board.claim(slot, 100 + slot)
        cell.requests, cell.refused = 10 ** (slot + 1), slot
    assert board.others(1) == 1010 + 2
    board.free(2)
    assert board.others(1) == 1012 and board.others(0) == 1100 + 3


def test_totals_are_in_the_board_itself(board: Scoreboard) -> None:
    board.claim(0, 1).requests = 3
    board.free(0)
    again = Scoreboard.attach(os.dup(board.fd))
    assert again.totals["requests"] == 3
    again.close()
    board.claim(0, 1).requests = 4
    board.free(0)
    assert board.totals["requests"] == 7


def test_nobody_can_shorten_it_under_the_others(board: Scoreboard) -> None:
    with pytest.raises(OSError):
        os.ftruncate(board.fd, 0)
    assert fcntl.fcntl(board.fd, fcntl.F_GET_SEALS) & fcntl.F_SEAL_SHRINK


@pytest.mark.parametrize("value", [-1, 2**64])
def test_what_is_no_word_is_refused(board: Scoreboard, value: int) -> None:
    with pytest.raises(ValueError):
        board.cell(0).connections = value


def test_what_is_no_board_is_not_attached_to() -> None:
    for size in (0, 100, 4096):
        fd = os.memfd_create("other")
        os.ftruncate(fd, size)
        with pytest.raises(StartError, match="scoreboard"):
            Scoreboard.attach(fd)
        os.close(fd)  # not closed by the attempt: it is not ours


def test_closing_gives_back_what_it_took() -> None:
    before = len(os.listdir("/proc/self/fd"))
    board = Scoreboard.create(8)
    board.cell(3).requests = 1
    board.close()
    board.close()
    assert len(os.listdir("/proc/self/fd")) == before


def test_one_of_a_single_process_needs_no_descriptor() -> None:
    before = len(os.listdir("/proc/self/fd"))
    board = Scoreboard.private()
    cell = board.claim(0, 7)
    cell.requests = 3
    assert cell.read()["pid"] == 7 and board.slots == 1 and board.fd == -1
    assert len(os.listdir("/proc/self/fd")) == before
    board.free(0)
    assert board.totals["requests"] == 3
    board.close()
