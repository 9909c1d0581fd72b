"""Memory and start of a Django site beside gunicorn's, in turns: the proportional share (PSS) of the whole
tree after a thousand requests for each worker, and the time from the start until every worker has answered.

``python -m tests.supervision.memory --rounds 5``. Both run in their environments of the benchmarks, with the
same Python, Django, number of workers and threads, without access log; gunicorn without preload.
"""

import argparse
import statistics
import sys
import time
from collections import Counter
from pathlib import Path

from benchmarks.environments import install
from benchmarks.peers import BY_NAME, FRAMEWORKS

from tests.supervision.client import PATIENCE
from tests.supervision.load import Load, kinds
from tests.supervision.place import Place, running
from tests.supervision.proc import tree, wait_until
from tests.supervision.scene import Scene, parser, perform
from tests.supervision.wire import Kind, Lane

SERVERS = ("penstock", "gunicorn")
LESS = 0.25  # that much less memory than gunicorn


def pythons() -> dict[str, str]:
    """The interpreter of each server's environment; made on the first use."""
    found = {}
    for name in SERVERS:
        peer = BY_NAME[name]
        found[name] = str(install(peer.venv, (*peer.requires, *FRAMEWORKS)) / "python")
    return found


def answered(load: Load) -> Counter[int]:
    """Right replies by process."""
    return Counter(record.pid for record in load.records() if record.kind == Kind.OK)


def start(folder: Path, name: str, python: str, workers: int, eager: bool) -> tuple[float, int]:
    """One start: seconds from its beginning until every worker has answered, and that many processes."""
    begun = time.monotonic()
    with running(folder, "django", program=name, workers=workers, python=python, eager=eager) as place:
        began = place.extra["began"]
        lane = [Lane("new", place.address("http"), query="sleep=0.02")]
        with Load(lane, folder, callers=workers * 4) as load:
            wait_until(lambda: len(load.answered_by()) >= workers, PATIENCE, "not all workers answered")
            # The clients' own times: this process looks only once in a while.
            first: dict[int, float] = {}
            for record in load.records():
                if record.kind == Kind.OK:
                    first[record.pid] = min(record.done, first.get(record.pid, record.done))
        count = len(tree(place.pid))
        place.ends()
    assert begun <= began
    return max(first.values()) - began, count


def weigh(scene: Scene, folder: Path, name: str, python: str, given: argparse.Namespace) -> int:
    """Kilobytes of PSS when every worker has answered so many."""
    workers, each = given.workers, given.requests
    with running(folder, "django", program=name, workers=workers, python=python, eager=given.eager) as place:
        with Load([*place.lanes("new"), *place.lanes("kept")], folder, callers=workers * 3) as load:
            wait_until(lambda: enough(load, workers, each), 120, f"{name}: {answered(load)}")
        scene.check(not load.failures(), f"{name}: {kinds(load.records())}")
        time.sleep(1.0)
        weight = place.pss()
        tell_of(scene, name, place, answered(load))
        place.ends()
    return weight


def enough(load: Load, workers: int, each: int) -> bool:
    time.sleep(0.5)
    counts = answered(load)
    return len(counts) == workers and min(counts.values()) >= each


def tell_of(scene: Scene, name: str, place: Place, counts: Counter[int]) -> None:
    from tests.supervision.proc import memory

    parts = " ".join(f"{memory(pid) / 1024:.1f}" for pid in tree(place.pid))
    scene.tell(f"{name}: PSS in MB by process: {parts}; replies {sorted(counts.values())}")


def play(scene: Scene, given: argparse.Namespace) -> None:
    """Weights, then starts, in turns."""
    python = pythons()
    weights: dict[str, list[int]] = {name: [] for name in SERVERS}
    starts: dict[str, list[float]] = {name: [] for name in SERVERS}
    for number in range(given.rounds):
        for name in SERVERS if number % 2 == 0 else SERVERS[::-1]:
            if number < given.weigh:
                folder = scene.folder / f"{name}-{number}-weight"
                weights[name].append(weigh(scene, folder, name, python[name], given))
            took, count = start(
                scene.folder / f"{name}-{number}", name, python[name], given.workers, given.eager
            )
            starts[name].append(took)
            scene.tell(f"{name}: {took:.2f} s until {given.workers} workers answer, {count} processes")
    ours, theirs = (statistics.median(weights[name]) / 1024 for name in SERVERS)
    scene.put(penstock_mb=round(ours, 1), gunicorn_mb=round(theirs, 1), less=f"{1 - ours / theirs:.0%}")
    scene.check(ours <= theirs * (1 - LESS), f"{ours:.1f} MB, gunicorn {theirs:.1f} MB")
    ours, theirs = (statistics.median(starts[name]) for name in SERVERS)
    scene.put(penstock_start=round(ours, 3), gunicorn_start=round(theirs, 3))
    scene.check(ours <= theirs, f"ready after {ours:.2f} s, gunicorn after {theirs:.2f} s")


def words() -> argparse.ArgumentParser:
    """The command line."""
    made = parser("memory", __doc__)
    made.add_argument("--rounds", type=int, default=5)
    made.add_argument("--weigh", type=int, default=2, help="rounds in which memory is measured (%(default)s)")
    made.add_argument("--workers", type=int, default=4)
    made.add_argument("--requests", type=int, default=1000, help="for each worker (%(default)s)")
    made.add_argument("--eager", action="store_true", help="the site imports its views at its import")
    return made


if __name__ == "__main__":
    sys.exit(perform("memory", play, words()))
