"""The process as its operator sees it: its user, its folder, its pidfiles, daemons, logs and signals.

Real processes. Those that become another user run as root only, and say so where they cannot.
"""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cases import covering
from tests.e2e.daemons import NOBODY, ROOT, Daemon, command, daemon, open_folder, public_python, run
from tests.e2e.server import Client, Server
from tests.e2e.surroundings import environment

UIDS = [NOBODY.pw_uid] * 3


@pytest.fixture
def home() -> Iterator[Path]:
    with open_folder() as place:
        yield place


@pytest.fixture
def started(home: Path) -> Iterator[Any]:
    """Start a server in ``home`` with some words, as a child of ours; all are killed after the test."""
    running: list[Server] = []

    def start(*words: str, python: str = sys.executable, log: str = "") -> Server:
        output = home / f"output-{len(running)}"
        with output.open("wb") as file:
            process = subprocess.Popen(
                command(python, *words), cwd=home, env=environment(), stdin=subprocess.DEVNULL,
                stdout=file, stderr=subprocess.STDOUT,
            )  # fmt: skip
        server = Server(process, home / log if log else output)
        running.append(server)
        until = time.monotonic() + 10
        while not server.log.exists() and time.monotonic() < until:
            time.sleep(0.02)
        server.wait_until_listening(1)
        return server

    yield start
    for server in running:
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait()


def seen(server: Server | Daemon) -> dict[str, Any]:
    """What the application says of its process."""
    with server.client() as client:
        found: dict[str, Any] = json.loads(client.get("/").body)
    return found


def owner(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_uid, found.st_gid


# ---- Another user -------------------------------------------------------------------------------------


def low_port() -> int:
    """A port below 1024 that is free."""
    for port in range(1023, 600, -1):
        with socket.socket() as sock:
            try:
                sock.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    pytest.skip("every port below 1024 is taken, or they may not be bound here")


@ROOT
def test_the_application_runs_as_the_user_and_what_needs_root_is_open_before(
    home: Path, started: Any
) -> None:
    port = low_port()
    (home / "closed").mkdir(mode=0o700)
    words = ["--http-socket", f"127.0.0.1:{port}", "--socket", "app.sock", "--chmod-socket=660"]
    words += ["--uid", "nobody", "--pidfile", "closed/pid", "--pidfile2", "pid2", "--logto", "closed/log"]
    server = started(*words, python=public_python(), log="closed/log")
    found = seen(server)
    assert found["uids"] == UIDS and found["gids"] == [NOBODY.pw_gid] * 3
    assert found["groups"] == os.getgrouplist("nobody", NOBODY.pw_gid)
    assert int(found["capabilities"], 16) == 0
    assert owner(home / "app.sock") == (NOBODY.pw_uid, NOBODY.pw_gid)
    assert stat.S_IMODE((home / "app.sock").stat().st_mode) == 0o660
    assert owner(home / "closed" / "pid") == owner(home / "closed" / "log") == (0, 0)
    assert owner(home / "pid2") == (NOBODY.pw_uid, NOBODY.pw_gid)
    assert (home / "closed" / "pid").read_text() == (home / "pid2").read_text() == f"{found['pid']}\n"
    assert f"loaded by {NOBODY.pw_uid}" in server.text()
    assert "running as root" not in server.text()
    assert server.stop() == 0
    assert not (home / "pid2").exists() and not (home / "app.sock").exists()
    assert (home / "closed" / "pid").read_text() == "", "not ours to remove, but it names nobody any more"


@ROOT
def test_groups_and_numbers(home: Path, started: Any) -> None:
    words = ["--uid", "54321", "--gid", "54322", "--add-gid", "54323", "--add-gid", "daemon"]
    server = started(*words, "--logto2", "later.log", python=public_python(), log="later.log")
    found = seen(server)
    assert (found["uids"], found["gids"]) == ([54321] * 3, [54322] * 3)
    assert len(found["groups"]) == 2 and 54323 in found["groups"]
    assert owner(home / "later.log") == (54321, 54322)
    assert "penstock: penstock " in (home / "output-0").read_text(), "until then it was said there"
    assert "listening on" not in (home / "output-0").read_text()


@ROOT
def test_the_owner_that_is_named_wins(home: Path, started: Any) -> None:
    words = ["--socket", "app.sock", "--http-socket", "127.0.0.1:0", "--chown-socket", "54321:54322"]
    started(*words, "--uid", "nobody", python=public_python())
    assert owner(home / "app.sock") == (54321, 54322)


@ROOT
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--uid", "no-such-user"], "uid no-such-user: there is no such user"),
        (["--uid", "nobody", "--gid", "no-such-group"], "gid no-such-group: there is no such group"),
        (["--uid", "nobody", "--chdir", "closed"], "it cannot read the folder of --chdir closed"),
        (["--uid", "nobody", "--pidfile2", "closed/pid"], "pidfile {home}/closed/pid: Permission denied"),
        (["--uid", "nobody", "--logto2", "closed/log"], "cannot open the log closed/log: Permission denied"),
    ],
)
def test_a_user_that_cannot_be_become_or_cannot_work_ends_the_start(
    home: Path, words: list[str], said: str
) -> None:
    (home / "closed").mkdir(mode=0o700)
    (home / "closed" / "site_app.py").write_text((home / "site_app.py").read_text())
    before = sorted(os.listdir(home))
    done = run(home, command(public_python(), "--socket", f"{home}/app.sock", "--pidfile", "pid", *words))
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert " penstock error: " in last and last.endswith(said.format(home=home))
    assert "loaded by" not in done.stdout, "the application was not touched"
    assert sorted(os.listdir(home)) == before


