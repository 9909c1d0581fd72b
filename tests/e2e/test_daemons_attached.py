"""Programs beside a server: from its start to its end, over reloads and takeovers; the page's examples."""

import os
import re
import signal
import time
from pathlib import Path

import pytest

from penstock.process.household.smart import read_pid
from tests.e2e.server import serving
from tests.e2e.shop import shop, until_mark, write
from tests.household.villains import VILLAINS
from tests.process.programs.keeping import gone

PAGE = Path(__file__).parents[2] / "docs" / "programs.md"
NOTE = "echo $$ >> {name}; exec sleep 60"


def noted(folder: Path, name: str, count: int = 1, timeout: float = 10.0) -> list[int]:
    """The numbers that a program has written, once there are so many."""
    until = time.monotonic() + timeout
    while True:
        try:
            found = [int(word) for word in (folder / name).read_text().split()]
        except FileNotFoundError:
            found = []
        if len(found) >= count:
            return found
        assert time.monotonic() < until, found
        time.sleep(0.02)


def until_gone(*pids: int, timeout: float = 10.0) -> None:
    until = time.monotonic() + timeout
    while not all(gone(pid) for pid in pids):
        assert time.monotonic() < until
        time.sleep(0.02)


def attach(name: str, option: str = "attach-daemon") -> str:
    return f"--{option}={NOTE.format(name=name)}"


def test_they_live_with_the_server_and_nobody_is_left(tmp_path: Path) -> None:
    villains = [f"--attach-daemon={VILLAINS[name]}" for name in ("deaf", "went to the background", "a brood")]
    options = (attach("one"), *villains, "--reload-mercy", "0.3")
    with shop(tmp_path, *options, count=1) as server:
        (pid,) = noted(tmp_path, "one")
        server.wait_for("] ready")
        os.kill(pid, signal.SIGKILL)
        again = noted(tmp_path, "one", 2)[1]
        assert re.search(
            r"has ended: killed by SIGKILL; it is started again( in 1 s)?$", server.text(), re.MULTILINE
        )
    assert gone(again)
    assert "killed: python" in server.text()


def test_a_reload_renews_them_and_takes_up_what_is_new(tmp_path: Path) -> None:
    config = tmp_path / "app.ini"
    lines = ["[uwsgi]", "attach-daemon = " + NOTE.format(name="stays")]
    config.write_text("\n".join([*lines, "attach-daemon = " + NOTE.format(name="goes")]))
    with shop(tmp_path, "--ini", str(config), count=1) as server:
        (stays,), (goes,) = noted(tmp_path, "stays"), noted(tmp_path, "goes")
        write(tmp_path, "broken", "syntax error")
        server.process.send_signal(signal.SIGHUP)
        server.wait_for("what ran before serves on")
        assert not gone(stays) and not gone(goes)
        write(tmp_path, "two")
        config.write_text("\n".join([*lines, "attach-daemon = " + NOTE.format(name="comes")]))
        server.process.send_signal(signal.SIGHUP)
        until_mark(server, "two")
        (comes,) = noted(tmp_path, "comes")
        new = noted(tmp_path, "stays", 2)[1]
        until_gone(stays, goes)
        assert not gone(new) and not gone(comes)
    assert len(noted(tmp_path, "goes")) == 1


@pytest.mark.slow
def test_another_penstock_that_takes_over_has_them(tmp_path: Path) -> None:
    quick = f"--attach-daemon2=cmd=echo up; {NOTE.format(name='quick')}"
    words = (attach("one"), quick, "--smart-attach-daemon2", "pid exec sleep 60")
    with shop(tmp_path, *words, count=1, expect=None) as server:
        (pid,) = noted(tmp_path, "one")
        server.wait_for("] up")
        until = time.monotonic() + 10
        while not (smart := read_pid(str(tmp_path / "pid"))):
            assert time.monotonic() < until
            time.sleep(0.02)
        server.process.send_signal(signal.SIGUSR2)
        server.wait_for("took over: generation 2 serves", 20)
        new = noted(tmp_path, "one", 2)
        until_gone(pid)
        assert len(new) == 2 and not gone(new[1])
        assert not gone(smart) and read_pid(str(tmp_path / "pid")) == smart
        assert "could not be" not in server.text()
        assert server.stop() == 0
    assert gone(new[1]) and gone(noted(tmp_path, "quick")[-1])
    assert not gone(smart)
    os.kill(smart, signal.SIGKILL)


def test_the_server_ends_with_one_that_controls_it(tmp_path: Path) -> None:
    command = "while ! test -e over; do sleep 0.05; done; exit 9"
    with shop(tmp_path, "--attach-control-daemon", command, count=1) as server:
        (tmp_path / "over").touch()
        assert server.process.wait(10) == 0
        assert "has ended (attach-control-daemon): finishing what runs" in server.text()


def test_a_start_that_fails_leaves_nobody(tmp_path: Path) -> None:
    words = ("--master", attach("one"), "--http-socket", "127.0.0.1:0")
    with serving(tmp_path, *words, app="nowhere:app", listeners=1, expect=None) as server:
        (pid,) = noted(tmp_path, "one")
        assert server.process.wait(10) == 22
    until_gone(pid)


def test_a_start_that_fails_behind_them_leaves_nobody(tmp_path: Path) -> None:
    """They run already when the socket cannot be opened; what they have started knows nothing of us."""
    stays = "--attach-daemon=(setsid sh -c 'echo $$ >> child; exec sleep 61' &); exec sleep 60"
    words = ("--master", stays, "--setns-socket", "/nowhere/socket", "--http-socket", "127.0.0.1:0")
    with serving(tmp_path, *words, app="nowhere:app", listeners=1, expect=None) as server:
        assert server.process.wait(10) == 1
        server.wait_for("error: setns-socket /nowhere/socket: No such file or directory")
    assert all(gone(int(pid)) for pid in text(tmp_path / "child").split())
    assert not [one for one in Path("/proc").glob("[0-9]*/cwd") if link(one) == str(tmp_path)]


