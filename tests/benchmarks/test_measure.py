"""What is read from wrk and from /proc."""

import os
import subprocess
import sys

import pytest
from benchmarks.measure import Load, Slice, cpu_of, cpu_seconds, joined, memory, milliseconds, parse, tree

SAID = """Running 2s test @ http://127.0.0.1:8000/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     2.94ms    5.13ms  70.61ms   90.09%
    Req/Sec    45.47k     4.85k   55.14k    75.00%
  Latency Distribution
     50%  940.00us
     75%    2.84ms
     90%    8.45ms
     99%    1.05s
  90508 requests in 2.00s, 12.08MB read
  Socket errors: connect 1, read 20, write 300, timeout 4000
  Non-2xx or 3xx responses: 50000
Requests/sec:  45164.02
Transfer/sec:      6.03MB
"""
NOTHING = """Running 1s test @ http://127.0.0.1:8000/
  Latency Distribution
     50%    0.00us
     99%    0.00us
  0 requests in 1.00s, 0.00B read
Requests/sec:      0.00
"""
# A child that spends time, then a grandchild that does and is waited for; both say when they have.
BURN = """
import os, subprocess, sys, time
def burn():
    while time.process_time() < 0.15: pass
burn()
if len(sys.argv) > 1:
    subprocess.run([sys.executable, "-c", sys.argv[1]], check=True)
    print("done", flush=True)
    sys.stdin.read()
"""


def test_wrk_is_read() -> None:
    assert parse(SAID) == Load(90508, 54321, 45164.02, 0.94, 1050.0)


def test_no_answer_is_no_latency() -> None:
    assert parse(NOTHING) == Load(0, 0, 0.0, None, None)


def test_something_else_is_refused() -> None:
    with pytest.raises(ValueError, match="not what wrk prints"):
        parse("unable to connect to 127.0.0.1:8000 Connection refused\n")


@pytest.mark.parametrize(
    ("text", "value"), [("12.50us", 0.0125), ("1.00ms", 1), ("2.5s", 2500), ("1m", 60000)]
)
def test_times_are_milliseconds(text: str, value: float) -> None:
    assert milliseconds(text) == pytest.approx(value)


def test_a_time_without_unit_is_refused() -> None:
    with pytest.raises(ValueError, match="not one of"):
        milliseconds("12")


def test_time_of_a_process_named_to_confuse() -> None:
    fields = " ".join(str(number) for number in range(4, 52))
    # utime, stime, cutime and cstime are the 14th to the 17th field.
    assert cpu_of(f"7 (a) S 1 (2) S {fields}") == 14 + 15 + 16 + 17


def test_the_whole_tree_counts_also_who_is_gone() -> None:
    command = [sys.executable, "-c", BURN, BURN]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None and child.stdin is not None
        assert child.stdout.readline() == "done\n"
        assert cpu_seconds(child.pid) >= 0.28
        assert child.pid in set(tree(os.getpid()))
        assert memory(child.pid) >= memory(child.pid, "VmRSS") > 1000
        child.stdin.close()


def test_a_process_that_is_gone_costs_nothing() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        child.wait()
        assert cpu_seconds(child.pid) == 0
        assert memory(child.pid) == 0


def test_a_round_is_the_sum_of_its_slices() -> None:
    slow = Slice(Load(100, 2, 100.0, 3.0, 9.0), 0.5, 1.0, 0.5, 40.0)
    fast = Slice(Load(300, 0, 300.0, 1.0, 2.0), 0.5, 1.0, 0.0, 39.0)
    silent = Slice(Load(0, 1, 0.0, None, None), 0.0, 2.0, 0.0, 40.0)
    assert joined([slow, fast, silent]) == {
        "cpu": 2500.0,
        "rate": pytest.approx(400 / 3),
        "p50": 3.0,
        "p99": 9.0,
        "rss": 40.0,
        "errors": 3,
        "share": 25.0,
        "others": 12.5,
    }
    assert joined([silent])["cpu"] is None
    assert joined([silent])["p99"] is None
