"""A process that computes and nothing else, as much as an import does and as politely: what a reload is
compared with, since on a busy machine any second process costs its neighbours something.
"""

import os
import subprocess
import sys
import time

from tests.supervision.proc import stat

NICE = 10
TICKS = os.sysconf("SC_CLK_TCK")
SCRIPT = """
import os, time
os.nice({nice})
while time.process_time() < {seconds}:
    sum(range(1000))
"""


def start(seconds: float, nice: int = NICE) -> "subprocess.Popen[bytes]":
    """One that ends after so many seconds of processor time."""
    return subprocess.Popen([sys.executable, "-S", "-c", SCRIPT.format(seconds=seconds, nice=nice)])


def burn(seconds: float, at_least: float = 0.0) -> tuple[float, float]:
    """Run one to its end, and wait until ``at_least`` seconds have passed; from and to (time.monotonic)."""
    begun = time.monotonic()
    start(seconds).wait()
    time.sleep(max(0.0, at_least - (time.monotonic() - begun)))
    return begun, time.monotonic()


def cost(pid: int) -> float:
    """Seconds of processor time that a process has used; 0 when it is gone."""
    words = stat(pid)
    return (int(words[11]) + int(words[12])) / TICKS if words else 0.0
