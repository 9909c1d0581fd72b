"""Servers that become daemons or another user, for the tests of that: started, seen and ended."""

import os
import pwd
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.e2e.server import LISTENING, Client
from tests.e2e.surroundings import environment

ROOT = pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
NOBODY = pwd.getpwnam("nobody")

APPLICATION = """
import json, os, sys
print("loaded by", os.getuid(), "in", os.getcwd(), flush=True)
pid = os.getpid()
def application(environ, start_response):
    if environ["PATH_INFO"] == "/print":
        print("printed for a request", flush=True)
    with open("/proc/self/status") as file:
        held = file.read().partition("CapEff:")[2].split()[0]
    body = json.dumps({
        "uids": os.getresuid(), "gids": os.getresgid(), "groups": os.getgroups(), "cwd": os.getcwd(),
        "capabilities": held, "pid": os.getpid(), "loaded": pid, "session": os.getsid(0),
        "stdin": os.readlink("/proc/self/fd/0") if os.access("/proc/self/fd/0", os.R_OK) else "",
    }).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
"""


def usable(python: str) -> bool:
    """Whether ``nobody`` can run our sources with this interpreter."""
    script = (
        f"import os, sys\nassert sys.version_info >= (3, 11)\nos.setgroups([])\n"
        f"os.setgid({NOBODY.pw_gid})\nos.setuid({NOBODY.pw_uid})\n"
        "import asyncio, colorsys, ctypes, traceback\nimport penstock.process.serve\n"
    )
    done = subprocess.run(
        [python, "-c", script], env=environment(), cwd="/", capture_output=True, timeout=30, check=False
    )
    return done.returncode == 0


@cache
def public_python() -> str:
    """An interpreter that every user can run; skips the test where there is none.

    The one that runs the tests may lie in a home that is closed to others.
    """
    for python in (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"):
        if os.path.exists(python) and usable(python):
            return python
    pytest.skip("no Python of this machine can be run by nobody together with these sources")


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that every user can reach and write (pytest's own are closed to others), with the application
    ``site_app``."""
    with tempfile.TemporaryDirectory(prefix="penstock-") as name:
        place = Path(name)
        place.chmod(0o777)
        (place / "site_app.py").write_text(APPLICATION)
        yield place


def command(python: str, *words: str) -> list[str]:
    """penstock with the application; its port is in the log."""
    named = any(word.startswith(("--http-socket", "--bind", "--socket")) for word in words)
    listen = () if named else ("--http-socket", "127.0.0.1:0")
    return [python, "-m", "penstock", "--module", "site_app", *listen, *words]


def run(cwd: Path, words: Sequence[str], **more: object) -> "subprocess.CompletedProcess[str]":
    """A command to its end; a daemon goes on after it."""
    return subprocess.run(  # type: ignore[call-overload,no-any-return]  # whatever it takes
        words, cwd=cwd, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=30, check=False, **more,
    )  # fmt: skip


@dataclass
class Daemon:
    """A daemon by its pidfile and its log."""

    pid: int
    log: Path

    def client(self) -> Client:
        found = LISTENING.findall(self.log.read_text())
        host, _, port = found[0][1].rpartition(":")
        return Client((host, int(port)))

    @property
    def lives(self) -> bool:
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        # Without an init that reaps it stays as a zombie.
        return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"

    def ended(self, timeout: float = 10.0) -> bool:
        until = time.monotonic() + timeout
        while self.lives and time.monotonic() < until:
            time.sleep(0.02)
        return not self.lives


@contextmanager
def daemon(cwd: Path, *words: str, log: str = "log", python: str = sys.executable) -> Iterator[Daemon]:
    """A daemon that serves inside the block and writes ``pid``; it is killed after it if it still runs."""
    done = run(cwd, command(python, "--pidfile", "pid", *words))
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    it = Daemon(int((cwd / "pid").read_text()), cwd / log)
    try:
        yield it
    finally:
        if it.lives:
            os.kill(it.pid, 9)
