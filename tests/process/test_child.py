"""A supervised worker: what it says, what it does when it is told, and when nobody is left to tell it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from penstock.interprocess.scoreboard import DRAINING, PAUSED
from tests.cases import turns
from tests.e2e.server import LOOPS, Client
from tests.e2e.surroundings import TOP, environment
from tests.process.nursery import Forked, Nursery, nursery, reap, wait_for

HELD = """
    import atexit, os, pathlib, time

    here = pathlib.Path(__file__).parent
    atexit.register(lambda: (here / "left").write_text(str(os.getpid())))

    def application(environ, start_response):
        path = environ["PATH_INFO"]
        if path == "/held":
            (here / "arrived").touch()
            while not (here / "go").exists():
                time.sleep(0.005)
        if path == "/die":
            os._exit(9)
        if path == "/print":
            print("printed", flush=True)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [str(os.getpid()).encode()]
"""
GET_HELD = b"GET /held?a=b HTTP/1.1\r\nHost: a\r\n\r\n"


def ends(worker: Forked, seconds: float = 15.0) -> int:
    """Its exit status."""
    status = reap(worker.pid, seconds)
    worker.pid = 0
    return status


def arrived(it: Nursery) -> None:
    wait_for((it.folder / "arrived").exists)


def go(it: Nursery) -> None:
    (it.folder / "go").touch()


# ---- Leaving --------------------------------------------------------------------------------


@pytest.mark.parametrize("loop", turns(LOOPS, "asyncio"))
def test_leaving_finishes_what_runs_and_leaves_the_listener_to_others(tmp_path: Path, loop: str) -> None:
    with nursery(tmp_path, HELD, loop=loop) as it:
        worker = it.fork()
        with it.client() as client:
            client.send(GET_HELD)
            arrived(it)
            worker.tell("leave", final=False, seconds=10)
            wait_for(lambda: it.cell(worker).state == DRAINING)
            next_one = it.fork(2)
            assert it.get() == str(next_one.pid), "it listens no more, and the listener lives"
            go(it)
            reply = client.reply()
            assert reply.body == str(worker.pid).encode()
            assert reply.headers["connection"] == "close"
        pid = worker.pid
        assert ends(worker) == 0
        assert (tmp_path / "left").read_text() == str(pid), "the application's own clean-up"


def test_what_waits_at_the_door_is_taken_by_the_last_and_left_by_others(tmp_path: Path) -> None:
    with nursery(tmp_path, HELD) as it:
        worker = it.fork()
        worker.tell("pause")
        wait_for(lambda: it.cell(worker).state == PAUSED)
        with it.client() as client:
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            worker.tell("leave", final=False, seconds=5)
            assert ends(worker) == 0
            last = it.fork(2)
            assert client.reply().body == str(last.pid).encode()
        last.tell("pause")
        wait_for(lambda: it.cell(last).state == PAUSED)
        with it.client() as client:
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            last.tell("leave", final=True, seconds=5)
            assert client.reply().body == str(last.pid).encode()
        assert ends(last) == 0


def test_the_time_for_leaving_is_the_supervisors(tmp_path: Path) -> None:
    with nursery(tmp_path, HELD) as it:
        worker = it.fork()
        with it.client() as client:
            client.send(GET_HELD)
            arrived(it)
            begun = time.monotonic()
            worker.tell("leave", final=False, seconds=60)
            worker.tell("leave", final=True, seconds=0.3)
            assert ends(worker) == 30
            assert 0.3 <= time.monotonic() - begun < 5
            assert client.ended()
        assert "1 requests on 1 connections were cut" in it.text()


def test_halting_cuts_what_runs(tmp_path: Path) -> None:
    with nursery(tmp_path, HELD) as it:
        worker, idle = it.fork(1), it.fork(2)
        idle.tell("halt")
        assert ends(idle) == 0
        with it.client() as client:
            client.send(GET_HELD)
            arrived(it)
            worker.tell("halt")
            assert ends(worker) == 30
            assert client.ended()


def test_a_worker_that_dies_is_seen_by_its_end_and_its_status(tmp_path: Path) -> None:
    with nursery(tmp_path, HELD) as it:
        worker = it.fork()
        with it.client() as client:
            client.send(b"GET /die HTTP/1.1\r\nHost: a\r\n\r\n")
            assert client.ended()
        assert ends(worker) == 9
        worker.take()
        assert worker.channel.ended


def test_a_clean_up_that_never_ends_is_ended() -> None:
    script = (
        "import threading, time\n"
        "from penstock.process import child\n"
        "child.LAST = 1\n"
        "child.bound_the_end(7)\n"
        "threading.Thread(target=time.sleep, args=(60,)).start()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], env=environment(), timeout=20, check=False)
    assert done.returncode == 7


# ---- Signals --------------------------------------------------------------------------------


@pytest.mark.parametrize("loop", turns(LOOPS, "uvloop"))
def test_signals_to_a_worker_ask_and_a_second_one_ends(tmp_path: Path, loop: str) -> None:
    with nursery(tmp_path, HELD, loop=loop) as it:
        worker = it.fork()
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1):  # the supervisor's to understand
            os.kill(worker.pid, number)
        os.kill(worker.pid, signal.SIGHUP)
        assert worker.until("replace") == {"is": "replace", "why": "SIGHUP", "urgent": False}
        os.kill(worker.pid, signal.SIGTERM)
        assert worker.until("replace")["why"] == "SIGTERM"
        assert it.get() == str(worker.pid), "it serves on until it is told to leave"
        assert worker.heard == []
        # The client has its reply a moment before the thread is through with it.
        wait_for(lambda: it.cell(worker).requests == 1 and it.cell(worker).busy == 0)
        os.kill(worker.pid, signal.SIGTERM)
        assert ends(worker) == 0


def test_a_second_term_cuts_what_runs(tmp_path: Path) -> None:
    with nursery(tmp_path, HELD) as it:
        worker = it.fork()
        with it.client() as client:
            client.send(GET_HELD)
            arrived(it)
            os.kill(worker.pid, signal.SIGTERM)
            assert worker.until("replace")["why"] == "SIGTERM"
            os.kill(worker.pid, signal.SIGTERM)
            assert ends(worker) == 30


# ---- Nobody is left ------------------------------------------------------------------------------------


@pytest.mark.parametrize("loop", turns(LOOPS, "asyncio"))
def test_the_end_of_the_lifeline_drains_every_worker(tmp_path: Path, loop: str) -> None:
    with nursery(tmp_path, HELD, loop=loop) as it:
        workers = [it.fork(1), it.fork(2)]
        with it.client() as client:
            client.send(GET_HELD)
            arrived(it)
            it.end_lifeline()
            assert [worker.until("leaving")["why"] for worker in workers] == ["the supervisor is gone"] * 2
            wait_for(lambda: refused(it))
            go(it)
            assert client.reply().status == 200
        assert [ends(worker) for worker in workers] == [0, 0]
        assert "the supervisor is gone; it finishes what runs and ends" in it.text()


def refused(it: Nursery) -> bool:
    """Whether nobody takes a new connection: its first SYN is dropped, or nobody listens in the workers."""
    return all(it.cell(worker).state == DRAINING for worker in it.workers)


def test_a_worker_whose_channel_ends_leaves(tmp_path: Path) -> None:
    with nursery(tmp_path, HELD) as it:
        worker = it.fork()
        worker.channel.close()
        assert ends(worker) == 0


SUPERVISOR = """
import pathlib, sys, time
from tests.process.nursery import nursery
from tests.process.test_child import HELD

