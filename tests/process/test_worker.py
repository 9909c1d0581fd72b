"""A worker's life: what it ends with, what it finishes, what it says."""

import gc
import signal
import socket
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path

import pytest

from penstock.codecs.http1 import Http1Decoder
from penstock.handoff.exchange import Exchange
from penstock.net.listener import Listener
from penstock.net.trust import Forwarding, Peers
from penstock.process.worker import CLEAN, CUT_SHORT, Plan
from tests.e2e.server import LOOPS
from tests.e2e.surroundings import environment
from tests.process.running import Held, hello, running

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def threads_of_ours() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("penstock-")]


def test_the_exit_statuses_are_uwsgis() -> None:
    assert (CLEAN, CUT_SHORT) == (0, 30)
    assert Plan().shutdown_timeout == 25.0


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("way", ["leave", "halt"])
def test_an_idle_worker_ends_clean_and_leaves_no_thread(tmp_path: Path, loop: str, way: str) -> None:
    with running(tmp_path, hello, loop=loop, threads=3) as it:
        assert len([name for name in threads_of_ours() if name[9:].isdigit()]) == 3
        assert it.end(getattr(it.worker, way)) == CLEAN
        assert it.worker.stuck == []
    assert threads_of_ours() == []
    with pytest.raises(OSError), it.client():
        pass


@pytest.mark.parametrize("loop", LOOPS)
def test_halting_with_idle_connections_alone_cuts_nothing(tmp_path: Path, loop: str) -> None:
    with running(tmp_path, hello, loop=loop) as it, it.client() as client, it.client() as silent:
        assert client.get("/").status == 200
        until = time.monotonic() + 5
        # The client has its reply a moment before the thread is through with it.
        while it.worker.pool.in_flight and time.monotonic() < until:
            time.sleep(0.001)
        assert it.end(it.worker.halt) == CLEAN
        assert client.ended()
        assert silent.ended()


@pytest.mark.parametrize("loop", LOOPS)
def test_halting_within_a_request_that_has_no_thread_yet_cuts_it(tmp_path: Path, loop: str) -> None:
    with running(tmp_path, hello, loop=loop) as it, it.client() as client:
        assert client.get("/").status == 200
        client.send(GET[:-2])
        until = time.monotonic() + 5
        # Not ``busy``: for a moment after its reply has arrived the first request is still that.
        while not any(connection.decoder.buffered for connection in list(it.worker.door.connections)):
            assert time.monotonic() < until
            time.sleep(0.01)
        assert it.end(it.worker.halt) == CUT_SHORT


@pytest.mark.parametrize("loop", LOOPS)
def test_leaving_finishes_what_runs_and_refuses_what_comes(tmp_path: Path, loop: str) -> None:
    held = Held()
    with running(tmp_path, held, loop=loop, linger=0.2) as it, it.client() as client:
        client.send(GET)
        assert held.arrived.wait(5)
        it.call(it.worker.leave)
        it.call(it.worker.leave)  # again does no harm
        until = time.monotonic() + 5
        while it.worker.listeners and time.monotonic() < until:
            time.sleep(0.01)
        with pytest.raises(OSError), it.client():
            pass
        held.go.set()
        reply = client.reply()
        assert reply.body == b"hello"
        assert reply.headers["connection"] == "close"
        it.thread.join(10)
        assert it.code == CLEAN


@pytest.mark.parametrize("loop", LOOPS)
def test_halting_cuts_what_runs_and_names_who_is_stuck(tmp_path: Path, loop: str) -> None:
    held = Held()
    with running(tmp_path, held, loop=loop, threads=1) as it, it.client() as client:
        client.send(GET)
        assert held.arrived.wait(5)
        assert it.end(it.worker.halt) == CUT_SHORT
        assert it.worker.stuck == [0]
        assert client.ended()
        held.go.set()
        assert it.worker.pool.join(5) == []


def test_the_time_for_leaving_is_over(tmp_path: Path) -> None:
    held = Held()
    with running(tmp_path, held, threads=1, shutdown_timeout=0.3) as it, it.client() as client:
        client.send(GET)
        assert held.arrived.wait(5)
        begun = time.monotonic()
        assert it.end(it.worker.leave) == CUT_SHORT
        assert time.monotonic() - begun < 4
        assert "shutdown-timeout: 1 requests on 1 connections were cut" in it.log.read_text()
        held.go.set()
        assert it.worker.pool.join(5) == []


