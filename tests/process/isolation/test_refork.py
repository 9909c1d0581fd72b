"""A server that goes on in a fork: signals reach it, its end is the end of both, nothing of it stays open."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.surroundings import environment
from tests.process.isolation.alone import BEGIN, ran

REFORK = """
from penstock.process.isolation.refork import refork
import signal, time
"""


@pytest.mark.parametrize(("ending", "status"), [("os._exit(7)", 7), ("os.kill(os.getpid(), 9)", 137)])
def test_the_one_outside_ends_as_the_one_inside(tmp_path: Path, ending: str, status: int) -> None:
    script = f"""
outside = os.getpid()
refork("refork", (), lambda: open({str(tmp_path / "end")!r}, "w").close())
assert os.getppid() == outside != os.getpid()
{ending}
"""
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + REFORK + script], env=environment(), timeout=30, check=False
    )
    assert done.returncode == status
    assert (tmp_path / "end").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGUSR2])
def test_signals_are_passed_on(number: signal.Signals) -> None:
    script = f"""
refork("refork", (), lambda: None)
signal.signal({int(number)}, lambda number, frame: os._exit(11))
print("ready", flush=True)
while True:
    time.sleep(0.02)  # no pause: a signal just before it would wait in Python for the next one
"""
    with subprocess.Popen(
        [sys.executable, "-c", BEGIN + REFORK + script], env=environment(), stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == b"ready\n"
        process.send_signal(number)
        assert process.wait(10) == 11


def test_who_is_inside_ends_when_the_one_outside_is_killed(tmp_path: Path) -> None:
    script = f"""
refork("refork", (), lambda: None)
def told(number, frame):
    open({str(tmp_path / "told")!r}, "w").close()
    os._exit(0)
signal.signal(signal.SIGTERM, told)
print("ready", flush=True)
while True:
    time.sleep(0.02)
"""
    with subprocess.Popen(
        [sys.executable, "-c", BEGIN + REFORK + script], env=environment(), stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == b"ready\n"
        process.kill()
        assert process.stdout.read() == b""  # the end of the one inside closes it
    assert (tmp_path / "told").exists()


def test_the_one_outside_holds_nothing_but_what_it_is_told_to() -> None:
    script = """
keep = os.open("/dev/null", os.O_RDONLY)
other = os.open("/dev/zero", os.O_RDONLY)
refork("refork", (keep,), lambda: None)
import time
until = time.monotonic() + 10
folder = f"/proc/{os.getppid()}/fd"
while str(other) in os.listdir(folder) and time.monotonic() < until:
    time.sleep(0.01)
found = os.listdir(folder)
print(str(keep) in found, str(other) in found, str(other) in os.listdir("/proc/self/fd"))
"""
    assert ran(REFORK + script) == "True False True"
