"""A load as a scenario sees it: client processes that it starts and ends, and what they have written so far.

Runs in the scenario's process. Every figure is read from the clients' files, so it can be asked for while the
load goes on. ``python -m tests.supervision.load URL`` is a load by itself, for the shell.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from tests.e2e.surroundings import TOP, environment
from tests.supervision.client import PATIENCE, RECORD, Orders, numbers
from tests.supervision.wire import Kind, Lane

Window = tuple[float, float]
"""From and to, readings of time.monotonic (the same in all processes of a machine)."""


class Record(NamedTuple):
    """One request, as ``client.RECORD`` has it."""

    number: int
    due: float
    sent: float
    done: float
    waited: float
    pid: int
    generation: int
    kind: int
    lane: int
    status: int

    @property
    def took(self) -> float:
        """Seconds from when it was due: a client or a server that is late counts against the server."""
        return self.done - self.due


@dataclass
class Load:
    """``rate`` requests a second over ``lanes``; a context manager that ends it and waits for what is under
    way. ``callers``: see ``client.Orders``."""

    lanes: Sequence[Lane]
    folder: Path
    rate: float = 100.0
    seconds: float = 3600.0
    callers: int = 0
    jobs: int = 1
    seed: int = 1
    patience: float = PATIENCE
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)
    begun: float = 0.0
    read: dict[Path, int] = field(default_factory=dict)
    pids: set[int] = field(default_factory=set)

    def __enter__(self) -> "Load":
        self.place = Path(tempfile.mkdtemp(prefix="load-", dir=self.folder))
        self.begun = time.monotonic()
        for job, first in enumerate(numbers(self.jobs)):
            orders = Orders(
                list(self.lanes), self.rate / self.jobs, self.seconds, str(self.place),
                self.seed * 1000 + job, self.callers // self.jobs, first, self.patience,
            )  # fmt: skip
            self.processes.append(
                subprocess.Popen(
                    [sys.executable, "-m", "tests.supervision.client", orders.text()],
                    stdin=subprocess.PIPE, cwd=TOP, env=environment(),
                )
            )  # fmt: skip
        return self

    def __exit__(self, *error: object) -> None:
        self.finish()

    def finish(self) -> None:
        """No more requests; wait for the replies to those that were sent. Raises RuntimeError for a client
        that failed."""
        for process in self.processes:
            assert process.stdin is not None
            process.stdin.close()
        codes = []
        for process in self.processes:
            try:
                codes.append(process.wait(self.patience + 10))
            except subprocess.TimeoutExpired:
                process.kill()
                codes.append(process.wait())
        self.processes = []
        if any(codes):
            raise RuntimeError(f"a client failed: {codes}")

    def wait(self) -> None:
        """Until its seconds are over and all is answered."""
        for process in self.processes:
            process.wait(self.seconds + self.patience + 30)

    # ---- What was seen ------------------------------------------------------------------------------

    def records(self) -> list[Record]:
        """All requests that have ended so far, by the time at which they were due."""
        found = []
        for path in self.place.glob("records-*"):
            data = path.read_bytes()
            whole = len(data) - len(data) % RECORD.size
            found += [Record(*words) for words in RECORD.iter_unpack(data[:whole])]
        return sorted(found, key=lambda record: record.due)

    def failures(self) -> list[dict[str, Any]]:
        """Each that failed so far, with what was seen."""
        lines = (line for path in self.place.glob("failures-*") for line in path.read_text().splitlines())
        return sorted((json.loads(line) for line in lines), key=lambda words: float(words["failed"]))

    def answered(self) -> int:
        """How many have ended; cheap."""
        return sum(path.stat().st_size for path in self.place.glob("records-*")) // RECORD.size

    def answered_by(self) -> set[int]:
        """Processes that have answered so far; reads only what is new since the last call."""
        for path in self.place.glob("records-*"):
            at = self.read.get(path, 0)
            with path.open("rb") as file:
                file.seek(at)
                data = file.read()
            whole = len(data) - len(data) % RECORD.size
            self.read[path] = at + whole
            self.pids.update(Record(*words).pid for words in RECORD.iter_unpack(data[:whole]))
        return self.pids - {0}

    def wait_for(self, count: int, timeout: float = 20.0) -> None:
        """Until so many have ended. Raises TimeoutError."""
        until = time.monotonic() + timeout
        while self.answered() < count:
            if time.monotonic() > until:
                raise TimeoutError(f"{self.answered()} of {count} requests in {timeout} s")
            time.sleep(0.05)


def quantile(values: Iterable[float], part: float) -> float:
    """The value below which ``part`` of them lie; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else 0.0


def within(records: Iterable[Record], windows: Sequence[Window]) -> list[Record]:
    """Those that were due in one of the windows."""
    return [one for one in records if any(start <= one.due <= end for start, end in windows)]


def latency(records: Iterable[Record]) -> dict[str, float]:
    """Milliseconds of those that came right."""
    times = [record.took * 1000 for record in records if record.kind == Kind.OK]
    return {
        name: round(quantile(times, part), 1) for name, part in (("p50", 0.5), ("p99", 0.99), ("max", 1.0))
    }


def lag(records: Sequence[Record]) -> float:
    """Milliseconds by which the client itself was late at worst: a machine that is too busy for it."""
    return round(max((record.sent - record.due for record in records), default=0.0) * 1000, 1)


def kinds(records: Iterable[Record]) -> dict[str, int]:
    """How many failed, by what became of them."""
    return dict(Counter(Kind(record.kind).name for record in records if record.kind != Kind.OK))


def rate_of(records: Sequence[Record], skip: float = 0.25) -> float:
    """Right replies a second, without the first part of the run."""
    done = sorted(record.done for record in records if record.kind == Kind.OK)
    later = done[int(len(done) * skip) :]
    return (len(later) - 1) / (later[-1] - later[0]) if len(later) > 1 else 0.0


def capacity(lanes: Sequence[Lane], folder: Path, seconds: float = 4.0, callers: int = 16) -> float:
    """Right replies a second when each of ``callers`` asks again as soon as it is answered: the most that
    this server and this client do together on this machine."""
    with Load(lanes, folder, callers=callers, seconds=seconds) as load:
        load.wait()
    return rate_of(load.records())


def main() -> None:
    """A URL's host and port, a rate, and for how long."""
    host, port = sys.argv[1].removeprefix("http://").strip("/").split(":")
    rate, seconds = (float(word) for word in [*sys.argv[2:], "100", "10"][:2])
    lane = Lane("kept", (host, int(port)), kept=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        Load([lane], Path(folder), rate=rate, seconds=seconds) as load,
    ):
        load.wait()
        records = load.records()
        print(json.dumps({"requests": len(records), "failed": kinds(records), **latency(records)}))
        for failure in load.failures()[:20]:
            print(json.dumps(failure))


if __name__ == "__main__":
    main()