@ROOT
def test_started_by_another_user(home: Path) -> None:
    python = public_python()
    less: dict[str, Any] = {"user": NOBODY.pw_uid, "group": NOBODY.pw_gid, "extra_groups": []}
    done = run(home, command(python, "--uid", "54321"), **less)
    assert done.returncode == 1
    assert "penstock error: uid 54321: only root can become another; this process is " in done.stderr
    done = run(home, command(python, "--uid", "daemon", "--module", "missing"), **less)
    assert done.returncode == 22
    assert "penstock warning: --uid daemon is not acted on: only root can become another" in done.stderr
    done = run(home, command(python, "--uid", "nobody", "--module", "missing"), **less)
    assert done.returncode == 22 and "warning" not in done.stderr


@ROOT
def test_root_without_a_user_is_warned(started: Any) -> None:
    assert started().text().count("penstock warning: running as root: ") == 1


# ---- Daemons ------------------------------------------------------------------------------------------


def test_a_daemon_serves_when_its_parent_leaves(home: Path) -> None:
    (home / "site_app.py").write_text("import time\ntime.sleep(0.6)\n" + (home / "site_app.py").read_text())
    began = time.monotonic()
    with daemon(home, "--daemonize", "log") as it:
        assert time.monotonic() - began > 0.6
        found = seen(it)
        assert found["pid"] == found["loaded"] == it.pid
        assert found["session"] not in (it.pid, os.getsid(0)), "a session that is not the terminal's"
        assert found["stdin"] == os.devnull
        with it.client() as client:
            client.get("/print")
        os.kill(it.pid, signal.SIGTERM)
        assert it.ended()
    text = it.log.read_text()
    assert "loaded by" in text and "printed for a request" in text
    assert f"[pid: {it.pid}|" in text and "GET /print => " in text, "the access log is there as well"
    assert not (home / "pid").exists()


def test_a_daemon_stops_by_its_pidfile_and_reload_is_a_hup(home: Path) -> None:
    with daemon(home, "--daemonize=log", "--control-socket=off") as it:
        done = run(home, [sys.executable, "-m", "penstock", "--reload", "pid"])
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        done = run(home, [sys.executable, "-m", "penstock", "--stop=pid"])
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert it.ended()
    assert "SIGHUP" in it.log.read_text() and "SIGINT: finishing what runs" in it.log.read_text()
    done = run(home, [sys.executable, "-m", "penstock", "--stop", "pid"])
    assert done.returncode == 1
    assert done.stderr == "penstock: stop pid: No such file or directory\n"


def test_a_daemon_that_cannot_reload_says_so_where_it_was_asked_for(home: Path) -> None:
    with daemon(home, "--daemonize=log"):
        done = run(home, [sys.executable, "-m", "penstock", "--reload", "pid"])
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("penstock: this server is a single process: start it with master")


