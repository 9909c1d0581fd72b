"""A supervisor towards the system: systemd, a terminal it left, another user, PID 1, its logs."""

import json
import os
import signal
import socket
import sys
import time
from pathlib import Path

import pytest

from tests.e2e.daemons import NOBODY, ROOT, Daemon, command, daemon, open_folder, public_python, run
from tests.e2e.server import LISTENING, Client, Server, serving

APPLICATION = """
import os
def application(environ, start_response):
    start_response("200 OK", [])
    return [f"{os.getpid()} {os.environ.get('NOTIFY_SOCKET')} {os.environ.get('WATCHDOG_USEC')}".encode()]
"""
MASTER = ("--master", "--processes", "2", "--threads", "2")


def told(systemd: socket.socket, first: str) -> list[str]:
    """The next message that is not a sign of life and begins with ``first``."""
    while True:
        said = systemd.recv(1000).decode().splitlines()
        if said[0] != "WATCHDOG=1":
            assert said[0] == first
            return said


def test_systemd_hears_of_start_reload_life_and_end(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APPLICATION)
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(address)
        systemd.settimeout(10)
        env = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "400000"}
        with serving(tmp_path, *MASTER, "--chdir", str(tmp_path), app="app", env=env) as server:
            said = told(systemd, "READY=1")
            assert f"MAINPID={server.process.pid}" in said
            with server.client() as client:
                assert client.get("/").body.split()[1:] == [b"None", b"None"]
            assert [systemd.recv(1000) for _ in range(3)] == [b"WATCHDOG=1"] * 3
            server.process.send_signal(signal.SIGHUP)
            clock = told(systemd, "RELOADING=1")[1]
            assert 0 < time.monotonic() - int(clock.removeprefix("MONOTONIC_USEC=")) / 1e6 < 10
            assert "generation 2 serves" not in server.text()
            told(systemd, "READY=1")
            (tmp_path / "app.py").write_text("raise RuntimeError")
            server.process.send_signal(signal.SIGHUP)
            told(systemd, "RELOADING=1")
            told(systemd, "READY=1")
            server.process.send_signal(signal.SIGTERM)
            told(systemd, "STOPPING=1")


def test_a_daemon_has_its_workers() -> None:
    with open_folder() as home, daemon(home, *MASTER, "--daemonize", "log", "--vacuum") as it:
        with it.client() as client:
            said = json.loads(client.get().body)
        assert said["pid"] != it.pid
        assert said["session"] == os.getsid(it.pid) != os.getsid(0)
        assert said["stdin"] == "/dev/null"
        assert "loaded by" in it.log.read_text()
        with it.client() as client:
            client.get("/print")
        assert "printed for a request" in it.log.read_text()
        os.kill(it.pid, signal.SIGTERM)
        assert it.ended()
        assert not (home / "pid").exists()


def test_one_that_leaves_when_the_application_is_loaded() -> None:
    with open_folder() as home:
        done = run(home, command(sys.executable, *MASTER, "--daemonize2", "log", "--pidfile", "pid"))
        assert done.returncode == 0, done.stderr
        assert "loaded by" in done.stdout
        (found,) = LISTENING.findall(done.stderr)
        it = Daemon(int((home / "pid").read_text()), home / "log")
        try:
            host, _, port = found[1].rpartition(":")
            with Client((host, int(port))) as client:
                said = json.loads(client.get("/print").body)
            assert said["pid"] != it.pid
            assert said["stdin"] == "/dev/null"
            lines(it.log, "printed for a request")
            os.kill(it.pid, signal.SIGTERM)
            assert it.ended()
        finally:
            if it.lives:
                os.kill(it.pid, signal.SIGKILL)


@pytest.mark.parametrize("option", ["--daemonize", "--daemonize2"])
def test_a_start_that_fails_is_seen_where_it_was_asked_for(option: str) -> None:
    with open_folder() as home:
        (home / "site_app.py").write_text("raise RuntimeError('no database')\n")
        done = run(home, command(sys.executable, *MASTER, option, "log"))
        assert done.returncode == 22
        assert "no database" in done.stderr


