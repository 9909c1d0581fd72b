"""Leaving the terminal: forks, the parent that waits for a verdict, and where output goes.

Scripts in processes of their own.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from penstock.process.daemon import Parent, Stdio, alive
from tests.e2e.surroundings import environment

BEGIN = """
import os, signal, subprocess, sys, time
from penstock.process.daemon import Stdio, detach, hold_stdio
"""


def script(text: str, cwd: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", BEGIN + text],
        env=environment(), cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def ran(text: str, cwd: Path) -> tuple[int, str, str]:
    """Exit status, output and errors of what was started; not of the daemon, which holds neither."""
    with script(text, cwd) as process:
        out, err = process.communicate(timeout=20)
    return process.returncode, out, err


def waited_for(path: Path, text: str = "\n") -> str:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        if path.exists() and text in path.read_text():
            return path.read_text()
        time.sleep(0.02)
    raise AssertionError(f"{path.name} never came")


LEFT = "log = os.open('log', os.O_WRONLY | os.O_CREAT | os.O_APPEND)\nStdio().leave(log)\n"


def test_a_daemon_has_no_terminal_and_its_parent_leaves_when_it_serves(tmp_path: Path) -> None:
    began = time.monotonic()
    code, out, err = ran(
        "print('before')\nfirst = os.getpid()\nparent = detach('log')\n" + LEFT + "time.sleep(0.5)\n"
        "print(os.getsid(0) != os.getpid(), os.getppid() != first, os.read(0, 1), flush=True)\n"
        "os.write(2, b'error\\n')\nparent.serving()\nparent.failed(3, 'too late')\n",
        tmp_path,
    )
    assert time.monotonic() - began > 0.5
    assert (code, out, err) == (0, "before\n", ""), "what was printed before is there once"
    assert waited_for(tmp_path / "log", "error") == "True True b''\nerror\n"


def test_a_start_that_fails_is_told_where_it_was_asked_for(tmp_path: Path) -> None:
    # More than a pipe holds.
    code, out, err = ran("detach('log').failed(22, 'h\u00e9' + 'x' * 300_000 + '\\n')\n", tmp_path)
    assert (code, out) == (22, "")
    assert err == "h\u00e9" + "x" * 300_000 + "\n"


@pytest.mark.parametrize("end", ["os._exit(5)", "os.kill(os.getpid(), signal.SIGKILL)", "1 / 0"])
def test_a_daemon_that_ends_without_a_word(tmp_path: Path, end: str) -> None:
    code, _, err = ran("parent = detach('the.log')\n" + LEFT + end, tmp_path)
    assert (code, err) == (1, "penstock: the daemon ended while it started; see the.log\n")


def test_a_child_that_holds_the_pipe_does_not_hold_the_parent(tmp_path: Path) -> None:
    """What the application forks at its import has the pipe as well; it may outlive the daemon."""
    code, _, err = ran(
        "parent = detach('log')\n" + LEFT + "if os.fork() == 0:\n    time.sleep(8)\n    os._exit(0)\n"
        "os._exit(5)\n",
        tmp_path,
    )
    assert (code, err) == (1, "penstock: the daemon ended while it started; see log\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_ends_the_wait_ends_the_start(tmp_path: Path, number: signal.Signals) -> None:
    with script(
        "parent = detach('log')\nopen('pid', 'w').write(f'{os.getpid()}\\n')\n"
        "signal.signal(signal.SIGTERM, lambda *a: (open('ended', 'w').write('1\\n'), os._exit(0)))\n"
        "open('ready', 'w').write('1\\n')\ntime.sleep(20)\n",
        tmp_path,
    ) as process:
        waited_for(tmp_path / "ready")
        time.sleep(0.2)  # the parent has read the number by then
        process.send_signal(number)
        assert process.wait(10) == 128 + number
        waited_for(tmp_path / "ended")
        process.communicate(timeout=10)


def test_signals_are_the_daemons_own_again(tmp_path: Path) -> None:
    ran(
        "parent = detach('log')\n"
        + LEFT
        + "print(signal.pthread_sigmask(signal.SIG_BLOCK, []), flush=True)\n"
        "parent.serving()\n",
        tmp_path,
    )
    assert waited_for(tmp_path / "log") == "set()\n"


def test_a_parent_that_is_gone_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    Parent(writing).serving()
    reading, writing = os.pipe()
    os.close(reading)
    Parent(writing).failed(1, "x" * 100_000)


def test_alive() -> None:
    assert alive(os.getpid())
    assert alive(1)
    assert not alive(999_999_999)


def test_output_goes_where_it_is_taken_and_is_given_back(tmp_path: Path) -> None:
    code, out, err = ran(
        "stdio = Stdio()\nprint('one')\n"
        "for name in 'ab':\n"
        "    fd = os.open(name, os.O_WRONLY | os.O_CREAT)\n    stdio.take(fd)\n    os.close(fd)\n"
        "    print('two', name)\n    subprocess.run(['echo', 'three'])\n    os.write(2, b'four\\n')\n"
        "stdio.give_back()\nstdio.give_back()\nprint('five')\nos.write(2, b'six\\n')\n"
        "print(len(os.listdir('/proc/self/fd')) if os.path.isdir('/proc/self/fd') else 4)\n",
        tmp_path,
    )
    assert (code, out, err) == (0, "one\nfive\n4\n", "six\n")
    for name in "ab":
        assert sorted((tmp_path / name).read_text().splitlines()) == ["four", "three", f"two {name}"]


def test_what_was_never_taken_is_not_given_back() -> None:
    stdio = Stdio()
    stdio.give_back()
    assert not stdio.taken


def test_descriptors_that_are_closed_are_held_so_that_no_socket_gets_them(tmp_path: Path) -> None:
    text = (
        "hold_stdio()\nlog = os.open('log', os.O_WRONLY | os.O_CREAT | os.O_APPEND)\nassert log == 3\n"
        "parent = detach('log')\nStdio().leave(log)\n"
        "subprocess.run(['sh', '-c', 'echo out; echo err >&2'])\nparent.serving()\n"
    )
    done = subprocess.run(
        ["sh", "-c", 'exec "$0" "$@" <&- >&- 2>&-', sys.executable, "-c", BEGIN + text],
        env=environment(), cwd=tmp_path, timeout=20, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert waited_for(tmp_path / "log", "err") == "out\nerr\n"
