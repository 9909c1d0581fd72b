"""Siblings: who counts as one that takes connections, and who does not."""

from collections.abc import Iterator
from time import monotonic_ns

import pytest

from penstock.interprocess.scoreboard import (
    ACCEPTING,
    CONNECTIONS,
    DRAINING,
    FREE,
    PAUSED,
    STARTING,
    Scoreboard,
)
from penstock.interprocess.siblings import LIFELESS, Siblings


@pytest.fixture
def board() -> Iterator[Scoreboard]:
    made = Scoreboard.create(4)
    yield made
    made.close()


def serves(board: Scoreboard, slot: int, connections: int, gate: int = 1, state: int = ACCEPTING) -> None:
    cell = board.claim(slot, 100 + slot)
    cell.state, cell.connections, cell.gate, cell.beat = state, connections, gate, monotonic_ns()


def counts(siblings: Siblings) -> list[int]:
    """The connections of those that count."""
    return [words[CONNECTIONS] for words in siblings.accepting()]


def test_alone_there_is_none(board: Scoreboard) -> None:
    serves(board, 0, 5)
    siblings = Siblings(board, 0)
    assert counts(siblings) == []
    assert not siblings.room_elsewhere()


def test_the_connections_of_the_others(board: Scoreboard) -> None:
    for slot, connections in enumerate((1, 9, 4, 6)):
        serves(board, slot, connections)
    assert counts(Siblings(board, 0)) == [9, 4, 6]
    assert counts(Siblings(board, 2)) == [1, 9, 6]


@pytest.mark.parametrize("state", [FREE, STARTING, PAUSED, DRAINING])
def test_who_does_not_accept_does_not_count(board: Scoreboard, state: int) -> None:
    serves(board, 0, 5)
    serves(board, 1, 0, state=state)
    assert counts(Siblings(board, 0)) == []
    assert not Siblings(board, 0).room_elsewhere()


def test_who_has_not_ticked_for_long_does_not_count(board: Scoreboard) -> None:
    serves(board, 1, 0)
    board.cell(1).beat = monotonic_ns() - LIFELESS - 1
    assert counts(Siblings(board, 0)) == []
    assert not Siblings(board, 0).room_elsewhere()
    board.cell(1).beat = monotonic_ns()
    assert counts(Siblings(board, 0)) == [0]
    assert Siblings(board, 0).room_elsewhere()


def test_who_is_new_counts_before_its_first_tick(board: Scoreboard) -> None:
    serves(board, 1, 0)
    board.cell(1).beat = 0
    assert counts(Siblings(board, 0)) == [0]


def test_room_is_where_a_gate_is_open(board: Scoreboard) -> None:
    serves(board, 0, 5, gate=1)
    serves(board, 1, 5, gate=0)
    siblings = Siblings(board, 0)
    assert not siblings.room_elsewhere(), "its own gate is not elsewhere"
    assert counts(siblings) == [5]
    serves(board, 2, 5, gate=1)
    assert siblings.room_elsewhere()
