"""The other end of the control socket: a real one, and peers that are not what they should be."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from penstock.process.supervisor.building import Outcome
from penstock.process.supervisor.client import (
    Call,
    NoServer,
    Silent,
    command_of,
    of_process,
    status_at,
    the_only_one,
    upgraded,
    wait_until_gone,
)
from penstock.process.supervisor.places import Place
from tests.process.supervisor.obeying import commanded


@contextmanager
def peer(path: Path, serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """Somebody else at the other end, for one connection."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(1)

        def run() -> None:
            sock, _ = listener.accept()
            with sock:
                serve(sock)

        thread = threading.Thread(target=run)
        thread.start()
        yield str(path)
        thread.join(10)


def test_a_command(tmp_path: Path) -> None:
    with commanded(tmp_path) as (supervisor, control), Call(control.path) as call:
        assert call.pid == os.getpid()
        reply = call.ask({"command": "add-workers", "count": 2})
        assert (reply["ok"], reply["text"]) == (True, "4 workers are to run")
        assert call.ask({"command": "pause"})["ok"]
        assert supervisor.did == [("resize", 2), ("pause",)]


def test_one_that_takes_its_time_is_waited_for(tmp_path: Path) -> None:
    with commanded(tmp_path) as (supervisor, control), Call(control.path) as call:
        supervisor.outcome = None

        def finish() -> None:
            while not supervisor.waiting:
                time.sleep(0.01)
            supervisor.waiting[0](Outcome(False, "Traceback", 22))

        thread = threading.Thread(target=finish)
        thread.start()
        reply = call.ask({"command": "reload"})
        thread.join(10)
        assert (reply["ok"], reply["code"], reply["text"]) == (False, 22, "Traceback")


def test_nobody_there(tmp_path: Path) -> None:
    with pytest.raises(NoServer, match=f"no server answers at {tmp_path}/ctl: No such file"):
        Call(str(tmp_path / "ctl"))
    with pytest.raises(NoServer, match="too long"):
        Call("x" * 200)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "the server ended the connection before the command had ended"),
        (b'{"is":"taken"}\n', "the server ended the connection before the command had ended"),
        (b"HTTP/1.1 400 Bad Request\r\n", "what answers at .* is no penstock"),
        (b"[1]\n", "what answers at .* is no penstock"),
    ],
)
def test_one_that_is_no_server(tmp_path: Path, data: bytes, said: str) -> None:
    def serve(sock: socket.socket) -> None:
        sock.recv(1000)
        sock.sendall(data)

    with peer(tmp_path / "peer", serve) as path, Call(path) as call, pytest.raises(Silent, match=said):
        call.ask({"command": "status"})


def test_one_that_does_not_answer(tmp_path: Path) -> None:
    over = threading.Event()
    with peer(tmp_path / "peer", lambda sock: (over.wait(10), None)[1]) as path, Call(path) as call:
        call.sock.settimeout(0.1)
        with pytest.raises(Silent, match="does not answer"):
            call.ask({"command": "status"})
        over.set()


def test_an_abstract_name(tmp_path: Path) -> None:
    name = f"penstock-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"\0{name}")
        listener.listen(1)
        with Call(f"@{name}") as call:
            assert call.pid == os.getpid()


def test_which_one_is_meant() -> None:
    one, two = Place(11, "/run/penstock/11.ctl"), Place(12, "/run/penstock/12.ctl")
    assert the_only_one([one]) == one.path
    with pytest.raises(NoServer, match=r"^no server with a control socket runs here"):
        the_only_one([])
    with pytest.raises(NoServer) as error:
        the_only_one([one, two])
    first, *lines = str(error.value).splitlines()
    assert first == "2 servers run; name one with --pid or --socket:"
    assert [line.split("  ")[1:3] for line in lines] == [
        ["--pid 11", "(/run/penstock/11.ctl)"], ["--pid 12", "(/run/penstock/12.ctl)"],
    ]  # fmt: skip


def test_which_server_is_which_is_seen_by_its_command_line() -> None:
    program = "import sys; print(flush=True); sys.stdin.read()"
    words = [sys.executable, "-c", program, "x" * 80, "--ini", "shop.ini"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as one:
        assert one.stdin is not None and one.stdout is not None
        one.stdout.readline()  # it is that program by now
        assert command_of(one.pid) == "  …" + "x" * 44 + " --ini shop.ini"
        one.stdin.close()
    assert command_of(one.pid) == ""


def test_a_process_without_one() -> None:
    with pytest.raises(NoServer, match=f"^process {os.getpid()} has no control socket that can be found"):
        of_process(os.getpid(), {})


def test_the_end_of_a_process_is_waited_for(tmp_path: Path) -> None:
    with commanded(tmp_path) as (_, control), Call(control.path) as call:
        script = "import sys\nsys.stdin.read()\n"
        with subprocess.Popen([sys.executable, "-S", "-c", script], stdin=subprocess.PIPE) as process:
            ended: list[float] = []

            def wait() -> None:
                wait_until_gone(process.pid, call)
                ended.append(time.monotonic())

            thread = threading.Thread(target=wait)
            thread.start()
            thread.join(0.2)
            assert thread.is_alive() and process.stdin is not None
            began = time.monotonic()
            process.stdin.close()
            thread.join(10)
            assert ended[0] >= began


def test_the_end_of_one_that_cannot_be_named(tmp_path: Path) -> None:
    with peer(tmp_path / "peer", lambda sock: sock.close()) as path, Call(path) as call:
        wait_until_gone(999999999, call)
        assert call.sock.recv(1) == b"", "its connection ends with it"


def test_an_upgrade_that_does_not_come_about(tmp_path: Path) -> None:
    with commanded(tmp_path) as (supervisor, control), Call(control.path) as call:
        supervisor.outcome = Outcome(False, "it cannot take over", 1)
        reply = upgraded(call)
        assert (reply["ok"], reply["text"]) == (False, "it cannot take over")


def test_whether_it_is_back(tmp_path: Path) -> None:
    assert status_at(str(tmp_path / "ctl")) == {}
    with commanded(tmp_path) as (_, control):
        assert status_at(control.path)["status"]["pid"] == os.getpid()
