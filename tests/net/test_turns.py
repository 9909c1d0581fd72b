"""The door among siblings: the thread that stands at it, who leaves, and all of them together."""

import random
import socket
from contextlib import ExitStack
from time import monotonic_ns

import pytest

from penstock.interprocess.scoreboard import ACCEPTING, Scoreboard
from penstock.net.acceptor import PAUSE
from penstock.net.listening import bind_tcp
from tests.net.neighbours import Scene, scene

# ---- The thread at the door -------------------------------------------------------------------------


def test_the_thread_at_the_door_leaves_it_where_a_sibling_has_far_fewer() -> None:
    with scene() as (at, connect):
        sibling = at.sibling(1, 50)
        connect(10)
        at.ready(6)
        sibling.connections = 3
        assert at.acceptor.take_request() is True, "few more are no reason: what it takes does not stay"
        sibling.connections = 0
        assert at.acceptor.take_request() is False
        assert at.own.connections == 6


def test_on_a_listener_of_single_requests_it_stays_whatever_the_numbers_say() -> None:
    with scene("uwsgi") as (at, connect):
        connect(7)
        at.ready(6)
        at.sibling(1, 0)
        assert at.acceptor.take_request() is True
        at.loop.turn()
        assert at.count == 7


def test_at_max_connections_no_thread_stands_at_the_door_while_a_sibling_has_room() -> None:
    with scene("uwsgi", room=2) as (at, connect):
        connect(2)
        at.ready(2)
        at.sibling(1, 50)
        assert at.acceptor.take_request() is False


# ---- Ends -------------------------------------------------------------------------------------------


def test_who_leaves_while_others_stay_leaves_them_the_kernels_queue() -> None:
    with scene() as (at, connect):
        at.sibling(1, 100)
        connect(3)
        at.ready()
        at.acceptor.end(final=False)
        assert at.count == 1 and not at.listening
        at.acceptor.listen()
        assert not at.listening
        fd, _ = at.sock.accept()
        fd.close()


def test_who_leaves_while_it_steps_aside_does_not_come_back() -> None:
    with scene() as (at, connect):
        at.sibling(1, 0)
        connect(3)
        at.ready(2)
        at.acceptor.end(final=False)
        at.later()
        assert not at.listening and at.count == 1


def test_the_last_one_takes_all_whatever_the_numbers_say() -> None:
    with scene() as (at, connect):
        at.sibling(1, 0)
        at.running(1.0, 1.0)
        connect(5)
        at.acceptor.end()
        assert at.count == 5


def test_a_starved_worker_comes_back_as_ever() -> None:
    with scene() as (at, _):
        at.acceptor.starved(OSError(24, "Too many open files"))
        assert not at.listening
        ((delay, call),) = at.loop.later
        assert delay == PAUSE
        call()
        assert at.listening


# ---- All together -----------------------------------------------------------------------------------


def spread(scenes: list[Scene], connections: int, dice: random.Random) -> None:
    """Each accepts one after the other at its own pace, the first four times as quick as the others; those
    that step aside are away for as long as the quick one needs for fifty."""
    turns = {index: dice.random() for index in range(len(scenes))}
    while sum(at.count for at in scenes) < connections:
        index = min(turns, key=lambda index: turns[index])
        at = scenes[index]
        if not at.listening:
            at.later()
        at.ready()
        turns[index] += (0.25 if index == 0 else 1.0) * dice.uniform(0.5, 1.5) if at.listening else 12.5


@pytest.mark.parametrize("workers", [2, 3, 4, 8])
@pytest.mark.parametrize("seed", range(4))
def test_connections_spread_evenly_whoever_is_first(workers: int, seed: int) -> None:
    with ExitStack() as stack:
        (sock,) = bind_tcp("127.0.0.1", 0, 200)
        stack.enter_context(sock)
        board = Scoreboard.create(workers)
        scenes = [Scene(sock, board, slot=slot) for slot in range(workers)]
        for at in scenes:
            at.own.state, at.own.beat = ACCEPTING, monotonic_ns()
        for _ in range(64):
            stack.enter_context(socket.create_connection(sock.getsockname(), 5))
        spread(scenes, 64, random.Random(seed))
        counts = sorted(at.own.connections for at in scenes)
        for at in scenes:
            at.end()
        board.close()
    assert sum(counts) == 64
    assert counts[-1] <= 1.5 * counts[0], counts