def link(path: Path) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def test_whoever_starts_us_may_ignore_the_end_of_children(tmp_path: Path) -> None:
    """The kernel would then reap ours too, and tell nobody."""

    def ignore() -> None:
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)

    code = "import subprocess; print('failed:', subprocess.run(['false']).returncode)\n"
    write(tmp_path, "one", code)
    words = ("--master", "--attach-daemon", "exit 3", "--pythonpath", str(tmp_path))
    with serving(tmp_path, *words, app="shop", preexec_fn=ignore) as server:
        server.wait_for("has ended: exit status 3; it is started again in 1 s")
        server.wait_for("failed: 1\n")


def test_what_the_last_lines_of_the_log_start_is_not_left_behind(tmp_path: Path) -> None:
    stays = "(setsid sh -c 'echo $$ >> daemon; exec sleep 61' &); exec sleep 60"
    alarm = "x cmd:sleep 62.5 & echo $! >> alarms; sleep 62.5"
    words = ("--attach-daemon", stays, "--alarm", alarm, "--log-alarm", "x left behind")
    with shop(tmp_path, *words, count=1) as server:
        (pid,) = noted(tmp_path, "daemon")
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(15) == 0
        assert "processes that had been left behind were killed" in server.text()
    until_gone(pid, *noted(tmp_path, "alarms"), timeout=1)


def test_who_was_there_before_the_server_is_not_its_own(tmp_path: Path) -> None:
    """``redis-server & exec penstock …``: a shell's children are ours from then on, and no daemons."""

    def bring() -> None:
        if os.fork() == 0:
            Path(tmp_path, "elder").write_text(str(os.getpid()))
            os.execvp("sleep", ["sleep", "60"])

    write(tmp_path, "one", "")
    words = ("--attach-daemon", "sleep 61", "--pythonpath", str(tmp_path))
    with serving(tmp_path, *words, app="shop", preexec_fn=bring) as server:
        server.wait_for("1 worker ready")
        elder = int((tmp_path / "elder").read_text())
        server.process.send_signal(signal.SIGUSR2)
        server.wait_for("goes on in place of")
        assert server.stop(timeout=15) == 0
        os.kill(elder, signal.SIGKILL)  # it was there to be killed


def test_they_die_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    with shop(tmp_path, attach("one"), count=1, expect=None) as server:
        (pid,) = noted(tmp_path, "one")
        server.process.kill()
        server.process.wait(10)
        until_gone(pid)


def test_a_second_signal_cuts_their_mercy(tmp_path: Path) -> None:
    command = (
        f"trap '' TERM; {NOTE.format(name='one').replace('exec sleep 60', 'while :; do sleep 0.1; done')}"
    )
    with shop(tmp_path, "--attach-daemon", command, "--reload-mercy", "60", count=1) as server:
        (pid,) = noted(tmp_path, "one")
        server.process.send_signal(signal.SIGTERM)
        server.wait_for("has left: SIGTERM")
        assert not gone(pid)
        assert server.stop(timeout=10) == 0
        assert gone(pid)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can make a PID namespace")
def test_a_namespace_ends_as_a_whole(tmp_path: Path) -> None:
    keyed = "cmd=setsid sleep 62.25 & echo I am $$; wait,ns_pid=1"
    with shop(tmp_path, "--attach-daemon2", keyed, count=1) as server:
        server.wait_for("] I am 1\n")
    assert not [one for one in Path("/proc").glob("[0-9]*/cmdline") if b"62.25" in read(one)]
    assert "is killed" not in server.text()


def read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


# ---- The page's examples ------------------------------------------------------------------------------

EXAMPLES = re.findall(r"```ini\n(.*?)```", PAGE.read_text(), re.S)
STAND_IN = """#!/bin/sh
echo "{name} $*" >> {folder}/ran
test "$1" = --background && {{ setsid sleep 63.5 < /dev/null > /dev/null 2>&1 & echo $! > "$3"; exit 0; }}
echo $$ >> {folder}/pids
exec sleep 60
"""


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.split(" =")[0])
def test_the_pages_examples_run(tmp_path: Path, example: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("bin", "run", "tasks"):
        (tmp_path / folder).mkdir()
    for name in ("celery", "redis-server", "queue-server", "mailer"):
        (tmp_path / "bin" / name).write_text(STAND_IN.format(name=name, folder=tmp_path))
        (tmp_path / "bin" / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    config = tmp_path / "app.ini"
    config.write_text(f"[uwsgi]\n{example}")
    commands = example.count("attach-daemon") + example.count("attach-control-daemon")
    with shop(tmp_path, "--ini", str(config), count=1, expect=None) as server:
        until = time.monotonic() + 10
        while len(text(tmp_path / "ran").splitlines()) < commands:
            assert time.monotonic() < until, server.text()
            time.sleep(0.02)
        assert "penstock warning: attach" not in server.text()
        assert server.stop() == 0
    stay = {read_pid(str(path)) for path in (tmp_path / "run").glob("*.pid")}
    for pid in map(int, text(tmp_path / "pids").split()):
        assert gone(pid) or os.getpgid(pid) in stay
    for pid in stay:
        os.killpg(os.getpgid(pid), signal.SIGKILL)


def text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def test_the_page_has_examples_of_every_kind() -> None:
    options = {line.split(" =")[0] for example in EXAMPLES for line in example.splitlines()}
    assert options == {
        *("attach-daemon", "attach-control-daemon", "attach-daemon2"),
        *("smart-attach-daemon", "smart-attach-daemon2"),
    }
