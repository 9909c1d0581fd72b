"""What a server says of requests that are slow or stuck: in its log, by ``penstock ctl``, on a socket."""

import contextlib
import json
import re
import socket
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.cases import covering, turns
from tests.e2e.server import LOOPS, Client, Server
from tests.e2e.stuck import ctl, stuck, told
from tests.waiting import until

SINGLE: tuple[str, ...] = ()
MASTER = ("--master",)
ALIKE = pytest.mark.parametrize("options", turns([SINGLE, MASTER], MASTER), ids=["single", "master"])

STUCK = "function = waits_for_ever line = LOCK"


@contextlib.contextmanager
def asking(server: Server, *paths: str, over: bool = False) -> Iterator[list[Client]]:
    """Requests that run meanwhile; they are all answered at the end, which comes with ``over`` at once."""
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(server.client(timeout=30)) for _ in paths]
        for client, path in zip(clients, paths, strict=True):
            client.send(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        yield clients
        if over:
            assert stack.enter_context(server.client(timeout=30)).get("/over").status == 200
        for client in clients:
            assert client.reply().status == 200


# ---- The log --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("options", "loop"), covering([SINGLE, MASTER], LOOPS))
def test_a_slow_request_has_its_stack_in_the_log_while_it_runs(
    tmp_path: Path, options: tuple[str, ...], loop: str
) -> None:
    with stuck(tmp_path, *options, "--loop", loop, "--threads", "4", "--log-slow", "300") as server:
        with asking(server, "/spin?s=25", "/lock?s=25", "/?s=0", over=True):
            server.wait_for("LOCK.acquire(timeout=seconds)")
            server.wait_for("sum(number * number")
            text = server.text()
            assert "ended after" not in text, "they run still"
            for path in ("/lock?s=25", "/spin?s=25"):
                (line,) = [one for one in text.splitlines() if f"slow: GET {path} HTTP/1.1 from 127.0" in one]
                found = re.search(r"(\d+\.\d) s so far, in the application \(receive 0\.\d+ s, queue", line)
                assert found and float(found[1]) >= 0.3, line
        server.wait_for("slow: GET /lock?s=25 HTTP/1.1: ended after ")
        server.wait_for("slow: GET /spin?s=25 HTTP/1.1: ended after ")
        assert "slow: GET /?s=0" not in server.text()


def test_a_client_that_sends_slowly_is_told_by_its_phase(tmp_path: Path) -> None:
    options = ("--log-slow", "300", "--post-buffering", "0", "--gather", "0")
    with stuck(tmp_path, *options) as server, server.client() as client:
        client.send(b"POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab")
        server.wait_for("reading the body (")
        client.send(b"cd")
        assert client.reply().status == 200
        server.wait_for("slow: POST /read HTTP/1.1: ended after ")


@pytest.mark.slow
def test_when_everything_is_slow_the_log_has_ten_stacks_and_a_count(tmp_path: Path) -> None:
    with stuck(tmp_path, "--threads", "40", "--log-slow", "200") as server:
        with asking(server, *["/lock?s=11"] * 40):
            server.wait_for("stacks are all that is written", timeout=20)
        text = server.text()
        assert text.count("slow: GET /lock?s=11 HTTP/1.1 from") == text.count("Stack of penstock-") == 10
        (said,) = re.findall(r"slow: (\d+) more requests were slow within 10 s", text)
        assert int(said) == 30


def test_a_deadlines_record_has_the_phases_too(tmp_path: Path) -> None:
    with stuck(tmp_path, "--master", "--harakiri", "1", "--log-slow", "200") as server:
        with server.client(timeout=20) as client:
            assert client.get("/spin?s=3").status == 504
        server.wait_for("slow: GET /spin?s=3 HTTP/1.1: ended after ")
        (line,) = [
            one for one in server.text().splitlines() if "harakiri: GET /spin?s=3 HTTP/1.1 from" in one
        ]
        assert re.search(
            r"answered 504 \(receive 0\.\d+ s, queue 0\.\d+ s, run [1-9]\.\d+ s, write 0\.\d+ s\)", line
        )


# ---- penstock ctl ---------------------------------------------------------------------------------------


def test_a_single_process_takes_commands(tmp_path: Path) -> None:
    with stuck(tmp_path, "--pidfile", str(tmp_path / "pid")) as server:
        assert ctl(tmp_path, "health").stdout == "serving: 1 of 1 workers\n"
        (worker,) = told(tmp_path, "status")["status"]["workers"]
        assert worker["pid"] == server.process.pid and worker["wid"] == 1
        assert (tmp_path / "ctl").stat().st_mode & 0o777 == 0o600
        done = ctl(tmp_path, "reload")
        assert done.returncode == 1 and "master = true" in done.stderr
        assert ctl(tmp_path, "pause").returncode == 0
        assert (ctl(tmp_path, "health").returncode, ctl(tmp_path, "health").stdout) == (1, "")
        assert ctl(tmp_path, "pause").returncode == 0
        (tmp_path / "pid").unlink()
        done = ctl(tmp_path, "stop")
        assert (done.returncode, done.stdout) == (0, "the server has ended\n")
        assert server.process.wait(5) == 0
    assert ctl(tmp_path, "health").returncode == 3
    assert not (tmp_path / "ctl").exists()


@ALIKE
def test_what_runs_and_what_waits_with_their_phases(tmp_path: Path, options: tuple[str, ...]) -> None:
    words = (*options, "--threads", "2", "--shutdown-timeout", "0.5")
    with stuck(tmp_path, *words, expect=30) as server, contextlib.ExitStack() as clients:
        for path in ("/lock?s=60", "/lock?s=60", "/?waits=0"):
            clients.enter_context(server.client()).send(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        running: list[dict[str, Any]] = []

        def known() -> bool:
            """Whether all three are where they stay, for a while."""
            running[:] = told(tmp_path, "requests")["requests"]
            return len(running) == 3 and min(one["age"] for one in running) > 1.0

        until(known)
        assert sorted(one["phase"] for one in running) == [
            "in the application", "in the application", "waiting for a thread"
        ]  # fmt: skip
        for one in running:
            where = "queue" if one["thread"] == "" else "run"
            assert one["phases"][where] > 0.2 and sum(one["phases"].values()) == pytest.approx(
                one["age"], abs=0.1
            )
        text = ctl(tmp_path, "requests").stdout
        assert text.count("waits_for_ever(seconds)") == 2 and "write 0.000 s" in text
        assert ctl(tmp_path, "stacks").stdout.count("in waits_for_ever") == 2


@ALIKE
def test_a_profile_shows_where_the_time_is(tmp_path: Path, options: tuple[str, ...]) -> None:
    with (
        stuck(tmp_path, *options, "--threads", "4") as server,
        asking(server, "/lock?s=25", "/spin?s=25", over=True),
    ):
        if options:
            server.wait_for("worker ready")
        done = ctl(tmp_path, "profile", "--seconds", "1", "-o", "where.svg")
        assert done.returncode == 0, done.stderr
        lines = done.stdout.splitlines()
        assert "4 threads in 1 worker: " in lines[0], lines
        assert any("computes" in line or "genexpr" in line for line in lines[1:3])
        assert any("waits_for_ever" in line for line in lines[1:4])
        counts = {
            line.rpartition(" ")[0]: int(line.rpartition(" ")[2])
            for line in (tmp_path / "where.collapsed").read_text().splitlines()
        }
        waits = sum(count for stack, count in counts.items() if "waits_for_ever" in stack)
        computes = sum(count for stack, count in counts.items() if "computes" in stack)
        assert waits + computes == sum(counts.values()) and abs(waits - computes) <= 2 and waits > 20
        picture = (tmp_path / "where.svg").read_text()
        assert "waits_for_ever" in picture and ET.fromstring(picture).tag.endswith("svg")
        reply = told(tmp_path, "profile", "--seconds", "0.2", "--worker", "1")
        assert reply["ok"] and reply["profile"][0]["samples"] >= 5
        assert ctl(tmp_path, "profile", "--worker", "9").returncode == 1


def test_requests_go_on_while_a_profile_is_taken(tmp_path: Path) -> None:
    with stuck(tmp_path, "--threads", "4") as server:
        answered: list[int] = []
        over = threading.Event()

        def load() -> None:
            with server.client() as client:
                while not over.is_set():
                    answered.append(client.get("/").status)

        with ThreadPoolExecutor(2) as pool:
            loads = [pool.submit(load) for _ in range(2)]
            reply = told(tmp_path, "profile", "--seconds", "1")
            over.set()
            for one in loads:
                one.result()
        (part,) = reply["profile"]
        assert part["cost"] < 0.2 * part["seconds"] and len(answered) > 200 and set(answered) == {200}


# ---- py-tracebacker -------------------------------------------------------------------------------------


def stacks_at(path: Path) -> str:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(10)
        sock.connect(str(path))
        return b"".join(iter(lambda: sock.recv(1 << 16), b"")).decode()


def test_every_worker_has_a_socket_with_its_stacks(tmp_path: Path) -> None:
    options = ("--master", "--processes", "2", "--threads", "2", "--py-tracebacker", str(tmp_path / "tb"))
    with stuck(tmp_path, *options) as server:
        server.wait_for("workers ready")
        before = (tmp_path / "tb1").stat().st_ino

        def hang() -> int:
            return sum(stacks_at(tmp_path / f"tb{number}").count(STUCK) for number in (1, 2))

        with contextlib.ExitStack() as clients:
            for count in (1, 2, 3):  # one behind the other, so that none waits behind two in one worker
                clients.enter_context(asking(server, "/lock?s=6"))
                until(lambda count=count: hang() == count)  # type: ignore[misc]  # as the loop has it now
        assert ctl(tmp_path, "reload").returncode == 0
        assert (tmp_path / "tb1").stat().st_ino != before
        assert stacks_at(tmp_path / "tb1").startswith("*** uWSGI Python tracebacker output ***")
    assert not list(tmp_path.glob("tb?"))


def test_a_lone_process_is_number_one(tmp_path: Path) -> None:
    with stuck(tmp_path, "--py-tracebacker", str(tmp_path / "tb")):
        until(lambda: (tmp_path / "tb1").exists())
        assert "function = serve_alone" in stacks_at(tmp_path / "tb1")
    assert not list(tmp_path.glob("tb?"))


def test_what_ctl_says_can_be_read_by_programs(tmp_path: Path) -> None:
    with stuck(tmp_path):
        done = ctl(tmp_path, "health", "--json")
        assert json.loads(done.stdout) == {"ok": True, "code": 0, "text": "serving: 1 of 1 workers"}
