"""``python -m benchmarks.seeing``: what seeing inside costs, and whether looking disturbs who is served.

Two questions, each with a bound. First: CPU per hello request of a server that keeps log, metrics and phases
against one that keeps nothing, started anew for each figure, one after the other in every round. Second: the
time within which 99 of 100 requests are answered, in windows with and without somebody who reads stats and
metrics each second; the application sleeps, so that its server's core is free. Exit status 1 where a bound is
not kept.
"""

import argparse
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from benchmarks.environments import install
from benchmarks.measure import drive, joined, loaded
from benchmarks.peers import BY_NAME, THREADS, TOP, Peer
from benchmarks.scenarios import Scenario, app
from benchmarks.servers import HOST, Cores, Refused, Server, free_port, pin, ready, start, stop, two_cores

MOST_CPU = 1.45  # of a request with everything off
MOST_P99 = 1.10  # of the windows in which nobody looks
EVERY = 1.0  # seconds between two looks
WITHIN = 5.0  # seconds that an answer to a look may take
LEAST = 1000  # bytes of a page or document that says anything
WARM = 1.0  # seconds of load before a figure

HELLO = Scenario("seeing", "Hello", app("hello"), connections=16)
RESTING = Scenario("looks", "An application that sleeps for 5 ms", app("resting"), connections=THREADS)

OFF = ("--disable-logging",)
LOG = ("--access-log", "stdout")
FIGURES = ("--metrics", "{host}:{metrics}")
WAYS = {
    "everything off": OFF,
    "access log": LOG,
    "metrics and phases": (*OFF, *FIGURES),
    "log, metrics and phases": (*LOG, *FIGURES),
    "the same, and ids and Server-Timing in replies": (
        *(*LOG, *FIGURES, "--server-timing"),
        *("--request-id", "X-Request-ID"),
    ),
}
ALL = "log, metrics and phases"
BESIDE = ("--stats", "{host}:{stats}")
KINDS = {"a single process": (), "a supervisor and a worker": ("--master",)}


@dataclass(frozen=True)
class Started:
    """A server, and where it tells of itself; 0 where it does not."""

    server: Server
    metrics: int
    stats: int


@contextmanager
def started(words: Sequence[str], scenario: Scenario, folder: Path, cores: Cores) -> Iterator[Started]:
    """A penstock with these words besides its own. Raises Refused."""
    ports = {"metrics": free_port(), "stats": free_port()}
    filled = tuple(word.format(host=HOST, **ports) for word in words)
    programs = install("penstock-seeing", ("-e", f"{TOP}[metrics]"))
    peer: Peer = replace(BY_NAME["penstock"], quiet=filled)
    server = start(peer, scenario, programs, folder, cores)
    try:
        ready(server, scenario)
        yield Started(server, ports["metrics"], ports["stats"])
    finally:
        stop(server)


# ---- What it costs --------------------------------------------------------------------------------------


def costs(rounds: int, seconds: float, folder: Path, cores: Cores) -> dict[str, list[float]]:
    """Microseconds of CPU per request, each way once a round."""
    found: dict[str, list[float]] = {name: [] for name in WAYS}
    for number in range(rounds):
        for at, (name, words) in enumerate(WAYS.items()):
            with started(words, HELLO, folder / f"{number}-{at}", cores) as one:
                drive(one.server, HELLO, WARM, cores)
                figures = joined([loaded(one.server, HELLO, seconds, cores)])
            if figures["cpu"] is None or figures["errors"]:
                raise Refused(f"{name}: {figures['errors']} requests failed")
            found[name].append(figures["cpu"])
        print(
            f"round {number + 1}: {' '.join(f'{row[-1]:.1f}' for row in found.values())} µs", file=sys.stderr
        )
    return found


def table_of_costs(found: dict[str, list[float]]) -> list[str]:
    """A row for each way; what it is dearer by is the median of the rounds' own ratios."""
    lines = ["| | CPU µs per request | spread | to everything off |", "| --- | ---: | ---: | ---: |"]
    off = found["everything off"]
    for name, row in found.items():
        more = (median(ratios(row, off)) - 1) * 100
        lines.append(f"| {name} | {median(row):.1f} | {min(row):.1f} to {max(row):.1f} | {more:+.0f} % |")
    return lines


def ratios(row: Sequence[float], base: Sequence[float]) -> list[float]:
    """Each round's figure to that round's base: what a machine is slower by for a while is slow for both."""
    return [one / other for one, other in zip(row, base, strict=True)]


# ---- Whether looking disturbs ---------------------------------------------------------------------------


