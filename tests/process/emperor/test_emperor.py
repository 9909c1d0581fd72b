"""The emperor's own life: its signals, its pidfile, its hooks and its end."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from penstock.core.errors import StartError
from penstock.process.emperor.emperor import MERCY
from tests.e2e.surroundings import environment
from tests.process.emperor.throneroom import STANDIN, heard, put, room

LOYAL = 17


def test_all_reload_at_once(tmp_path: Path) -> None:
    files = [put(tmp_path, name, f"say {LOYAL}") for name in ("a.ini", "b.ini")]
    with room(tmp_path) as emperor:
        emperor.look_until(lambda: sum(one.loyal for one in emperor.court.vassals.values()) == 2)
        emperor.reload()
        emperor.until(lambda: [heard(file) for file in files] == [[1], [1]])


def test_a_second_signal_is_not_patient(tmp_path: Path) -> None:
    put(tmp_path, "a.ini", "deaf", f"say {LOYAL}")
    with room(tmp_path) as emperor:
        emperor.look_until(lambda: emperor.pids() and emperor.vassal("a.ini").loyal)
        begun = time.monotonic()
        emperor.stop("TERM")
        assert emperor.mercy is not None and emperor.mercy.when > begun + MERCY - 1
        emperor.stop("TERM")
        assert emperor.mercy.when < begun + MERCY / 2
        assert "TERM again" in emperor.text()


def test_nothing_begins_when_the_end_has(tmp_path: Path) -> None:
    with room(tmp_path) as emperor:
        emperor.stop("TERM")
        put(tmp_path, "a.ini")
        emperor.look()
        assert not emperor.court.vassals


@pytest.mark.parametrize("vacuum", [True, False])
def test_the_pidfile_and_the_hook_of_the_start(vacuum: bool, tmp_path: Path) -> None:
    pidfile = tmp_path / "pid"
    (tmp_path / "vassals").mkdir()
    options = {"emperor_pidfile": str(pidfile), "hook_emperor_start": [f"create:{tmp_path}/begun"]}
    with room(tmp_path, vacuum=vacuum, **options) as emperor:
        emperor.begin()
        assert pidfile.read_text() == f"{os.getpid()}\n"
        assert (tmp_path / "begun").exists()
        emperor.leave_pidfile()
        assert pidfile.exists() is not vacuum


def test_a_hook_of_the_start_that_fails_is_the_end(tmp_path: Path) -> None:
    with (
        room(tmp_path, hook_emperor_start=["exec:exit 3"]) as emperor,
        pytest.raises(StartError, match="hook-emperor-start"),
    ):
        emperor.begin()


def test_its_signals_have_uwsgis_meanings(tmp_path: Path) -> None:
    wrapper = tmp_path / "standin"
    wrapper.write_text(f'#!/bin/sh\nexec {sys.executable} -S -E {STANDIN} "$@"\n')
    wrapper.chmod(0o755)
    file = put(tmp_path, "a.ini", f"say {LOYAL}")
    log = tmp_path / "log"
    words = ("--emperor", "vassals", "--emperor-freq", "3600", "--emperor-wrapper", str(wrapper))
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "penstock", *words], stdout=output, stderr=output, cwd=tmp_path,
            env=environment(),
        )  # fmt: skip

    def wait_for(text: str) -> None:
        end = time.monotonic() + 15
        while text not in log.read_text():
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.01)

    try:
        wait_for("vassal a.ini is loyal")
        put(tmp_path, "b.ini", f"say {LOYAL}")
        process.send_signal(signal.SIGWINCH)
        wait_for("vassal b.ini is loyal")
        process.send_signal(signal.SIGHUP)
        wait_for("vassal b.ini is told to reload")
        process.send_signal(signal.SIGUSR1)
        wait_for(", loyal")
        process.send_signal(signal.SIGURG)
        wait_for("are tried again")
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
        wait_for("the emperor has ended")
        assert heard(file) == [1, 0]
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
