"""The control socket: real connections, visitors of every kind, a supervisor that none holds up."""

import json
import os
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from penstock.process.pages import visitors as module
from penstock.process.supervisor.building import Outcome
from penstock.process.supervisor.control import LINE, VISITORS, Control
from tests.process.supervisor.obeying import FakeHandle, controlled

ROOT = pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")


@contextmanager
def visitor(control: Control) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(5)
        sock.connect(control.path)
        yield sock


def heard(sock: socket.socket) -> list[dict[str, Any]]:
    """The lines that are there now; the last one None where the connection has ended."""
    sock.setblocking(False)
    data = b""
    try:
        while piece := sock.recv(1 << 20):
            data += piece
    except BlockingIOError:
        pass
    assert not data or data.endswith(b"\n")
    return [json.loads(line) for line in data.splitlines()]


def ended(sock: socket.socket) -> bool:
    sock.setblocking(False)
    try:
        return sock.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


def done(text: str, ok: bool = True, code: int = 0) -> dict[str, Any]:
    return {"is": "done", "ok": ok, "code": code, "text": text}


# ---- Commands -----------------------------------------------------------------------------------------


def test_a_command_and_its_end(tmp_path: Path) -> None:
    with controlled(tmp_path) as (supervisor, control), visitor(control) as sock:
        sock.send(b'{"command":"pause"}\n')
        supervisor.turn()
        assert heard(sock) == [done("the workers take no requests")]
        sock.send(b'{"command":"pause"}\n')
        supervisor.turn()
        assert heard(sock) == [done("the workers take requests again")]
        assert f"penstock ctl (process {os.getpid()}): pause\n" in supervisor.text()


def test_one_that_takes_its_time(tmp_path: Path) -> None:
    with controlled(tmp_path) as (supervisor, control), visitor(control) as sock:
        supervisor.outcome = None
        sock.send(b'{"command":"reload"}\n')
        supervisor.turn()
        assert heard(sock) == [{"is": "taken"}]
        supervisor.waiting[0](Outcome(False, "Traceback\nSyntaxError", 22))
        assert heard(sock) == [done("Traceback\nSyntaxError", False, 22)]


def test_only_one_at_a_time(tmp_path: Path) -> None:
    with controlled(tmp_path) as (supervisor, control), visitor(control) as sock:
        supervisor.outcome = None
        sock.send(b'{"command":"reload"}\n{"command":"pause"}\n')
        supervisor.turn()
        assert heard(sock) == [{"is": "taken"}, done("one command at a time", False, 2)]
        assert [what[0] for what in supervisor.did] == ["reload"]


def test_several_after_each_other(tmp_path: Path) -> None:
    with controlled(tmp_path) as (supervisor, control), visitor(control) as sock:
        sock.send(b'{"command":"pause"}\n\n  \n{"command":"add-workers","count":2}\n{"comm')
        supervisor.turn()
        assert [reply["text"] for reply in heard(sock)] == [
            "the workers take no requests",
            "4 workers are to run",
        ]
        sock.send(b'and":"pause"}\n')
        supervisor.turn()
        assert supervisor.did == [("pause",), ("resize", 2), ("pause",)]


@pytest.mark.parametrize("ending", [b"\n", b""])
def test_who_shuts_its_side_gets_the_answer(tmp_path: Path, ending: bytes) -> None:
    """As ``echo ... | nc -U`` does."""
    with controlled(tmp_path) as (supervisor, control), visitor(control) as sock:
        supervisor.outcome = None
        sock.send(b'{"command":"reload"}' + ending)
        sock.shutdown(socket.SHUT_WR)
        supervisor.turn()
        assert heard(sock) == [{"is": "taken"}]
        supervisor.turn()
        supervisor.waiting[0](Outcome(True, "generation 2 serves"))
        assert heard(sock) == [done("generation 2 serves")]
        assert ended(sock) and not control.visitors


def test_who_leaves_is_forgotten_and_the_command_goes_on(tmp_path: Path) -> None:
    with controlled(tmp_path) as (supervisor, control):
        supervisor.outcome = None
        with visitor(control) as sock:
            sock.send(b'{"command":"reload"}\n')
            supervisor.turn()
        supervisor.turn()
        assert not control.visitors
        supervisor.waiting[0](Outcome(True, "generation 2 serves"))
        assert supervisor.did == [("reload", f"penstock ctl (process {os.getpid()})", "graceful")]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"stop\n", "a request is a line with an object of JSON"),
        (b"[]\n", "a request is a line with an object of JSON"),
        (b"\xff\xfe\n", "a request is a line with an object of JSON"),
        (b"[" * 60000 + b"\n", "a request is a line with an object of JSON"),
        (b'{"command":"frobnicate"}\n', "there is no command 'frobnicate'"),
        (b"{}\n", "there is no command None"),
        (b"x" * (LINE + 1), f"a request is a line of at most {LINE} bytes"),
    ],
    ids=range(7),
)
def test_what_is_not_understood(tmp_path: Path, data: bytes, text: str) -> None:
    with controlled(tmp_path) as (supervisor, control), visitor(control) as sock:
        sock.sendall(data)
        supervisor.turn(0.1)
        assert heard(sock) == [done(text, False, 2)]
        assert supervisor.did == []


