"""What is counted: CPU and memory of a process tree, and what wrk saw of it.

Run by the benchmark's own process, from ``/proc`` (Linux). Wall-clock figures of a shared machine mean
little, so the first figure is user plus system time of the server's whole tree per request that wrk counted.
"""

import functools
import os
import re
import shutil
import statistics
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import inf
from pathlib import Path

from benchmarks.scenarios import Scenario
from benchmarks.servers import HOST, Cores, Server, pin

TICKS = os.sysconf("SC_CLK_TCK")
LUA = Path(__file__).parent / "lua"
UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60000.0, "h": 3600000.0}
Figures = dict[str, float | None]


@dataclass(frozen=True)
class Load:
    """What one run of wrk saw: ``rate`` per second, the latencies in milliseconds (``None``: no answer)."""

    requests: int
    errors: int
    rate: float
    p50: float | None
    p99: float | None


@dataclass(frozen=True)
class Slice:
    """A part of a round: seconds of CPU ``used`` by the server's process tree, seconds that were ``spent``,
    those that ``others`` had of its core, and its ``peak`` memory in MB."""

    load: Load
    used: float
    spent: float
    others: float
    peak: float


@dataclass(frozen=True)
class Round:
    """One server's figures in one round of one scenario; ``failure`` says why there are none."""

    scenario: str
    peer: str
    number: int
    figures: Figures = field(default_factory=dict)
    failure: str = ""


def tree(pid: int) -> Iterator[int]:
    """A process and all that descend from it; those that end meanwhile are left out."""
    yield pid
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [child for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return
    for child in children:
        yield from tree(int(child))


def cpu_of(stat: str) -> int:
    """Clock ticks of one ``/proc/PID/stat``: user and system, own and of children that were waited for."""
    # The name in parentheses may hold anything; the numbers follow the last parenthesis.
    return sum(int(word) for word in stat.rpartition(")")[2].split()[11:15])


def cpu_seconds(pid: int) -> float:
    """User and system time of the process tree so far."""
    total = 0
    for one in tree(pid):
        try:
            total += cpu_of(Path(f"/proc/{one}/stat").read_text())
        except OSError:
            continue
    return total / TICKS


def memory(pid: int, field_name: str = "VmHWM") -> int:
    """Kilobytes of the process tree: ``VmHWM`` is the peak of each process, ``VmRSS`` what it has now."""
    total = 0
    for one in tree(pid):
        try:
            found = re.search(rf"{field_name}:\s+(\d+) kB", Path(f"/proc/{one}/status").read_text())
        except OSError:
            continue
        total += int(found[1]) if found else 0
    return total


def milliseconds(text: str) -> float:
    """wrk's ``12.34us``, ``1.20ms``, ``3.00s`` in milliseconds."""
    found = re.fullmatch(r"([\d.]+)(us|ms|s|m|h)", text)
    if not found:
        raise ValueError(f"not one of wrk's times: {text}")
    return round(float(found[1]) * UNITS[found[2]], 6)


def parse(text: str) -> Load:
    """Read what ``wrk --latency`` printed; ValueError when it is something else."""
    requests = re.search(r"(\d+) requests in", text)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    if not requests or not rate:
        raise ValueError(f"not what wrk prints: {text[-300:]}")
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    broken = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    errors = int(bad[1]) if bad else 0
    errors += sum(map(int, broken.groups())) if broken else 0
    count = int(requests[1])
    late = {mark: re.search(rf"^\s+{mark}%\s+(\S+)", text, re.MULTILINE) for mark in (50, 99)}
    p50, p99 = (milliseconds(found[1]) if found and count else None for found in late.values())
    return Load(count, errors, float(rate[1]), p50, p99)


def drive(server: Server, scenario: Scenario, seconds: float, cores: Cores) -> Load:
    """Run wrk against the server for ``seconds``, on the load's core; RuntimeError when wrk fails."""
    program = shutil.which("wrk")
    if program is None:
        raise RuntimeError("wrk is not installed")
    command = [program, "-t1", f"-c{scenario.connections}", f"-d{max(1, round(seconds))}s", "--latency"]
    command += [f"-H{line}" for line in scenario.headers]
    command += ["-s", str(LUA / scenario.script)] if scenario.script else []
    command.append(f"http://{HOST}:{server.port}/")
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=seconds + 60,
        preexec_fn=functools.partial(pin, cores.load),
    )
    if done.returncode:
        raise RuntimeError(f"wrk: {done.stderr.strip() or done.stdout.strip()}")
    return parse(done.stdout)


def core_seconds(core: int | None) -> float:
    """Time that ``core`` was not idle so far, whoever used it; 0 where none is set apart."""
    if core is None:
        return 0.0
    found = re.search(rf"^cpu{core} (.+)", Path("/proc/stat").read_text(), re.MULTILINE)
    ticks = [int(word) for word in found[1].split()] if found else []
    # user, nice, system, then (after idle and waiting) interrupts and time stolen by other guests.
    return (sum(ticks[:3]) + sum(ticks[5:8])) / TICKS


def loaded(server: Server, scenario: Scenario, seconds: float, cores: Cores) -> Slice:
    """One slice under wrk alone."""
    before, core, began = cpu_seconds(server.pid), core_seconds(cores.server), time.monotonic()
    load = drive(server, scenario, seconds, cores)
    used = cpu_seconds(server.pid) - before
    others = max(0.0, core_seconds(cores.server) - core - used)
    return Slice(load, used, time.monotonic() - began, others, memory(server.pid) / 1024)


def joined(slices: Sequence[Slice]) -> Figures:
    """The figures of one round: all its slices as if they were one, and the median of their latencies.

    A machine that is shared has two speeds or more, and changes between them every few seconds. What a slice
    happens to meet is the one or the other, a sum over several is between them.
    """
    requests, spent = sum(one.load.requests for one in slices), sum(one.spent for one in slices)
    used = sum(one.used for one in slices)
    return {
        "cpu": used / requests * 1e6 if requests else None,
        "rate": statistics.fmean(one.load.rate for one in slices),
        "p50": middle(one.load.p50 for one in slices),
        "p99": middle(one.load.p99 for one in slices),
        "rss": max(one.peak for one in slices),
        "errors": sum(one.load.errors for one in slices),
        "share": used / spent * 100,
        "others": sum(one.others for one in slices) / spent * 100,
    }


def middle(values: Iterable[float | None]) -> float | None:
    """The median, where no answer at all is the longest time; ``None`` when that is it."""
    found = statistics.median_high(inf if value is None else value for value in values)
    return found if found < inf else None
