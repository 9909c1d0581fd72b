"""The project's own bounds on its figures, as data, and whether a run keeps them.

Reads results only. ``python -m benchmarks --targets`` prints each with its figure, and ends with 1 when one
is missed or could not be measured.
"""

import dataclasses
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.report import Results

CPU = "cpu"
FIELD = ("granian", "gunicorn", "waitress", "uwsgi-http", "uwsgi-http11")


@dataclass(frozen=True)
class Target:
    """``figure`` of ``peer`` in ``scenario`` is at most ``limit`` times the best of ``rivals``' same figure,
    by the median of the rounds.

    Without rivals the figure itself is bounded.
    """

    scenario: str
    limit: float
    rivals: tuple[str, ...] = ()
    figure: str = CPU
    peer: str = "penstock"
    title: str = ""


SLOW = ("slow-head", "slow-body", "slow-half", "slow-reader")
TARGETS = (
    Target("browser", 1.1, ("granian",)),
    Target("browser", 0.1, ("gunicorn",)),
    Target("browser-log", 0.5, ("granian",)),
    Target("browser-log", 1.3, ("penstock-silent",), title="the access log, of CPU without it"),
    Target("close", 0.4, ("gunicorn",)),
    Target("uwsgi", 1.25, ("uwsgi",), peer="penstock-uwsgi"),
    Target("uwsgi", 0.1, ("gunicorn-uwsgi",), peer="penstock-uwsgi"),
    Target("flask", 1.03, FIELD),
    Target("django", 1.03, FIELD),
)
COMPILED = tuple(
    dataclasses.replace(
        target,
        peer=target.peer.replace("penstock", "penstock-compiled"),
        title=f"compiled: {target.title}" if target.title else "",
        rivals=tuple(name.replace("penstock", "penstock-compiled") for name in target.rivals),
    )
    for target in TARGETS
)
FURTHER = (
    *(Target(name, 2.0, figure="growth", title=f"p99 beside {name}, of p99 without") for name in SLOW),
    Target("stuck", 6.0, figure="all", title="seconds until all threads are free (--write-timeout 5)"),
    Target("idle", 6.0, figure="each", title="KB of RSS for each idle connection"),
)


@dataclass(frozen=True)
class Verdict:
    """A target and what was measured: ``value`` is ``None`` where it could not be."""

    target: Target
    text: str
    value: float | None
    spread: tuple[float, float] | None = None

    @property
    def kept(self) -> bool:
        """Whether it is."""
        return self.value is not None and self.value <= self.target.limit

    def line(self) -> str:
        """As it is printed: verdict, figure, bound, and the range over single rounds."""
        said = "not measured" if self.value is None else f"{self.value:.3f}"
        between = f", rounds {self.spread[0]:.3f} to {self.spread[1]:.3f}" if self.spread else ""
        return (
            f"{'pass' if self.kept else 'MISS'}  {said} (at most {self.target.limit:g}{between})  {self.text}"
        )


def judge(results: Results, target: Target) -> Verdict:
    """One target against a run.

    The servers of a round are measured in turns, second by second, and the rounds minutes apart: what a
    shared machine gives in one of them may be half of what it gives in the next. So it is the ratio in each
    round that counts, and the median of these; of several rivals the one that comes off best.
    """
    if not target.rivals:
        return Verdict(target, target.title, results.figure(target.scenario, target.peer, target.figure))
    known = {name: found for name in target.rivals if (found := ratios(results, target, name))}
    what = "compiled, " if "compiled" in target.peer else ""
    text = target.title or f"{what}{target.scenario}: CPU per request, of {' / '.join(target.rivals)}"
    if not known:
        return Verdict(target, text, None)
    best = max(known, key=lambda name: statistics.median(known[name]))
    if len(target.rivals) > 1:
        text += f" (best: {best})"
    return Verdict(target, text, statistics.median(known[best]), (min(known[best]), max(known[best])))


def ratios(results: Results, target: Target, rival: str) -> list[float]:
    """Our figure in parts of the rival's, in each round that has both."""
    ours = results.each(target.scenario, target.peer, target.figure)
    theirs = results.each(target.scenario, rival, target.figure)
    return [ours[number] / theirs[number] for number in ours if theirs.get(number)]


def check(results: Results, names: Sequence[str]) -> list[Verdict]:
    """Every target whose scenario is among ``names``."""
    return [judge(results, target) for target in (*TARGETS, *COMPILED, *FURTHER) if target.scenario in names]


def needed() -> list[str]:
    """The scenarios of the ratios to other servers: what ``--targets`` alone runs."""
    return list(dict.fromkeys(target.scenario for target in TARGETS))
