"""Measures beside other clients: slow ones, readers that stop, idle connections by the thousand.

Run by the benchmark's own process; the clients are a process of their own (``clients``) on the load's core.
A server is started afresh for each, because what it went through may stay with it.
"""

import asyncio
import functools
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from benchmarks.applications import PAUSE
from benchmarks.clients import WITHIN, freed
from benchmarks.measure import Figures, Load, cpu_seconds, drive, memory
from benchmarks.peers import THREADS, TOP
from benchmarks.scenarios import Scenario
from benchmarks.servers import Cores, Server, pin

WARM = 1.0
# What the clients ask for at their coming is served before it counts: what is measured is their staying.
SETTLE = 1.0


@dataclass
class Report:
    """What the clients said at their end: how many were still connected, how many never were."""

    seen: dict[str, int] = field(default_factory=dict)


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
    report = Report()
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


def crowded(server: Server, scenario: Scenario, seconds: float, cores: Cores) -> Figures:
    """Normal requests without and with the slow clients."""
    drive(server, scenario, WARM, cores)
    alone = drive(server, scenario, seconds, cores)
    with clients(server, scenario, cores) as report:
        time.sleep(SETTLE)
        before = cpu_seconds(server.pid)
        beside = drive(server, scenario, seconds, cores)
        used = cpu_seconds(server.pid) - before
        peak = memory(server.pid) / 1024
    return {
        **{"alone_rate": alone.rate, "alone_p50": alone.p50, "alone_p99": alone.p99},
        **{"rate": beside.rate, "p50": beside.p50, "p99": beside.p99},
        "growth": beside.p99 / alone.p99 if beside.p99 and alone.p99 else None,
        "cpu": used / beside.requests * 1e6 if beside.requests else None,
        "connected": report.seen["connected"],
        "rss": peak,
        "errors": alone.errors + beside.errors,
    }


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
