"""Runs scenarios: which servers are up when, in which order the rounds go, and what is said meanwhile.

The benchmark's own process. In a scenario under wrk alone every server is up all the time and the rounds go
around among them, so that what else the machine does falls on all; the other scenarios start each afresh.
"""

import http.client
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.crowds import WARM, crowded, kept, stopped
from benchmarks.environments import Environments, portable
from benchmarks.measure import Figures, Round, Slice, drive, joined, loaded
from benchmarks.peers import OURS, Peer
from benchmarks.scenarios import Scenario
from benchmarks.servers import Cores, Refused, Server, ready, start, stop

Measure = Callable[[Server, Scenario, float, Cores], Figures]
AFRESH: dict[str, Measure] = {"crowd": crowded, "stuck": stopped, "idle": kept}
FAULTS = (Refused, RuntimeError, OSError, ValueError, http.client.HTTPException, subprocess.SubprocessError)


@dataclass
class Run:
    """One run of the benchmark: what is at hand, how long it measures, and the rounds so far."""

    known: Environments
    cores: Cores
    rounds: int
    seconds: float
    done: list[Round] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def say(self, text: str) -> None:
        """A line of progress."""
        spent = int(time.monotonic() - self.began)
        print(f"[{spent // 60:2}:{spent % 60:02}] {text}", file=sys.stderr, flush=True)

    def length(self, scenario: Scenario) -> tuple[int, float]:
        """Rounds, and seconds of each slice: all of them for a main scenario; else as it bounds them."""
        if scenario.main:
            return self.rounds, self.seconds
        # One round alone is to see whether it runs.
        limit = scenario.seconds if self.rounds > 1 else self.seconds * (5 if scenario.kind == "stuck" else 1)
        return min(self.rounds, scenario.rounds), min(limit, scenario.seconds)

    def keep(self, scenario: Scenario, peer: Peer, number: int, figures: Figures) -> None:
        """Note one round's figures."""
        self.done.append(Round(scenario.name, peer.name, number, figures))
        self.say(f"{scenario.name} {number}: {peer.name}: {spoken(figures)}")

    def fail(self, scenario: Scenario, peer: Peer, why: object) -> None:
        """Note that there are no figures, and why; without this machine's paths."""
        text = portable(str(why)) or repr(why)
        self.done.append(Round(scenario.name, peer.name, 0, failure=text))
        self.say(f"{scenario.name}: {peer.name}: not measured: {text}")

    def able(self, scenario: Scenario, peers: Sequence[Peer]) -> list[Peer]:
        """Those of ``peers`` that the scenario can measure; what keeps the others from it is noted."""
        found = []
        for peer in peers:
            if peer.protocol != scenario.protocol or (peer.main_only and not scenario.main):
                continue
            if peer.only and scenario.name not in peer.only:
                continue
            if peer.venv in self.known.failures:
                self.fail(scenario, peer, f"cannot be installed: {self.known.failures[peer.venv]}")
            elif scenario.logged and peer.lacks:
                self.fail(scenario, peer, peer.lacks)
            else:
                found.append(peer)
        return found

    def scenario(self, scenario: Scenario, peers: Sequence[Peer]) -> None:
        """All rounds of one scenario."""
        folder = Path(tempfile.mkdtemp(prefix="bench-"))
        able = self.able(scenario, peers)
        try:
            (self.around if scenario.kind == "load" else self.afresh)(scenario, able, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def up(self, scenario: Scenario, peers: Sequence[Peer], folder: Path) -> list[Server]:
        """Start the servers together; those that answer rightly."""
        servers: list[Server] = []
        try:
            for peer in peers:
                try:
                    programs = self.known.programs[peer.venv]
                    servers.append(start(peer, scenario, programs, folder / peer.name, self.cores))
                except FAULTS as error:
                    self.fail(scenario, peer, error)
            return [server for server in servers if self.answers(scenario, server)]
        except BaseException:
            for server in servers:
                stop(server, 0)
            raise

    def answers(self, scenario: Scenario, server: Server) -> bool:
        """Whether the server answers as the scenario wants it; it is stopped if not."""
        try:
            ready(server, scenario)
        except FAULTS as error:
            self.fail(scenario, server.peer, error)
            stop(server)
            return False
        return True

    def around(self, scenario: Scenario, peers: Sequence[Peer], folder: Path) -> None:
        """Interleaved rounds of interleaved slices: in each every server has its turn, and another one the
        first."""
        rounds, seconds = self.length(scenario)
        slices = scenario.slices if rounds > 1 else 1
        servers = self.up(scenario, peers, folder)
        try:
            for server in servers:
                drive(server, scenario, WARM, self.cores)
            for number in range(rounds):
                found: dict[str, list[Slice]] = {}
                for turn in range(number * slices, (number + 1) * slices):
                    first = turn % max(1, len(servers))
                    for server in servers[first:] + servers[:first]:
                        try:
                            one = loaded(server, scenario, seconds, self.cores)
                            found.setdefault(server.peer.name, []).append(one)
                        except FAULTS as error:
                            self.fail(scenario, server.peer, error)
                for server in servers:
                    if parts := found.get(server.peer.name):
                        self.keep(scenario, server.peer, number + 1, joined(parts))
        finally:
            for server in servers:
                stop(server)

    def afresh(self, scenario: Scenario, peers: Sequence[Peer], folder: Path) -> None:
        """A new server for each round of each."""
        rounds, seconds = self.length(scenario)
        for number in range(rounds):
            for peer in peers:
                for server in self.up(scenario, [peer], folder / str(number)):
                    try:
                        figures = AFRESH[scenario.kind](server, scenario, seconds, self.cores)
                        self.keep(scenario, peer, number + 1, figures)
                    except FAULTS as error:
                        self.fail(scenario, peer, error)
                    finally:
                        stop(server, 0.2)


def spoken(figures: Figures) -> str:
    """A round in one line."""
    return ", ".join(f"{key} {'-' if value is None else f'{value:.4g}'}" for key, value in figures.items())


def ours_first(peers: Sequence[Peer]) -> list[Peer]:
    """What everything is compared with must run too, and first."""
    return sorted(peers, key=lambda peer: peer.name not in OURS.values())