def test_the_first_signal_drains_and_says_so(tmp_path: Path) -> None:
    with running(tmp_path, hello, shutdown_timeout=7) as it:
        assert it.end(it.worker.on_signal, signal.SIGTERM) == CLEAN
        assert "SIGTERM: finishing what runs, at most 7 s" in it.log.read_text()


def test_the_second_signal_stops_at_once(tmp_path: Path) -> None:
    held = Held()
    with running(tmp_path, held, threads=1) as it, it.client() as client:
        client.send(GET)
        assert held.arrived.wait(5)
        it.call(it.worker.on_signal, signal.SIGINT)
        assert it.end(it.worker.on_signal, signal.SIGQUIT) == CUT_SHORT
        assert "SIGQUIT again: stopping at once" in it.log.read_text()
        held.go.set()
        assert it.worker.pool.join(5) == []


def test_a_hangup_is_said_and_changes_nothing(tmp_path: Path) -> None:
    with running(tmp_path, hello) as it, it.client() as client:
        it.call(it.worker.on_hup)
        assert client.get("/").status == 200
        assert "SIGHUP: a single process cannot reload itself; start it with --master" in it.log.read_text()


def test_access_records_are_written_by_the_tick_and_the_rest_at_the_end(tmp_path: Path) -> None:
    with running(tmp_path, hello, linger=0) as it, it.client() as client:
        client.get("/first")
        until = time.monotonic() + 5
        while "GET /first" not in it.log.read_text():
            assert time.monotonic() < until
            time.sleep(0.02)
        client.get("/last")
        client.close()
        it.end(it.worker.leave)
        assert "GET /last" in it.log.read_text()


def test_records_that_could_not_be_read_are_said_and_tried_again(tmp_path: Path) -> None:
    with running(tmp_path, hello) as it:
        it.end(it.worker.halt)
        it.worker.scribe.busy = True
        it.worker.scribe.drained(None, OSError("disk full"))
        assert not it.worker.scribe.busy
        assert "records of requests could not be read: OSError('disk full')" in it.log.read_text()


def test_a_listener_that_fails_to_close_is_said_and_the_others_are_closed(tmp_path: Path) -> None:
    class Failing(socket.socket):
        def close(self) -> None:
            super().close()
            raise OSError("no")

    def listener(sock: socket.socket) -> Listener:
        return Listener(sock, "http", Http1Decoder({}), {}, Forwarding(Peers(())))

    with running(tmp_path, hello) as it:
        it.end(it.worker.halt)
        socks = [Failing(socket.AF_INET), socket.socket(socket.AF_INET)]
        it.worker.listeners = [listener(sock) for sock in socks]
        it.worker.close_listeners()
        assert [sock.fileno() for sock in socks] == [-1, -1]
        assert it.worker.listeners == []
        assert "closing a listener: no" in it.log.read_text()


def test_whoever_wants_to_know_is_told_of_each_answer(tmp_path: Path) -> None:
    told: list[Exchange] = []
    with running(tmp_path, hello, told.append) as it, it.client() as client:
        for path in ("/one", "/two"):
            client.get(path)
        client.close()
        it.end(it.worker.leave)
    assert [x.request.vars["PATH_INFO"] for x in told] == ["/one", "/two"]


def test_a_worker_that_has_ended_is_not_kept(tmp_path: Path) -> None:
    """A process may make many: nothing that stays, such as what is called after a fork, may hold one."""
    with running(tmp_path, hello) as it:
        gone = weakref.ref(it.worker.doorway.gone)  # the doorway's own, as a part of the compiled one
        it.end(it.worker.halt)
    del it
    gc.collect()
    assert gone() is None


def test_a_child_that_the_application_forks_is_a_stranger() -> None:
    """In a process of its own: Python warns of a fork beside threads."""
    script = (
        "import asyncio, os\n"
        "from penstock.handoff.doorway import Doorway\n"
        "loop = asyncio.new_event_loop()\n"
        "doorways = [Doorway(loop), Doorway(loop)]\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    os._exit(sum(doorway.kin.foreign for doorway in doorways))\n"
        "strange = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])\n"
        "print(strange, [doorway.kin.foreign for doorway in doorways])\n"
        "loop.close()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment(), capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("2 [False, False]\n", "")
