"""When rights are dropped and which are kept, namespaces and locks, seen from the application's side.

Real processes. Those that need root, or a kernel that allows it, say so where they are left out.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from penstock.process.root import needed
from tests.cases import turns
from tests.e2e.daemons import NOBODY, ROOT, command, open_folder, public_python, run
from tests.e2e.server import Client, Server
from tests.e2e.surroundings import environment
from tests.process.isolation.alone import needs

UID, GID = NOBODY.pw_uid, NOBODY.pw_gid
MINE = [UID] * 3
MOUNTS, UTS, IPC, PID, NET = 0x00020000, 0x04000000, 0x08000000, 0x20000000, 0x40000000
APPLICATION = """
import ctypes, json, os
loaded = os.getresuid()
found = {}
def lines():
    found.update(line.split(":", 1) for line in open("/proc/self/status"))
    return {name: int(found[name], 16) for name in ("CapPrm", "CapEff", "CapAmb")}
def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/child":
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        answer = pid
    elif path == "/state":
        try:
            answer = open(f"/proc/{environ['QUERY_STRING']}/stat").read().rpartition(")")[2].split()[0]
        except OSError:
            answer = "gone"
    else:
        answer = {
            "loaded": loaded, "uids": os.getresuid(), "gids": os.getresgid(), "groups": os.getgroups(),
            "caps": lines(), "pid": os.getpid(), "parent": os.getppid(), "cwd": os.getcwd(),
            "nice": os.getpriority(os.PRIO_PROCESS, 0), "uts": os.readlink("/proc/self/ns/uts"),
            "net": os.readlink("/proc/self/ns/net"), "locked": int(found["VmLck"].split()[0]),
            "merged": ctypes.CDLL(None).prctl(68, 0, 0, 0, 0), "cgroup": open("/proc/self/cgroup").read(),
        }
    body = json.dumps(answer).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
