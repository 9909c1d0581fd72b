"""What a release is made of, made and installed as pip does: the compiled wheel where there is one."""

import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parents[1]
OURS = f"cp{sys.version_info.major}{sys.version_info.minor}"


def run(*words: str | Path) -> str:
    """What a program says; all of it is in the failure where it fails."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def installed(folder: Path, wheels: Path) -> str:
    """The version that is told by what pip finds among ``wheels``."""
    run(sys.executable, "-m", "venv", folder)
    pip = (folder / "bin" / "python", "-m", "pip", "install", "-q", "--no-index", "--no-deps")
    run(*pip, "--find-links", wheels, "penstock")
    return run(folder / "bin" / "penstock", "--version")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_pip_takes_the_compiled_wheel_and_another_interpreter_the_plain_one(tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    run(TOP / "tools" / "wheels.sh", tmp_path / "tools", wheels, sys.executable)
    names = sorted(path.name for path in wheels.iterdir())
    assert [name for name in names if name.endswith("-py3-none-any.whl")] != []
    assert [name for name in names if f"-{OURS}-{OURS}-manylinux" in name] != []
    assert [name for name in names if name.endswith(".tar.gz")] != []
    assert installed(tmp_path / "first", wheels).endswith(", compiled\n")
    for path in wheels.glob("*manylinux*"):
        path.unlink()
    assert "compiled" not in installed(tmp_path / "second", wheels)
