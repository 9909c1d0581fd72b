"""The path from bytes to reply bytes, without and with rules: each scenario answers every request."""

import subprocess
import sys

import pytest
from benchmarks.path import TOP, verdict

from benchmarks import path, rules

ALL = [("path", name) for name in path.SCENARIOS] + [("rules", name) for name in rules.SCENARIOS]


@pytest.mark.parametrize(("module", "name"), ALL)
def test_every_request_is_answered(module: str, name: str) -> None:
    """The module says itself when replies are missing. 70 are more than a batch of the log."""
    command = [sys.executable, "-m", f"benchmarks.{module}", "--run", name, "--count", "70"]
    done = subprocess.run(command, cwd=TOP, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_what_is_dearer_is_seen() -> None:
    known = {"hello": 10_000}
    assert verdict("hello", 10_090, known, 1.0) == ("+0.9 %", False)
    assert verdict("hello", 10_110, known, 1.0) == ("+1.1 %", True)
    assert verdict("hello", 10_110, known, 1.5) == ("-32.6 %", False)
    assert verdict("hello", 10_110, {}, 1.0) == ("no baseline", False)
