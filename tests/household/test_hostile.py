"""One stop of a server with hostile daemons; ``hostile`` as a program makes as many as one likes."""

import json
import subprocess
import sys


def test_nobody_is_left() -> None:
    words = [sys.executable, "-m", "tests.household.hostile", "--trials", "1", "--daemons", "6"]
    told = subprocess.run(words, capture_output=True, text=True, timeout=50)
    assert told.returncode == 0, told.stdout + told.stderr
    figures = json.loads(told.stdout)
    assert (figures["trials"], figures["left"], figures["zombies"]) == (1, 0, 0)
