"""The report: medians of all rounds, a table for each scenario, and everything as JSON.

It reads rounds and writes text; it measures nothing and starts nothing. What could not be measured has its
line and its reason.
"""

import datetime
import json
import os
import platform
import re
import statistics
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.environments import tag
from benchmarks.measure import Figures, Round
from benchmarks.peers import BY_NAME as PEERS
from benchmarks.peers import OURS, THREADS
from benchmarks.scenarios import BY_NAME as SCENARIOS
from benchmarks.scenarios import Scenario

# Figure, heading, form. Figures that add up over rounds instead of having a median are in SUMS.
Columns = tuple[tuple[str, str, str], ...]
TAIL: Columns = (("rss", "peak RSS, MB", ".0f"), ("errors", "errors", ".0f"))
LATENCY: Columns = (("rate", "requests/s", ",.0f"), ("p50", "p50, ms", ".2f"), ("p99", "p99, ms", ".2f"))
COLUMNS: dict[str, Columns] = {
    "load": (("cpu", "CPU µs/request", ".1f"), *LATENCY, *TAIL),
    "crowd": (
        ("p99", "p99 beside them, ms", ".2f"),
        ("alone_p99", "p99 without, ms", ".2f"),
        ("growth", "growth", ".1f"),
        ("rate", "requests/s beside", ",.0f"),
        ("alone_rate", "without", ",.0f"),
        ("connected", "slow clients left", ".0f"),
        *TAIL,
    ),
    "stuck": (
        ("first", "normal request answered after, s", ".2f"),
        ("all", "all threads free after, s", ".1f"),
        ("rss", "peak RSS, MB", ".0f"),
    ),
    "idle": (
        ("each", "RSS each, KB", ".1f"),
        ("asked", "connections asked for", ",.0f"),
        ("connected", "held", ",.0f"),
        *LATENCY,
        ("rss", "RSS, MB", ".0f"),
        ("errors", "errors", ".0f"),
    ),
}
# The figure whose ratio to ours is shown beside it.
COMPARED = {"load": "cpu", "crowd": "p99", "stuck": "", "idle": "each"}
SUMS = {"errors"}
NEVER = {"stuck": "not in time", "crowd": "none answered"}


@dataclass
class Results:
    """A whole run: about the machine and the settings, versions, what failed to install, all rounds."""

    about: dict[str, Any]
    versions: dict[str, str]
    failures: dict[str, str]
    rounds: list[Round]
    notes: list[str] = field(default_factory=list)

    def medians(self, scenario: str, peer: str) -> Figures | None:
        """The figures of one server in one scenario over its rounds; ``None`` without rounds."""
        rounds = [r.figures for r in self.rounds if (r.scenario, r.peer) == (scenario, peer) and r.figures]
        return combined(rounds) if rounds else None

    def figure(self, scenario: str, peer: str, key: str) -> float | None:
        """One of them."""
        return (self.medians(scenario, peer) or {}).get(key)

    def each(self, scenario: str, peer: str, key: str) -> dict[int, float]:
        """One figure, by the rounds' numbers."""
        mine = [r for r in self.rounds if (r.scenario, r.peer) == (scenario, peer)]
        return {r.number: value for r in mine if (value := r.figures.get(key)) is not None}

    def failure(self, scenario: str, peer: str) -> str:
        """Why there are no figures, or fewer."""
        return "; ".join(
            dict.fromkeys(
                r.failure for r in self.rounds if (r.scenario, r.peer) == (scenario, peer) and r.failure
            )
        )

    def scenarios(self) -> list[Scenario]:
        """Those that ran, in the order of the list."""
        names = {r.scenario for r in self.rounds}
        return [scenario for scenario in SCENARIOS.values() if scenario.name in names]

    def peers(self, scenario: str) -> list[str]:
        """Who took part in one, ours first."""
        names = {r.peer for r in self.rounds if r.scenario == scenario}
        return [name for name in PEERS if name in names]


def combined(rounds: Iterable[Figures]) -> Figures:
    """The median of each figure over rounds that have it; errors are added up."""
    rounds = list(rounds)
    found: Figures = {}
    for key in rounds[0]:
        values = [value for figures in rounds if (value := figures.get(key)) is not None]
        middle = sum(values) if key in SUMS else statistics.median(values) if values else None
        found[key] = middle
    return found


