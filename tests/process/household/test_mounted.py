"""The program that asks file systems: what it says, and when it ends."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from penstock.process.household import mounted

Program = subprocess.Popen[bytes]


@contextmanager
def asking(*paths: str) -> Iterator[Program]:
    words = [sys.executable, "-I", "-S", mounted.__file__, "0.05", *paths]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def line(process: Program) -> bytes:
    assert process.stdout is not None
    return process.stdout.readline()


def test_it_says_each_time_that_all_is_well(tmp_path: Path) -> None:
    with asking(str(tmp_path), "/proc") as process:
        assert [line(process) for _ in range(3)] == [b"ok\n"] * 3


def test_it_ends_with_one_that_fails(tmp_path: Path) -> None:
    folder = tmp_path / "with a blank"
    folder.mkdir()
    with asking("/proc", str(folder)) as process:
        assert line(process) == b"ok\n"
        folder.rmdir()
        said = [line(process) for _ in range(100) if process.poll() is None]
        assert process.wait(10) == 1
        assert process.stdout is not None
        last = (b"".join(said) + process.stdout.read()).splitlines()[-1]
        assert last == f"failed 2 {folder}".encode()


def test_it_ends_when_nobody_listens(tmp_path: Path) -> None:
    with asking(str(tmp_path)) as process:
        assert line(process) == b"ok\n" and process.stdout is not None
        process.stdout.close()
        assert process.wait(10) == 0
