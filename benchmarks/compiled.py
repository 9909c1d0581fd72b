"""The compiled build of the checkout as something that can be installed: its wheel, and what tells it apart.

An editable installation follows its sources by itself; a wheel must be built anew when they have changed.
"""

import hashlib
import subprocess
import tempfile
from pathlib import Path

from benchmarks.peers import TOP


def digest() -> str:
    """A fingerprint of everything that the wheel is made of."""
    found = hashlib.sha256()
    how = (TOP / "pyproject.toml", TOP / "tools" / "compiled.sh")
    for path in (*how, *sorted((TOP / "src").rglob("*.py"))):
        found.update(path.read_bytes())
    return found.hexdigest()[:16]


def install(python: Path) -> None:
    """Build the wheel with ``python`` and install it there; RuntimeError when that fails."""
    with tempfile.TemporaryDirectory() as folder:
        run(str(TOP / "tools" / "compiled.sh"), str(python), folder)
        (wheel,) = Path(folder).glob("penstock-*-cp*.whl")
        run(str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", str(wheel))


def run(*command: str) -> None:
    """Run a command; RuntimeError with the end of what it said when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    if done.returncode:
        raise RuntimeError((done.stderr or done.stdout).strip()[-300:])
