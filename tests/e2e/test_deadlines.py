"""Deadlines on a real server: one request is ended, its neighbours are not."""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cases import covering, turns
from tests.e2e.server import LOOPS, Client, Reply, Server, serving

APP = "tests.sites.overtime:application"
DEADLINE = 1.0
LATEST = DEADLINE + 2.5  # on a machine that has other work
"""Seconds after which a client must have its answer."""


@contextmanager
def overtime(tmp: Path, *options: str, loop: str = "uvloop", threads: int = 8) -> Iterator[Server]:
    words = ["--loop", loop, "--threads", str(threads), "--harakiri", str(DEADLINE), *options]
    with serving(tmp, *words, app=APP, expect=None) as server:
        yield server
        server.stop()


def timed(server: Server, path: str) -> tuple[Reply, float]:
    with server.client() as client:
        begun = time.monotonic()
        return client.get(path), time.monotonic() - begun


def record_of(server: Server, path: str) -> str:
    """The record of the request for ``path``, which there is once."""
    server.wait_for(f"harakiri: GET {path} ")
    found = re.findall(rf"error: harakiri: GET {path} .*\n(?:Stack of .*\n(?:  .*\n)*)?", server.text())
    assert len(found) == 1, found
    return str(found[0])


@pytest.mark.parametrize(
    ("path", "loop"), covering(["/spin", "/sleep", "/lock", "/between", "/swallows"], LOOPS)
)
def test_a_request_that_is_stuck_has_504_and_a_neighbour_with_time_left_is_served(
    tmp_path: Path, path: str, loop: str
) -> None:
    with overtime(tmp_path, loop=loop, threads=2) as server:
        found: list[tuple[Reply, float]] = []
        stuck = threading.Thread(target=lambda: found.append(timed(server, path)))
        stuck.start()
        time.sleep(0.5)
        neighbour, took = timed(server, "/nap?0.8")  # ends when the stuck one is late, and is not late itself
        stuck.join(10)
        reply, waited = found[0]
        assert (reply.status, reply.headers["connection"]) == (504, "close")
        assert reply.body == b"504 Gateway Timeout: the request took too long\n"
        assert DEADLINE <= waited <= LATEST
        assert (neighbour.status, neighbour.body) == (200, b"0") and 0.8 <= took < LATEST
        record = record_of(server, path)
        assert "in the application: answered 504" in record
        assert 'overtime.py"' in record and f"in {path[1:]}" in record
        assert "answer.py" not in record
        server.wait_for("msecs (HTTP/1.1 504)")
        taken = re.search(rf"GET {path} => generated 0 bytes in (\d+) msecs \(HTTP/1.1 504\)", server.text())
        assert taken is not None and DEADLINE * 1000 <= int(taken[1]) <= LATEST * 1000
        assert server.text().count(f"GET {path} => ") == 1


def test_a_request_that_holds_the_interpreter_ends_with_its_worker_and_another_serves(tmp_path: Path) -> None:
    """Nothing of the worker's own can act meanwhile, so the supervisor does; it may be over before that."""
    with overtime(tmp_path) as server:
        try:
            assert timed(server, "/held")[0].status in (200, 504)
        except (EOFError, ConnectionResetError):
            assert "in held" in server.text()
        assert timed(server, "/")[0].status == 200


@pytest.mark.parametrize("loop", turns(LOOPS, "asyncio"))
def test_a_reply_that_has_begun_is_cut(tmp_path: Path, loop: str) -> None:
    with overtime(tmp_path, loop=loop) as server, server.client() as client:
        begun = time.monotonic()
        client.send(b"GET /head HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.head().status == 200
        with pytest.raises((EOFError, ConnectionResetError)):
            while True:
                client.exactly(1)
        assert DEADLINE - 0.1 <= time.monotonic() - begun <= LATEST
        assert "its reply had begun: the connection was cut" in record_of(server, "/head")
        assert timed(server, "/")[0].status == 200


@pytest.mark.parametrize("expect", ["", "Expect: 100-continue\r\n"])
def test_an_upload_that_is_being_read_is_answered_504(tmp_path: Path, expect: str) -> None:
    with overtime(tmp_path, threads=1) as server, server.client() as client:
        client.send(f"POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n{expect}\r\n".encode())
        if expect:
            assert client.reply().status == 100
        client.send(b"x" * 100_000)
        reply = client.reply()
        assert reply.status == 504
        server.wait_for("reading the body: answered 504")
        assert timed(server, "/came")[0].body == b"", "its thread was freed without an exception of ours"
        assert "an exception was thrown" not in server.text()


def test_who_waits_for_a_thread_has_the_queues_time(tmp_path: Path) -> None:
    with overtime(tmp_path, "--queue-timeout", "1", threads=1) as server:
        found: list[tuple[Reply, float]] = []
        both = [threading.Thread(target=lambda: found.append(timed(server, "/sleep"))) for _ in range(2)]
        for one in both:
            one.start()
        for one in both:
            one.join(10)
        assert sorted(reply.status for reply, _ in found) == [503, 504]


def test_a_connection_of_one_request_is_ended_as_well(tmp_path: Path) -> None:
    """Behind a front server no loop knows of them; here by HTTP, with a close that is asked for."""
    with overtime(tmp_path) as server:
        for _ in range(3):
            with server.client() as client:
                assert client.get("/", "Connection: close").status == 200
        with server.client() as client:
            assert client.get("/spin", "Connection: close").status == 504
            assert client.ended()


def test_a_uwsgi_client_is_answered_too(tmp_path: Path) -> None:
    words = {"REQUEST_METHOD": "GET", "REQUEST_URI": "/spin", "PATH_INFO": "/spin", "QUERY_STRING": "",
             "SERVER_PROTOCOL": "HTTP/1.1", "SERVER_NAME": "a", "SERVER_PORT": "80"}  # fmt: skip
    body = b"".join(
        len(word).to_bytes(2, "little") + word.encode() for pair in words.items() for word in pair
    )
    with overtime(tmp_path, "--uwsgi-socket", "127.0.0.1:0") as server, server.client() as client:
        for path in (b"/none", b"/spin"):
            with Client(server.address()) as client:
                packet = body.replace(b"\x05\x00/spin", b"\x05\x00" + path)
                client.send(b"\0" + len(packet).to_bytes(2, "little") + b"\0" + packet)
                assert client.reply().status == (504 if path == b"/spin" else 200)


def test_the_worker_is_replaced_and_those_beside_the_stuck_one_finish(tmp_path: Path) -> None:
    with overtime(tmp_path, "--harakiri-grace", "0.5") as server, server.client() as beside:
        found: list[tuple[Reply, float]] = []
        stuck = threading.Thread(target=lambda: found.append(timed(server, "/sleep")))
        stuck.start()
        time.sleep(0.6)
        beside.send(b"GET /nap?0.9 HTTP/1.1\r\nHost: a\r\n\r\n")
        stuck.join(10)
        assert found[0][0].status == 504
        assert beside.reply().status == 200
        server.wait_for("is to be replaced: harakiri: an exception was thrown into GET /sleep")
        assert timed(server, "/came")[0].body == b"", "another process answers"


def test_the_whole_worker_is_killed_where_that_is_asked_for(tmp_path: Path) -> None:
    with overtime(tmp_path, "--harakiri-mode", "process") as server:
        begun = time.monotonic()
        with pytest.raises((EOFError, ConnectionResetError)):
            timed(server, "/spin")
        assert time.monotonic() - begun <= LATEST
        assert "its worker is killed" in record_of(server, "/spin")
        assert timed(server, "/")[0].status == 200
