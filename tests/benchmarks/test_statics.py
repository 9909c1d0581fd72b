"""The comparison of static files: what is asked for, what is kept, when a target counts as kept."""

from pathlib import Path

import pytest
from benchmarks.peers import THREADS
from benchmarks.statics import NAMES, PEERS, SIZES, TARGETS, Figures, report, scenario_of


def test_each_target_is_between_servers_and_sizes_that_there_are() -> None:
    assert len(set(NAMES)) == len(PEERS)
    assert {target.peer for target in TARGETS} < set(NAMES) and {one.size for one in TARGETS} <= set(SIZES)


def test_wrk_asks_for_the_file(tmp_path: Path) -> None:
    scenario = scenario_of("10m", tmp_path, THREADS)
    assert Path(scenario.script).read_text() == 'wrk.path = "/static/10m.bin"\n'
    assert (scenario.size, scenario.connections) == (10 << 20, THREADS)


def figures_of(**cpu: float) -> Figures:
    figures = Figures()
    for name, value in cpu.items():
        size, _, peer = name.partition("_")
        for late in (-1, 0, 50):
            figures.keep((size[1:], peer), value + late, 1000.0)
    return figures


def test_the_middle_of_the_rounds_counts() -> None:
    assert figures_of(s1k_penstock=20).median("1k", "penstock") == 20
    assert Figures().median("1k", "penstock") is None


@pytest.mark.parametrize(("ours", "kept"), [(32.0, True), (32.7, False)])
def test_targets(ours: float, kept: bool, capsys: pytest.CaptureFixture[str]) -> None:
    assert report(figures_of(s1k_penstock=ours, s1k_uwsgi=25, s1k_whitenoise=400)) is kept
    said = capsys.readouterr().out
    assert said.count("kept") + said.count("MISSED") == 2, "those that could be measured"
    assert ("MISSED" in said) is not kept


def test_nothing_measured_is_nothing_kept() -> None:
    assert not report(Figures())