@ROOT
def test_as_another_user(tmp_path: Path) -> None:
    python = public_python()
    with open_folder() as home:
        owner = ("--uid", "nobody", "--gid", str(NOBODY.pw_gid), "--http-socket", "s.sock", "--vacuum")
        done = run(home, command(python, *MASTER, *owner, "--daemonize", "log", "--safe-pidfile", "pid"))
        assert done.returncode == 0, done.stderr
        it = Daemon(int((home / "pid").read_text()), home / "log")
        try:
            assert (home / "s.sock").stat().st_uid == NOBODY.pw_uid
            with Client(str(home / "s.sock")) as client:
                said = json.loads(client.get().body)
            assert said["uids"] == [NOBODY.pw_uid] * 3
            assert int(said["capabilities"], 16) == 0
            assert Path(f"/proc/{it.pid}").stat().st_uid in (NOBODY.pw_uid, 0)
            os.kill(it.pid, signal.SIGHUP)
            until = time.monotonic() + 10
            while "generation 2 serves" not in it.log.read_text():
                assert time.monotonic() < until, it.log.read_text()
                time.sleep(0.05)
            os.kill(it.pid, signal.SIGTERM)
            assert it.ended()
            assert not (home / "s.sock").exists()
        finally:
            if it.lives:
                os.kill(it.pid, signal.SIGKILL)


@ROOT
def test_as_a_containers_first_process(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APPLICATION)
    prefix = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")
    with serving(
        tmp_path, *MASTER, "--chdir", str(tmp_path), app="app", prefix=prefix, expect=None
    ) as server:
        seen = set()
        for _ in range(40):
            with server.client() as client:
                seen.add(client.get("/", "Connection: close").body.split()[0])
        assert seen
        init = int(Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text())
        os.kill(init, signal.SIGHUP)
        server.wait_for("generation 2 serves")
        os.kill(init, signal.SIGTERM)
        assert server.process.wait(20) == 0, server.text()


def test_the_log_is_followed_when_it_was_rotated(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APPLICATION)
    access = tmp_path / "access.log"
    more = ("--access-log", str(access), "--chdir", str(tmp_path))
    with serving(tmp_path, *MASTER, *more, app="app") as server:
        with server.client() as client:
            client.get("/first")
        lines(access, "/first")
        access.rename(tmp_path / "access.1")
        server.process.send_signal(signal.SIGUSR1)
        until = time.monotonic() + 10
        while not access.exists():
            assert time.monotonic() < until
            time.sleep(0.02)
        for number in range(10):
            with server.client() as client:
                client.get(f"/second{number}", "Connection: close")
        lines(access, "/second9")
        assert "/first" not in access.read_text()


def test_logs_are_rotated_and_opened_anew_when_files_are_touched(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APPLICATION)
    log, rotate, reopen = tmp_path / "all.log", tmp_path / "rotate", tmp_path / "reopen"
    rotate.touch()
    reopen.touch()
    files = ("--touch-logrotate", str(rotate), "--touch-logreopen", str(reopen), "--check-interval", "0.1")
    more = ("--access-log", str(log), "--chdir", str(tmp_path), "--processes", "2", *files)
    with serving(tmp_path, *more, app="app") as server:
        asked(server, log, "/first")
        touched(rotate)
        (old,) = found(log)
        asked(server, log, "/second")
        assert "/first" in old.read_text() and "/first" not in log.read_text()
        old.unlink()
        log.rename(tmp_path / "elsewhere")
        touched(reopen)
        asked(server, log, "/third")
        assert list(tmp_path.glob("all.log.*")) == []
        assert server.text().count(" was touched: ") == 2


def asked(server: Server, log: Path, path: str) -> None:
    """Until a new log has the request: the workers open it one after the other. The lines of the last ones
    are waited for: they would go to the next log."""
    until, sent = time.monotonic() + 10, 0
    while not (log.exists() and path in log.read_text()):
        assert time.monotonic() < until
        with server.client() as client:
            client.get(path, "Connection: close")
        sent += 1
        time.sleep(0.05)
    while said(log.parent, f"GET {path} ") < sent:
        assert time.monotonic() < until
        time.sleep(0.02)


def said(folder: Path, words: str) -> int:
    """How often in all files of a folder."""
    return sum(file.read_text().count(words) for file in folder.iterdir() if file.is_file())


def found(log: Path) -> list[Path]:
    """Logs that were renamed, as soon as there are any."""
    until = time.monotonic() + 10
    while not (old := list(log.parent.glob(f"{log.name}.*"))):
        assert time.monotonic() < until
        time.sleep(0.02)
    return old


def touched(path: Path) -> None:
    """Later than before, on any clock."""
    soon = path.stat().st_mtime + 5
    os.utime(path, (soon, soon))


def lines(path: Path, wanted: str) -> None:
    until = time.monotonic() + 10
    while not (path.exists() and wanted in path.read_text()):
        assert time.monotonic() < until
        time.sleep(0.05)
