"""A look at the workers: who is full, and how many there would be if what runs were packed together."""

import pytest

from penstock.process.supervisor.cheaper.facts import Facts, Pulse
from tests.process.supervisor.cheaper.farm import facts


@pytest.mark.parametrize(
    ("threads", "busy", "full"), [(1, 0, False), (1, 1, True), (8, 7, False), (8, 8, True), (0, 0, False)]
)
def test_a_worker_is_full_when_no_thread_is_free(threads: int, busy: int, full: bool) -> None:
    assert Pulse(1, threads, busy).full is full


def test_a_worker_that_is_still_to_come_is_not_full() -> None:
    assert facts([1, 1]).all_full
    assert not facts([1, 1], wanted=3).all_full
    assert not facts([1, 0]).all_full
    assert not facts([], wanted=0).all_full
    # One that leaves is served for, so there may be more than are wanted.
    assert facts([1, 1, 1], wanted=2).all_full


@pytest.mark.parametrize(
    ("threads", "busy", "occupied"),
    [
        (1, [1, 1, 0], 2),
        (8, [1, 1, 1], 1),
        (8, [7, 7, 6], 3),
        (8, [8, 8, 0], 2),
        (8, [8, 1, 0], 2),
        (4, [], 0),
    ],
)
def test_what_runs_packed_together(threads: int, busy: list[int], occupied: int) -> None:
    assert facts(busy, threads=threads).occupied == occupied


def test_workers_of_two_generations_may_have_different_threads() -> None:
    assert Facts(0.0, 2, (Pulse(1, 2, 2), Pulse(2, 8, 4))).occupied == 1
    assert Facts(0.0, 2, (Pulse(1, 0, 0), Pulse(2, 0, 0))).occupied == 0
