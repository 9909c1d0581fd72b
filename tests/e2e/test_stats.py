"""Statistics of real servers: uwsgitop shows them, they count on over deaths, reloads and upgrades, and in a
single process."""

import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import sysconfig
import threading
import time
from pathlib import Path
from typing import Any

import pyte
import pytest

from tests.cases import turns
from tests.e2e.server import Server, serving
from tests.e2e.surroundings import environment
from tests.waiting import until

APP = """
import os, time
def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/slow":
        time.sleep(1.5)
    if path == "/die":
        os._exit(1)
    start_response("200 OK", [("Content-Length", "5")])
    return [b"hello"]
"""
UWSGITOP = Path(sysconfig.get_path("scripts")) / "uwsgitop"
COLUMNS = ("WID", "%", "PID", "REQ", "RPS", "EXC", "SIG", "STATUS", "AVG", "RSS", "VSZ", "TX", "ReSpwn", "HC")
MASTER = ("--master", "--processes", "2", "--threads", "2", "--disable-logging", "--control-socket", "ctl")


def told(path: Path | str, request: bytes = b"") -> Any:
    """The document."""
    data = b""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(5)
        sock.connect(str(path))
        if request:  # else it may have been told all, and be shut out, already
            sock.sendall(request)
        while piece := sock.recv(1 << 16):
            data += piece
    return json.loads(data.rpartition(b"\r\n\r\n")[2])


def ask(server: Server, path: str = "/", count: int = 1) -> None:
    for _ in range(count):
        with server.client() as client:
            client.send(f"GET {path} HTTP/1.0\r\nHost: a\r\n\r\n".encode())
            client.to_end()


def ready(path: Path) -> bool:
    """Whether all workers are there."""
    try:
        return all(worker["pid"] for worker in told(path)["workers"])
    except OSError:
        return False


def counted(path: Path) -> int:
    return sum(worker["requests"] for worker in told(path)["workers"])


@pytest.mark.parametrize(
    "master", [MASTER, ("--threads", "2", "--disable-logging")], ids=["master", "single"]
)
def test_a_server_tells_of_itself(tmp_path: Path, master: tuple[str, ...]) -> None:
    (tmp_path / "app.py").write_text(APP)
    path = tmp_path / "stats"
    words = (*master, "--stats", str(path), "--enable-metrics", "--pythonpath", str(tmp_path))
    with serving(tmp_path, *words, app="app") as server:
        until(lambda: ready(path))
        ask(server, count=5)
        slow = threading.Thread(target=ask, args=(server, "/slow"))
        slow.start()
        until(lambda: counted(path) == 5)
        found = told(path)
        slow.join()
        (core,) = [core for worker in found["workers"] for core in worker["cores"] if core["in_request"]]
        assert "PATH_INFO=/slow" in core["vars"] and "HTTP_HOST=a" in core["vars"]
        until(lambda: told(path)["metrics"]["worker.0.requests"]["value"] == 6)
        (one,) = told(path)["sockets"]
        assert one["name"] == f"127.0.0.1:{server.port}" and one["proto"] == "http"
    assert not path.exists()


def test_by_http_on_tcp(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP)
    words = ("--stats", "127.0.0.1:0", "--stats-http", "--stats-minified", "--pythonpath", str(tmp_path))
    with serving(tmp_path, *MASTER, *words, app="app") as server:
        server.wait_for("penstock: stats on http://127.0.0.1:")
        found = re.search(r"stats on http://127\.0\.0\.1:(\d+)", server.text())
        assert found is not None
        with socket.create_connection(("127.0.0.1", int(found[1])), 5) as sock:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            data = b""
            while piece := sock.recv(1 << 16):
                data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\nContent-Type: application/json")
    assert b"\n" not in body and json.loads(body)["workers"][0]["id"] == 1


@pytest.mark.slow
def test_counts_go_on_over_deaths_reloads_and_upgrades(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP)
    path = tmp_path / "stats"
    with serving(tmp_path, *MASTER, "--stats", str(path), "--pythonpath", str(tmp_path), app="app") as server:
        until(lambda: ready(path))
        ask(server, count=20)
        until(lambda: counted(path) == 20)
        ask(server, "/die")
        until(lambda: sum(worker["respawn_count"] for worker in told(path)["workers"]) == 3)
        ask(server, count=5)
        until(lambda: counted(path) == 25)
        pids = {worker["pid"] for worker in told(path)["workers"]}
        command(tmp_path, "reload")
        until(lambda: not pids & {worker["pid"] for worker in told(path)["workers"]})
        ask(server, count=5)
        until(lambda: counted(path) == 30)
        before = told(path)
        command(tmp_path, "upgrade")
        pids = {worker["pid"] for worker in before["workers"]}
        until(lambda: ready(path) and not pids & {worker["pid"] for worker in told(path)["workers"]})
        ask(server, count=5)
        until(lambda: counted(path) == 35)
        after = told(path)
        assert after["pid"] == before["pid"] == server.process.pid
        spawns = [sum(worker["respawn_count"] for worker in one["workers"]) for one in (before, after)]
        assert spawns == [5, 7]


def command(tmp_path: Path, word: str) -> None:
    words = [sys.executable, "-m", "penstock", "ctl", "--socket", str(tmp_path / "ctl"), word]
    subprocess.run(words, check=True, timeout=30, env=environment(), stdout=subprocess.DEVNULL)