@pytest.mark.parametrize(
    ("option", "failure"),
    covering(
        ["--daemonize", "--daemonize2"],
        [
            (["--module", "missing"], 22, "module missing: there is no module named missing in "),
            (["--http-socket", "192.0.2.1:80"], 1, "cannot listen on 192.0.2.1:80: "),
            (["--safe-pidfile", "no/pid"], 1, "no/pid: No such file or directory"),
        ],
    ),
)
def test_a_daemon_that_cannot_start_says_so_where_it_was_asked_for(
    home: Path, option: str, failure: tuple[list[str], int, str]
) -> None:
    words, code, said = failure
    done = run(home, command(sys.executable, option, "log", "--pidfile", "pid", *words))
    assert done.returncode == code
    last = done.stderr.splitlines()[-1]
    assert "penstock" in last and said in last
    assert ("Traceback" in done.stderr) == (code == 22)
    assert not (home / "pid").exists()
    if option == "--daemonize":
        assert said in (home / "log").read_text()


@pytest.mark.parametrize("option", ["--daemonize", "--daemonize2", "--logto", "--logto2"])
def test_a_log_that_cannot_be(home: Path, option: str) -> None:
    done = run(home, command(sys.executable, option, "no/log"))
    assert done.returncode == 1
    assert "cannot open the log no/log: No such file or directory" in done.stderr.splitlines()[-1]


def test_a_daemon_after_the_application(home: Path) -> None:
    (home / "site_app.py").write_text(
        (home / "site_app.py").read_text() + "import threading, time\n"
        "threading.Thread(target=time.sleep, args=(30,), daemon=True).start()\n"
    )
    done = run(home, command(sys.executable, "--daemonize2", "log", "--pidfile", "pid"))
    assert done.returncode == 0
    assert "loaded by" in done.stdout, "at the import it still is where it was started"
    assert "daemonize2: 1 threads that run since the application was loaded end here; " in done.stderr
    it = Daemon(int((home / "pid").read_text()), home / "log")
    try:
        found = seen(it)
        assert found["pid"] == it.pid != found["loaded"]
        assert f"pid {found['loaded']}" in done.stderr
    finally:
        os.kill(it.pid, signal.SIGTERM)
    assert it.ended()
    assert f"[pid: {it.pid}|" in it.log.read_text()


@ROOT
def test_a_daemon_of_another_user(home: Path) -> None:
    words = ["--uid", "nobody", "--gid", str(NOBODY.pw_gid), "--socket", "app.sock"]
    listen = ["--http-socket", "127.0.0.1:0"]
    with daemon(home, *listen, *words, "--daemonize", "log", python=public_python()) as it:
        assert seen(it)["uids"] == UIDS
        assert owner(home / "app.sock") == (NOBODY.pw_uid, NOBODY.pw_gid)
        assert stat.S_IMODE((home / "app.sock").stat().st_mode) == 0o777, "as uWSGI's daemons have it"
        assert stat.S_IMODE((home / "pid").stat().st_mode) & 0o022 == 0, "and only that"


