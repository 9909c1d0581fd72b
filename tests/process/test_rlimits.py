"""Limits and processors, set in processes of their own and read back from the kernel."""

import os
import resource
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.config.assemble import from_keywords
from penstock.process.rlimits import affinity_of, as_many_as_allowed, reason, too_few_processes
from tests.process import scripted

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="other systems do not hold to these limits")
BEGIN = """
import os, resource
from penstock.config.assemble import from_keywords
from penstock.process.rlimits import limit_application, limit_server, pin
said = []
def settings_of(**options):
    return from_keywords({"bind": [], **options}, application=True)
def limits(name):
    return resource.getrlimit(getattr(resource, f"RLIMIT_{name}"))
"""


def ran(text: str) -> str:
    """What a script prints in a process of its own."""
    return scripted.ran(BEGIN + text)


def test_max_fd_is_soft_and_hard() -> None:
    script = """
limit_server(settings_of(), said.append)
before = limits("NOFILE")
limit_server(settings_of(max_fd=100, limit_as=512), said.append)
print(limits("NOFILE"), said, limits("AS") == (-1, -1) or limits("AS"))
"""
    assert ran(script) == "(100, 100) [] True"


def test_what_the_system_does_not_allow_is_as_much_as_it_does() -> None:
    # Above fs.nr_open nobody is allowed it, root neither.
    script = """
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 200))
limit_server(settings_of(max_fd=1 << 31), said.append)
print(limits("NOFILE"), *said, sep="; ")
"""
    limits, said = ran(script).split("; ", 1)
    assert limits == "(200, 200)"
    assert said.startswith("max-fd 2147483648: the system does not allow it (")
    assert said.endswith("); it is 200")


@LINUX
def test_the_applications_limits() -> None:
    script = """
limit_application(settings_of(), said.append)
limit_application(settings_of(limit_as=2048, limit_nproc=300), said.append)
print(limits("AS"), limits("NPROC"), said)
try:
    bytearray(4 << 30)
except MemoryError:
    print("no memory")
"""
    assert ran(script) == f"({2 << 30}, {2 << 30}) (300, 300) []\nno memory"


@LINUX
@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_an_application_limit_that_is_not_allowed() -> None:
    script = """
settings = settings_of(limit_nproc=300)  # before the change: another user may not read the libraries
resource.setrlimit(resource.RLIMIT_NPROC, (50, 100))
os.setuid(65534)
limit_application(settings, said.append)
print(limits("NPROC"), *said)
"""
    said = "limit-nproc: the system does not allow 300 (not allowed to raise maximum limit); it is 100"
    assert ran(script) == f"(100, 100) {said}"


def test_a_limit_below_the_hard_one_stays() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    assert as_many_as_allowed(resource.RLIMIT_CORE, 0) == soft
    assert resource.getrlimit(resource.RLIMIT_CORE) == (soft, hard)


def test_reasons() -> None:
    assert reason(OSError(1, "no")) == "no"
    assert reason(ValueError("not allowed")) == "not allowed"
    assert reason(OSError("just so")) == "just so"


@pytest.mark.parametrize(
    ("options", "processes", "said"),
    [
        ({}, 4, False),
        ({"limit_nproc": 100, "threads": 8}, 4, False),
        ({"limit_nproc": 45, "threads": 8}, 4, False),
        ({"limit_nproc": 44, "threads": 8}, 4, True),
        ({"limit_nproc": 4}, 1, True),
    ],
)
def test_a_limit_that_cannot_be_enough(options: dict[str, int], processes: int, said: bool) -> None:
    settings = from_keywords({"bind": [], "threads": 1, **options}, application=True)
    text = too_few_processes(settings, processes)
    assert bool(text) is said
    if said:
        assert text.startswith(f"limit-nproc {options['limit_nproc']}: {processes} workers have about ")


# ---- Processors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wid", "count", "usable", "chosen"),
    [
        (1, 1, [0, 1, 2, 3], {0}),
        (4, 1, [0, 1, 2, 3], {3}),
        (5, 1, [0, 1, 2, 3], {0}),
        (2, 2, [0, 1, 2, 3], {2, 3}),
        (3, 2, [0, 1, 2, 3], {0, 1}),
        (2, 3, [0, 1, 2, 3], {3, 0, 1}),
        (2, 3, [4, 6], {4, 6}),
        (2, 1, [4, 6], {6}),
    ],
)
def test_the_processors_of_a_worker(wid: int, count: int, usable: list[int], chosen: set[int]) -> None:
    assert affinity_of(wid, count, usable) == chosen


@given(st.integers(1, 300), st.integers(1, 20), st.sets(st.integers(0, 255), min_size=1))
def test_each_has_its_number_and_none_that_it_may_not(wid: int, count: int, usable: set[int]) -> None:
    chosen = affinity_of(wid, count, sorted(usable))
    assert chosen <= usable
    assert len(chosen) == min(count, len(usable))


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system does not pin processes")
def test_a_worker_is_pinned() -> None:
    script = """
print(repr(pin(settings_of(), 1, said.append)), said)
may = sorted(os.sched_getaffinity(0))
line = pin(settings_of(cpu_affinity=1), len(may), said.append)
print(line == f"worker {len(may)} runs on processors {may[-1]}")
print(os.sched_getaffinity(0) == {may[-1]}, said)
"""
    assert ran(script) == "'' []\nTrue\nTrue []"


def test_the_priority_is_set_where_it_is_asked_for() -> None:
    script = """
limit_server(settings_of(), said.append)
before = os.getpriority(os.PRIO_PROCESS, 0)
limit_server(settings_of(prio=before + 3), said.append)
print(os.getpriority(os.PRIO_PROCESS, 0) - before, said)
"""
    assert ran(script) == "3 []"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_a_priority_that_is_not_allowed_is_warned_of() -> None:
    script = """
settings = settings_of(prio=-5)
resource.setrlimit(resource.RLIMIT_NICE, (0, 0))
os.setgroups([]); os.setgid(54322); os.setuid(54321)
limit_server(settings, said.append)
print(*said)
"""
    assert ran(script) == "prio -5: the system does not allow it: Permission denied"
