"""Commands to a real server: by signal, by the pipe, by ``penstock ctl``, and what comes of each."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.server import Client, Server
from tests.e2e.server import serving as serving_zoo
from tests.e2e.shop import answer, shop, workers, write
from tests.e2e.surroundings import environment
from tests.waiting import until

Done = subprocess.CompletedProcess[str]


def ctl(folder: Path, *words: str) -> Done:
    """``penstock ctl`` towards the server whose control socket lies in ``folder``."""
    return subprocess.run(
        [sys.executable, "-m", "penstock", "ctl", *words, "--socket", str(folder / "ctl")],
        env=environment(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def asked(folder: Path, command: str) -> dict[str, Any]:
    """What ``penstock ctl COMMAND --json`` would print, without another program for each time it is asked."""
    until((folder / "ctl").is_socket)  # it is made after the listeners
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(20)
        sock.connect(str(folder / "ctl"))
        sock.sendall(json.dumps({"command": command}).encode() + b"\n")
        sock.shutdown(socket.SHUT_WR)
        text = b"".join(iter(lambda: sock.recv(1 << 16), b""))
    found: dict[str, Any] = json.loads(text.splitlines()[-1])
    return found


def status(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = asked(folder, "status")["status"]
    return found


def serving(folder: Path) -> int:
    return sum(worker["state"] == "serving" for worker in status(folder)["workers"])


def letters(path: Path, text: str) -> None:
    with path.open("w") as pipe:
        pipe.write(text)


CONTROLLED = ("--control-socket", "ctl", "--pidfile", "pid")


# ---- penstock ctl ---------------------------------------------------------------------------------------


def test_status_and_the_number_of_workers(tmp_path: Path) -> None:
    with shop(tmp_path, *CONTROLLED) as server:
        done = ctl(tmp_path, "status", "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        found = json.loads(done.stdout)["status"]
        assert (found["state"], found["generation"], found["wanted"]) == ("serving", 1, 2)
        assert found.keys() == status(tmp_path).keys()
        assert found["pid"] == server.process.pid
        assert {worker["pid"] for worker in found["workers"]} == workers(server, 2)
        assert (tmp_path / "ctl").stat().st_mode & 0o777 == 0o600
        done = ctl(tmp_path, "workers", "add", "1")
        assert (done.returncode, done.stdout) == (0, "3 workers are to run\n")
        until(lambda: serving(tmp_path) == 3, shown=server.text)
        assert ctl(tmp_path, "workers", "remove", "2").returncode == 0
        until(lambda: [w["wid"] for w in status(tmp_path)["workers"]] == [1], shown=server.text)
        text = ctl(tmp_path, "status").stdout.splitlines()
        assert text[0].startswith("penstock ") and text[1].startswith("1 of 1 workers serve, ")
        assert len(text) == 4
    assert not (tmp_path / "ctl").exists()


def test_a_reload_and_one_that_fails(tmp_path: Path) -> None:
    with shop(tmp_path, *CONTROLLED) as server:
        write(tmp_path, "two")
        done = ctl(tmp_path, "reload")
        assert done.returncode == 0 and done.stdout.startswith("generation 2 serves after ")
        assert answer(server)[0] == "two", "it has come true when the command returns"
        write(tmp_path, "three", "def broken(:\n")
        for again in (
            ["ctl", "reload", "--socket", str(tmp_path / "ctl")],
            ["--reload", str(tmp_path / "pid")],
        ):
            failed = subprocess.run(
                [sys.executable, "-m", "penstock", *again],
                env=environment(), capture_output=True, text=True, timeout=60, check=False,
            )  # fmt: skip
            assert (failed.returncode, failed.stdout) == (1, "")
            assert "SyntaxError" in failed.stderr and f'File "{tmp_path}/shop.py", line 1' in failed.stderr
        assert answer(server)[0] == "two"
        found = status(tmp_path)
        assert found["last_reload"]["ok"] is False and found["generation"] == 2
        write(tmp_path, "four")
        assert ctl(tmp_path, "reload", "chain").returncode == 0
        assert {answer(server)[0] for _ in range(10)} == {"four"}


def test_what_runs_is_told_with_its_stack(tmp_path: Path) -> None:
    with shop(tmp_path, *CONTROLLED) as server:
        slow = threading.Thread(target=lambda: answer(server, "/sleep?2"))
        slow.start()
        until(lambda: bool(asked(tmp_path, "requests")["requests"]), shown=server.text)
        assert json.loads(ctl(tmp_path, "requests", "--json").stdout)["requests"]
        text = ctl(tmp_path, "requests").stdout
        assert "GET /sleep?2 from 127.0.0.1: in the application, worker " in text
        assert "time.sleep(float(query))" in text
        slow.join(10)
        assert ctl(tmp_path, "requests").stdout == "no request runs\n"


def test_stop_waits_for_the_end(tmp_path: Path) -> None:
    with shop(tmp_path, *CONTROLLED, expect=None) as server:
        client = server.client()
        client.send(b"GET /sleep?1 HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
        until(lambda: any(worker["busy"] for worker in status(tmp_path)["workers"]), shown=server.text)
        replies: list[int] = []
        reader = threading.Thread(target=lambda: replies.append(client.reply().status))
        reader.start()
        done = ctl(tmp_path, "stop")
        assert (done.returncode, done.stdout) == (0, "the server has ended\n")
        assert server.process.wait(5) == 0, "it was waited for"
        reader.join(5)
        client.close()
        assert replies == [200]
    assert ctl(tmp_path, "status").returncode == 3


def test_stop_now_cuts(tmp_path: Path) -> None:
    with shop(tmp_path, *CONTROLLED, expect=30) as server, server.client() as client:
        client.send(b"GET /sleep?30 HTTP/1.1\r\nHost: test\r\n\r\n")
        until(lambda: any(worker["busy"] for worker in status(tmp_path)["workers"]), shown=server.text)
        began = time.monotonic()
        assert ctl(tmp_path, "stop", "--now").returncode == 0
        assert time.monotonic() - began < 15
        assert client.ended()


@pytest.mark.slow
def test_another_program_takes_over(tmp_path: Path) -> None:
    with shop(tmp_path, *CONTROLLED):
        before = status(tmp_path)
        done = ctl(tmp_path, "upgrade")
        assert done.returncode == 0, done.stderr
        assert done.stdout == f"penstock {before['version']} has taken over\n"
        now = status(tmp_path)
        assert now["pid"] == before["pid"] and now["program_since"] > before["program_since"]
        assert now["since"] == before["since"]
        assert ctl(tmp_path, "reload").returncode == 0


def test_it_is_found_by_its_process_number(tmp_path: Path) -> None:
    with shop(tmp_path, "--pidfile", "pid") as server:
        for address in (["--pid", str(server.process.pid)], ["--pidfile", str(tmp_path / "pid")]):
            done = subprocess.run(
                [sys.executable, "-m", "penstock", "ctl", "status", "--json", *address],
                env=environment(), capture_output=True, text=True, timeout=60, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stdout
            assert json.loads(done.stdout)["status"]["pid"] == server.process.pid


# ---- Signals --------------------------------------------------------------------------------------------


def test_one_worker_more_one_less(tmp_path: Path) -> None:
    with shop(tmp_path, *CONTROLLED) as server:
        server.process.send_signal(signal.SIGTTIN)
        until(lambda: serving(tmp_path) == 3, shown=server.text)
        server.process.send_signal(signal.SIGTTOU)
        until(lambda: len(status(tmp_path)["workers"]) == 2, shown=server.text)


def test_paused_and_resumed(tmp_path: Path) -> None:
    with shop(tmp_path, *CONTROLLED) as server:
        workers(server, 2)
        server.process.send_signal(signal.SIGTSTP)
        until(lambda: status(tmp_path)["state"] == "paused", shown=server.text)
        time.sleep(0.5)  # the workers hear of it by their channels
        with Client(server.address(), timeout=0.5) as client:
            with pytest.raises(TimeoutError):
                client.get("/")
            server.process.send_signal(signal.SIGTSTP)
            client.sock.settimeout(10)
            assert client.reply().status == 200, "it waited"
        assert status(tmp_path)["state"] == "serving"


def test_a_second_signal_cuts(tmp_path: Path) -> None:
    with shop(tmp_path, *CONTROLLED, expect=30) as server, server.client() as client:
        client.send(b"GET /sleep?30 HTTP/1.1\r\nHost: test\r\n\r\n")
        until(lambda: any(worker["busy"] for worker in status(tmp_path)["workers"]), shown=server.text)
        server.process.send_signal(signal.SIGTERM)
        server.wait_for("SIGTERM: finishing what runs")
        time.sleep(0.3)  # one that comes sooner is the same
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(10) == 30
        assert client.ended()


@pytest.mark.skipif(shutil.which("timeout") is None, reason="needs timeout(1)")
def test_a_signal_that_is_sent_twice_cuts_nothing(tmp_path: Path) -> None:
    """timeout(1) passes TERM on to its child, and then to its group, in which the child is."""
    write(tmp_path, "one")
    log = (tmp_path / "log").open("wb")
    words = ["timeout", "60", sys.executable, "-m", "penstock", "--master", "--processes", "2", *CONTROLLED]
    words += ["--http-socket", "127.0.0.1:0", "--module", "shop"]
    process = subprocess.Popen(
        words, stdout=log, stderr=log, cwd=tmp_path, env=environment(), start_new_session=True
    )
    server = Server(process, tmp_path / "log")
    try:
        server.wait_until_listening(1)
        with server.client() as client:
            client.send(b"GET /sleep?1 HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
            until(lambda: any(worker["busy"] for worker in status(tmp_path)["workers"]), shown=server.text)
            process.terminate()
            assert client.reply().status == 200, server.text()
        process.wait(20)
        assert "stopping at once" not in server.text()
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        log.close()


# ---- The pipe -------------------------------------------------------------------------------------------


def test_by_the_pipe(tmp_path: Path) -> None:
    with shop(tmp_path, *CONTROLLED, "--master-fifo", "pipe", expect=None) as server:
        pipe = tmp_path / "pipe"
        until(pipe.is_fifo, shown=server.text)
        letters(pipe, "x\n+")
        until(lambda: serving(tmp_path) == 3, shown=server.text)
        letters(pipe, "-")
        until(lambda: len(status(tmp_path)["workers"]) == 2, shown=server.text)
        write(tmp_path, "two")
        letters(pipe, "r")
        until(lambda: status(tmp_path)["generation"] == 2, shown=server.text)
        assert answer(server)[0] == "two"
        before = {worker["pid"] for worker in status(tmp_path)["workers"]}
        letters(pipe, "w")
        until(
            lambda: not before & {worker["pid"] for worker in status(tmp_path)["workers"]}, shown=server.text
        )
        (tmp_path / "pid").write_text("")
        letters(pipe, "sP")
        server.wait_for("LAST FAILURE")
        until(lambda: (tmp_path / "pid").read_text() == f"{server.process.pid}\n", shown=server.text)
        letters(pipe, "B")
        server.wait_for("this server is no vassal of an emperor")
        letters(pipe, "q")
        assert server.process.wait(20) == 0


def test_nobody_inherits_them(tmp_path: Path) -> None:
    """Prototype and workers would keep the socket open behind a dead server."""
    with shop(tmp_path, *CONTROLLED, "--master-fifo", "pipe", expect=None) as server:
        for pid in workers(server, 2):
            held = {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
            assert str(tmp_path / "pipe") not in held
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(tmp_path / "ctl"))
            server.process.kill()
            server.process.wait()
            sock.settimeout(5)
            try:
                assert sock.recv(1) == b"", "nobody else holds it"
            except ConnectionResetError:
                pass  # it was killed before it had accepted: closed all the same


def test_what_records_tell_is_counted(tmp_path: Path) -> None:
    words = ("--control-socket", "ctl", "--access-log", "requests.log", "--master")
    with serving_zoo(tmp_path, *words) as server:
        sent = 0
        for path in ("/environ", "/fail", "/fail"):
            with server.client() as client:
                client.send(f"GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".encode())
                sent += len(client.to_end())
        until(lambda: status(tmp_path)["totals"]["exceptions"] == 2, shown=server.text)
        assert status(tmp_path)["totals"]["sent"] == sent
