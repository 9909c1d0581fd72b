"""Lock files between processes: one has them, others end or wait, and they outlive a fork."""

import fcntl
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.core.errors import StartError
from penstock.process.locks import Locks
from tests.e2e.surroundings import environment

HOLD = """
import fcntl, os, struct, sys
fd = os.open(sys.argv[1], os.O_RDWR)
fcntl.fcntl(fd, fcntl.F_SETLK, struct.pack("hhqqi", fcntl.F_WRLCK, 0, 0, 0, 0))
print("held", flush=True)
sys.stdin.read()
"""
"""As uWSGI takes one."""


@pytest.fixture
def path(tmp_path: Path) -> str:
    (tmp_path / "lock").touch()
    return str(tmp_path / "lock")


@pytest.fixture
def held(path: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Another process has it, until its input ends."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment()
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def taken(path: str) -> bool:
    """Whether somebody has it."""
    locks = Locks()
    try:
        locks.take("flock", path, print)
    except StartError:
        return True
    locks.release()
    return False


def test_nothing_is_locked_without_a_file() -> None:
    locks = Locks()
    locks.take("flock", "", print)
    assert locks.fds == []


def test_one_has_it_until_it_lets_go(path: str) -> None:
    locks = Locks()
    locks.take("flock", path, print)
    assert taken(path)
    locks.release()
    assert not taken(path)


def test_a_file_that_another_process_has_ends_the_start(path: str, held: "subprocess.Popen[bytes]") -> None:
    before = len(os.listdir("/proc/self/fd"))
    for option in ("flock", "flock2"):
        with pytest.raises(StartError, match=rf"^{option} .*/lock: another process has locked it$"):
            Locks().take(option, path, print)
    assert len(os.listdir("/proc/self/fd")) == before
    assert held.poll() is None


def test_a_file_that_is_not_there_ends_the_start(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"^flock-wait .*/none: No such file or directory$"):
        Locks().take("flock-wait", str(tmp_path / "none"), print)


@pytest.mark.parametrize("option", ["flock-wait", "flock-wait2"])
def test_who_waits_has_it_next(path: str, held: "subprocess.Popen[bytes]", option: str) -> None:
    said: list[str] = []
    locks = Locks()
    waiting = threading.Event()

    def note(text: str) -> None:
        said.append(text)
        waiting.set()

    thread = threading.Thread(target=locks.take, args=(option, path, note))
    thread.start()
    assert waiting.wait(10)
    assert locks.fds == []
    assert held.stdin is not None
    held.stdin.close()
    thread.join(10)
    assert len(locks.fds) == 1 and taken(path)
    assert said == [f"{option} {path}: another process has locked it; waiting"]
    locks.release()


@pytest.mark.skipif(not hasattr(fcntl, "F_OFD_SETLK"), reason="only Linux has locks of open files")
def test_it_outlives_a_fork(path: str) -> None:
    locks = Locks()
    locks.take("flock", path, print)
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    assert taken(path)
    locks.release()
    assert not taken(path)
