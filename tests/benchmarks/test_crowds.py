"""How normal requests beside slow clients are measured: which turns count, and what they come to."""

import os
import time
from typing import Any

import pytest
from benchmarks.crowds import QUIET, TRIES, TURNS, Others, Turn, enough, summed
from benchmarks.measure import Load, middle
from benchmarks.servers import Cores


def load(p99: float | None, rate: float = 100.0) -> Load:
    """One second under wrk."""
    return Load(int(rate), 0, rate, p99 and p99 / 2, p99)


def turn(alone: float | None, beside: float | None, others: float = 0.0, connected: int = 500) -> Turn:
    return Turn(load(alone), load(beside), 0.5, 40.0, connected, others)


def test_turns_are_taken_until_enough_were_quiet() -> None:
    quiet, loud = turn(1, 1), turn(1, 1, QUIET + 0.01)
    assert not enough([quiet] * (TURNS - 1))
    assert enough([quiet] * TURNS)
    assert not enough([loud] * (TRIES - 1))
    assert enough([loud] * TRIES), "not for ever"
    assert enough([loud, *[quiet] * TURNS])
    assert enough([loud] * TURNS, TURNS), "some are not tried again"


def test_the_quietest_turns_count_whatever_they_found() -> None:
    found = summed([turn(9, 1, 0.9), turn(1, 3, 0.02), turn(2, 2, 0.01), turn(1, 4, 0.03), turn(9, 1, 0.5)])
    assert (found["alone_p99"], found["p99"], found["growth"]) == (1, 3, 3)
    assert found["disturbed"] == 3.0


def test_the_figures_are_medians_and_what_is_counted_adds_up() -> None:
    found = summed([turn(1, 2), turn(5, 70), turn(2, 3, connected=499)])
    assert (found["alone_p99"], found["alone_p50"], found["p99"], found["p50"]) == (2, 1, 3, 1.5)
    assert (found["growth"], found["connected"], found["rss"]) == (1.5, 499, 40)
    assert found["cpu"] == pytest.approx(1.5 / 300 * 1e6)


def test_a_server_that_answers_nobody_has_no_figure() -> None:
    dead = Turn(load(1), Load(0, 7, 0.0, None, None), 0.0, 40.0, 500, 0.0)
    found = summed([dead] * TURNS)
    assert (found["p99"], found["growth"], found["cpu"], found["errors"]) == (None, None, None, 7 * TURNS)
    assert found["alone_p99"] == 1


@pytest.mark.parametrize(
    ("values", "found"), [([3, 1, 2], 2), ([3, None, 1], 3), ([None, None, 1], None), ([None], None)]
)
def test_no_answer_is_the_longest_time(values: list[float | None], found: float | None) -> None:
    assert middle(values) == found


class Process:
    """A server, as far as its time is asked for."""

    def __init__(self, pid: int) -> None:
        self.pid = pid


def busy(seconds: float) -> None:
    """Keep a core busy."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass


def test_without_cores_of_ones_own_nobody_else_is_seen() -> None:
    server: Any = Process(os.getpid())
    others = Others(server, Cores(None, None))
    with others.during(os.getpid()):
        busy(0.05)
    assert others.share == 0.0


@pytest.mark.parametrize("ours", [True, False])
def test_what_neither_the_server_nor_the_load_spends_is_the_others(ours: bool) -> None:
    """This process keeps a core busy: once it is the server, once a stranger to it."""
    cores = os.sched_getaffinity(0)
    server: Any = Process(os.getpid() if ours else 1 << 30)
    os.sched_setaffinity(0, {min(cores)})
    try:
        others = Others(server, Cores(min(cores), None))
        began = time.process_time()
        with others.during():
            busy(0.5)
        spent = time.process_time() - began
    finally:
        os.sched_setaffinity(0, cores)
    if ours:
        assert others.spent < others.passed - spent + 0.1
    else:
        assert others.spent > spent - 0.1
