"""One worker beside two: processor time for a small request, how connections are spread, and what a second
worker brings to an application that computes.

``python -m tests.supervision.spread``; needs wrk.
"""

import argparse
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from benchmarks.measure import Load as Seen
from benchmarks.measure import cpu_seconds, parse
from benchmarks.servers import two_cores

from tests.supervision import burner, ledger
from tests.supervision.place import Place, running
from tests.supervision.proc import tree, wait_until
from tests.supervision.scene import Scene, parser, perform

CONNECTIONS = 64
SHARE = 0.6  # of the connections at most, with two workers
UNEVEN = 1.5  # most to least, of idle ones over four workers
DEARER = 1.1
FASTER = 1.7


def wrk(place: Place, seconds: float, path: str, connections: int = CONNECTIONS) -> Seen:
    """One run. Raises RuntimeError."""
    program = shutil.which("wrk")
    if program is None:
        raise RuntimeError("wrk is not installed")
    url = f"http://127.0.0.1:{place.port}{path}"
    done = subprocess.run(
        [program, "-t1", f"-c{connections}", f"-d{seconds:g}s", "--latency", url],
        capture_output=True, text=True, timeout=seconds + 30, check=True,
    )  # fmt: skip
    return parse(done.stdout)


def pinned(place: Place) -> None:
    """All of the server on one processor; the load finds the other."""
    core = two_cores().server
    if core is not None:
        for pid in tree(place.pid):
            for task in Path(f"/proc/{pid}/task").iterdir():
                subprocess.run(["taskset", "-pc", str(core), task.name], capture_output=True, check=True)


def price(place: Place, seconds: float) -> float:
    """Microseconds of processor time of the whole tree for a request."""
    before = cpu_seconds(place.pid)
    seen = wrk(place, seconds, "/id/0?size=100")
    if seen.errors:
        raise RuntimeError(f"{seen.errors} errors")
    return (cpu_seconds(place.pid) - before) / seen.requests * 1e6


def held(place: Place) -> list[int]:
    """Connections that each worker holds."""
    return sorted(len(ledger.held(pid)[0]) for pid in place.crew())


def pair(scene: Scene, stack: ExitStack, name: str) -> list[Place]:
    """One worker and two, side by side, idle but for who is measured."""
    return [
        stack.enter_context(
            running(scene.folder / f"{name}{count}", "plain", workers=count, options={"threads": 8})
        )
        for count in (1, 2)
    ]


def ratio(places: list[Place], rounds: int, measure: Callable[[Place], float]) -> tuple[float, float, float]:
    """Medians of one and of two workers, in turns, and of the ratios."""
    figures: list[list[float]] = [[], []]
    for number in range(rounds):
        for at in (0, 1) if number % 2 == 0 else (1, 0):
            figures[at].append(measure(places[at]))
    ratios = [two / one for one, two in zip(*figures, strict=True)]
    return statistics.median(figures[0]), statistics.median(figures[1]), statistics.median(ratios)


def prices(scene: Scene, given: argparse.Namespace) -> None:
    """Processor time for a request, pinned and not; and the spread of wrk's connections meanwhile."""
    with ExitStack() as stack:
        places = pair(scene, stack, "price")
        one, two, more = ratio(places, given.rounds, lambda place: price(place, given.seconds))
        scene.put(cpu_one=round(one, 1), cpu_two=round(two, 1), cpu_ratio=round(more, 3))
        for place in places:
            pinned(place)
        one, two, more = ratio(places, given.rounds, lambda place: price(place, given.seconds))
        scene.put(pinned_one=round(one, 1), pinned_two=round(two, 1), pinned_ratio=round(more, 3))
        scene.check(more <= DEARER, f"two workers need {more:.2f} times the processor time of one")


def split(scene: Scene, given: argparse.Namespace) -> None:
    """Connections under load over two workers."""
    with running(scene.folder / "split", workers=2) as place:
        shares = []
        for _ in range(given.rounds):
            process = subprocess.Popen(
                ["wrk", "-t1", f"-c{CONNECTIONS}", "-d2s", f"http://127.0.0.1:{place.port}/id/0?size=100"],
                stdout=subprocess.DEVNULL,
            )
            time.sleep(1.2)
            shares.append(held(place))
            process.wait()
            wait_until(lambda: sum(held(place)) == 0, 10, "connections stay")
        scene.put(split=shares)
        worst = max(max(counts) / max(1, sum(counts)) for counts in shares)
        scene.check(worst <= SHARE, f"one of two workers has {worst:.0%} of the connections")


def idle(scene: Scene, given: argparse.Namespace) -> None:
    """Idle connections over four workers: fresh ones, and ones that have had a reply."""
    with running(scene.folder / "idle", workers=4) as place:
        for name, asked in (("silent", b""), ("kept", b"GET /id/0?size=100 HTTP/1.1\r\nHost: a\r\n\r\n")):
            for _ in range(given.rounds):
                counts = gathered(place, asked)
                scene.put(**{f"idle, {name}": counts})
                scene.check(
                    len(counts) == 4 and max(counts) <= UNEVEN * min(counts), f"idle, {name}: {counts}"
                )


def gathered(place: Place, asked: bytes) -> list[int]:
    """How many of them each worker has."""
    lines = []
    try:
        for _ in range(CONNECTIONS):
            lines.append(socket.create_connection(("127.0.0.1", place.port), timeout=5))
            if asked:
                lines[-1].sendall(asked)
                lines[-1].recv(4096)
        wait_until(lambda: sum(held(place)) == CONNECTIONS, 5, f"only {held(place)} were accepted")
        return held(place)
    finally:
        for line in lines:
            line.close()
        wait_until(lambda: sum(held(place)) == 0, 10, "connections stay")


def machine() -> float:
    """What two processes that only compute do at once, for one alone: the most that can be hoped for."""
    alone: list[float] = []
    together: list[float] = []
    for _ in range(3):
        for count, times in ((1, alone), (2, together)):
            begun = time.monotonic()
            for process in [burner.start(0.7, nice=0) for _ in range(count)]:
                process.wait()
            times.append(time.monotonic() - begun)
    return 2 * statistics.median(alone) / statistics.median(together)


def computing(scene: Scene, given: argparse.Namespace) -> None:
    """Two milliseconds of computing for each request."""
    with ExitStack() as stack:
        places = pair(scene, stack, "cpu")
        one, two, more = ratio(
            places, given.rounds, lambda place: wrk(place, given.seconds, "/id/0?size=100&cpu=0.002", 16).rate
        )
        scene.put(rate_one=round(one), rate_two=round(two), rate_ratio=round(more, 2))
        scene.put(machine_ratio=round(machine(), 2))
        scene.check(more >= FASTER, f"two workers do {more:.2f} times what one does")


PARTS = {"prices": prices, "split": split, "idle": idle, "computing": computing}


def play(scene: Scene, given: argparse.Namespace) -> None:
    """All parts, or one."""
    for name, part in PARTS.items():
        if given.part in (name, "all"):
            part(scene, given)


def words() -> argparse.ArgumentParser:
    """The command line."""
    made = parser("spread", __doc__)
    made.add_argument("--part", choices=(*PARTS, "all"), default="all")
    made.add_argument("--rounds", type=int, default=5)
    made.add_argument("--seconds", type=float, default=4)
    return made


if __name__ == "__main__":
    sys.exit(perform("spread", play, words()))
