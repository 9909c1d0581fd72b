"""The command line of a prototype: this interpreter's flags, and a penstock that is found from anywhere."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import penstock

SHOW = "import sys; from penstock.process.supervisor.generation import interpreter_flags as f; print(f())"
HOME = str(Path(penstock.__file__).parents[1])


@pytest.mark.parametrize(
    ("words", "flags"),
    [
        (["-c"], ["-P"]),
        (
            ["-X", "dev", "-W", "error::BytesWarning", "-c"],
            ["-X", "dev", "-W", "error::BytesWarning", "-P"],
        ),
        (["-Xutf8", "-uc"], ["-Xutf8", "-u", "-P"]),
        (["-uWdefault", "-qsc"], ["-uWdefault", "-qs", "-P"]),
        (["-qW", "default", "-P", "-c"], ["-qW", "default", "-P"]),
        (["--check-hash-based-pycs", "never", "-Bc"], ["--check-hash-based-pycs", "never", "-B", "-P"]),
    ],
)
def test_the_flags_of_this_interpreter(words: list[str], flags: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, *words, SHOW],
        capture_output=True,
        text=True,
        timeout=30,
        env={**os.environ, "PYTHONPATH": HOME},
    )
    assert done.stdout.strip().endswith(str(flags)), done


def test_a_checkout_is_found_from_another_folder(tmp_path: Path) -> None:
    """PYTHONPATH is relative, and the program starts another interpreter from another folder."""
    os.symlink(HOME, tmp_path / "lib")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    code = (
        "import os, subprocess, sys; from penstock.process.supervisor.generation import program; "
        f"os.chdir({str(elsewhere)!r}); "
        "sys.exit(subprocess.run([sys.executable, '-P', *program('penstock'), '--version']).returncode)"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        capture_output=True,
        text=True,
        timeout=30,
        env={**os.environ, "PYTHONPATH": "lib"},
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert penstock.__version__ in done.stdout
