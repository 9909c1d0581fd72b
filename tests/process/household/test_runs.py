"""Commands that run once: what the log says of them, how long they may run, how many, and their end."""

import os
import signal
import time
from pathlib import Path

import pytest

from penstock.process.household.runs import Runs, label_of
from penstock.process.programs.programs import Program
from tests.process.household.attending import Attended, attended
from tests.process.programs.keeping import PATH, gone


def program(command: str) -> Program:
    return Program(command=command, label=label_of("cron", command), environ=PATH)


class Told:
    """Runs of a house, and how often it was told of an end."""

    def __init__(self, house: Attended) -> None:
        self.house = house
        self.ends = 0
        self.runs = Runs(house, self.one)

    def one(self) -> None:
        self.ends += 1

    def pid(self) -> int:
        (one,) = self.runs.all
        assert one.running is not None
        return one.running.pid


def test_output_and_end_are_in_the_log(tmp_path: Path) -> None:
    with attended(tmp_path) as house:
        it = Told(house)
        it.runs.start("a", program("echo out; echo error >&2; exit 3"))
        assert it.runs.busy and len(it.runs.of("a")) == 1 and it.runs.of("b") == []
        pid = it.pid()
        house.until(lambda: it.ends)
        label = 'cron "echo out; echo error >&2; exit 3"'
        assert f"{label} runs (pid {pid})" in house.text()
        assert f"[{label}] out\n" in house.text() and f"[{label}] error\n" in house.text()
        assert f"penstock warning: {label} (pid {pid}) has ended after 0 s: exit status 3" in house.text()
        assert not it.runs.busy


def test_a_good_end_is_no_warning(tmp_path: Path) -> None:
    with attended(tmp_path) as house:
        it = Told(house)
        it.runs.start("a", program("true"))
        house.until(lambda: it.ends)
        assert 'penstock: cron "true" (pid' in house.text() and "warning" not in house.text()


def test_one_that_runs_for_too_long_is_killed(tmp_path: Path) -> None:
    with attended(tmp_path) as house:
        it = Told(house)
        begun = time.monotonic()
        it.runs.start("a", program("exec sleep 60"), 0.3)
        house.until(lambda: it.ends)
        assert 0.3 <= time.monotonic() - begun < 9
        assert "is killed: it has run for " in house.text()
        assert "killed by SIGKILL" in house.text()


def test_its_whole_group_is_killed(tmp_path: Path) -> None:
    child = tmp_path / "child"
    with attended(tmp_path) as house:
        it = Told(house)
        it.runs.start("a", program(f"sleep 60 & echo $! > {child}; wait"), 0.5)
        house.until(lambda: child.exists() and child.read_text().strip())
        pid = int(child.read_text())
        assert not gone(pid)
        house.until(lambda: gone(pid))


def test_there_is_a_bound_for_each(tmp_path: Path) -> None:
    with attended(tmp_path) as house:
        it = Told(house)
        it.runs.most = 3
        for _ in range(3):
            it.runs.start("a", program("exec sleep 60"))
        with pytest.raises(OSError, match="3 of it are running already"):
            it.runs.start("a", program("true"))
        it.runs.start("b", program("true"))
        house.finish(now=True)
        house.until(house.done)


def test_the_end_is_a_signal_a_time_and_a_kill(tmp_path: Path) -> None:
    with attended(tmp_path, reload_mercy=1) as house:
        it = Told(house)
        it.runs.start("deaf", program("trap '' TERM; echo ready; while :; do sleep 0.05; done"))
        it.runs.start(
            "good", program("trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.05; done")
        )
        house.until(lambda: house.text().count("] ready\n") == 2)
        house.finish()
        begun = time.monotonic()
        house.until(lambda: not house.done() and house.looked == 1)
        assert "] bye" in house.text() and "did not end in time" not in house.text()
        house.until(lambda: house.looked == 2)
        assert house.done() and it.ends == 0
        assert time.monotonic() - begun > 0.9
        assert "did not end in time, and is killed" in house.text()


@pytest.mark.parametrize("later", [False, True])
def test_an_urgent_end_waits_for_nobody(tmp_path: Path, later: bool) -> None:
    with attended(tmp_path, reload_mercy=60) as house:
        it = Told(house)
        it.runs.start("deaf", program("trap '' TERM; echo ready; while :; do sleep 0.05; done"))
        house.until(lambda: "] ready" in house.text())
        assert not house.done()
        house.finish(now=not later)
        if later:
            assert not house.done() and house.ending is not None
            house.ending.now = True
        house.until(house.done, 5)


def test_another_program_goes_on_with_them(tmp_path: Path) -> None:
    with attended(tmp_path) as house:
        it = Told(house)
        hold = tmp_path / "hold"
        hold.write_text("")
        command = f"echo one; while [ -e {hold} ]; do sleep 0.02; done; echo two; exit 4"
        it.runs.start("a", program(command), 60)
        pid = it.pid()
        house.until(lambda: "] one" in house.text())
        (state,) = data = it.runs.state()
        assert state["key"] == "a" and os.fstat(state["fd"])
        # The first one forgets all, as a program that is replaced does.
        house.watch.remove(state["fd"])
        house.children.clear()
        other = Told(house)
        other.runs.resume(data)
        assert len(other.runs.of("a")) == 1 and other.pid() == pid
        hold.unlink()
        house.until(lambda: other.ends)
        label = label_of("cron", command)
        assert f"[{label}] two" in house.text()
        assert f"{label} (pid {pid}) has ended after" in house.text()


def test_what_one_has_left_in_the_background_writes_on(tmp_path: Path) -> None:
    hold = tmp_path / "hold"
    hold.touch()
    with attended(tmp_path) as house:
        it = Told(house)
        it.runs.start("a", program(f"(while test -e {hold}; do sleep 0.02; done; echo still here) &"))
        house.until(lambda: it.ends)
        (state,) = data = it.runs.state()
        assert state["ended"] and state["fd"] >= 0
        house.watch.remove(state["fd"])
        other = Told(house)
        other.runs.resume(data)
        assert not other.runs.busy and not house.children
        hold.unlink()
        house.until(lambda: "] still here\n" in house.text())
        house.until(lambda: not other.runs.state())


def test_the_time_that_one_has_goes_on_too(tmp_path: Path) -> None:
    with attended(tmp_path) as house:
        it = Told(house)
        it.runs.start("a", program("exec sleep 60"), 0.3)
        data = it.runs.state()
        one = it.runs.all[0]
        assert one.timer is not None
        one.timer.cancel()
        house.watch.remove(data[0]["fd"])
        house.children.clear()
        other = Told(house)
        other.runs.resume(data)
        house.until(lambda: other.ends, 5)
        assert f"killed by {signal.SIGKILL.name}" in house.text()


def test_what_the_log_calls_one() -> None:
    assert label_of("cron", " a \t b\nc ") == 'cron "a b c"'
    assert label_of("cron", "x" * 61) == f'cron "{"x" * 59}…"'
    assert label_of("cron", "x" * 40) == f'cron "{"x" * 40}"'
