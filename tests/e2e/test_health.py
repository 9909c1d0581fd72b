"""Health from outside: probes while all threads are held, over both protocols, a stop and a reload."""

import os
import signal
import socket
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from penstock.codecs.uwsgi import encode_request
from tests.cases import covering, turns
from tests.e2e.server import LOOPS, Client, Server, serving

APP = "benchmarks.held:application"
SUPERVISED = ("--master", "--processes", "2")
SAME = 0.5  # seconds after which a second signal is another one


def status(server: Server, path: str = "/-/ready") -> int:
    """What a new connection is told."""
    with server.client() as client:
        return client.get(path, "Connection: close").status


def until(what: str, wanted: object, *, seconds: float = 10.0, server: Server) -> None:
    """Ask until it is so."""
    end = time.monotonic() + seconds
    while (found := status(server, what)) != wanted:
        assert time.monotonic() < end, f"{what} is {found}\n{server.text()}"
        time.sleep(0.02)


@contextmanager
def held(server: Server, page: str, queued: int, threads: int = 8) -> Iterator[None]:
    """Every thread at a page that keeps it, and so many requests behind."""
    with ExitStack() as stack:
        for path, count in ((page, threads), ("/", queued)):
            for _ in range(count):
                client = stack.enter_context(server.client())
                client.send(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            time.sleep(0.3)
        yield


@pytest.mark.parametrize(("loop", "page"), covering(LOOPS, ["/lock", "/sleep"]))
def test_probes_are_answered_while_all_threads_are_held(tmp_path: Path, loop: str, page: str) -> None:
    options = ("--loop", loop, "--threads", "8", "--shutdown-timeout", "0.2")
    with serving(tmp_path, *options, app=APP, expect=30) as server, held(server, page, 200):
        times = []
        for _ in range(100):
            began = time.monotonic()
            assert status(server, "/-/live") == 200
            assert status(server) == 200
            times.append(time.monotonic() - began)
        assert statistics.median(times) < 0.1


def test_probes_come_by_uwsgi_as_well_and_leave_no_line(tmp_path: Path) -> None:
    path = tmp_path / "u.sock"
    options = ("--uwsgi-socket", str(path), "--threads", "1", "--shutdown-timeout", "0.2")
    with serving(tmp_path, *options, app=APP) as server:
        for name, code in (("/-/ready", b"200"), ("/-/live", b"200"), ("/else", b"200")):
            sock = socket.socket(socket.AF_UNIX)
            sock.settimeout(10)
            sock.connect(str(path))
            sock.sendall(
                encode_request(
                    {
                        "REQUEST_METHOD": "GET",
                        "PATH_INFO": name,
                        "REQUEST_URI": name,
                        "SERVER_PROTOCOL": "HTTP/1.1",
                    }
                )
            )
            answer = b""
            while piece := sock.recv(4096):
                answer += piece
            sock.close()
            assert answer.startswith(b"HTTP/1.1 " + code)
        server.wait_for("GET /else")
        assert "GET /-/" not in server.text()


# ---- The end --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("master", turns([(), SUPERVISED], SUPERVISED), ids=["alone", "supervised"])
def test_a_stop_with_a_lame_duck_loses_nobody(tmp_path: Path, master: tuple[str, ...]) -> None:
    with serving(tmp_path, *master, "--lame-duck", "1.5", "--threads", "2", app=APP) as server:
        until("/-/ready", 200, server=server)
        with server.client() as kept:
            assert kept.get("/").status == 200
            began = time.monotonic()
            server.process.send_signal(signal.SIGTERM)
            until("/-/ready", 503, server=server)
            while time.monotonic() - began < 1.2:
                assert status(server, "/") == 200
                assert status(server, "/-/live") == 200
                assert status(server) == 503
                assert kept.get("/").status == 200
        assert server.process.wait(10) == 0
        assert 1.4 < time.monotonic() - began < 6
        assert "serving on for 1.5 s (lame-duck)" in server.text()


@pytest.mark.parametrize("master", [(), ("--master",)], ids=["alone", "supervised"])
def test_a_second_signal_does_not_wait_for_the_lame_duck(tmp_path: Path, master: tuple[str, ...]) -> None:
    with serving(tmp_path, *master, "--lame-duck", "60", app=APP) as server:
        until("/-/ready", 200, server=server)
        server.process.send_signal(signal.SIGTERM)
        until("/-/ready", 503, server=server)
        time.sleep(SAME)
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(10) == 0
        assert time.monotonic() - began < 5
        assert "SIGTERM again: stopping at once" in server.text()


def test_a_hook_that_asks_for_the_end_before_the_signal_comes_ends_nothing_early(tmp_path: Path) -> None:
    options = ("--master", "--lame-duck", "2", "--master-fifo", str(tmp_path / "fifo"))
    with serving(tmp_path, *options, app=APP) as server:
        until("/-/ready", 200, server=server)
        began = time.monotonic()
        (tmp_path / "fifo").write_text("q")
        until("/-/ready", 503, server=server)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(10) == 0
        assert time.monotonic() - began > 1.9


def test_a_worker_that_dies_meanwhile_is_followed_by_one_that_knows(tmp_path: Path) -> None:
    with serving(tmp_path, "--master", "--processes", "1", "--lame-duck", "30", app=APP) as server:
        until("/-/ready", 200, server=server)
        server.process.send_signal(signal.SIGTERM)
        until("/-/ready", 503, server=server)
        [worker] = workers(server)
        os.kill(worker, signal.SIGKILL)
        assert status(server, "/") == 200
        assert status(server) == 503
        assert workers(server) != [worker]
        time.sleep(SAME)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(15) == 0


def test_nothing_is_reloaded_by_a_server_that_is_about_to_leave(tmp_path: Path) -> None:
    with serving(tmp_path, "--master", "--lame-duck", "2", app=APP) as server:
        until("/-/ready", 200, server=server)
        server.process.send_signal(signal.SIGTERM)
        until("/-/ready", 503, server=server)
        server.process.send_signal(signal.SIGHUP)
        assert server.process.wait(10) == 0
        assert "reloading" not in server.text() and "generation 2" not in server.text()


def workers(server: Server) -> list[int]:
    """Processes that listen to requests: those whose title or channel says worker are children of ours that
    are not the prototype, which is the oldest."""
    path = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
    return sorted(int(word) for word in path.read_text().split())[1:]


# ---- A reload -------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_ready_stays_true_through_a_reload(tmp_path: Path) -> None:
    with serving(tmp_path, "--master", "--processes", "2", "--lame-duck", "0.5", app=APP) as server:
        until("/-/ready", 200, server=server)
        server.process.send_signal(signal.SIGHUP)
        kept: Client | None = None
        seen: list[int] = []
        end = time.monotonic() + 20
        while "generation 2 serves" not in server.text() or len(seen) < 100:
            assert time.monotonic() < end, server.text()
            seen.append(status(server))
            kept = kept or server.client()
            reply = kept.get("/-/ready")
            seen.append(reply.status)
            if reply.headers.get("connection") == "close":
                kept.close()
                kept = None
        if kept is not None:
            kept.close()
        assert set(seen) == {200}
        assert "reloading" in server.text()