"""
Start = Callable[..., Server]


@pytest.fixture
def home() -> Iterator[Path]:
    with open_folder() as place:
        (place / "site_app.py").write_text(APPLICATION)
        yield place


@pytest.fixture
def started(home: Path) -> Iterator[Start]:
    """Start a server in ``home`` with some words; all that still run are killed after the test."""
    running: list[Server] = []

    def start(*words: str) -> Server:
        output = home / f"output-{len(running)}"
        with output.open("wb") as file:
            process = subprocess.Popen(
                command(public_python(), *words), cwd=home, env=environment(), stdin=subprocess.DEVNULL,
                stdout=file, stderr=subprocess.STDOUT,
            )  # fmt: skip
        server = Server(process, output)
        running.append(server)
        server.wait_until_listening(1)
        return server

    yield start
    for server in running:
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait()


def asked(server: Server, path: str = "/") -> Any:
    """What the application says."""
    with server.client() as client:
        return json.loads(client.get(path).body)


def seen(server: Server) -> dict[str, Any]:
    found: dict[str, Any] = asked(server)
    return found


def uids(pid: int) -> list[int]:
    """Real, effective and saved user of a process."""
    line = Path(f"/proc/{pid}/status").read_text().partition("Uid:")[2].split()
    return [int(word) for word in line[:3]]


def reloaded(server: Server, pid: int) -> dict[str, Any]:
    """After a HUP to ``pid``, when another generation answers."""
    before = seen(server)["pid"]
    os.kill(pid, signal.SIGHUP)
    until = time.monotonic() + 10
    while (found := seen(server))["pid"] == before:
        assert time.monotonic() < until, server.text()
        time.sleep(0.05)
    return found


# ---- When the rights are dropped ----------------------------------------------------------------------


@ROOT
@pytest.mark.parametrize(
    ("words", "loaded", "supervisor"),
    [
        ((), MINE, MINE),
        (("--drop-after-apps",), [0, 0, 0], [UID, UID, 0]),
        (("--master-as-root",), [0, 0, 0], [0, 0, 0]),
        (("--master-as-root", "--lazy-apps"), MINE, [0, 0, 0]),
    ],
)
def test_who_loads_who_serves_and_who_supervises(
    started: Start, words: tuple[str, ...], loaded: list[int], supervisor: list[int]
) -> None:
    server = started("--uid", "nobody", "--master", *words)
    found = seen(server)
    assert (found["loaded"], found["uids"], found["gids"]) == (loaded, MINE, [GID] * 3)
    assert found["groups"] == os.getgrouplist("nobody", GID)
    assert found["caps"] == {"CapPrm": 0, "CapEff": 0, "CapAmb": 0}
    assert (found["parent"], uids(server.process.pid)) == (server.process.pid, supervisor)
    again = reloaded(server, server.process.pid)
    assert (again["loaded"], again["uids"], again["gids"]) == (loaded, MINE, [GID] * 3)
    assert uids(server.process.pid) == supervisor
    assert server.stop() == 0


@ROOT
@pytest.mark.parametrize(
    ("words", "loaded"), [(("--drop-after-init",), MINE), (("--drop-after-apps",), [0] * 3)]
)
def test_the_same_of_a_process_alone(started: Start, words: tuple[str, ...], loaded: list[int]) -> None:
    server = started("--uid", "nobody", *words)
    found = seen(server)
    assert (found["loaded"], found["uids"], found["pid"]) == (loaded, MINE, server.process.pid)


@ROOT
def test_what_a_supervisor_that_could_be_root_makes_is_the_users(home: Path, started: Start) -> None:
    program = "grep Uid: /proc/self/status; exec sleep 60"
    words = ("--master-fifo", "fifo", "--attach-daemon", program)
    server = started("--uid", "nobody", "--drop-after-apps", "--master", *words)
    seen(server)
    server.wait_for(f"] Uid:\t{UID}\t{UID}\t{UID}\t{UID}\n")
    found = (home / "fifo").stat()
    assert (found.st_uid, found.st_gid) == (UID, GID)
    os.kill(server.process.pid, signal.SIGUSR2)
    server.wait_for("took over: generation 2 serves")
    assert uids(server.process.pid) == [UID, UID, 0]
    assert seen(server)["loaded"] == [0, 0, 0]
    assert server.stop() == 0


@ROOT
def test_capabilities_are_kept_by_workers_over_a_reload(started: Start) -> None:
    server = started("--uid", "nobody", "--cap", "net_bind_service,kill", "--master")
    kept = 1 << 10 | 1 << 5
    for found in (seen(server), reloaded(server, server.process.pid)):
        assert found["caps"] == {"CapPrm": kept, "CapEff": kept, "CapAmb": 0}
        assert found["uids"] == MINE


@ROOT
@pytest.mark.parametrize(
    ("words", "groups"),
    [((), [NOBODY.pw_gid]), (("--no-initgroups",), []), (("--no-initgroups", "--add-gid", "54323"), [54323])],
)
def test_groups(started: Start, words: tuple[str, ...], groups: list[int]) -> None:
    found = seen(started("--uid", "nobody", *words))
    assert found["groups"] == groups or (not words and found["groups"] == os.getgrouplist("nobody", GID))


@ROOT
def test_at_once_what_is_opened_is_the_users(home: Path, started: Start) -> None:
    server = started("--immediate-gid", "54322", "--immediate-uid", "54321", "--pidfile", "pid")
    found = seen(server)
    assert (found["loaded"], found["gids"], found["groups"]) == ([54321] * 3, [54322] * 3, [])
    owner = (home / "pid").stat()
    assert (owner.st_uid, owner.st_gid) == (54321, 54322)
    assert "running as root" not in server.text()


# ---- Namespaces ---------------------------------------------------------------------------------------


def test_a_supervisor_inside_of_new_namespaces(home: Path, started: Start) -> None:
    needs(MOUNTS | PID | UTS)
    words = ("--unshare", "fs,pid,uts", "--uid", "nobody", "--master", "--pidfile2", "pid2", "--vacuum")
    server = started(*words)
    first = seen(server)
    assert first["pid"] < 20 and first["parent"] == 2 and first["uids"] == MINE
    assert first["uts"] != os.readlink("/proc/self/ns/uts")
    assert (home / "pid2").read_text() == f"{server.process.pid}\n"
    second = reloaded(server, int((home / "pid2").read_text()))
    assert (second["parent"], second["uts"]) == (2, first["uts"])
    assert server.stop() == 0
    assert not (home / "pid2").exists()


def test_without_it_there_are_none(started: Start) -> None:
    server = started("--master")
    found = seen(server)
    assert found["uts"] == os.readlink("/proc/self/ns/uts")
    assert found["parent"] == server.process.pid


def test_a_server_that_goes_on_in_a_fork(home: Path, started: Start) -> None:
    if os.getuid() != 0:
        pytest.skip("only root forks once more, as in uWSGI")
    server = started("--refork", "--pidfile", "pid", "--pidfile2", "pid2", "--vacuum")
    found = seen(server)
    assert found["parent"] == server.process.pid != found["pid"]
    assert (home / "pid").read_text() == (home / "pid2").read_text() == f"{server.process.pid}\n"
    assert server.stop() == 0
    assert not (home / "pid").exists() and not (home / "pid2").exists()


def test_an_order_that_the_kernel_does_not_allow_ends_the_start(home: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("only root gets as far as the kernel")
    done = run(home, command(sys.executable, "--unshare", "pid", "--drop-after-apps", "--master"))
    assert done.returncode == 1
    assert "unshare pid: with drop-after-apps and master-as-root there can be no new PID" in done.stderr


def test_namespaces_that_another_server_lends(home: Path, started: Start) -> None:
    needs(UTS | IPC)
    lender = started("--unshare", "uts,ipc", "--setns-socket", "ns.sock", "--setns-preopen")
    theirs = seen(lender)["uts"]
    borrower = started("--setns", "ns.sock")
    assert seen(borrower)["uts"] == os.readlink("/proc/self/ns/uts"), "what was open before the jail"
    other = started("--unshare", "uts,ipc", "--setns-socket", "other.sock")
    theirs = seen(other)["uts"]
    assert seen(started("--setns", "other.sock"))["uts"] == theirs != os.readlink("/proc/self/ns/uts")


def test_the_sockets_lie_outside_of_a_jail_that_is_entered_after_them(started: Start) -> None:
    needs(NET)
    found = seen(started("--unshare", "net", "--drop-after-init"))
    assert found["net"] != os.readlink("/proc/self/ns/net")
    inside = started("--unshare", "net")
    with pytest.raises(ConnectionRefusedError):
        inside.client()


def test_a_root_of_its_own(home: Path, started: Start) -> None:
    needs(MOUNTS | PID | UTS | IPC)
    mounts = [line.split(" ")[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    wanted = [str(home), os.path.realpath(public_python()), *needed()]
    kept = {one for one in mounts if one != "/" and any(path.startswith(f"{one}/") for path in wanted)}
    words = [word for one in {*kept, "/dev"} for word in ("--namespace-keep-mount", one)]
    server = started("--namespace", "/:jailed", *words, "--uid", "nobody", "--pidfile", "pid", "--vacuum")
    found = seen(server)
    assert (found["pid"], found["parent"], found["uids"]) == (2, 1, MINE)
    assert found["uts"] != os.readlink("/proc/self/ns/uts")
    assert (home / "pid").read_text() == f"{server.process.pid}\n"
    assert server.stop() == 0
    assert not (home / "pid").exists()


@ROOT
def test_a_control_group_for_all_of_it(started: Start) -> None:
    for top in ("/sys/fs/cgroup", "/sys/fs/cgroup/memory", "/sys/fs/cgroup/pids"):
        folder = Path(top) / f"penstock-e2e-{os.getpid()}"
        try:
            folder.mkdir()
        except OSError:
            continue
        real = (folder / "cgroup.procs").exists()
        folder.rmdir()
        if real:
            break
    else:
        pytest.skip("no control group can be made here")
    try:
        server = started("--cgroup", str(folder), "--master", "--uid", "nobody")
        assert f"/{folder.name}\n" in seen(server)["cgroup"]
        assert f"/{folder.name}\n" not in seen(started("--master"))["cgroup"]
        assert server.stop() == 0
    finally:
        with suppress(FileNotFoundError):  # no server was started that makes it
            folder.rmdir()


# ---- The rest of a start ------------------------------------------------------------------------------


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another process has it."""
    path.touch()
    script = (
        "import fcntl, sys; f = open(sys.argv[1], 'r+'); fcntl.lockf(f, fcntl.LOCK_EX); print(1, flush=True)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", f"{script}; sys.stdin.read()", str(path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None and process.stdin is not None
        assert process.stdout.readline() == b"1\n"
        yield
        process.stdin.close()


@pytest.mark.parametrize("option", turns(["--flock", "--flock2"], "--flock"))
def test_one_server_at_a_time(home: Path, started: Start, option: str) -> None:
    with locked(home / "lock"):
        done = run(home, command(sys.executable, option, "lock"))
        assert done.returncode == 1
        assert f"{option[2:]} lock: another process has locked it" in done.stderr
    server = started(option, "lock", "--master")
    seen(server)
    os.kill(server.process.pid, signal.SIGUSR2)
    server.wait_for("took over: generation 2 serves")
    assert run(home, command(sys.executable, option, "lock")).returncode == 1, "over an exec too"
    assert server.stop() == 0


@pytest.mark.parametrize("option", turns(["--flock-wait", "--flock-wait2"], "--flock-wait2"))
def test_a_server_that_waits_for_its_turn(home: Path, started: Start, option: str) -> None:
    (home / "lock").touch()
    first = started("--flock", "lock")
    words = command(public_python(), option, "lock")
    with (home / "output").open("wb") as file:
        process = subprocess.Popen(words, cwd=home, env=environment(), stdout=file, stderr=subprocess.STDOUT)
    second = Server(process, home / "output")
    try:
        second.wait_for(f"{option[2:]} lock: another process has locked it; waiting")
        assert "listening" not in second.text()
        assert first.stop() == 0
        second.wait_until_listening(1)
        assert second.stop() == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def test_the_priority_is_that_of_the_workers(started: Start) -> None:
    before = os.getpriority(os.PRIO_PROCESS, 0)
    assert seen(started("--prio", str(before + 2), "--master"))["nice"] == before + 2
    assert seen(started())["nice"] == before


@ROOT
@pytest.mark.parametrize("words", [(), ("--master",)])
def test_memory_that_is_locked_and_merged(started: Start, words: tuple[str, ...]) -> None:
    without = seen(started(*words))
    assert without["locked"] == 0 and without["merged"] <= 0
    found = seen(started(*words, "--never-swap", "--ksm=20"))
    assert found["locked"] > 1000
    assert found["merged"] == (1 if without["merged"] == 0 else -1), "-1: the kernel cannot do it"


def test_the_folder_that_reloads_begin_in(home: Path, started: Start) -> None:
    (home / "other").mkdir()
    words = ("--pythonpath", str(home), "--master", "--pidfile", f"{home}/pid")
    server = started("--force-cwd", str(home / "other"), *words)
    assert seen(server)["cwd"] == str(home)
    assert reloaded(server, server.process.pid)["cwd"] == str(home / "other")


@pytest.mark.parametrize("words", [("--reaper",), ("--reaper", "--master"), ("--master",)])
def test_children_that_nobody_waits_for(started: Start, words: tuple[str, ...]) -> None:
    server = started(*words, "--threads", "2")
    pid = asked(server, "/child")
    until = time.monotonic() + (8 if "--reaper" in words else 0.6)
    with server.client() as client:
        while state(client, pid) != "gone" and time.monotonic() < until:
            time.sleep(0.05)
        assert state(client, pid) == ("gone" if "--reaper" in words else "Z")


def state(client: Client, pid: int) -> str:
    """How the application sees a process: Z for a dead one that nobody has waited for."""
    return str(json.loads(client.get(f"/state?{pid}").body))