def machine() -> dict[str, Any]:
    """What it runs on, without names or paths of its own."""
    try:
        found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    except OSError:
        found = None
    return {
        "cpu": found[1] if found else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "kernel": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "tag": tag(),
        "date": datetime.date.today().isoformat(),
        "threads": THREADS,
    }


def dump(results: Results) -> str:
    """Everything as JSON."""
    return json.dumps(asdict(results), indent=1, ensure_ascii=False) + "\n"


def load(text: str) -> Results:
    """What :func:`dump` wrote."""
    raw = json.loads(text)
    raw["rounds"] = [Round(**one) for one in raw["rounds"]]
    return Results(**raw)


def cell(value: float | None, form: str, kind: str) -> str:
    """One figure of a table."""
    return NEVER.get(kind, "-") if value is None else format(value, form)


def row(results: Results, scenario: Scenario, peer: str) -> str:
    """One server's line of a scenario's table."""
    figures, title = results.medians(scenario.name, peer), PEERS[peer].title
    failure = results.failure(scenario.name, peer)
    if figures is None:
        return f"| {title} | not measured: {failure} |"
    base = results.figure(scenario.name, OURS[scenario.protocol], COMPARED[scenario.kind])
    cells = []
    for key, _, form in COLUMNS[scenario.kind]:
        cells.append(cell(figures.get(key), form, scenario.kind))
        if key == COMPARED[scenario.kind]:
            cells.append(ratio(figures.get(key), base))
    return f"| {title}{f' ({failure})' if failure else ''} | {' | '.join(cells)} |"


def ratio(value: float | None, base: float | None) -> str:
    """How many times ours."""
    return f"{value / base:.2f}" if value is not None and base else "-"


def table(results: Results, scenario: Scenario, level: str = "##") -> str:
    """A scenario's heading, notes and table in Markdown."""
    headings = []
    for key, heading, _ in COLUMNS[scenario.kind]:
        headings += [heading, "of penstock's"] if key == COMPARED[scenario.kind] else [heading]
    lines = [f"{level} {scenario.title}", ""]
    about = (
        f"{scenario.connections} connection{'s' * (scenario.connections > 1)} under wrk"
        if scenario.kind != "stuck"
        else ""
    )
    lines += [f"{' '.join(part for part in (about and about + '.', scenario.note) if part)}", ""]
    lines += [f"| server | {' | '.join(headings)} |", f"|---|{'--:|' * len(headings)}"]
    lines += [row(results, scenario, peer) for peer in results.peers(scenario.name)]
    return "\n".join(lines)


def preface(results: Results) -> str:
    """Machine, versions, date and command, as a reader needs them to judge the tables."""
    about = results.about
    versions = ", ".join(f"{name} {number}" for name, number in results.versions.items())
    lines = [
        f"{about['date']}, {about['python']}, {about['cpu']}, {about['cores']} cores, {about['kernel']}; "
        f"`{about['command']}`.",
        "",
        f"One worker process with {about['threads']} threads in each, {about['pinned']}. Medians of up to "
        f"{max((one.number for one in results.rounds), default=0)} interleaved rounds, each the sum "
        f"of up to {max(one.slices for one in SCENARIOS.values())} slices in turns. "
        "CPU is user and system time of the server's whole process tree for each request that wrk "
        "counted; wall-clock figures of a shared machine say less than ratios.",
        "",
        f"Versions: {versions}.",
    ]
    others = [value for one in results.rounds if (value := one.figures.get("others")) is not None]
    if others:
        middle, most = statistics.median(others), max(others)
        lines.append(
            f"\nOther work on the server's core meanwhile: {middle:.0f} % (median), {most:.0f} % (most)."
        )
    ran = {one.peer for one in results.rounds}
    lines += [f"\n{peer.title} {peer.remark}." for peer in PEERS.values() if peer.remark and peer.name in ran]
    lines += [f"\nNot installed: {name}: {why}" for name, why in results.failures.items()]
    lines += [f"\n{note}" for note in results.notes]
    return "\n".join(lines)


def markdown(results: Results, level: str = "##") -> str:
    """The whole report."""
    tables = [table(results, scenario, level) for scenario in results.scenarios()]
    return "\n\n".join([preface(results), *tables]) + "\n"
