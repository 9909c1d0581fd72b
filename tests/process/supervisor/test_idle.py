"""No requests, no workers: when they stop, what stirs, and the connection that has them back."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from penstock.process.supervisor.cheaper.scaling import Scaling
from penstock.process.supervisor.handle import State
from penstock.process.supervisor.idle import Idle
from tests.process.supervisor.cheaper.recording import Supervisor, close, listening, supervisor, worker


class Clock:
    """Seconds that pass when they are told to."""

    now = 500.0

    def __call__(self) -> float:
        return self.now


@contextmanager
def idling(folder: Path, **options: Any) -> Iterator[tuple[Supervisor, Idle, Clock, socket.socket]]:
    one = supervisor(folder, **options)
    clock = Clock()
    with listening() as sock:
        idle = Idle(one, lambda: [sock], clock)
        idle.back = 2
        yield one, idle, clock, sock
        close(one)


def pass_seconds(idle: Idle, clock: Clock, seconds: int) -> None:
    for _ in range(seconds):
        clock.now += 1
        idle.look()


def turn(one: Supervisor) -> None:
    """One turn of the loop, whatever comes."""
    one.watch.later(0.05, one.watch.stop)
    one.watch.run()


def test_workers_stop_after_so_long_without_requests(tmp_path: Path) -> None:
    with idling(tmp_path, processes=2, idle=60) as (one, idle, clock, _):
        pass_seconds(idle, clock, 60)
        assert one.asked == []
        pass_seconds(idle, clock, 1)
        assert one.asked == [0]
        assert idle.asleep
        said = (tmp_path / "log").read_text()
        assert "no request for more than 60 s (idle): no workers run, waiting for a connection" in said
        pass_seconds(idle, clock, 100)
        assert one.asked == [0]


@pytest.mark.parametrize("word", ["requests", "busy", "queued"])
def test_what_stirs_begins_the_time_anew(tmp_path: Path, word: str) -> None:
    with idling(tmp_path, processes=2, idle=10) as (one, idle, clock, _):
        pass_seconds(idle, clock, 9)
        one.workers[1] = worker(2, State.SERVING, **{word: 1})
        pass_seconds(idle, clock, 1)
        one.workers[1] = worker(2, requests=1)
        pass_seconds(idle, clock, 10)
        assert one.asked == []
        # A worker that leaves takes its count along to the totals, and that is no request.
        one.board.totals["requests"] = 1
        del one.workers[1]
        pass_seconds(idle, clock, 2)
        assert one.asked == [0]


def test_without_idle_they_stay(tmp_path: Path) -> None:
    with idling(tmp_path, processes=2) as (one, idle, clock, _):
        pass_seconds(idle, clock, 1000)
        assert one.asked == []


def test_die_on_idle_ends_the_server(tmp_path: Path) -> None:
    with idling(tmp_path, processes=2, idle=5, die_on_idle=True) as (one, idle, clock, _):
        pass_seconds(idle, clock, 6)
        assert one.stopped == ["no request for more than 5 s (idle); die-on-idle"]
        assert one.asked == []


def test_a_connection_has_them_back_and_waits_for_them(tmp_path: Path) -> None:
    with idling(tmp_path, processes=2, idle=5) as (one, idle, clock, sock):
        pass_seconds(idle, clock, 6)
        turn(one)
        assert one.asked == [0]
        with socket.create_connection(sock.getsockname()) as client:
            turn(one)
            assert one.asked == [0, 2]
            assert not idle.asleep
            turn(one)
            assert one.asked == [0, 2]  # nobody watches the listener any more, though it waits there still
            accepted, _ = sock.accept()
            with accepted:
                client.sendall(b"x")
                assert accepted.recv(1) == b"x"
        assert "a connection has come: 2 workers to start" in (tmp_path / "log").read_text()
        # And the time begins anew.
        pass_seconds(idle, clock, 5)
        assert one.asked == [0, 2]
        pass_seconds(idle, clock, 1)
        assert one.asked == [0, 2, 0]


def test_somebody_else_may_wake_it(tmp_path: Path) -> None:
    with idling(tmp_path, processes=2) as (one, idle, clock, sock):
        idle.sleep("cheap")
        idle.sleep("cheap")
        assert one.asked == [0]
        assert list(idle.watched) == [sock.fileno()]
        one.wanted = 1  # penstock ctl workers add
        pass_seconds(idle, clock, 1)
        assert not idle.asleep
        assert not idle.watched
        assert set(one.watch.calls) == {one.watch.wake_read}


def test_listeners_may_change_while_it_sleeps(tmp_path: Path) -> None:
    one = supervisor(tmp_path, processes=2)
    with listening() as old, listening() as new:
        sockets = [old]
        idle = Idle(one, lambda: sockets)
        idle.refresh()
        assert not idle.watched
        idle.sleep("cheap")
        sockets[:] = [new]
        idle.refresh()
        assert idle.watched == {new.fileno()}
        with socket.create_connection(old.getsockname()):
            turn(one)
        assert one.asked == [0]
        with socket.create_connection(new.getsockname()):
            turn(one)
        assert one.asked == [0, 1]
        close(one)


def test_cheap_begins_asleep(tmp_path: Path) -> None:
    one = supervisor(tmp_path, 0, processes=4, cheap=True)
    with listening() as sock:
        scaling = Scaling(one, lambda: [sock], lambda settings: 4)
        scaling.start()
        with socket.create_connection(sock.getsockname()):
            turn(one)
        assert one.asked == [0, 4]
        assert "cheap: no workers run, waiting for a connection" in (tmp_path / "log").read_text()
        scaling.cheap("fifo")
        assert one.wanted == 0
        scaling.stop()
        with socket.create_connection(sock.getsockname()):
            turn(one)
        assert one.wanted == 0  # the server is stopping: nobody is woken any more
    close(one)
