"""Every scenario's script at a moderate size (``make faults``); their own options make them longer."""

import shutil

import pytest

from tests.supervision import broken, faults, growth, kills, memory, recycling, reloads, spread, stuck
from tests.supervision.scene import perform

pytestmark = [pytest.mark.supervision, pytest.mark.timeout(900)]
WRK = pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed: apt-get install wrk")


@pytest.mark.parametrize("how", reloads.WAYS)
def test_reloads(how: str) -> None:
    assert perform("reloads", reloads.play, reloads.words(), ["--how", how, "--count", "10"]) == 0


@pytest.mark.parametrize("cause", recycling.CAUSES)
def test_recycling(cause: str) -> None:
    count = "3" if cause in ("resize", "cheaper") else "10"
    assert perform("recycling", recycling.play, recycling.words(), ["--cause", cause, "--count", count]) == 0


def test_broken_deploys() -> None:
    assert perform("broken", broken.play, broken.words(), []) == 0


def test_kills() -> None:
    given = ["--workers-killed", "100", "--prototypes-killed", "10"]
    assert perform("kills", kills.play, kills.words(), given) == 0


def test_stuck() -> None:
    assert perform("stuck", stuck.play, stuck.words(), []) == 0


def test_ends_and_deadlines() -> None:
    assert perform("stuck", stuck.play, stuck.words(), ["--edges", "500"]) == 0


def test_growth() -> None:
    assert perform("growth", growth.play, growth.words(), ["--count", "30"]) == 0


def test_faults() -> None:
    assert perform("faults", faults.perform_it, faults.words(), ["--seconds", "60"]) == 0


@WRK
def test_spread() -> None:
    assert perform("spread", spread.play, spread.words(), ["--rounds", "3", "--seconds", "2"]) == 0


def test_memory() -> None:
    assert perform("memory", memory.play, memory.words(), ["--rounds", "3", "--weigh", "1"]) == 0
