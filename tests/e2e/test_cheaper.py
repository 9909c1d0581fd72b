"""The number of workers of a running server follows the load, and no request pays for it."""

import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.server import Server, serving
from tests.waiting import until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="several processes need Linux")
QUIET = ("--disable-logging",)


def children(server: Server) -> int:
    """Workers: what is below the supervisor but the prototype."""
    pids = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    return len(pids) - 1


@contextmanager
def load(server: Server, clients: int, path: str) -> Iterator[list[str]]:
    """So many clients ask all the time, a connection for each request; what went wrong is in the list."""
    wrong: list[str] = []
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            try:
                with server.client() as client:
                    reply = client.get(path, "Connection: close")
                    if reply.status != 200 or not client.ended():
                        wrong.append(repr(reply))
            except (OSError, EOFError) as error:
                wrong.append(repr(error))

    threads = [threading.Thread(target=ask) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield wrong
    finally:
        over.set()
        for thread in threads:
            thread.join()


SELDOM = [pytest.param(name, marks=pytest.mark.slow) for name in ("busyness", "spare2", "backlog")]


@pytest.mark.parametrize("algorithm", ["spare", *SELDOM])
def test_workers_come_under_load_and_go_after_it(tmp_path: Path, algorithm: str) -> None:
    options: tuple[str, ...] = (
        "--processes",
        "3",
        "--cheaper",
        "1",
        "--cheaper-algo",
        algorithm,
        "--cheaper-overload",
        "1",
    )
    options += ("--cheaper-idle", "1", "--cheaper-busyness-multiplier", "1", "--check-interval", "200ms")
    with serving(tmp_path, *QUIET, *options, "--threads", "1") as server:
        until(lambda: children(server) == 1, shown=server.text)
        with load(server, 6, "/sleep?s=0.05") as wrong:
            until(lambda: children(server) == 3, 30, server.text)
        assert wrong == []
        with load(server, 1, "/") as wrong:
            until(lambda: children(server) == (2 if algorithm == "spare2" else 1), 30, server.text)
        assert wrong == []
        text = server.text()
        assert re.search(r"cheaper: 2 workers instead of 1: ", text)
        assert "has left: it is not needed any more" in text
        assert " died" not in text


def test_cheaper_initial_is_how_many_there_are_first(tmp_path: Path) -> None:
    options = ("--processes", "4", "--cheaper", "1", "--cheaper-initial", "3", "--cheaper-algo", "manual")
    with serving(tmp_path, *QUIET, *options) as server:
        until(lambda: children(server) == 3, shown=server.text)
        with server.client() as client:
            assert client.get("/").status == 200
        assert children(server) == 3


def test_a_server_without_requests_has_no_workers_and_the_next_request_is_answered(tmp_path: Path) -> None:
    options = ("--processes", "2", "--cheap", "--idle", "300ms", "--check-interval", "50ms")
    with serving(tmp_path, *QUIET, *options) as server:
        server.wait_for("cheap: no workers run, waiting for a connection")
        for _ in range(3):
            until(lambda: children(server) == 0, shown=server.text)
            with server.client() as client:
                assert client.get("/").status == 200
            assert children(server) >= 1
        text = server.text()
        # Once for each time that none was left: on a slow machine they may end before they were asked.
        none_left = text.count("no workers run, waiting for a connection")
        assert 3 <= text.count("a connection has come: 2 workers to start") <= none_left
        assert text.count("no request for more than 0.3 s (idle)") >= 2
        assert " died" not in text


def test_die_on_idle_ends_the_server(tmp_path: Path) -> None:
    options = ("--processes", "2", "--idle", "1", "--die-on-idle", "--check-interval", "50ms")
    with serving(tmp_path, *QUIET, *options, expect=None) as server:
        with server.client() as client:
            assert client.get("/").status == 200
        assert server.process.wait(20) == 0
        assert "no request for more than 1 s (idle); die-on-idle" in server.text()


def test_auto_says_what_it_came_to_and_why(tmp_path: Path) -> None:
    with serving(tmp_path, *QUIET, "--processes", "auto") as server:
        server.wait_for(" worker")
        found = re.search(r"penstock: (\d+) workers?: (one for each|memory has room)", server.text())
        assert found, server.text()
        count = int(found[1])
        until(lambda: children(server) == count, shown=server.text)
