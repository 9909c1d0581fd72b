"""Emperors with real vassals, for the tests: a folder of files, and who serves what they say."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.server import Client
from tests.e2e.surroundings import TOP, environment

LONGEST = 20.0  # seconds that a test waits for anything
APPLICATION = """
import os
def application(environ, start_response):
    if environ["PATH_INFO"] == "/slow":
        import time
        time.sleep(0.6)
    start_response("200 OK", [])
    word = environ["QUERY_STRING"] or "WORD"
    return [f"{os.environ.get(word)} {os.getpid()} {os.getppid()}".encode()]
"""


def real_uwsgi() -> str:
    """uWSGI's program; skips the test where there is none."""
    built = [TOP / ".venv-uwsgi" / "bin" / "uwsgi", *sorted(TOP.glob(".venv-peers/uwsgi-*/bin/uwsgi"))]
    found = next((str(path) for path in built if path.exists()), shutil.which("uwsgi"))
    if not found:
        pytest.skip("there is no uwsgi here")
    return found


class Empire:
    """An emperor of ``folder/vassals``."""

    def __init__(self, folder: Path, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.folder = folder
        self.process = process
        self.log = log

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def until(self, done: Callable[[], object], what: str = "") -> None:
        end = time.monotonic() + LONGEST
        while not done():
            assert time.monotonic() < end, f"{what}\n{self.text()}"
            time.sleep(0.02)

    def wait_for(self, text: str, count: int = 1) -> None:
        self.until(lambda: self.text().count(text) >= count, f"{text!r} is not in the log")

    def socket(self, name: str) -> str:
        return str(self.folder / f"{name}.sock")

    def put(self, name: str, *lines: str, suffix: str = ".ini", app: str = "app") -> Path:
        """A vassal that answers its ``WORD`` on a socket of its name; it is there at once, or not at all."""
        file = self.folder / "vassals" / f"{name}{suffix}"
        fresh = self.folder / f"{name}.new"
        usual = (f"http-socket = {self.socket(name)}", f"module = {app}", f"chdir = {self.folder}")
        text = [*usual, f"env = WORD={name}", "need-app = true"]
        fresh.write_text("\n".join(["[uwsgi]", *text, *lines, ""]))
        fresh.rename(file)
        return file

    def ask(self, name: str, path: str = "/") -> list[str]:
        """What a vassal answers, [] where nobody does."""
        try:
            with Client(self.socket(name)) as client:
                return client.get(path).body.decode().split()
        except (OSError, EOFError):
            return []

    def serves(self, name: str, word: str = "") -> bool:
        return self.ask(name)[:1] == [word or name]

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"it did not end:\n{self.text()}") from None


@contextmanager
def empire(tmp: Path, *options: str, program: Sequence[str] = (), expect: int | None = 0) -> Iterator[Empire]:
    """An emperor that looks ten times a second, or ``program`` as one that looks as often as it can."""
    (tmp / "vassals").mkdir(exist_ok=True)
    (tmp / "app.py").write_text(APPLICATION)
    words = [*program] if program else [sys.executable, "-m", "penstock", "--emperor-freq", "0.1"]
    words += ["--emperor", str(tmp / "vassals"), *options]
    log = tmp / f"emperor-{time.monotonic_ns()}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            words,
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env=environment(),
            cwd=tmp,
        )
    found = Empire(tmp, process, log)
    try:
        yield found
        if expect is not None:
            assert found.stop() == expect, found.text()
        assert "a fault of penstock's own" not in found.text(), found.text()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def descendants(pid: int) -> list[int]:
    """Every process that descends from ``pid``."""
    found = []
    for child in children(pid):
        found += [child, *descendants(child)]
    return found


def children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def gone(pids: list[int]) -> bool:
    """Whether none of the processes is there any more."""
    return not any(os.path.exists(f"/proc/{pid}") for pid in pids)
