"""Hooks of real servers: their order, how often each comes, whose rights it has, and what a failure does."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.daemons import NOBODY, ROOT, open_folder, public_python
from tests.e2e.server import Server, serving
from tests.e2e.surroundings import environment

APPLICATION = """
import os, time
open(os.environ["OUT"], "a").write("app\\n")
def application(environ, start_response):
    if environ["PATH_INFO"] == "/slow":
        time.sleep(0.5)
    start_response("200 OK", [])
    return [b"hello"]
"""
START = ("asap", "pre-jail", "in-jail", "as-root", "as-user", "pre-app", "post-app")
WORKER = ("post-fork", "accepting", "accepting-once", "accepting1", "accepting1-once")
END = ("master-start", "as-user-atexit")
AS_ROOT = [] if os.getuid() else ["as-root", "as-user"]
STARTED = ["asap", "pre-jail", "in-jail", *AS_ROOT, "pre-app", "app", "post-app"]
AGAIN = ["asap", "in-jail", *AS_ROOT, "pre-app", "app", "post-app"]
MASTER = ("--master", "--processes", "2")
PAGE = Path(__file__).parents[2] / "docs" / "hooks.md"


def hooks(out: Path) -> list[str]:
    """An option for each phase that appends its name to a file."""
    return [f"--hook-{phase}=appendn:{out} {phase}" for phase in (*START, *WORKER, *END)]


def env(out: Path) -> dict[str, str]:
    (out.parent / "app.py").write_text(APPLICATION)
    return environment(OUT=str(out))


def refused(cwd: Path, *words: str) -> str:
    """What a server says that does not start; its exit status is 1."""
    done = subprocess.run(
        [sys.executable, "-m", "penstock", "--http-socket", "127.0.0.1:0", "--module", "app", *words],
        cwd=cwd, env=env(cwd / "out"), capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    return done.stderr


def hello(server: Server) -> bool:
    """Whether it serves."""
    with server.client() as client:
        return client.get("/").body == b"hello"


def lines_of(server: Server, out: Path, count: int) -> list[str]:
    """What the file says, once it has so many lines."""
    enough = wait_until(lambda: len(out.read_text().splitlines()) >= count)
    assert enough, out.read_text() + server.text()
    return out.read_text().splitlines()


def wait_until(true: Callable[[], bool]) -> bool:
    """Whether it comes to be so, in time."""
    until = time.monotonic() + 10
    while not true() and time.monotonic() < until:
        time.sleep(0.02)
    return true()


def test_a_single_process_goes_through_all_phases(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with serving(tmp_path, *hooks(out), app="app", env=env(out)) as server:
        began = lines_of(server, out, 1)
        assert began == [*STARTED, "post-fork", "accepting", "accepting1"]
        assert "hook-accepting-once, hook-accepting1-once: not done without a master" in server.text()
        assert hello(server)
        assert server.stop() == 0
        assert lines_of(server, out, 1) == [*began, "as-user-atexit"]


@pytest.mark.skipif(os.getuid() != 0, reason="only root has a jail")
def test_hooks_and_commands_at_each_phase_of_a_start(tmp_path: Path) -> None:
    order = [
        "hook-asap", "exec-asap", "hook-pre-jail", "exec-pre-jail", "hook-in-jail", "exec-in-jail",
        "hook-post-jail", "exec-post-jail", "hook-as-root", "exec-as-root", "hook-as-user", "exec-as-user",
        "hook-pre-app", "exec-pre-app", "app", "hook-post-app", "exec-post-app",
    ]  # fmt: skip
    end = ["hook-as-user-atexit", "exec-as-user-atexit"]
    out = tmp_path / "out"
    words = ["--unshare=uts"]  # there is nothing after the jail without one
    for name in (*order, *end):
        family = name.partition("-")[0]
        text = f"appendn:{out} {name}" if family == "hook" else f"echo {name} >> {out}"
        words += [f"--{name}={text}"] if family != "app" else []
    with serving(tmp_path, *words, app="app", env=env(out)) as server:
        assert lines_of(server, out, len(order)) == order
        assert server.stop() == 0
        assert lines_of(server, out, 1) == [*order, *end]


def test_a_supervisor_and_its_workers_do(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with serving(tmp_path, *MASTER, *hooks(out), app="app", env=env(out)) as server:
        began = lines_of(server, out, len(STARTED) + 9)
        assert began[: len(STARTED)] == STARTED and began[-1] == "master-start"
        twice = Counter(dict.fromkeys(("post-fork", "accepting", "accepting-once"), 2))
        workers = Counter({"accepting1": 1, "accepting1-once": 1}) + twice
        assert Counter(began[len(STARTED) : -1]) == workers
        os.kill(server.process.pid, signal.SIGHUP)
        now = lines_of(server, out, len(began) + len(AGAIN) + 10)[len(began) :]
        assert now[: len(AGAIN)] == AGAIN and now[-2:] == ["as-user-atexit", "master-start"]
        assert Counter(now[len(AGAIN) : -2]) == workers
        count = len(began) + len(now)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(15) == 0
        assert lines_of(server, out, 1)[count:] == ["as-user-atexit"]


def test_once_is_once_for_each_worker_of_a_generation(tmp_path: Path) -> None:
    out = tmp_path / "out"
    fifo = tmp_path / "fifo"
    with serving(tmp_path, *MASTER, *hooks(out), f"--master-fifo={fifo}", app="app", env=env(out)) as server:
        count = len(lines_of(server, out, len(STARTED) + 9))
        with fifo.open("w") as pipe:
            pipe.write("w")  # other workers of the same generation
        now = lines_of(server, out, count + 5)[count:]
        assert Counter(now) == {"post-fork": 2, "accepting": 2, "accepting1": 1}


@pytest.mark.parametrize(
    ("phase", "master"),
    [*((phase, ()) for phase in START), ("post-fork", MASTER), ("accepting", MASTER), ("accepting", ())],
)
def test_a_failure_ends_the_start(tmp_path: Path, phase: str, master: tuple[str, ...]) -> None:
    if phase in ("as-root", "as-user") and os.getuid() != 0:
        pytest.skip("these phases are root's")
    out = tmp_path / "out"
    said = refused(
        tmp_path, *master, f"--hook-{phase}=exec:exit 3", f"--hook-as-user-atexit=appendn:{out} end"
    )
    assert f'hook-{phase}: "exec:exit 3": exit status 3' in said
    assert out.read_text().splitlines()[-1] == "end"


def test_a_failure_at_a_reload_leaves_what_serves(tmp_path: Path) -> None:
    out, flag = tmp_path / "out", tmp_path / "flag"
    words = ["--hook-asap", f"exec:test ! -e {flag}", "--hook-post-fork", f"exec:test ! -e {flag}-2"]
    with serving(tmp_path, *MASTER, *words, app="app", env=env(out)) as server:
        server.wait_for("workers ready")
        for path in (flag, Path(f"{flag}-2")):
            path.touch()
            os.kill(server.process.pid, signal.SIGHUP)
            server.wait_for(f'"exec:test ! -e {path}": exit status 1')
            path.unlink()
        assert hello(server)


@pytest.mark.parametrize(
    ("function", "status"), [("gracefully_kill_them_all", 0), ("kill_them_all", 30)]
)  # fmt: skip
def test_what_term_means(tmp_path: Path, function: str, status: int) -> None:
    out = tmp_path / "out"
    word = f"--hook-master-start=unix_signal:15 {function}"
    done = f"--hook-master-start=create:{tmp_path}/done"
    with serving(tmp_path, "--master", word, done, app="app", env=env(out), expect=None) as server:
        assert wait_until(lambda: (tmp_path / "done").exists())
        with server.client() as client:
            client.send(b"GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            time.sleep(0.2)
            assert server.stop() == status
            assert client.ended() == (status == 30)


def test_a_wrong_hook_is_an_error_of_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.ini").write_text("[uwsgi]\nhook-asap = print:x\nhook-asap = dance:x\n")
    said = refused(tmp_path, "--ini", "a.ini")
    assert "a.ini:3: " in said and "there is no hook action 'dance'" in said


def test_what_is_waited_for(tmp_path: Path) -> None:
    out = tmp_path / "out"
    comes = tmp_path / "comes"
    wait = ["--hook-pre-app", f"wait_for_file:{comes}", "--hook-asap", f"exec:(sleep 0.3; > {comes}) &"]
    with serving(tmp_path, *wait, app="app", env=env(out)) as server:
        assert hello(server)
        assert f"penstock: {comes} is there" in server.text()
    said = refused(tmp_path, "--wait-for-socket", f"{tmp_path}/sock", "--wait-for-socket-timeout", "0.2s")
    assert f"{tmp_path}/sock is not there after 0.2 s" in said


def test_a_touched_file_and_alarms(tmp_path: Path) -> None:
    out, file, raised = tmp_path / "out", tmp_path / "file", tmp_path / "raised"
    words = [f"--hook-touch={file} appendn:{out} touched", f"--alarm=a cmd:cat >> {raised}; echo >> {raised}"]
    words += ["--hook-accepting=alarm:a from a worker", "--hook-master-start=alarm:a from the supervisor"]
    with serving(tmp_path, "--master", *words, app="app", env=env(out)) as server:
        server.wait_for("worker ready")
        file.touch()
        assert wait_until(lambda: "touched\n" in out.read_text())
        texts = ("from a worker", "from the supervisor")
        assert wait_until(lambda: raised.exists() and all(text in raised.read_text() for text in texts))


def example(tmp: Path, number: int) -> list[str]:
    """One of the page, on any port, and what it names; the words that start it."""
    text = PAGE.read_text().split("```ini\n")[number].partition("```")[0]
    (tmp / "app.ini").write_text(text.replace(":8000", "127.0.0.1:0"))
    (tmp / "manage.sh").write_text("#!/bin/sh\necho $0 $* >> calls\n")
    (tmp / "manage.sh").chmod(0o755)
    return ["--ini", "app.ini"]


def test_the_examples_of_the_page(tmp_path: Path) -> None:
    out = tmp_path / "out"
    socket = "--http-socket=127.0.0.1:0"  # a second one, for whoever starts it
    (tmp_path / "settings.env").touch()
    with serving(tmp_path, *example(tmp_path, 1), socket, app="", env=env(out), listeners=2) as server:
        assert wait_until(lambda: (tmp_path / "ready").exists())
        assert (tmp_path / "calls").read_text() == "./manage.sh migrate\n"
        made = (tmp_path / "ready").stat().st_ino, (tmp_path / "ready").stat().st_mtime_ns
        server.process.send_signal(signal.SIGHUP)

        def anew() -> bool:
            return server.text().count("hook-master-start:") == 2 and (tmp_path / "ready").exists()

        assert wait_until(anew)
        assert made != ((tmp_path / "ready").stat().st_ino, (tmp_path / "ready").stat().st_mtime_ns)
    assert not (tmp_path / "ready").exists()
    with serving(tmp_path, *example(tmp_path, 2), socket, app="", env=env(out), listeners=2) as server:
        assert wait_until(lambda: (tmp_path / "up").exists())
        assert (tmp_path / "up").read_text() == "the server is up\n"
        os.kill(server.process.pid, 23)
        server.wait_for("SIGURG: generation 2 serves")


@pytest.mark.skipif(not ROOT, reason="only root becomes somebody else")
def test_whose_rights_they_have_and_where_they_are() -> None:
    words = ["--uid", "nobody", "--chdir", "inside", "--exec-as-root", 'echo "root $(id -u) $PWD"']
    words += [
        "--hook-as-user",
        'exec:echo "user $(id -u) $PWD"',
        "--exec-pre-app",
        'echo "app $(id -u) $PWD"',
    ]
    words += ["--file-write", "written=text", "--exec-as-user-atexit", 'echo "end $(id -u)"']
    with open_folder() as home:
        (home / "inside").mkdir()
        (home / "inside" / "app.py").write_text(APPLICATION)
        command = [public_python(), "-m", "penstock", "--master", "--http-socket", "127.0.0.1:0", *words]
        with (home / "log").open("wb") as log:
            process = subprocess.Popen(
                [*command, "--module", "app"], cwd=home, env=environment(OUT="/dev/null"),
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        server = Server(process, home / "log")
        try:
            server.wait_for("worker ready")
            assert server.stop() == 0
        finally:
            process.kill()
            process.wait()
        uid = NOBODY.pw_uid
        for line in (f"root 0 {home}", f"user {uid} {home}", f"app {uid} {home}/inside", f"end {uid}"):
            assert f"\n{line}\n" in server.text()
        assert (home / "written").read_text() == "text\n"


@pytest.mark.skipif(
    not ROOT or shutil.which("unshare") is None, reason="only root mounts, apart by unshare(1)"
)
def test_mounts(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    out = tmp_path / "out"
    words = [f"--mount-as-root=tmpfs none {tmp_path}/m", f"--hook-as-user=create:{tmp_path}/m/inside"]
    words += [f"--exec-pre-app=test -e {tmp_path}/m/inside && touch {tmp_path}/seen"]
    with serving(tmp_path, *words, app="app", env=env(out), prefix=("unshare", "-m")) as server:
        assert hello(server)
        assert (tmp_path / "seen").exists()
        assert not (tmp_path / "m" / "inside").exists()  # it is in the server's namespace


@pytest.mark.slow
def test_another_penstock_goes_on_without_a_start(tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = [f"--hook-{phase}=appendn:{out} {phase}" for phase in END]
    with serving(tmp_path, *MASTER, *words, app="app", env=env(out)) as server:
        server.wait_for("workers ready")
        assert lines_of(server, out, 2) == ["app", "master-start"]
        server.process.send_signal(signal.SIGUSR2)
        assert lines_of(server, out, 5)[2:] == ["app", "as-user-atexit", "master-start"]
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(15) == 0
        assert lines_of(server, out, 1)[5:] == ["as-user-atexit"]


@pytest.mark.slow
def test_workers_that_load_for_themselves_have_what_a_reload_has_set(tmp_path: Path) -> None:
    out, ini = tmp_path / "out", tmp_path / "app.ini"
    variables = env(out)
    (tmp_path / "app.py").write_text(
        "import os, threading, time\n"
        "threading.Thread(target=time.sleep, args=(99,), daemon=True).start()\n"
        + APPLICATION.replace('"app', 'os.environ["PHASE"] + "')
    )
    text = "[uwsgi]\nmaster = true\nmodule = app\nhttp-socket = 127.0.0.1:0\nhook-in-jail = putenv:PHASE="
    ini.write_text(f"{text}1\n")
    socket = "--http-socket=127.0.0.1:0"
    with serving(tmp_path, "--ini", str(ini), socket, app="", env=variables, listeners=2) as server:
        server.wait_for("worker ready")
        assert lines_of(server, out, 2) == ["1", "1"]
        ini.write_text(f"{text}2\n")
        server.process.send_signal(signal.SIGHUP)
        assert lines_of(server, out, 4)[2:] == ["2", "2"]
        server.wait_for("generation 2 serves")


def test_an_alarm_that_there_is_not(tmp_path: Path) -> None:
    alarm = "--hook-post-fork=alarm:mail up"
    with serving(tmp_path, *MASTER, alarm, app="app", env=env(tmp_path / "out")) as server:
        server.wait_for("alarm mail: there is no such alarm, so it is not raised")
