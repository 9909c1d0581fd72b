"""``processes = auto``: a table of machines, the sentence for each, and what always holds."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.process.supervisor.sizing import WORKER, Facts, auto_processes, facts, processes_of
from tests.process.supervisor.cheaper.recording import settings_of

MB, GB = 1 << 20, 1 << 30


@pytest.mark.parametrize(
    ("found", "count", "why"),
    [
        (Facts(4), 4, "one for each of 4 processors (4 usable)"),
        (Facts(1), 2, "one for each of 1 processor (1 usable), and never fewer than 2"),
        (Facts(8, 4.0), 4, "one for each of 4 processors (8 usable, the cgroup allows 4)"),
        (Facts(8, 2.5), 3, "one for each of 2.5 processors (8 usable, the cgroup allows 2.5)"),
        (
            Facts(8, 0.5),
            2,
            "one for each of 0.5 processors (8 usable, the cgroup allows 0.5), and never fewer than 2",
        ),
        (Facts(2, 16.0), 2, "one for each of 2 processors (2 usable)"),
        (Facts(4, 0.0, 16 * GB, GB), 4, "one for each of 4 processors (4 usable)"),
        (
            Facts(8, 0.0, GB, 40 * MB),
            4,
            "memory has room for 4 (1024 MB, 40 in use, 100 for each, twice because a reload runs old and "
            "new side by side); 8 processors (8 usable) would have 8",
        ),
        (
            Facts(8, 4.0, 256 * MB, 60 * MB),
            1,
            "memory has room for 1 (256 MB, 60 in use, 100 for each, twice because a reload runs old and new "
            "side by side); 4 processors (8 usable, the cgroup allows 4) would have 4",
        ),
        (
            Facts(4, 0.0, GB, 0, 300 * MB),
            1,
            "memory has room for 1 (1024 MB, 0 in use, 300 for each, twice because a reload runs old and new "
            "side by side); 4 processors (4 usable) would have 4",
        ),
    ],
)
def test_machines(found: Facts, count: int, why: str) -> None:
    assert auto_processes(found) == (count, f"{count} worker{'s' if count > 1 else ''}: {why}")


@given(
    usable=st.integers(1, 512),
    quota=st.one_of(st.just(0.0), st.floats(0.01, 600.0)),
    memory=st.integers(0, 1 << 42),
    used=st.integers(0, 1 << 42),
)
def test_there_is_always_one_and_a_reload_always_fits_where_there_are_more(
    usable: int, quota: float, memory: int, used: int
) -> None:
    found = Facts(usable, quota, memory, used)
    count, why = auto_processes(found)
    assert 1 <= count <= max(2, usable)
    assert why.startswith(f"{count} worker")
    if count > 1 and memory:
        assert used + 2 * count * WORKER <= memory


def test_the_facts_of_a_machine(tmp_path: Path) -> None:
    for name, text in {
        "proc/self/cgroup": "0::/\n",
        "proc/meminfo": f"MemTotal: {8 << 20} kB\nMemAvailable: {6 << 20} kB\n",
        "sys/fs/cgroup/cpu.max": "300000 100000\n",
        "sys/fs/cgroup/memory.max": f"{GB}\n",
        "sys/fs/cgroup/memory.current": f"{100 * MB}\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert facts(str(tmp_path)) == Facts(usable or 1, 3.0, GB, 100 * MB)
    # Without a limit the machine's own memory is one.
    (tmp_path / "sys/fs/cgroup/memory.max").write_text("max\n")
    assert facts(str(tmp_path)) == Facts(usable or 1, 3.0, 8 * GB, 2 * GB)
    assert facts(str(tmp_path / "nothing")) == Facts(usable or 1)


def test_what_processes_comes_to() -> None:
    assert processes_of(settings_of()) == (1, "1 worker")
    assert processes_of(settings_of(processes=4)) == (4, "4 workers")
    assert processes_of(settings_of(processes="auto")) == auto_processes(facts())
