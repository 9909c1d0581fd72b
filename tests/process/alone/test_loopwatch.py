"""A loop as a supervisor's watch: descriptors and times, and a fault of one call is nobody else's."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from penstock.net.loop import make_loop
from penstock.process.alone.loopwatch import LoopWatch
from tests.e2e.server import LOOPS


@contextmanager
def watching(kind: str) -> Iterator[tuple[LoopWatch, list[str]]]:
    faults: list[str] = []
    loop = make_loop(kind)
    try:
        yield LoopWatch(loop, faults.append), faults
    finally:
        loop.close()


def turn(watch: LoopWatch, seconds: float = 0.02) -> None:
    watch.loop.call_later(seconds, watch.loop.stop)
    watch.loop.run_forever()


@pytest.mark.parametrize("kind", LOOPS)
def test_a_descriptor_is_watched_until_it_is_not(kind: str) -> None:
    with watching(kind) as (watch, faults):
        read, write = os.pipe()
        heard: list[bytes] = []
        watch.add(read, lambda: heard.append(os.read(read, 10)))
        os.write(write, b"a")
        turn(watch)
        watch.remove(read)
        watch.remove(read)
        os.write(write, b"b")
        turn(watch)
        assert heard == [b"a"] and faults == []
        os.close(read)
        os.close(write)


@pytest.mark.parametrize("kind", LOOPS)
def test_times(kind: str) -> None:
    with watching(kind) as (watch, faults):
        done: list[str] = []
        watch.later(0.01, lambda: done.append("once"))
        never = watch.later(0.01, lambda: done.append("never"))
        again = watch.every(0.03, lambda: done.append("again"))
        never.cancel()
        never.cancel()
        began = watch.loop.time()
        turn(watch, 0.11)
        assert done[0] == "once" and 2 <= done.count("again") <= (watch.loop.time() - began) / 0.03
        again.cancel()
        count = len(done)
        turn(watch, 0.05)
        assert len(done) == count and faults == []


@pytest.mark.parametrize("kind", LOOPS)
def test_a_timer_may_end_itself(kind: str) -> None:
    with watching(kind) as (watch, _):
        done: list[int] = []

        def call() -> None:
            done.append(1)
            timer.cancel()

        timer = watch.every(0.005, call)
        turn(watch, 0.04)
        assert done == [1]


@pytest.mark.parametrize("kind", LOOPS)
def test_a_fault_is_told_and_ends_nothing(kind: str) -> None:
    with watching(kind) as (watch, faults):
        done: list[int] = []

        def breaks() -> None:
            raise ValueError("broken")

        watch.every(0.01, breaks)
        watch.later(0.02, lambda: done.append(1))
        turn(watch, 0.035)
        assert done == [1] and len(faults) >= 2
        assert "ValueError: broken" in faults[0] and "goes on" in faults[0]
