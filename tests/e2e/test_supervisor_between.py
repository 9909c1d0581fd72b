"""Two things at once: commands, deaths and stops that fall into a reload, and what each leaves behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.e2e.server import Server
from tests.e2e.shop import alive, answer, children, shop, title, until_mark, workers, write
from tests.e2e.surroundings import environment
from tests.waiting import until

SLOW = "import time; time.sleep(1.2)\n"
FORKS = """
import os, time
from shop import application as shop

def application(environ, start_response):
    if environ["PATH_INFO"] == "/fork" and os.fork() == 0:
        time.sleep(20)
        os._exit(0)
    return shop(environ, start_response)
"""


def ctl(server: Server, *words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "penstock", "ctl", "--pid", str(server.process.pid), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(),
    )


def told(call: "subprocess.Popen[str]") -> str:
    """What it says in the end; it must have one."""
    with call:
        try:
            return call.communicate(timeout=20)[0]
        except subprocess.TimeoutExpired:
            call.kill()
            raise


def prototype(server: Server) -> int:
    (found,) = [pid for pid in children(server.process.pid) if pid not in workers(server, 1)]
    assert "prototype" in title(found)
    return found


def marks(server: Server, count: int) -> set[str]:
    """The marks of so many workers."""
    found: dict[int, str] = {}
    until = time.monotonic() + 10
    while len(found) < count:
        assert time.monotonic() < until, server.text()
        mark, pid, _ = answer(server)
        found[pid] = mark
    return set(found.values())


@pytest.mark.slow
def test_a_worker_more_in_the_middle_of_a_reload_has_the_new_code(tmp_path: Path) -> None:
    for how in ((), ("chain",)):
        write(tmp_path, "one")
        with shop(tmp_path, count=1) as server:
            write(tmp_path, "two", SLOW)
            reload = ctl(server, "reload", *how)
            server.wait_for("reloading")
            server.process.send_signal(signal.SIGTTIN)
            assert "generation 2 serves" in told(reload)
            until = time.monotonic() + 10
            while "has left" not in server.text() or len(children(server.process.pid)) != 3:
                assert time.monotonic() < until, server.text()
                time.sleep(0.05)
            assert marks(server, 2) == {"two"}


def test_a_worker_less_while_all_are_replaced(tmp_path: Path) -> None:
    with shop(tmp_path, "--lazy-apps", count=2) as server:
        workers(server, 2)
        write(tmp_path, "two", SLOW)
        reload = ctl(server, "reload", "workers")
        server.wait_for("is to be replaced")
        server.process.send_signal(signal.SIGTTOU)
        assert "all workers were replaced" in told(reload)


def test_workers_that_cannot_start_are_told_of(tmp_path: Path) -> None:
    with shop(tmp_path, "--lazy", count=1) as server:
        write(tmp_path, "two", "raise RuntimeError('no database')\n")
        assert "no database" in told(ctl(server, "reload"))
        assert answer(server)[0] == "one"
        write(tmp_path, "three")
        assert "all workers were replaced" in told(ctl(server, "reload"))
        until_mark(server, "three")


def test_a_stop_does_not_wait_for_a_reloads_mercy(tmp_path: Path) -> None:
    options = ("--shutdown-timeout", "1", "--worker-reload-mercy", "30")
    with shop(tmp_path, *options, count=1, expect=None) as server, server.client() as client:
        client.send(b"GET /sleep?25 HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(0.5)
        server.process.send_signal(signal.SIGHUP)
        server.wait_for("generation 2 serves")
        begun = time.monotonic()
        assert server.stop() == 30
        assert time.monotonic() - begun < 10


def test_who_asks_while_the_prototype_is_dead_is_replaced_later(tmp_path: Path) -> None:
    with shop(tmp_path, count=1) as server:
        before = answer(server)[1]
        write(tmp_path, "two", SLOW)
        os.kill(prototype(server), signal.SIGKILL)
        server.wait_for("its prototype")
        os.kill(before, signal.SIGTERM)
        server.wait_for("is to be replaced: SIGTERM")
        assert "started anew" not in server.text()
        until_mark(server, "two")
        until(lambda: answer(server)[1] != before)  # both listen for a moment


@pytest.mark.slow
def test_a_prototype_that_is_stopped_is_followed(tmp_path: Path) -> None:
    with shop(tmp_path, "--start-timeout", "1", count=1) as server:
        stopped, worker = prototype(server), answer(server)[1]
        time.sleep(0.5)  # that its first reply is counted
        os.kill(stopped, signal.SIGSTOP)
        os.kill(worker, signal.SIGKILL)
        server.wait_for("forks nobody", timeout=15)
        assert answer(server)[0] == "one"
        assert not alive(stopped)


def test_the_address_is_free_though_a_child_of_the_application_holds_it(tmp_path: Path) -> None:
    write(tmp_path, "one")
    (tmp_path / "forks.py").write_text(FORKS)
    with shop(tmp_path, "--module", "forks", count=1) as server:
        assert answer(server, "/fork")[0] == "one"
        port = server.port
        server.stop()
        with socket.socket() as again:
            again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            again.bind(("127.0.0.1", port))
            again.listen()
