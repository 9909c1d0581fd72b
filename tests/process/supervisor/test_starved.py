"""Waiting for a processor: counted by the kernel, from the first silent look on."""

import os
import threading
import time
from pathlib import Path

import pytest

from penstock.interprocess.channel import pair
from penstock.process.supervisor.handle import Handle
from penstock.process.supervisor.starved import QUIET, Starved, queued


@pytest.fixture
def worker() -> Handle:
    ours, theirs = pair()
    theirs.close()
    ours.close()
    return Handle(1, 0, 1, ours, None, pid=os.getpid())


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="this kernel counts no waiting")
def test_the_kernel_counts() -> None:
    before = queued(os.getpid())
    end = time.monotonic() + 0.3
    one = {min(os.sched_getaffinity(0))}
    counted = threading.Event()  # the kernel keeps no thread's figure beyond its end

    def compute() -> None:
        os.sched_setaffinity(0, one)
        while time.monotonic() < end:
            # Out of the interpreter's lock: both threads are able to run, and one processor has them.
            bytes(1 << 20)
            time.sleep(0)
        counted.wait(10)

    threads = [threading.Thread(target=compute) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        time.sleep(max(0.0, end - time.monotonic()))
        assert queued(os.getpid()) > before
    finally:
        counted.set()
        for thread in threads:
            thread.join()


def test_nobody_waits_for_nothing() -> None:
    assert queued(1 << 22) == 0.0


def test_only_silence_counts_and_each_anew(worker: Handle) -> None:
    figures = iter([5.0, 5.5, 9.0, 20.0, 20.25])
    starved = Starved(lambda pid: next(figures))
    assert starved.seconds(worker, QUIET) == 0.0, "not even looked at"
    assert starved.seconds(worker, 0.5) == 0.0
    assert starved.seconds(worker, 1.0) == 0.5
    assert starved.seconds(worker, 1.5) == 1.5, "never more than the time"
    assert starved.seconds(worker, 0.1) == 0.0
    assert starved.seconds(worker, 0.5) == 0.0
    assert starved.seconds(worker, 0.75) == 0.25


def test_the_dead_are_forgotten(worker: Handle) -> None:
    starved = Starved(lambda pid: 1.0)
    starved.seconds(worker, 1.0)
    starved.keep([worker])
    assert starved.before
    starved.keep([])
    assert not starved.before
