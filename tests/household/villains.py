"""Programs that do not want to end: each is one line for a shell, and says ``ready`` when it is at it.

Used by the tests of the sweep and of daemons, and by ``hostile``. Their forks are bounded in number at any
moment, and each ends by itself after a minute, so that a test that fails does no harm.
"""

import shlex
import sys

PYTHON = f"exec {shlex.quote(sys.executable)} -I -S -c "
BEGIN = "import os, signal, sys, time\nend = time.monotonic() + 60\n"
SAY = "os.write(1, b'ready\\n')\n"
WAIT = "while time.monotonic() < end: time.sleep(0.5)\n"
DEAF = (  # SIGCHLD, ignored, would reap by itself
    "for n in set(range(1, 65)) - {17}:\n"
    "    try: signal.signal(n, signal.SIG_IGN)\n"
    "    except (OSError, ValueError): pass\n"
)
HOP = "while time.monotonic() < end:\n    if os.fork(): os._exit(0)\n"
TWICE = "if os.fork(): os._exit(0)\nos.setsid()\nif os.fork(): os._exit(0)\n"
CLOSE = "for fd in range(3): os.close(fd)\n"
BROOD = (
    "live = 0\n"
    "while time.monotonic() < end:\n"
    "    if os.fork() == 0: os.setsid(); time.sleep(0.3); os._exit(0)\n"
    "    live += 1\n"
    "    while live > 20: os.wait(); live -= 1\n"
    "    time.sleep(0.002)\n"
)
FLOOD = "trap 'trap \"\" TERM; exec yes' TERM; echo ready; while :; do sleep 0.05; done"
SHELLS = 'sh -c \'trap "" TERM HUP; sh -c "sleep 59; true"; true\' & echo ready; wait; true'


def python(code: str) -> str:
    """The line that runs it."""
    return PYTHON + shlex.quote(BEGIN + code)


VILLAINS: dict[str, str] = {
    "polite": python(SAY + WAIT),
    "deaf": python(DEAF + SAY + WAIT),
    "stopped": python(SAY + "os.kill(os.getpid(), signal.SIGSTOP)\n" + WAIT),
    "deaf and stopped": python(DEAF + SAY + "while time.monotonic() < end: os.kill(0, signal.SIGSTOP)\n"),
    "forks for ever": python(SAY + HOP),
    "forks for ever, deaf": python(DEAF + SAY + HOP),
    "leaves its session for ever": python(DEAF + SAY + HOP + "    os.setsid()\n"),
    "went to the background": python(DEAF + SAY + TWICE + WAIT),
    "left a child in another session": python(
        "if os.fork() == 0: os.setsid(); " + "time.sleep(60); os._exit(0)\n" + DEAF + SAY + WAIT
    ),
    "another group": python("if os.fork() == 0: os.setpgid(0, 0); time.sleep(60)\n" + SAY + WAIT),
    "closes its output": python(DEAF + SAY + CLOSE + WAIT),
    "floods": "echo ready; trap '' TERM; exec yes",
    "floods when it is asked to end": FLOOD,
    "a brood": python(DEAF + SAY + BROOD),
    "shells below shells": SHELLS,
    "adopts its own orphans": python(
        "import ctypes\nctypes.CDLL(None).prctl(36, 1, 0, 0, 0)\n" + DEAF + SAY + "if os.fork() == 0:\n"
        "    if os.fork(): os._exit(0)\n    os.setsid(); time.sleep(60)\n" + WAIT
    ),
}
