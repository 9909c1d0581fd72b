"""An import at a lower priority, and the way back from there."""

import os
import resource
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from penstock.handoff.breadth import gil
from penstock.process import courtesy
from penstock.process.courtesy import Turn, holds, may_return, niced
from tests.e2e.server import LOOPS
from tests.e2e.surroundings import environment
from tests.process.running import hello, running

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


# ---- The loop's -----------------------------------------------------------------------------------------


def policies(tmp_path: Path, **options: Any) -> tuple[int, int, int]:
    """Of a loop that serves, of a thread of the application, of the loop's when it has ended."""
    seen: list[int] = []

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.append(os.sched_getscheduler(0))
        return hello(environ, start_response)

    with running(tmp_path, application, **options) as it:
        with it.client() as client:
            assert client.get("/").status == 200
        it.call(lambda: seen.insert(0, os.sched_getscheduler(0)))
        it.worker.on_end.append(lambda: seen.append(os.sched_getscheduler(0)))
        it.end(it.worker.halt)
    loop, thread, after = seen
    return loop, thread, after


@pytest.mark.parametrize("loop", LOOPS)
def test_a_loop_puts_no_thread_off_its_core(tmp_path: Path, loop: str) -> None:
    assert policies(tmp_path, loop=loop) == (
        os.SCHED_BATCH if gil() else os.SCHED_OTHER, os.SCHED_OTHER, os.SCHED_OTHER
    )  # fmt: skip


def test_without_a_gil_and_where_somebody_chose_one_the_policy_stays() -> None:
    with Turn(locked=False):
        assert os.sched_getscheduler(0) == os.SCHED_OTHER

    def another() -> list[int]:
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        turn = Turn(locked=True)
        with turn, turn.out():
            within = os.sched_getscheduler(0)
        return [within, os.sched_getscheduler(0)]

    with ThreadPoolExecutor(1) as pool:  # a policy is a thread's
        assert pool.submit(another).result() == [os.SCHED_IDLE, os.SCHED_IDLE]


def test_the_policy_is_back_when_the_loop_failed() -> None:
    with pytest.raises(KeyError), Turn(locked=True):
        assert os.sched_getscheduler(0) == os.SCHED_BATCH
        raise KeyError
    assert os.sched_getscheduler(0) == os.SCHED_OTHER


def test_threads_that_are_started_out_of_turn_have_the_usual_policy() -> None:
    def policy_of_a_new_one() -> int:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(os.sched_getscheduler, 0).result()

    turn = Turn(locked=True)
    with turn:
        assert policy_of_a_new_one() == os.SCHED_BATCH
        with turn.out():
            assert policy_of_a_new_one() == os.SCHED_OTHER
        assert os.sched_getscheduler(0) == os.SCHED_BATCH
    with turn.out():
        pass
    assert os.sched_getscheduler(0) == os.SCHED_OTHER
