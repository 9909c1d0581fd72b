"""The outside of the sandbox: starts ``inside`` in namespaces of its own and reads what came of a plan.

Needs root and Linux with overlayfs; ``obstacle`` says what is missing.
"""

import dataclasses
import functools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import penstock
from tests.compat.corpus.plan import STANDIN, Plan

SOURCE = Path(penstock.__file__).parents[1]
INSIDE = Path(__file__).parent / "inside.py"
NAMESPACES = ("unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc", "--kill-child")
PENSTOCK = (sys.executable, "-m", "penstock")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
LONGEST, MINUTE = 60.0, 80.0
"""Seconds for a case; and more of them where a command waits for its minute."""


@dataclass(frozen=True)
class Outcome:
    """``wrong`` by listener, what came instead of the application's body, and under ``workers`` what is wrong
    with those; ``left`` what TERM left."""

    name: str
    wrong: dict[str, str]
    left: str
    log: str

    @property
    def started(self) -> bool:
        return not self.wrong and not self.left

    @property
    def why(self) -> str:
        """In a few words: what is wrong, and what was said last."""
        missing = "; ".join(f"{listener}: {said}" for listener, said in self.wrong.items())
        return " | ".join(part for part in (missing or self.left, self.last()) if part)

    def last(self) -> str:
        lines = [line.strip() for line in self.log.splitlines() if line.strip()]
        return lines[-1][:300] if lines else ""


@functools.cache
def obstacle() -> str:
    """Why nothing can be tried here, or ""."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "namespaces and mounts need Linux and root"
    if shutil.which("unshare") is None:
        return "there is no unshare: apt-get install util-linux"
    tried = run(Plan("", "/", [], {}), ("/bin/true",))
    return f"no sandbox here: {tried.last()}" if tried.wrong else ""


def elsewhere() -> list[str]:
    """What the program needs of other file systems than the root's: an overlay does not show these."""
    top = os.stat("/").st_dev
    wanted = (sys.prefix, sys.base_prefix, str(SOURCE))
    return [path for path in dict.fromkeys(wanted) if os.stat(path).st_dev != top]


def facts(plan: Plan, scratch: str, program: tuple[str, ...]) -> dict[str, Any]:
    """The plan as the inside reads it."""
    environ = {"PATH": PATH, "LANG": "C.UTF-8", "PYTHONPATH": str(SOURCE), "HOME": "/tmp", **plan.environ}
    # uWSGI reloads on TERM; what ends it is INT.
    number = signal.SIGTERM if program == PENSTOCK else signal.SIGINT
    more = {"environ": environ, "scratch": scratch, "kept": elsewhere(), "program": program, "signal": number}
    # Only ours can be asked how many workers it has.
    workers = plan.workers if program == PENSTOCK else 0
    more["standin"] = STANDIN.read_text()
    return {**dataclasses.asdict(plan), **more, "workers": workers}


def run(plan: Plan, program: tuple[str, ...] = PENSTOCK) -> Outcome:
    """Start, ask, end. What goes wrong with the sandbox itself is told like a server that did not start."""
    longest = LONGEST + (MINUTE if "cron" in plan.kinds else 0)
    with tempfile.TemporaryDirectory() as scratch:
        try:
            tried = subprocess.run(
                [*NAMESPACES, sys.executable, "-I", str(INSIDE)],
                input=json.dumps(facts(plan, scratch, program)),
                capture_output=True,
                text=True,
                timeout=longest,
            )
        except subprocess.TimeoutExpired:
            return Outcome(plan.name, {"sandbox": f"nothing came of it in {longest:g} s"}, "", "")
    if tried.returncode:
        return Outcome(plan.name, {"sandbox": "failed"}, "", tried.stderr)
    said = json.loads(tried.stdout)
    return Outcome(plan.name, said["wrong"], said["left"], said["log"])