HELD += "    os.setgid(65534)\\n" * (sys.argv[2] == "lowered")
lazy = sys.argv[2] == "lowered"
with nursery(pathlib.Path(sys.argv[1]), HELD, lazy=lazy, no_orphans=sys.argv[2] != "no") as it:
    print(it.fork().pid, it.prototype.pid, it.address[1], flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("no_orphans", ["no", "yes", "lowered"])
def test_a_supervisor_that_is_killed_leaves_nobody_behind(tmp_path: Path, no_orphans: str) -> None:
    """What runs is finished, or with ``no-orphans`` cut; also in a worker that has loaded an application
    which has become another group, which clears the death signal (prctl(2))."""
    if no_orphans == "lowered" and os.getuid():
        pytest.skip("needs root")
    words = [sys.executable, "-c", SUPERVISOR, str(tmp_path), no_orphans]
    with subprocess.Popen(words, env=environment(), cwd=TOP, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        worker, prototype, port = (int(word) for word in process.stdout.readline().split())
        with Client(("127.0.0.1", port)) as client:
            client.send(GET_HELD)
            wait_for((tmp_path / "arrived").exists)
            process.kill()
            process.wait()
            wait_for(lambda: gone(prototype))
            if no_orphans == "no":
                (tmp_path / "go").touch()
                assert client.reply().status == 200
            assert client.ended()
        wait_for(lambda: gone(worker))


def gone(pid: int) -> bool:
    """Whether a process is no more, or waits only to be reaped by whoever that is now."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True