@pytest.mark.skipif(not UWSGITOP.exists(), reason="uwsgitop is not installed: pip install uwsgitop")
def test_uwsgitop_shows_all_of_it(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP)
    path = tmp_path / "stats"
    words = ("--stats", str(path), "--pythonpath", str(tmp_path), "--memory-report")
    with serving(tmp_path, *MASTER, *words, app="app") as server:
        until(lambda: ready(path))
        ask(server, count=7)
        until(lambda: counted(path) == 7)
        found = told(path)
        lines = screen(path)
    assert lines[0].startswith("uwsgi-") and " req: 7 " in lines[0] and " lq: 0 " in lines[0]
    assert f"cwd: {tmp_path}" in lines[1] and f"masterpid: {found['pid']}" in lines[1]
    assert tuple(lines[2].split())[: len(COLUMNS)] == COLUMNS
    shown = {int(row[0]): row for row in (line.split() for line in lines[3:5])}
    for worker in found["workers"]:
        row = shown[worker["id"]]
        percent = f"{100 * worker['requests'] / 7:.1f}"
        assert row[1:4] == [percent, str(worker["pid"]), str(worker["requests"])]
        assert row[5:9] == ["0", "0", "idle", f"{worker['avg_rt'] // 1000}ms"]
        assert re.fullmatch(r"\d+\.\dM", row[9]) and re.fullmatch(r"\d+\.\dM", row[10])
        assert row[11] == str(worker["tx"]) and row[12:14] == ["1", "0"]
        assert float(row[14]) == worker["running_time"] / 1000
        assert row[15] == time.strftime("%H:%M:%S", time.localtime(worker["last_spawn"]))


def screen(path: Path) -> list[str]:
    """What uwsgitop draws on a terminal, line by line."""
    pid, fd = pty.fork()
    if pid == 0:
        env = {**os.environ, "TERM": "linux", "COLUMNS": "190", "LINES": "24"}
        os.execve(sys.executable, [sys.executable, str(UWSGITOP), str(path)], env)
    data = b""
    begun = time.monotonic()
    try:
        while time.monotonic() - begun < 3.5:
            if select.select([fd], [], [], 0.1)[0]:
                try:
                    data += os.read(fd, 1 << 16)
                except OSError:
                    break
            if data.count(b"LastSpwn") and time.monotonic() - begun > 0.8:
                break
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(fd)
    return drawn(data.decode())


def drawn(text: str) -> list[str]:
    """A terminal's screen after that text."""
    screen = pyte.Screen(200, 30)
    pyte.Stream(screen).feed(text)
    return [line.rstrip() for line in screen.display]


@pytest.mark.parametrize("protocol", turns(["http-socket", "uwsgi-socket"], "uwsgi-socket"))
def test_nagios(tmp_path: Path, protocol: str) -> None:
    (tmp_path / "app.py").write_text(APP)
    words = (f"--{protocol}", str(tmp_path / "s"), "--pythonpath", str(tmp_path), "--disable-logging")
    check = [sys.executable, "-m", "penstock", f"--{protocol}", str(tmp_path / "s"), "--nagios"]
    with serving(tmp_path, *words, app="app"):
        found = subprocess.run(
            check, capture_output=True, text=True, timeout=20, env=environment(), check=False
        )
        assert (found.returncode, found.stdout) == (0, "PENSTOCK OK: armed and ready\n"), found.stderr
    found = subprocess.run(check, capture_output=True, text=True, timeout=20, env=environment(), check=False)
    assert found.returncode == 2 and found.stdout.startswith("PENSTOCK CRITICAL: ")


def test_an_alarm_for_a_metric(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP)
    words = ("--alarm", f"much cmd:cat > {tmp_path / 'raised'}", "--pythonpath", str(tmp_path))
    limit = "key=worker.0.requests,value=3,alarm=much,msg=too many"
    with serving(tmp_path, *MASTER, *words, "--metric-threshold", limit, app="app") as server:
        ask(server, count=3)
        until(lambda: (tmp_path / "raised").exists() and (tmp_path / "raised").read_text())
    assert "too many" in (tmp_path / "raised").read_text()


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (("--stats", "/nowhere/at/all"), "stats: cannot listen on /nowhere/at/all"),
        (("--metrics-dir", "nothing"), "metrics-dir nothing: there is no such folder"),
        (("--metric-threshold", "key=nobody,value=1"), "metric-threshold: there is no metric nobody"),
    ],
    ids=["stats", "metrics-dir", "metric-threshold"],
)
@pytest.mark.parametrize("master", turns([MASTER, ()], ()), ids=["master", "single"])
def test_what_cannot_be_ends_the_start(
    tmp_path: Path, master: tuple[str, ...], option: tuple[str, str], said: str
) -> None:
    (tmp_path / "app.py").write_text(APP)
    words = ["--module", "app", "--http-socket", "127.0.0.1:0", *master, *option]
    found = subprocess.run(
        [sys.executable, "-m", "penstock", *words],
        capture_output=True,
        text=True,
        timeout=30,
        cwd=tmp_path,
        env=environment(),
        check=False,
    )
    assert found.returncode == 1 and said in found.stdout + found.stderr
