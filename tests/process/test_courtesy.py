"""An import at a lower priority, and the way back from there."""

import os
import resource
import subprocess
import sys

from penstock.process import courtesy
from penstock.process.courtesy import holds, may_return, niced
from tests.e2e.server import environment

SCRIPT = """
import os, sys
from penstock.process.courtesy import niced
if os.getuid() == 0 and sys.argv[1] == "nobody":
    os.setuid(65534)
def now():
    return os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0)
before = now()
with niced():
    inside = now()
assert now() == before
with niced(False):
    assert now() == before
try:
    with niced():
        raise KeyError
except KeyError:
    assert now() == before
print(inside[0] - before[0], inside[1])
"""


def inside(who: str) -> list[int]:
    """By how much nice was raised, and the policy."""
    words = [sys.executable, "-c", SCRIPT, who]
    done = subprocess.run(words, env=environment(), capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    return [int(word) for word in done.stdout.split()]


def test_who_may_come_back_steps_down_by_nice_and_others_by_policy() -> None:
    if holds(courtesy.CAP_SYS_NICE):
        assert inside("us") == [courtesy.STEP, os.SCHED_OTHER]
    assert inside("nobody") == [0, os.SCHED_BATCH]


def test_who_may_come_back() -> None:
    soft, _ = resource.getrlimit(resource.RLIMIT_NICE)
    assert may_return(20 - soft)
    assert may_return(-20) == (soft >= 40 or holds(courtesy.CAP_SYS_NICE))


def test_a_capability_that_there_is_not_is_not_held() -> None:
    assert not holds(62)


def test_a_policy_that_somebody_chose_stays() -> None:
    script = (
        "import os\n"
        "from penstock.process import courtesy\n"
        "os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))\n"
        "os.getuid() or os.setuid(65534)\n"
        "with courtesy.niced():\n"
        "    assert os.sched_getscheduler(0) == os.SCHED_IDLE\n"
    )
    done = subprocess.run([sys.executable, "-c", script], env=environment(), timeout=30, check=False)
    assert done.returncode == 0


def test_it_is_no_more_than_a_wish() -> None:
    before = os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0)
    with niced(False):
        pass
    assert (os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0)) == before
