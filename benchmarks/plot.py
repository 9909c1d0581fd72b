"""The report's plot: ``python -m benchmarks.plot RESULTS.json OUT.png``.

Run in the plot's own environment, which alone has matplotlib; it reads results and knows nothing of how
they came about. One panel for each scenario under wrk: CPU per request of each server, shorter is better.
"""

import sys
import textwrap
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # no screen; chosen before pyplot is imported

from matplotlib import pyplot

from benchmarks.peers import BY_NAME, OURS
from benchmarks.report import Results, load
from benchmarks.scenarios import Scenario

OURS_COLOUR, OTHER_COLOUR, TEXT = "#1f6fb2", "#b8bec6", "#333333"
ACROSS = 3
FAR = 8  # a bar that is so many times ours is cut there, its figure written beside it


def panel(axes: "pyplot.Axes", results: Results, scenario: Scenario) -> None:
    """One scenario's bars, ours on top."""
    shown = [(name, results.figure(scenario.name, name, "cpu")) for name in results.peers(scenario.name)]
    bars = [(name, value) for name, value in shown if value is not None][::-1]
    ours = results.figure(scenario.name, OURS[scenario.protocol], "cpu")
    longest = max((value for _, value in bars), default=1.0)
    edge = min(longest, ours * FAR) if ours else longest
    for at, (name, value) in enumerate(bars):
        colour = OURS_COLOUR if name in OURS.values() else OTHER_COLOUR
        axes.barh(at, min(value, edge), color=colour, height=0.72)
        cut = " →" if value > edge else ""
        axes.text(
            min(value, edge) + edge * 0.02, at, f"{value:,.0f}{cut}", va="center", fontsize=8, color=TEXT
        )
    axes.set_yticks(range(len(bars)), [BY_NAME[name].title for name, _ in bars], fontsize=8)
    axes.set_xlim(0, edge * 1.22)
    axes.set_xticks([])
    axes.tick_params(length=0)
    for side in ("top", "right", "bottom"):
        axes.spines[side].set_visible(False)
    axes.set_title(textwrap.fill(scenario.title, 40), fontsize=9, loc="left", color=TEXT)


def draw(results: Results, out: Path) -> None:
    """Write the plot to ``out``."""
    scenarios = [scenario for scenario in results.scenarios() if scenario.kind == "load"]
    rows = -(-len(scenarios) // ACROSS)
    figure, grid = pyplot.subplots(rows, ACROSS, figsize=(13, 2.3 * rows + 0.6), squeeze=False)
    places = [axes for line in grid for axes in line]
    for axes, scenario in zip(places, scenarios, strict=False):
        panel(axes, results, scenario)
    for axes in places[len(scenarios) :]:
        axes.set_visible(False)
    about = results.about
    figure.suptitle(
        f"Server CPU, µs per request (shorter is better): one worker, {about['threads']} threads, "
        f"{about['python']}, {about['date']}",
        fontsize=11,
        x=0.01,
        ha="left",
    )
    figure.tight_layout(rect=(0, 0, 1, 0.985))
    figure.savefig(out, dpi=110)


if __name__ == "__main__":
    draw(load(Path(sys.argv[1]).read_text()), Path(sys.argv[2]))
