"""Virtual environments of the peers: made and filled on first use, their versions read from what is there.

Each stands in ``.venv-peers/<name>-<Python>``, made by the interpreter that runs the benchmark, so that
CPython 3.11 and 3.13 can be compared. A peer that cannot be installed is a line in the report, not the end.
"""

import platform
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import compiled
from benchmarks.peers import COMPILED, FRAMEWORKS, TOP, Peer

FOLDER = TOP / ".venv-peers"
SIDE_BY_SIDE = 2  # installations
PLOT = ("matplotlib==3.11.2",)
VERSION = (
    "import importlib.metadata as m, sys; print(*(f'{n} {m.version(n)}' for n in sys.argv[1:]), sep=chr(10))"
)


@dataclass
class Environments:
    """What was installed: programs' folders by environment, and versions; or why it was not."""

    programs: dict[str, Path] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)


def tag() -> str:
    """The running Python as part of a file's name: ``3.13``, ``3.14t``, ``pypy3.11``."""
    name = "" if platform.python_implementation() == "CPython" else sys.implementation.name
    free = "t" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
    return f"{name}{sys.version_info[0]}.{sys.version_info[1]}{free}"


def portable(text: str) -> str:
    """``text`` without the folders of this machine: a report is read elsewhere."""
    return re.sub(r"(?:file://)?(?<![\w/])/(?:[^\s/'\":]+/)+", "", text)


def reason(said: str) -> str:
    """Why a program failed: its last lines that speak of an error, else its very last."""
    lines = [line.strip() for line in said.strip().splitlines() if not line.startswith("WARNING")]
    told = [line for line in lines if "error" in line.lower() and "originates" not in line]
    return portable(" / ".join((told or lines)[-2:]))


def call(command: list[str]) -> None:
    """Run ``command``; RuntimeError with the end of what it said when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    if done.returncode:
        raise RuntimeError(reason(done.stderr or done.stdout) or f"status {done.returncode}")


def install(name: str, requires: tuple[str, ...]) -> Path:
    """Folder of programs of the environment ``name`` with ``requires`` in it; RuntimeError if it fails."""
    folder = FOLDER / f"{name}-{tag()}"
    programs, ready, wanted = folder / "bin", folder / ".ready", "\n".join(requires)
    is_compiled = COMPILED in requires
    if is_compiled:
        requires = tuple(word for word in requires if word != COMPILED)
        wanted += compiled.digest()
    if ready.exists() and ready.read_text() == wanted and (programs / "python").exists():
        return programs
    # The base interpreter, not a virtual environment's: what is made must outlive the latter.
    base = getattr(sys, "_base_executable", sys.executable)
    call([base, "-m", "venv", "--clear", str(folder)])
    # Not from the cache: a uWSGI that was built for another CPython of this version would run that one.
    words = ["install", "-q", "--disable-pip-version-check", "--no-cache-dir", *requires]
    call([str(programs / "python"), "-m", "pip", *words])
    if is_compiled:
        compiled.install(programs / "python")
    ready.write_text(wanted)
    return programs


def version(programs: Path, *packages: str) -> dict[str, str]:
    """Versions of ``packages`` as the environment's own metadata has them."""
    command = [str(programs / "python"), "-c", VERSION, *packages]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    return dict(line.rsplit(" ", 1) for line in said.splitlines())


def prepare(peers: Iterable[Peer]) -> Environments:
    """Install what ``peers`` need; says on standard error what it does."""
    wanted: dict[str, Peer] = {}
    for peer in peers:
        wanted.setdefault(peer.venv, peer)
    known = Environments()
    # One waits for the network while the other compiles.
    with ThreadPoolExecutor(SIDE_BY_SIDE) as workers:
        for peer, result in zip(wanted.values(), workers.map(prepared, wanted.values()), strict=True):
            if isinstance(result, Exception):
                known.failures[peer.venv] = portable(str(result))
            else:
                known.programs[peer.venv], versions = result
                known.versions |= versions
    return known


def prepared(peer: Peer) -> tuple[Path, dict[str, str]] | Exception:
    """The programs of one peer's environment and the versions of what is in it, or why there is none."""
    # The end of the line with it: several are made side by side.
    print(f"environment of {peer.venv} for Python {tag()}\n", end="", file=sys.stderr, flush=True)
    try:
        programs = install(peer.venv, (*peer.requires, *FRAMEWORKS))
        names = [peer.package, *(word.split("==")[0] for word in peer.requires[1:] if "==" in word)]
        return programs, version(programs, *names, "Flask", "Django")
    except (RuntimeError, subprocess.SubprocessError, OSError) as error:
        print(f"{peer.venv} cannot be installed: {error}", file=sys.stderr, flush=True)
        return error