def test_a_first_process_stays_and_logs(home: Path) -> None:
    """A container ends with its first process, which a daemon's parent would be."""
    unshare = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
    if os.getuid() != 0 or run(home, [*unshare, "true"]).returncode:
        pytest.skip("PID namespaces cannot be made here")
    process = subprocess.Popen(
        [*unshare, *command(sys.executable, "--daemonize", "log")],
        cwd=home, env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until = time.monotonic() + 10
        while "listening on" not in ((home / "log").read_text() if (home / "log").exists() else ""):
            assert process.poll() is None and time.monotonic() < until
            time.sleep(0.02)
        assert "daemonize: a container ends with its first process" in (home / "log").read_text()
        time.sleep(0.3)
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()


# ---- Files --------------------------------------------------------------------------------------------


def test_pidfiles_come_in_their_time_and_go(home: Path, started: Any) -> None:
    (home / "site_app.py").write_text(
        (home / "site_app.py").read_text() + "print('there:', sorted(os.listdir('..')), flush=True)\n"
    )
    (home / "inner").mkdir()
    (home / "inner" / "site_app.py").write_text((home / "site_app.py").read_text())
    words = ["--pidfile", "pid", "--pidfile2", "../pid2", "--safe-pidfile", "../safe"]
    server = started(*words, "--safe-pidfile2", "../safe2", "--chdir", "inner")
    (line,) = [line for line in server.text().splitlines() if line.startswith("there:")]
    assert "'pid', 'pid2'" in line and "safe" not in line
    names = ["pid", "pid2", "safe", "safe2"]
    assert {(home / name).read_text() for name in names} == {f"{server.process.pid}\n"}
    assert server.stop() == 0
    assert [name for name in names if (home / name).exists()] == []


def test_a_second_server_takes_the_pidfile_and_says_so(home: Path, started: Any) -> None:
    first = started("--pidfile", "pid")
    second = started("--pidfile", "pid")
    assert f"it belonged to a penstock that still runs, process {first.process.pid}; " in second.text()
    assert first.stop() == 0
    assert (home / "pid").read_text() == f"{second.process.pid}\n", "the first leaves it alone"
    assert second.stop() == 0
    assert not (home / "pid").exists()


def test_without_vacuum_the_pidfile_stays(home: Path, started: Any) -> None:
    server = started("--pidfile", "pid", "--vacuum=false")
    assert server.stop() == 0
    assert (home / "pid").read_text() == f"{server.process.pid}\n"


@pytest.mark.parametrize("chdir2", [False, True])
def test_umask_folders_and_a_relative_socket(home: Path, started: Any, chdir2: bool) -> None:
    (home / "inner").mkdir()
    (home / "site_app.py").write_text((home / "site_app.py").read_text() + "open('made', 'w').close()\n")
    words = ["--umask", "027", "--http-socket", "127.0.0.1:0", "--socket", "app.sock", "--pidfile", "pid"]
    server = started(*words, *(["--chdir2", "inner"] if chdir2 else []))
    assert seen(server)["cwd"] == str(home / "inner" if chdir2 else home)
    assert stat.S_IMODE((home / "made").stat().st_mode) == 0o640
    assert stat.S_IMODE((home / "pid").stat().st_mode) == 0o640
    assert stat.S_IMODE((home / "app.sock").stat().st_mode) == 0o750
    assert server.stop() == 0
    assert not (home / "app.sock").exists()


def test_a_folder_for_later_that_is_not_there(home: Path) -> None:
    done = run(home, command(sys.executable, "--chdir2", "missing"))
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith("chdir2 missing: No such file or directory")


@pytest.mark.parametrize("option", ["--logto", "--logto2"])
def test_all_that_is_said_and_printed_is_in_the_log_also_after_rotation(
    home: Path, started: Any, option: str
) -> None:
    server = started(option, "log", log="log")
    with server.client() as client:
        client.get("/print")
        server.wait_for("GET /print => ")
        (home / "log").rename(home / "log.1")
        server.process.send_signal(signal.SIGUSR1)
        until = time.monotonic() + 10
        while not (home / "log").exists():
            assert time.monotonic() < until
            time.sleep(0.02)
        client.get("/print")
        server.wait_for("GET /print => ")
    assert server.stop() == 0
    for name in ("log", "log.1"):
        assert "printed for a request" in (home / name).read_text()
    assert "loaded by" in (home / "log.1").read_text()
    output = (home / "output-0").read_text()
    assert "loaded by" not in output and "printed" not in output and " => " not in output


# ---- Signals ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_three_signals_stop(started: Any, number: signal.Signals) -> None:
    server = started()
    assert server.stop(number) == 0
    assert f"{number.name}: finishing what runs" in server.text()


def test_with_die_on_term_quit_is_a_reload_as_uwsgi_has_it(started: Any) -> None:
    server = started("--die-on-term")
    assert "penstock: die-on-term: QUIT asks for a reload, as HUP does, and does not stop" in server.text()
    server.process.send_signal(signal.SIGQUIT)
    server.wait_for("a single process cannot reload itself")
    with Client(server.address()) as client:
        assert client.get("/").status == 200
    assert server.stop(signal.SIGTERM) == 0
