"""A single process seen as a supervisor: figures, questions, commands over its socket, and the end of it."""

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from penstock.process.alone.lone import ALONE, UNABLE, Lone
from penstock.process.standing import Standing
from penstock.process.supervisor.commands import BY_NAME
from penstock.process.supervisor.figures import status_of
from penstock.process.supervisor.inquiry import Answers
from tests.e2e.server import LOOPS
from tests.process.running import Application, Held, Running, hello, running
from tests.waiting import until


@contextmanager
def lone(tmp: Path, application: Application = hello, **options: Any) -> Iterator[tuple[Running, Lone]]:
    """One that serves, with its control socket in ``tmp``."""
    with running(tmp, application, control_socket=str(tmp / "ctl"), **options) as it:
        made: list[Lone] = []

        def begin() -> None:
            one = Lone(it.worker, it.settings, Standing(it.settings, it.diary))
            one.open()
            one.serve()
            made.append(one)

        it.call(begin)
        until(lambda: bool(made))
        try:
            yield it, made[0]
        finally:
            if it.thread.is_alive():
                it.end(it.worker.halt)
            made[0].end()
            assert not (tmp / "ctl").exists()


def ask(tmp: Path, command: str, **more: Any) -> dict[str, Any]:
    """The last line of what its socket answers."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(10)
        sock.connect(str(tmp / "ctl"))
        sock.sendall(json.dumps({"command": command, **more}).encode() + b"\n")
        sock.shutdown(socket.SHUT_WR)
        text = b""
        # Not to the end of the connection: where the loop has ended, nobody closes it before ``lone`` does.
        while b'"is":"done"' not in text or not text.endswith(b"\n"):
            piece = sock.recv(1 << 16)
            if not piece:
                break
            text += piece
    found: dict[str, Any] = json.loads(text.splitlines()[-1])
    return found


@pytest.mark.parametrize("loop", LOOPS)
def test_its_status_is_that_of_a_server_with_one_worker(tmp_path: Path, loop: str) -> None:
    with lone(tmp_path, loop=loop, threads=3) as (it, _):
        with it.client() as client:
            assert client.get("/").status == 200
        until(lambda: ask(tmp_path, "status")["status"]["totals"]["requests"] == 1)
        status = ask(tmp_path, "status")["status"]
        assert (status["state"], status["wanted"], status["pid"]) == ("serving", 1, os.getpid())
        assert status["household"] == {} and status["last_reload"] is None
        (worker,) = status["workers"]
        assert (worker["wid"], worker["pid"], worker["threads"]) == (1, os.getpid(), 3)
        assert (worker["state"], worker["requests"], worker["generation"]) == ("serving", 1, 1)
        assert worker["rss"] > 1 << 20 and worker["silent"] < 5
        assert ask(tmp_path, "health") == {
            "is": "done", "ok": True, "code": 0, "text": "serving: 1 of 1 workers"
        }  # fmt: skip


@pytest.mark.parametrize("loop", LOOPS)
def test_what_runs_is_told_with_its_phases(tmp_path: Path, loop: str) -> None:
    held = Held()
    with lone(tmp_path, held, loop=loop) as (it, _), it.client() as client:
        client.send(b"GET /held?a=b HTTP/1.1\r\nHost: a\r\n\r\n")
        assert held.arrived.wait(5)
        time.sleep(0.2)
        (request,) = ask(tmp_path, "requests", vars=True)["requests"]
        held.go.set()
        assert client.reply().status == 200
        assert (request["method"], request["uri"], request["wid"]) == ("GET", "/held?a=b", 1)
        assert request["thread"] == f"penstock-{request['core']}"
        assert set(request["phases"]) == {"receive", "queue", "run", "write"}
        assert request["phases"]["run"] >= 0.2 > request["phases"]["queue"]
        assert request["age"] >= request["phases"]["run"] and "self.go.wait(20)" in request["stack"]
        assert "REQUEST_METHOD=GET" in request["vars"] and "QUERY_STRING=a=b" in request["vars"]
        until(lambda: ask(tmp_path, "requests")["requests"] == [])


def test_its_questions_are_the_workers(tmp_path: Path) -> None:
    with lone(tmp_path) as (it, one):
        told: list[Answers] = []
        it.worker.tells["number"] = lambda question, say: say(question["of"] + 1)

        def put() -> None:
            one.inquiry.ask("number", told.append, of=4)
            one.inquiry.ask("nothing", told.append)

        it.call(put)
        until(lambda: len(told) == 2)
        assert [(a.wid, a.pid, a.value, a.reason) for (a,) in told] == [
            (1, os.getpid(), 5, ""), (1, os.getpid(), None, "the worker knows nothing of that")
        ]  # fmt: skip


def test_a_pause_and_the_end(tmp_path: Path) -> None:
    with lone(tmp_path) as (it, _):
        assert ask(tmp_path, "pause")["text"] == "the workers take no requests"
        assert not ask(tmp_path, "health")["ok"]
        assert ask(tmp_path, "pause")["text"] == "the workers take requests again"
        with it.client() as client:
            assert client.get("/").status == 200
        assert ask(tmp_path, "log-status")["ok"] and "1 of 1 workers serve" in it.log.read_text()
        assert ask(tmp_path, "stop")["ok"]
        it.thread.join(10)
        assert it.code == 0


def test_the_end_waits_for_what_runs_and_then_does_not(tmp_path: Path) -> None:
    held = Held()
    with lone(tmp_path, held) as (it, _), it.client() as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert held.arrived.wait(5)
        assert ask(tmp_path, "stop")["ok"]
        until(lambda: ask(tmp_path, "status")["status"]["state"] == "stopping")
        assert ask(tmp_path, "health")["text"] == "stopping"
        assert ask(tmp_path, "stop-now")["ok"]
        it.thread.join(10)
        held.go.set()
        assert it.code == 30


@pytest.mark.parametrize("name", sorted(UNABLE))
def test_what_needs_a_supervisor_is_refused(tmp_path: Path, name: str) -> None:
    assert name in BY_NAME
    with lone(tmp_path) as (_, _):
        reply = ask(tmp_path, name)
        assert (reply["ok"], reply["code"], reply["text"]) == (False, 1, ALONE)
        assert ask(tmp_path, "health")["ok"]


def test_whoever_asks_it_directly_is_refused_too(tmp_path: Path) -> None:
    with lone(tmp_path) as (it, one):
        told: list[Any] = []
        for call in (one.reload, one.upgrade):
            it.call(call, "somebody", *(("graceful",) if call == one.reload else ()), told.append)
        for other in (one.cheap, one.resize):
            it.call(other, 1)
        it.call(one.replace, one.handle, "somebody")
        until(lambda: it.log.read_text().count(ALONE) == 5)
        assert [(outcome.ok, outcome.text, outcome.code) for outcome in told] == [(False, ALONE, 1)] * 2


def test_nothing_of_it_is_loaded_before_somebody_asks(tmp_path: Path) -> None:
    with lone(tmp_path) as (_, one):
        assert one.control is None and one.knocking is not None
        ask(tmp_path, "health")
        assert one.control is not None and one.knocking is None


def test_without_a_socket(tmp_path: Path) -> None:
    with running(tmp_path, hello, control_socket="off") as it:
        one = Lone(it.worker, it.settings, Standing(it.settings, it.diary))
        one.open()
        assert one.berth.path == ""
        assert status_of(one)["state"] == "starting"
        one.end()
