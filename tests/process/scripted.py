"""A script in a process of its own, for tests that change what a process is."""

import subprocess
import sys

from tests.e2e.surroundings import environment


def ran(script: str, *words: object) -> str:
    """What it prints; it begins as we are, and must end well."""
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, words)],
        env=environment(), capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
