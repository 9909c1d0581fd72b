"""``python -m benchmarks.probes``: health checks while every thread is held and a thousand requests wait.

The benchmark's own process; the servers are on one core, the probes come from the other. A probe is a new
connection, one request and its reply, as an orchestrator's is; it is lost when none came within a second.
penstock is asked for its own page, the others for one of the application's, which is all that they have.
"""

import argparse
import socket
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.clients import raise_limit
from benchmarks.environments import install
from benchmarks.held import PAGES
from benchmarks.peers import BY_NAME, THREADS
from benchmarks.scenarios import Scenario
from benchmarks.servers import HOST, Refused, Server, pin, ready, start, stop, two_cores

NAMES = ("penstock", "gunicorn", "uwsgi-http11")
OWN = "/-/ready"
WITHIN = 1.0  # seconds that a probe may take
GIVE_UP = 20  # probes in a row that are lost, after which no more are sent
SETTLE = 1.0
SCENARIO = Scenario(
    "probes", "Health while all threads are held", "benchmarks.held:application", "idle", reply=b"ok"
)


@dataclass
class Probes:
    """What came of them: milliseconds of those that were answered, and how many were lost."""

    times: list[float] = field(default_factory=list)
    lost: int = 0

    def quantile(self, share: float) -> float | None:
        """The time within which that share of all probes was answered; None where it was not."""
        ordered = sorted(self.times)
        at = int(share * (len(ordered) + self.lost))
        return ordered[at] if at < len(ordered) else None


def asking(path: str) -> bytes:
    """A request that ends its connection."""
    return f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode()


def probe(port: int, path: str) -> float | None:
    """Milliseconds until the first line of a good answer; None when it is lost."""
    began = time.perf_counter()
    try:
        with socket.create_connection((HOST, port), WITHIN) as sock:
            sock.sendall(asking(path))
            answer = sock.recv(4096)
    except OSError:
        return None
    took = (time.perf_counter() - began) * 1000
    return took if answer.startswith(b"HTTP/1.1 200") and took < WITHIN * 1000 else None


def probed(port: int, path: str, count: int) -> Probes:
    """One after the other; given up where nothing comes."""
    seen, row = Probes(), 0
    for _ in range(count):
        took = probe(port, path)
        row = 0 if took is not None else row + 1
        if took is None:
            seen.lost += 1
        else:
            seen.times.append(took)
        if row >= GIVE_UP:
            break
    return seen


@contextmanager
def held(port: int, page: str, queued: int) -> Iterator[None]:
    """Every thread at ``page``, and so many more requests that wait, on connections of their own."""
    with ExitStack() as stack:
        for path, count in ((page, THREADS), ("/", queued)):
            for _ in range(count):
                with suppress(OSError):  # a server may let nobody in any more: that is its answer
                    sock = stack.enter_context(socket.create_connection((HOST, port), WITHIN))
                    sock.sendall(f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
            time.sleep(SETTLE)
        yield


def measure(server: Server, page: str, options: argparse.Namespace) -> Probes:
    """The probes of one server whose threads are all at one page."""
    path = OWN if server.peer.name.startswith("penstock") else "/health"
    with held(server.port, page, options.queued):
        return probed(server.port, path, options.probes)


def row(title: str, page: str, seen: Probes) -> str:
    """A line of the table."""
    figures = [seen.quantile(0.5), seen.quantile(0.99), seen.quantile(0.9999)]
    cells = ["-" if one is None else f"{one:.1f}" for one in figures]
    sent = len(seen.times) + seen.lost
    return f"| {title} | {page} | {' | '.join(cells)} | {seen.lost} of {sent} |"


def run(names: Sequence[str], options: argparse.Namespace, folder: Path) -> list[str]:
    """The table."""
    lines = [
        f"| | {THREADS} of {THREADS} threads in | p50 ms | p99 ms | most ms | lost |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    cores = two_cores()
    pin(cores.load)
    for name in names:
        programs = install(BY_NAME[name].venv, BY_NAME[name].requires)
        for page in options.page:
            server = start(BY_NAME[name], SCENARIO, programs, folder / f"{name}{page[1:]}", cores)
            try:
                ready(server, SCENARIO)
                lines.append(row(BY_NAME[name].title, page[1:], measure(server, page, options)))
            finally:
                stop(server)
            print(lines[-1], file=sys.stderr, flush=True)
    return lines


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.probes", description=__doc__)
    parser.add_argument("--peer", nargs="+", choices=[*BY_NAME], default=NAMES)
    parser.add_argument("--page", nargs="+", choices=[*PAGES], default=[*PAGES])
    parser.add_argument("--probes", type=int, default=1000)
    parser.add_argument("--queued", type=int, default=1000)
    options = parser.parse_args()
    raise_limit(options.queued + 256)
    with tempfile.TemporaryDirectory(prefix="penstock-probes-") as folder:
        try:
            print("\n".join(run(options.peer, options, Path(folder))))
        except Refused as error:
            print(error, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
