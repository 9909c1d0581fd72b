"""Dead children are reaped, but not those that a request may be waiting for."""

import time
from types import SimpleNamespace

from penstock.process.zombies import Zombies
from tests.process import scripted

SCRIPT = """
import os, time
from types import SimpleNamespace
from penstock.process.zombies import Zombies
pool = SimpleNamespace(slots=[SimpleNamespace(exchange=None), SimpleNamespace(exchange=None)])
zombies = Zombies(pool)
def child():
    pid = os.fork()
    if pid == 0:
        os._exit(3)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    return pid
def there(pid):
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return False
"""


def ran(text: str) -> str:
    return scripted.ran(SCRIPT + text)


def test_without_children_and_with_one_that_lives() -> None:
    script = """
zombies.tick(0.0)
pid = os.fork()
if pid == 0:
    time.sleep(60)
zombies.tick(0.0)
os.kill(pid, 9)
os.waitpid(pid, 0)
print(zombies.pid)
"""
    assert ran(script) == "0"


def test_all_are_reaped_while_nothing_runs() -> None:
    script = """
pids = [child() for _ in range(5)]
print([there(pid) for pid in pids].count(True))
zombies.tick(0.0)
print([there(pid) for pid in pids].count(True))
"""
    assert ran(script).split() == ["5", "0"]


def test_one_that_a_request_may_wait_for_stays_until_that_ends() -> None:
    script = """
first = pool.slots[0].exchange = object()
pid = child()
for _ in range(3):
    zombies.tick(0.0)
print(there(pid))
pool.slots[1].exchange = object()  # a later one has nothing to do with it
pool.slots[0].exchange = None
zombies.tick(0.0)
print(there(pid))
"""
    assert ran(script).split() == ["True", "False"]


def test_one_that_was_waited_for_after_all() -> None:
    script = """
pool.slots[0].exchange = object()
pid = child()
zombies.tick(0.0)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
other = child()
pool.slots[0].exchange = None
zombies.tick(0.0)
print(there(other), zombies.pid)
"""
    assert ran(script).split() == ["3", "False", "0"]


def test_it_holds_on_to_nothing() -> None:
    zombies = Zombies(SimpleNamespace(slots=[]))
    zombies.tick(time.monotonic())
    assert (zombies.pid, zombies.witnesses) == (0, [])
