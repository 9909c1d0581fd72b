"""One stop of a server with hostile daemons; ``hostile`` as a program makes as many as one likes."""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress

import pytest

from penstock.process.programs.kin import below, processes


def end(trial: int) -> None:
    """All of a trial that takes too long: its villains would go on for ever, and take the machine's time."""
    while living := [pid for table in [processes()] for pid in below(table, [trial]) if not table[pid].dead]:
        for pid in living:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    os.kill(trial, signal.SIGKILL)


def seldom(*words: str) -> object:
    return pytest.param(words, marks=pytest.mark.slow, id=" ".join(words) + " by chance")


# The seed's are deaf, and one of them forks for ever, the other's child has a session of its own.
@pytest.mark.parametrize("chosen", [("2", "--seed", "34"), seldom("2"), seldom("6")])
def test_nobody_is_left(chosen: tuple[str, ...]) -> None:
    words = [sys.executable, "-m", "tests.household.hostile", "--trials", "1", "--daemons", *chosen]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdout=pipe, stderr=pipe, text=True) as trial:
        try:
            said, errors = trial.communicate(timeout=50)
        except BaseException:
            end(trial.pid)
            raise
    assert trial.returncode == 0, said + errors
    figures = json.loads(said)
    assert (figures["trials"], figures["left"], figures["zombies"]) == (1, 0, 0)