def ask(port: int, request: bytes = b"") -> int:
    """Everything that a page or a document has to say, thrown away; its size. Raises OSError."""
    size = 0
    with socket.create_connection((HOST, port), WITHIN) as sock:
        if request:
            sock.sendall(request)
        while piece := sock.recv(1 << 16):
            size += len(piece)
    return size


class Looking(threading.Thread):
    """Reads stats and metrics, at these ports, every second until ``stop``; ``looks`` counts those that had
    both."""

    def __init__(self, metrics: int, stats: int) -> None:
        super().__init__(daemon=True)
        self.metrics = metrics
        self.stats = stats
        self.looks = 0
        self.over = threading.Event()

    def run(self) -> None:
        """The thread."""
        page = f"GET /metrics HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode()
        while True:
            with suppress(OSError):  # that is no look, and looks are counted
                self.looks += ask(self.metrics, page) > LEAST and ask(self.stats) > LEAST
            if self.over.wait(EVERY):
                return

    def stop(self) -> int:
        """End it; how often it has looked."""
        self.over.set()
        self.join(2 * WITHIN)
        return self.looks


def late(one: Started, seconds: float, cores: Cores, looked_at: bool) -> float:
    """A window's 99th percentile, in milliseconds."""
    looking = Looking(one.metrics, one.stats) if looked_at else None
    if looking is not None:
        looking.start()
    load = drive(one.server, RESTING, seconds, cores)
    looks = looking.stop() if looking is not None else 0
    if looking is not None and looks < seconds / EVERY - 1:
        raise Refused(f"only {looks} looks in {seconds} s were answered")
    if load.p99 is None or load.errors:
        raise Refused(f"{load.errors} requests failed")
    return load.p99


def windows(
    words: Sequence[str], rounds: int, seconds: float, folder: Path, cores: Cores
) -> list[list[float]]:
    """99th percentiles without and with looks, by turns; which of them is first changes."""
    found: list[list[float]] = [[], []]
    with started((*LOG, *FIGURES, *BESIDE, *words), RESTING, folder, cores) as one:
        drive(one.server, RESTING, WARM, cores)
        for number in range(rounds):
            for looked_at in (False, True) if number % 2 else (True, False):
                found[looked_at].append(late(one, seconds, cores, looked_at))
            print(f"window {number + 1}: {found[0][-1]:.2f} {found[1][-1]:.2f} ms", file=sys.stderr)
    return found


def table_of_windows(found: dict[str, list[list[float]]]) -> list[str]:
    """A row for each kind of server."""
    lines = ["| p99 ms | nobody looks | spread | stats and metrics each second | spread |"]
    lines.append("| --- | ---: | ---: | ---: | ---: |")
    for name, columns in found.items():
        cells = [f"{median(column):.2f} | {min(column):.2f} to {max(column):.2f}" for column in columns]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


# ---- The command line -----------------------------------------------------------------------------------


def verdict(what: str, ratio: float, most: float) -> tuple[str, bool]:
    """A bound's line, and whether it is kept."""
    kept = ratio <= most
    said = f"{(ratio - 1) * 100:+.1f} % (at most {(most - 1) * 100:+.0f} %)"
    return f"{'kept' if kept else 'NOT KEPT'}: {what}: {said}", kept


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.seeing", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--only", choices=("cost", "looks"))
    options = parser.parse_args()
    cores, verdicts = two_cores(), list[tuple[str, bool]]()
    pin(cores.load)
    with tempfile.TemporaryDirectory(prefix="penstock-seeing-") as text:
        folder = Path(text)
        try:
            if options.only != "looks":
                found = costs(options.rounds, options.seconds, folder, cores)
                print("\n".join(table_of_costs(found)), "\n", flush=True)
                dearer = median(ratios(found[ALL], found["everything off"]))
                verdicts.append(verdict(f"CPU of a hello request with {ALL}", dearer, MOST_CPU))
            if options.only != "cost":
                rounds = options.rounds + options.rounds % 2  # each order as often as the other
                seen = {
                    name: windows(words, rounds, options.seconds, folder / name.replace(" ", "-"), cores)
                    for name, words in KINDS.items()
                }
                print("\n".join(table_of_windows(seen)), "\n", flush=True)
                for name, (quiet, looked_at) in seen.items():
                    ratio = median(looked_at) / median(quiet)
                    verdicts.append(verdict(f"p99 while {name} is looked at", ratio, MOST_P99))
        except (Refused, RuntimeError) as error:
            print(error, file=sys.stderr)
            return 1
    print("\n".join(line for line, _ in verdicts))
    return 0 if all(kept for _, kept in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
