"""A process of its own that adopts orphans, starts hostile programs, and sweeps: what is left is printed.

``python -m tests.process.programs.stage SPARED COMMAND...``: the first command of as many as SPARED says is
spared. Run by ``test_sweep``, since a sweep of the tests' own process would kill whatever others started.
"""

import json
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from penstock.process.lasting import adopt_orphans
from penstock.process.programs.kin import below, processes
from penstock.process.programs.sweep import sweep
from penstock.process.supervisor.reaper import reap
from tests.process.programs.keeping import Keeping, Started


class Stage(Keeping):
    """Reaps whoever has died, as a supervisor does."""

    def reap(self) -> None:
        for pid, status in reap():
            call = self.children.pop(pid, None)
            if call is not None:
                call(status)


def play(spared: int, commands: list[str], folder: Path) -> dict[str, object]:
    """Start, wait until all have said ready, sweep, and look around."""
    stage = Stage(folder / "log")
    started = [Started(stage, command, folder=str(folder)) for command in commands]
    stage.until(lambda: all("ready" in one.lines for one in started))
    stage.rest(0.1)
    spare = {one.running.pid for one in started[:spared]}
    done: list[float] = []
    begun = monotonic()
    sweep(stage, spare, lambda: done.append(monotonic() - begun))
    stage.until(lambda: done, 20.0)
    table = processes()
    stay = {one.pid for one in table.values() if one.session in spare}
    left = below(table, [os.getpid()]) - stay
    for pid in stay:
        os.kill(pid, 9)
    stage.rest(0.05)
    return {
        "left": len(left),
        "stay": len(stay),
        "calls": len(done),
        "seconds": round(done[0], 3),
        "log": stage.text(),
    }


if __name__ == "__main__":
    adopt_orphans("a test")
    with TemporaryDirectory() as folder:
        print(json.dumps(play(int(sys.argv[1]), sys.argv[2:], Path(folder))))
