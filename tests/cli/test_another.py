"""Options about a server that runs: ``--reload``, ``--pause``, ``--connect-and-read``."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from penstock.cli.another import another
from penstock.core.errors import StartError
from penstock.process.supervisor.building import Outcome
from tests.cli.test_main import command
from tests.process.supervisor.obeying import commanded

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def pidfile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """It names this process, whose control socket lies where it is looked for."""
    (tmp_path / "penstock").mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "pid").write_text(f"{os.getpid()}\n")
    return tmp_path / "pid"


# ---- By the control socket ------------------------------------------------------------------------------


def test_reload_waits_for_the_outcome(tmp_path: Path, pidfile: Path, capsys: Captured) -> None:
    with commanded(tmp_path, os.getpid()) as (supervisor, _):
        assert another("reload", str(pidfile)) == 0
        assert capsys.readouterr().out == "generation 2 serves\n"
        supervisor.outcome = Outcome(False, "Traceback\nSyntaxError", 22)
        assert another("reload", str(pidfile)) == 1
        assert capsys.readouterr().err == "penstock: Traceback\nSyntaxError\n"
        assert [what[0] for what in supervisor.did] == ["reload", "reload"]


def test_pause(tmp_path: Path, pidfile: Path) -> None:
    with commanded(tmp_path, os.getpid()) as (supervisor, _):
        assert another("pause", str(pidfile)) == 0
        assert supervisor.did == [("pause",)]


# ---- Without one ----------------------------------------------------------------------------------------


@contextmanager
def signalled(tmp: Path, *names: str) -> Iterator["subprocess.Popen[str]"]:
    """A process that says which signals it got, its number in ``pid``."""
    script = (
        "import signal, time\n"
        f"for name in {names!r}:\n"
        "    signal.signal(getattr(signal, name), lambda n, f: print(signal.Signals(n).name, flush=True))\n"
        "print('ready', flush=True)\n"
        "while True:\n    time.sleep(0.02)\n"
    )
    with subprocess.Popen([sys.executable, "-S", "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        (tmp / "pid").write_text(f"{process.pid}\n")
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize(("option", "name"), [("reload", "SIGHUP"), ("pause", "SIGTSTP"), ("stop", "SIGINT")])
def test_the_signal_is_sent(tmp_path: Path, option: str, name: str) -> None:
    with signalled(tmp_path, name) as process:
        assert another(option, str(tmp_path / "pid")) == 0
        assert process.stdout is not None and process.stdout.readline() == f"{name}\n"


def test_who_would_stand_still_is_not_paused(tmp_path: Path) -> None:
    with signalled(tmp_path, "SIGHUP") as process:
        with pytest.raises(StartError, match="has no supervisor"):
            another("pause", str(tmp_path / "pid"))
        assert another("reload", str(tmp_path / "pid")) == 0
        assert process.stdout is not None and process.stdout.readline() == "SIGHUP\n", "it runs on"


def test_a_process_that_is_gone(tmp_path: Path) -> None:
    (tmp_path / "pid").write_text("999999999\n")
    for option in ("reload", "pause", "stop"):
        with pytest.raises(
            StartError, match=rf"^{option} {tmp_path}/pid: process 999999999: No such process$"
        ):
            another(option, str(tmp_path / "pid"))


def test_by_the_command(tmp_path: Path) -> None:
    with signalled(tmp_path, "SIGHUP", "SIGTSTP") as process:
        for words in (["--reload", "pid"], ["--pause=pid"], ["--suspend", "pid"], ["--resume", "pid"]):
            done = command(tmp_path, *words)
            assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
            assert process.stdout is not None
            assert process.stdout.readline() == ("SIGHUP\n" if "--reload" in words else "SIGTSTP\n")
    (tmp_path / "app.ini").write_text("[uwsgi]\nreload = none\n")
    done = command(tmp_path, "app.ini")
    assert (done.returncode, done.stderr) == (1, "penstock: reload none: No such file or directory\n")


# ---- Connect and read -----------------------------------------------------------------------------------

SAID = bytes(range(256)) * 1000


@contextmanager
def speaking(family: int, address: object) -> Iterator[object]:
    """Somebody who says ``SAID`` to the first who comes, and closes."""
    with socket.socket(family) as listener:
        listener.bind(address)  # type: ignore[arg-type]  # of whichever family
        listener.listen(1)

        def speak() -> None:
            sock, _ = listener.accept()
            with sock:
                sock.sendall(SAID)

        thread = threading.Thread(target=speak)
        thread.start()
        yield listener.getsockname()
        thread.join(10)


def test_all_that_comes_is_printed(tmp_path: Path) -> None:
    path, name = str(tmp_path / "sock"), f"penstock-test-{os.getpid()}"
    places = [
        (socket.AF_INET, ("127.0.0.1", 0), "127.0.0.1:{}"),
        (socket.AF_INET, ("127.0.0.1", 0), ":{}"),
        (socket.AF_UNIX, path, path),
        (socket.AF_UNIX, f"\0{name}", f"@{name}"),
    ]
    for family, address, text in places:
        with speaking(family, address) as bound:
            port = bound[1] if isinstance(bound, tuple) else ""
            words = [sys.executable, "-m", "penstock", "--connect-and-read", text.format(port)]
            done = subprocess.run(words, capture_output=True, timeout=30, check=False)
            assert (done.returncode, done.stdout, done.stderr) == (0, SAID, b"")


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("no/where", "connect-and-read no/where: No such file or directory"),
        ("127.0.0.1:1", "connect-and-read 127.0.0.1:1: Connection refused"),
        (
            "1:2:3",
            "connect-and-read: '1:2:3' is not an address: put brackets round an IPv6 address, [::1]:8000",
        ),
        ("host:99999", "connect-and-read: 'host:99999' is not an address: there is no port 99999"),
    ],
)
def test_where_nobody_is(tmp_path: Path, address: str, said: str) -> None:
    done = command(tmp_path, "--connect-and-read", address)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"penstock: {said}\n")
