"""Measures beside other clients: slow ones, readers that stop, idle connections by the thousand.

Run by the benchmark's own process; the clients are a process of their own (``clients``) on the load's core.
A server is started afresh for each, because what it went through may stay with it.
"""

import asyncio
import functools
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from benchmarks.applications import PAUSE
from benchmarks.clients import WITHIN, freed
from benchmarks.measure import Figures, Load, core_seconds, cpu_seconds, drive, memory, middle
from benchmarks.peers import OURS, THREADS, TOP
from benchmarks.scenarios import Scenario
from benchmarks.servers import Cores, Server, pin

WARM = 1.0
# What the clients ask for at their coming is served before it counts: what is measured is their staying.
SETTLE = 1.0
# A p99 is what the machine's other work makes of it: a core that is taken away for 4 ms a hundred times a
# second multiplies it by thirty, with slow clients or without. So normal requests are measured without and
# with them in turns, and turns beside which others had more than a tenth of a core are taken again; only
# those of penstock, whose figures have a bound: a busy machine is not to make the whole run longer by half.
TURNS = 3
TRIES = 9
QUIET = 0.1


@dataclass
class Report:
    """The clients' process, and what it said at its end: how many were still connected, how many never
    were."""

    pid: int = 0
    seen: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Turn:
    """Normal requests without the clients, then beside them: ``cpu`` seconds of the server's for the latter,
    its ``peak`` memory in MB, clients ``connected`` at the end, and which part of a core ``others`` had."""

    alone: Load
    beside: Load
    cpu: float
    peak: float
    connected: int
    others: float


@contextmanager
def clients(server: Server, scenario: Scenario, cores: Cores) -> Iterator[Report]:
    """The scenario's clients, all under way; their report is filled in at the end."""
    command = [sys.executable, "-m", "benchmarks.clients", scenario.what, str(scenario.clients)]
    process = subprocess.Popen(
        [*command, str(server.port)],
        cwd=TOP,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        preexec_fn=functools.partial(pin, cores.load),
    )
    report = Report(process.pid)
    try:
        assert process.stdout is not None
        if process.stdout.readline().strip() != "ready":
            raise RuntimeError("the clients did not start")
        yield report
        said, _ = process.communicate("\n", timeout=WITHIN)
        report.seen |= json.loads(said)
    finally:
        process.kill()
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)


class Others:
    """Time on the cores of the server and of the load that neither of them nor the clients spent."""

    def __init__(self, server: Server, cores: Cores) -> None:
        self.server = server
        self.cores = cores
        self.spent = 0.0
        self.passed = 0.0

    @contextmanager
    def during(self, crowd: int = 0) -> Iterator[None]:
        """Add up over what is done within; ``crowd`` is the clients' process, 0 where there are none."""
        began, before = time.monotonic(), self._strange(crowd)
        yield
        self.spent += max(0.0, self._strange(crowd) - before)
        self.passed += time.monotonic() - began

    def _strange(self, crowd: int) -> float:
        load = resource.getrusage(resource.RUSAGE_CHILDREN)  # wrk, which has ended by then
        ours = cpu_seconds(self.server.pid) + load.ru_utime + load.ru_stime
        both = core_seconds(self.cores.server) + core_seconds(self.cores.load)
        return both - ours - (cpu_seconds(crowd) if crowd else 0.0)

    @property
    def share(self) -> float:
        """The part of a core."""
        return self.spent / self.passed if self.passed else 0.0


def turn(server: Server, scenario: Scenario, seconds: float, cores: Cores) -> Turn:
    """Normal requests without and with the slow clients, once."""
    others = Others(server, cores)
    with others.during():
        alone = drive(server, scenario, seconds, cores)
    with clients(server, scenario, cores) as report:
        time.sleep(SETTLE)
        before = cpu_seconds(server.pid)
        with others.during(report.pid):
            beside = drive(server, scenario, seconds, cores)
        used = cpu_seconds(server.pid) - before
        peak = memory(server.pid) / 1024
    return Turn(alone, beside, used, peak, report.seen["connected"], others.share)


def enough(turns: Sequence[Turn], tries: int = TRIES) -> bool:
    """Whether as many were quiet as are wanted, or no more are tried."""
    return len(turns) >= tries or sum(one.others <= QUIET for one in turns) >= TURNS


def summed(turns: Sequence[Turn]) -> Figures:
    """The figures of the least disturbed turns; the choice knows nothing of what they found."""
    chosen = sorted(turns, key=lambda one: one.others)[:TURNS]
    alone, beside = [one.alone for one in chosen], [one.beside for one in chosen]
    late, usual = middle(one.p99 for one in beside), middle(one.p99 for one in alone)
    requests = sum(one.requests for one in beside)
    return {
        "alone_rate": middle(one.rate for one in alone),
        "alone_p50": middle(one.p50 for one in alone),
        "alone_p99": usual,
        "rate": middle(one.rate for one in beside),
        "p50": middle(one.p50 for one in beside),
        "p99": late,
        "growth": late / usual if late and usual else None,
        "cpu": sum(one.cpu for one in chosen) / requests * 1e6 if requests else None,
        "connected": min(one.connected for one in chosen),
        "rss": max(one.peak for one in turns),
        "errors": sum(one.errors for one in (*alone, *beside)),
        "disturbed": max(one.others for one in chosen) * 100,
    }


def crowded(server: Server, scenario: Scenario, seconds: float, cores: Cores) -> Figures:
    """Normal requests without and with the slow clients, in turns of half of ``seconds`` each."""
    drive(server, scenario, WARM, cores)
    turns: list[Turn] = []
    tries = TRIES if server.peer.name in OURS.values() else TURNS
    while not enough(turns, tries):
        turns.append(turn(server, scenario, max(1.0, seconds / 2), cores))
    return summed(turns)


def stopped(server: Server, scenario: Scenario, seconds: float, cores: Cores) -> Figures:
    """How soon normal requests are answered, and all threads are free, beside readers that stopped."""
    with clients(server, scenario, cores):
        found = asyncio.run(freed(server.port, THREADS, PAUSE, seconds))
        peak = memory(server.pid) / 1024
    return {**found, "rss": peak}


def kept(server: Server, scenario: Scenario, seconds: float, cores: Cores) -> Figures:
    """Memory of each idle connection, and normal requests beside them."""
    drive(server, scenario, WARM, cores)
    before = memory(server.pid, "VmRSS")
    with clients(server, scenario, cores) as report:
        after = memory(server.pid, "VmRSS")
        beside: Load = drive(server, scenario, seconds, cores)
    held = report.seen["connected"]
    return {
        "asked": scenario.clients,
        "connected": held,
        "each": (after - before) / held if held else None,
        "rss": after / 1024,
        **{"rate": beside.rate, "p50": beside.p50, "p99": beside.p99, "errors": beside.errors},
    }
