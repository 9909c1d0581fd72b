"""A command that is waited for: its status, its environment, and what it must not find."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from penstock.process.hooks.shell import wait_for
from tests.e2e.surroundings import environment

PATH = {"PATH": os.environ["PATH"]}


def test_statuses() -> None:
    assert wait_for("exit 0", "/bin/sh", PATH) == 0
    assert wait_for("exit 7", "/bin/sh", PATH) == 7
    assert wait_for("kill -9 $$", "/bin/sh", PATH) == -9


def test_its_environment_and_its_shell(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert wait_for(f'echo "$0 $A $HOME" > {out}', "/bin/sh", {**PATH, "A": "b"}) == 0
    assert out.read_text() == "/bin/sh b \n"
    with pytest.raises(OSError, match="cannot be executed"):
        wait_for("true", str(tmp_path / "none"), PATH)


def test_no_signal_is_ignored_or_blocked_in_it(tmp_path: Path) -> None:
    out = tmp_path / "out"
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})
    try:
        assert wait_for(f"grep ^Sig /proc/self/status > {out}", "/bin/sh", PATH) == 0
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR2})
    masks = dict(line.split(":\t") for line in out.read_text().splitlines())
    assert int(masks["SigBlk"], 16) == 0
    assert int(masks["SigIgn"], 16) & 1 << signal.SIGPIPE - 1 == 0


THREADS = """
import threading, os
from penstock.process.hooks.shell import wait_for
stop = threading.Event()
threading.Thread(target=stop.wait).start()
print(wait_for("exit 5", "/bin/sh", dict(os.environ)))
stop.set()
"""


def test_with_threads_about() -> None:
    words = [sys.executable, "-W", "error", "-c", THREADS]
    done = subprocess.run(words, env=environment(), capture_output=True, text=True, timeout=20, check=False)
    assert (done.stdout, done.stderr) == ("5\n", "")


KILLED = """
import os
from penstock.process.hooks.shell import wait_for
wait_for("echo $$; exec sleep 30", "/bin/sh", dict(os.environ))
"""


def test_it_is_killed_with_us() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", KILLED], env=environment(), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() != ""
        process.kill()
        began = time.monotonic()
        assert process.stdout.read() == ""  # the pipe's end: nobody has it any more
        assert time.monotonic() - began < 15
