"""A house for programs: a real loop and a real log, and nobody reaped but those that were started here."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic

from penstock.logs.setup import Diary
from penstock.process.programs.programs import Program, Running, run
from penstock.process.supervisor.watch import Watch
from tests.sinks import file_sink

PATH = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}


class Keeping:
    """``until`` runs the loop."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.diary = Diary(file_sink(str(log)), None)
        self.faults: list[str] = []
        self.watch = Watch(self.faults.append)
        self.children: dict[int, Callable[[int], None]] = {}
        self.watch.every(0.01, self.reap)

    def reap(self) -> None:
        """As a supervisor does, but only its own."""
        for pid in list(self.children):
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                self.children.pop(pid)(os.waitstatus_to_exitcode(status))

    def until(self, true: Callable[[], object], seconds: float = 10.0) -> None:
        """Run the loop until something is so; fail when it does not come."""
        end = monotonic() + seconds

        def look() -> None:
            if true() or monotonic() > end:
                self.watch.stop()

        timer = self.watch.every(0.005, look)
        self.watch.run()
        timer.cancel()
        assert true(), self.text()

    def rest(self, seconds: float) -> None:
        """Run the loop for so long."""
        timer = self.watch.later(seconds, self.watch.stop)
        self.watch.run()
        timer.cancel()

    def text(self) -> str:
        return self.log.read_text()

    def close(self) -> None:
        """Nobody is left."""
        for pid in self.children:
            kill(pid)
        if self.children:
            self.until(lambda: not self.children)
        self.watch.close()
        self.diary.close()


@contextmanager
def keeping(tmp: Path) -> Iterator[Keeping]:
    """One for the block; what its callbacks raised fails the test, and nobody is left."""
    house = Keeping(tmp / "house.log")
    try:
        yield house
    finally:
        house.close()
    assert house.faults == []


def kill(pid: int) -> None:
    """Its group, and it."""
    for call in (os.killpg, os.kill):
        with suppress(OSError):
            call(pid, 9)


class Started:
    """A program that runs, and what it came to."""

    def __init__(self, house: Keeping, command: str, with_lines: bool = True, **more: object) -> None:
        given: dict[str, object] = {"label": "p", "environ": PATH, **more}
        self.house = house
        self.lines: list[str] = []
        self.statuses: list[int] = []
        program = Program(command=command, **given)  # type: ignore[arg-type]  # typed where they are used
        line = self.lines.append if with_lines else None
        self.running: Running = run(house, program, self.statuses.append, line)

    def end(self, seconds: float = 10.0) -> int:
        """Wait for its end, and for the end of its output."""
        self.house.until(lambda: self.statuses and self.running.fd < 0, seconds)
        return self.statuses[0]

    def says(self, line: str, seconds: float = 10.0) -> None:
        self.house.until(lambda: line in self.lines, seconds)


def gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody has reaped counts."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True
