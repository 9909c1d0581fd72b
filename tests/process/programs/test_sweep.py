"""The very end: whatever descends from us is killed, however it hides, and nobody else is."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from penstock.process.programs.sweep import children
from tests.household.villains import VILLAINS
from tests.process.programs.keeping import keeping

ALONE = ["forks for ever, deaf", "leaves its session for ever"]
"""Those who take all that a processor has: one at a time in the main run."""
CALM = [name for name in VILLAINS if name not in ("forks for ever", *ALONE)]


def swept(*commands: str, spared: int = 0) -> dict[str, object]:
    """What a stage tells."""
    words = [sys.executable, "-m", "tests.process.programs.stage", str(spared), *commands]
    told = subprocess.run(words, capture_output=True, text=True, timeout=50)
    assert told.returncode == 0, told.stderr
    found: dict[str, object] = json.loads(told.stdout)
    assert found["calls"] == 1
    return found


def test_nothing_to_sweep_is_done_at_once() -> None:
    found = swept()
    assert (found["left"], found["log"]) == (0, "")
    assert float(str(found["seconds"])) < 3.0


@pytest.mark.parametrize(
    "names", [CALM, pytest.param([*VILLAINS], marks=pytest.mark.slow)], ids=["calm", "all"]
)
def test_nobody_is_left_of_all_villains_together(names: list[str]) -> None:
    found = swept(*(VILLAINS[name] for name in names))
    assert found["left"] == 0
    assert "had been left behind were killed: " in str(found["log"])
    assert float(str(found["seconds"])) < 9.0


def test_who_is_spared_stays_with_those_below_it_and_its_session() -> None:
    orphan = "(sh -c 'sleep 60; true' &)"
    found = swept(f"{orphan}; sh -c 'sleep 60; true' & echo ready; wait", VILLAINS["deaf"], spared=1)
    assert found["left"] == 0
    assert found["stay"] == 5


def test_our_children_are_told_newest_last(tmp_path: Path) -> None:
    with keeping(tmp_path):
        before = children(os.getpid())
        with subprocess.Popen(["sleep", "60"]) as one, subprocess.Popen(["sleep", "60"]) as two:
            assert [pid for pid in children(os.getpid()) if pid not in before] == [one.pid, two.pid]
            for process in (one, two):
                process.send_signal(signal.SIGKILL)


@pytest.mark.parametrize("name", ALONE)
def test_one_that_runs_away_is_caught(name: str) -> None:
    found = swept(VILLAINS[name])
    assert found["left"] == 0


ROOTS = """
import os, subprocess, sys
from pathlib import Path
from penstock.process.programs.sweep import LIMIT, Sweep
from tests.process.programs.keeping import Keeping

house = Keeping(Path(sys.argv[1]))
root = subprocess.Popen(["sleep", "61.75"])
os.setresuid(65534, 65534, 0)  # root's again at the end
done = []
one = Sweep(house, (), lambda: done.append(1))
one.begun -= LIMIT - 0.3
one.round()
house.until(lambda: done)
os.setresuid(0, 0, 0)
root.kill()
root.wait()
print(house.text())
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can leave a process that it may not kill")
def test_who_cannot_be_killed_is_named_and_not_waited_for(tmp_path: Path) -> None:
    words = [sys.executable, "-c", ROOTS, str(tmp_path / "log")]
    told = subprocess.run(words, capture_output=True, text=True, timeout=20)
    assert "1 processes could not be ended: sleep (pid " in told.stdout, told
