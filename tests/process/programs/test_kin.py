"""The table of processes: who descends from whom."""

import os
import subprocess
import sys

from penstock.process.programs.kin import Process, alive, below, family, process, processes


def one(pid: int, parent: int, session: int = 1, started: int = 0, state: str = "S") -> Process:
    return Process(pid, "p", state, parent, session, session, started)


TABLE = {p.pid: p for p in (one(2, 1), one(3, 2), one(4, 3, 4), one(5, 4, 4), one(6, 1, 4), one(7, 6, 7))}


def test_descendants() -> None:
    assert below(TABLE, [2]) == {3, 4, 5}
    assert below(TABLE, [1]) == {2, 3, 4, 5, 6, 7}
    assert below(TABLE, [1], {3}) == {2, 6, 7}
    assert below(TABLE, [99]) == set()


def test_a_family_is_a_session_and_all_below_it() -> None:
    assert set(family(TABLE, 4)) == {4, 5, 6, 7}
    assert set(family(TABLE, 5)) == {5}


def test_who_was_known_belongs_to_it_while_it_is_the_same() -> None:
    assert set(family(TABLE, 5, {2: 0})) == {2, 3, 4, 5}
    assert set(family(TABLE, 5, {2: 1, 98: 0})) == {5}


def test_a_child_of_ours() -> None:
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as child:
        try:
            found = process(child.pid)
            assert found is not None
            assert (found.parent, found.group, found.session) == (os.getpid(), child.pid, child.pid)
            assert processes()[child.pid].started == found.started
            assert child.pid in below(processes(), [os.getpid()])
            assert alive({child.pid: found.started}) == {child.pid}
            assert alive({child.pid: found.started + 1}) == set()
        finally:
            child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        dead = process(child.pid)
        assert dead is not None and dead.dead
        assert alive({child.pid: dead.started}) == set()
    assert process(child.pid) is None


def test_a_name_with_parentheses_and_blanks() -> None:
    setting = "ctypes.CDLL(None).prctl(15, b') S 1 (', 0, 0, 0)"
    code = f"import ctypes, time; {setting}; print(1, flush=True); time.sleep(60)"
    words = [sys.executable, "-S", "-c", code]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None and child.stdout.readline()
        found = process(child.pid)
        child.kill()
    assert found is not None and found.name == ") S 1 ("
    assert found.parent == os.getpid()
