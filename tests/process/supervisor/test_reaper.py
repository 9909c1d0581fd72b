"""Who died, of what; with real children."""

import os
import signal
from pathlib import Path

import pytest

from penstock.process.supervisor.reaper import OutOfMemory, how, reap


def child(code: int) -> int:
    pid = os.fork()
    if pid == 0:
        os._exit(code)
    return pid


def test_every_child_that_has_ended() -> None:
    pids = {child(3), child(0)}
    found: dict[int, int] = {}
    for pid in pids:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    for pid, status in reap():
        if pid in pids:
            found[pid] = status
    assert sorted(found.values()) == [0, 3]
    assert list(reap()) == []


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (0, "exit status 0"),
        (22, "exit status 22"),
        (-signal.SIGSEGV, "killed by SIGSEGV"),
        (-63, "killed by signal 63"),
    ],
)
def test_an_end_in_words(status: int, words: str) -> None:
    assert how(status) == words


def test_the_kernel_ran_out_of_memory(tmp_path: Path) -> None:
    events = tmp_path / "memory.events"
    events.write_text("low 0\nhigh 0\nmax 3\noom 1\noom_kill 1\n")
    memory = OutOfMemory((str(tmp_path / "absent"), str(events)))
    assert not memory.struck()
    events.write_text("low 0\nhigh 0\nmax 9\noom 2\noom_kill 2\n")
    assert memory.struck()
    assert not memory.struck()


def test_where_nobody_counts(tmp_path: Path) -> None:
    memory = OutOfMemory((str(tmp_path / "absent"),))
    assert not memory.struck()