def test_a_fault_of_ours_is_told_to_who_asked(tmp_path: Path) -> None:
    with controlled(tmp_path) as (supervisor, control), visitor(control) as sock:
        supervisor.workers = [FakeHandle(1, 0, 1)]
        supervisor.board.totals = {}
        sock.send(b'{"command":"status"}\n')
        supervisor.turn()
        assert heard(sock) == [done("a fault of penstock's own: KeyError('requests')", False, 1)]
        assert len(supervisor.faults) == 1 and "KeyError" in supervisor.faults.pop()


def test_status_and_requests(tmp_path: Path) -> None:
    with controlled(tmp_path) as (supervisor, control), visitor(control) as sock:
        worker = FakeHandle(1, 0, os.getpid())
        supervisor.workers = [worker]
        sock.send(b'{"command":"status"}\n')
        supervisor.turn()
        status = heard(sock)[0]["status"]
        assert status["workers"][0]["pid"] == status["pid"] == os.getpid()
        sock.send(b'{"command":"requests"}\n')
        supervisor.turn()
        assert heard(sock) == [{"is": "taken"}]
        assert worker.sent == [{"do": "tell", "what": "requests", "id": 1, "vars": False}]
        said = {"is": "told", "id": 1, "value": [{"method": "GET", "uri": "/"}]}
        supervisor.on_message[0](worker, said)
        assert heard(sock) == [
            {**done(""), "requests": [{"method": "GET", "uri": "/", "wid": 1, "pid": os.getpid()}]}
        ]


# ---- Who keeps us waiting -------------------------------------------------------------------------------


def test_who_does_not_read_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with controlled(tmp_path) as (supervisor, control), visitor(control) as sock:
        supervisor.workers = [FakeHandle(at, at, 1, why="x" * 10000) for at in range(100)]
        began = time.monotonic()
        asked = 0
        while control.visitors or not asked:
            try:
                sock.setblocking(False)
                asked += sock.send(b'{"command":"status"}\n')
            except (BlockingIOError, BrokenPipeError):
                pass
            supervisor.turn(0.01)
            assert time.monotonic() - began < 20
        assert sum(len(v.waits) for v in control.visitors.values()) == 0
        with visitor(control) as other:
            other.send(b'{"command":"pause"}\n')
            supervisor.turn()
            assert heard(other) == [done("the workers take no requests")]


def test_a_long_reply_goes_as_it_is_taken(tmp_path: Path) -> None:
    with controlled(tmp_path) as (supervisor, control), visitor(control) as sock:
        supervisor.workers = [FakeHandle(at, at, 1, why="x" * 10000) for at in range(300)]
        sock.send(b'{"command":"status"}\n')
        supervisor.turn()
        assert control.visitors, "it waits"
        data = b""
        sock.setblocking(False)
        while not data.endswith(b"\n"):
            try:
                data += sock.recv(1 << 16)
            except BlockingIOError:
                supervisor.turn(0.01)
        assert len(json.loads(data)["status"]["workers"]) == 300


def test_who_says_nothing_is_let_go(tmp_path: Path) -> None:
    with (
        controlled(tmp_path) as (supervisor, control),
        visitor(control) as silent,
        visitor(control) as waiting,
    ):
        supervisor.outcome = None
        waiting.send(b'{"command":"reload"}\n')
        silent.send(b'{"comm')
        supervisor.turn()
        assert len(control.visitors) == 2
        for each in control.visitors.values():
            each.moved -= module.PATIENCE + 1
        assert control.guests is not None
        control.guests.look()
        supervisor.turn()
        assert ended(silent)
        assert heard(waiting) == [{"is": "taken"}] and not ended(waiting), (
            "it is we who keep that one waiting"
        )


def test_too_many(tmp_path: Path) -> None:
    with controlled(tmp_path) as (supervisor, control):
        socks = [socket.socket(socket.AF_UNIX) for _ in range(VISITORS)]
        for sock in socks:
            sock.connect(control.path)
            supervisor.turn(0.01)
        assert len(control.visitors) == VISITORS
        with visitor(control) as sock:
            supervisor.turn()
            assert heard(sock) == [done(f"{VISITORS} others are being served", False, 1)]
            assert ended(sock)
        for sock in socks:
            sock.close()
        supervisor.turn()
        assert not control.visitors
        with visitor(control) as sock:
            sock.send(b'{"command":"pause"}\n')
            supervisor.turn()
            assert heard(sock) == [done("the workers take no requests")]


def test_without_descriptors_it_does_not_spin(tmp_path: Path) -> None:
    with controlled(tmp_path) as (supervisor, control):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        with visitor(control) as sock:
            resource.setrlimit(resource.RLIMIT_NOFILE, (sock.fileno(), hard))
            try:
                began = time.process_time()
                supervisor.turn(0.3)
                assert time.process_time() - began < 0.1
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            assert control.guests is not None
            control.guests.resume()
            sock.send(b'{"command":"pause"}\n')
            supervisor.turn()
            assert heard(sock) == [done("the workers take no requests")]


@ROOT
def test_another_user_may_not(tmp_path: Path) -> None:
    with controlled(tmp_path) as (supervisor, control):
        os.chmod(control.path, 0o666)
        for folder in (tmp_path, *tmp_path.parents):
            if folder.stat().st_mode & 0o077 == 0:
                os.chmod(folder, 0o755)
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.setuid(54321)
                with visitor(control) as sock:
                    os.write(writing, sock.recv(1000))
            finally:
                os._exit(0)
        supervisor.turn(0.5)
        os.waitpid(child, 0)
        os.close(writing)
        reply = os.read(reading, 1000)
        os.close(reading)
        assert json.loads(reply) == done("user 54321 may not command this server", False, 1)
