"""A program that reads the log."""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from penstock.process.logs.pipes import PAUSE, Piped


class Starting:
    """``cat`` into a file, as often as it is asked for."""

    def __init__(self, path: Path, command: str = "exec cat >>") -> None:
        self.path = path
        self.command = command
        self.programs: list[subprocess.Popen[bytes]] = []

    def __call__(self, fd: int) -> None:
        self.programs.append(subprocess.Popen(f"{self.command} {self.path}", shell=True, stdin=fd))

    def end(self) -> None:
        for program in self.programs:
            program.wait(10)


def until(true: Callable[[], object], sink: Piped) -> None:
    end = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end
        sink.retry()
        time.sleep(0.01)


def test_lines_go_to_a_program_that_is_started_with_the_first(tmp_path: Path) -> None:
    start = Starting(tmp_path / "got")
    sink = Piped(start)
    assert start.programs == []
    sink.put(b"one\n")
    sink.put(b"two\n")
    assert len(start.programs) == 1
    sink.close()
    start.end()
    assert (tmp_path / "got").read_text() == "one\ntwo\n"


def test_one_that_has_ended_is_started_again_after_a_while_and_nothing_is_lost(tmp_path: Path) -> None:
    start = Starting(tmp_path / "got")
    sink = Piped(start)
    sink.put(b"one\n")
    until(lambda: (tmp_path / "got").exists() and (tmp_path / "got").read_text() == "one\n", sink)
    start.programs[0].kill()
    start.programs[0].wait()
    begun = time.monotonic()
    for number in range(100):
        sink.put(b"%d\n" % number)
    assert time.monotonic() - begun < 0.5
    until(lambda: not sink.size, sink)
    sink.close()
    start.end()
    assert (tmp_path / "got").read_text() == "one\n" + "".join(f"{number}\n" for number in range(100))
    assert len(start.programs) == 2


def test_one_that_does_not_read_keeps_nobody_waiting(tmp_path: Path) -> None:
    start = Starting(tmp_path / "none", "exec sleep 60 #")
    sink = Piped(start)
    begun = time.monotonic()
    count = 0
    while sink.put(b"x" * 999 + b"\n"):
        count += 1
    assert time.monotonic() - begun < 5.0  # not the minute that the program sleeps
    assert count > 4000 and sink.dropped == 1
    sink.end(0.0)
    start.programs[0].kill()
    sink.close()
    start.end()


def test_one_that_cannot_be_started_is_tried_again(tmp_path: Path) -> None:
    tried = []

    def start(fd: int) -> None:
        tried.append(time.monotonic())
        raise OSError("no more processes")

    sink = Piped(start)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(50):
        assert sink.put(b"x\n"), "it waits"
    assert len(tried) == 1
    sink.again -= PAUSE
    sink.retry()
    assert len(tried) == 2
    assert len(os.listdir("/proc/self/fd")) == before
    sink.close()
