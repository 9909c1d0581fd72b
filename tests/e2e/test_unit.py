"""The units of ``configs/`` at work: systemd's part is played, the commands are those of the file.

The socket is handed over, the start is waited for, a reload is asked for and told how it went, and the end
is announced.
"""

import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.compat.corpus.inside import packet
from tests.e2e.surroundings import environment
from tests.e2e.test_supervised import told
from tests.test_container import unit

ACTIVATED = """
import os, sys
number, name, *words = sys.argv[1:]
os.dup2(int(number), 3)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()), LISTEN_FDNAMES=name)
os.execv(words[0], words)
"""
APPLICATION = """
def application(environ, start_response):
    start_response("200 OK", [])
    return [b"%s"]
"""


@dataclass
class Service:
    """The unit's process, its socket, and systemd's ear."""

    process: "subprocess.Popen[bytes]"
    home: Path
    systemd: socket.socket
    env: dict[str, str]

    def deploy(self, text: str) -> None:
        (self.home / "shop" / "wsgi.py").write_text(text)

    def asked(self) -> bytes:
        """The body of one reply."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(10)
            client.connect(str(self.home / "app.sock"))
            client.sendall(packet("/", ""))
            data = b""
            while piece := client.recv(1 << 16):
                data += piece
        return data.partition(b"\r\n\r\n")[2]

    def reload(self) -> "subprocess.CompletedProcess[str]":
        """``systemctl reload``."""
        words = command("ExecReload", MAINPID=str(self.process.pid))
        return subprocess.run(words, env=self.env, capture_output=True, text=True, timeout=60)


def command(name: str, **variables: str) -> list[str]:
    """A command of the unit, run by this Python."""
    program, *words = shlex.split(unit("penstock.service")["Service"][name])
    assert Path(program).name == "penstock"
    for key, value in variables.items():
        words = [value if word == f"${key}" else word for word in words]
    return [sys.executable, "-m", "penstock", *words]


@contextmanager
def started(home: Path) -> Iterator[Service]:
    """The service between ``systemctl start`` and ``stop``; its socket is systemd's."""
    for name in ("shop", "run"):
        (home / name).mkdir(mode=0o700)
    env = environment(
        NOTIFY_SOCKET=str(home / "notify"), RUNTIME_DIRECTORY=str(home / "run"), WATCHDOG_USEC="4000000"
    )
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd,
        (home / "log").open("wb") as log,
    ):
        listener.bind(str(home / "app.sock"))
        listener.listen()
        systemd.bind(str(home / "notify"))
        systemd.settimeout(20)
        name = unit("penstock.socket")["Socket"]["FileDescriptorName"]
        number = listener.fileno()
        words = [sys.executable, "-c", ACTIVATED, str(number), name, *command("ExecStart")]
        (home / "shop" / "wsgi.py").write_text(APPLICATION % "first")
        process = subprocess.Popen(words, env=env, cwd=home, stdout=log, stderr=log, pass_fds=(number,))
        try:
            yield Service(process, home, systemd, env)
            process.terminate()
            process.wait(30)
        finally:
            process.kill()
            process.wait()


def test_the_unit_starts_reloads_and_stops(tmp_path: Path) -> None:
    with started(tmp_path) as service:
        assert f"MAINPID={service.process.pid}" in told(service.systemd, "READY=1"), log(tmp_path)
        assert service.asked() == b"first"
        service.deploy(APPLICATION % "second")
        done = service.reload()
        assert done.returncode == 0, done.stderr + log(tmp_path)
        told(service.systemd, "RELOADING=1")
        told(service.systemd, "READY=1")
        assert service.asked() == b"second"
        service.process.send_signal(getattr(signal, unit("penstock.service")["Service"]["KillSignal"]))
        told(service.systemd, "STOPPING=1")
        assert service.process.wait(30) == 0, log(tmp_path)
        assert (tmp_path / "app.sock").is_socket(), "it is systemd's"


def test_a_deployment_that_does_not_load_fails_the_reload_and_nothing_else(tmp_path: Path) -> None:
    with started(tmp_path) as service:
        told(service.systemd, "READY=1")
        service.deploy("import the_database")
        done = service.reload()
        assert done.returncode == 1
        assert "No module named 'the_database'" in done.stdout + done.stderr
        assert service.asked() == b"first"
        service.deploy(APPLICATION % "third")
        assert service.reload().returncode == 0
        assert service.asked() == b"third"


@pytest.mark.slow
def test_another_program_takes_over_and_systemd_goes_on_hearing_of_it(tmp_path: Path) -> None:
    with started(tmp_path) as service:
        told(service.systemd, "READY=1")
        words = [sys.executable, "-m", "penstock", "ctl", "--pid", str(service.process.pid), "upgrade"]
        done = subprocess.run(words, env=service.env, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr + log(tmp_path)
        assert service.asked() == b"first"
        assert service.process.poll() is None
        service.deploy(APPLICATION % "second")
        assert service.reload().returncode == 0, log(tmp_path)
        assert service.asked() == b"second"
        while service.systemd.recv(1000) != b"WATCHDOG=1":
            pass


def log(home: Path) -> str:
    return (home / "log").read_text()
