"""From a fork to a program: the pieces that can be tried without one. The whole is ``test_programs``."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from penstock.process.programs.becoming import catches, is_open, pass_on

CODE = """
import signal, time
signal.signal(signal.SIGUSR1, lambda number, frame: print("caught", flush=True))
signal.signal(signal.SIGHUP, signal.SIG_IGN)
print("ready", flush=True)
while True: time.sleep(1)
"""


@pytest.fixture
def program() -> Iterator["subprocess.Popen[str]"]:
    words = [sys.executable, "-c", CODE]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, start_new_session=True) as found:
        assert found.stdout is not None and found.stdout.readline() == "ready\n"
        yield found
        found.kill()


def test_what_a_program_catches(program: "subprocess.Popen[str]") -> None:
    assert catches(program.pid, signal.SIGUSR1)
    assert not catches(program.pid, signal.SIGHUP)
    assert not catches(program.pid, signal.SIGTERM)
    assert not catches(2**22 + 5, signal.SIGUSR1)


def test_what_is_passed_on(program: "subprocess.Popen[str]") -> None:
    assert program.stdout is not None
    pass_on(program.pid, signal.SIGUSR1)
    assert program.stdout.readline() == "caught\n"
    pass_on(program.pid, signal.SIGWINCH)
    pass_on(program.pid, signal.SIGCONT)
    pass_on(program.pid, signal.SIGUSR1)
    assert program.stdout.readline() == "caught\n"
    pass_on(program.pid, signal.SIGUSR2)  # nobody would hear of it: the end, as of any other program
    assert program.wait(10) == -signal.SIGKILL
    pass_on(program.pid, signal.SIGTERM)


def test_open_descriptors() -> None:
    reading, writing = os.pipe()
    assert is_open(reading)
    for fd in (reading, writing):
        os.close(fd)
    assert not is_open(reading)
