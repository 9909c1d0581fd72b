"""The supervisor's loop, with real pipes and signals and no application."""

import os
import signal
from collections.abc import Iterator

import pytest

from penstock.process.supervisor.start import hear_early
from penstock.process.supervisor.watch import Watch
from tests.process.supervisor.recording import settings


@pytest.fixture
def failures() -> list[str]:
    return []


@pytest.fixture
def watch(failures: list[str]) -> Iterator[Watch]:
    made = Watch(failures.append)
    yield made
    made.close()
    for number in made.signals:
        signal.signal(number, signal.SIG_DFL)


def test_descriptors_and_timers_in_order(watch: Watch) -> None:
    reading, writing = os.pipe()
    seen: list[str] = []

    def read() -> None:
        seen.append(os.read(reading, 10).decode())
        watch.remove(reading)
        watch.remove(reading)

    watch.add(reading, read)
    os.write(writing, b"a")
    watch.later(0.02, lambda: seen.append("late"))
    watch.later(0.03, watch.stop)
    never = watch.later(0.0, lambda: seen.append("never"))
    never.cancel()
    watch.later(0.0, lambda: seen.append("soon"))
    watch.run()
    assert sorted(seen[:2]) == ["a", "soon"] and seen[2:] == ["late"]
    os.close(reading)
    os.close(writing)


def test_a_timer_that_comes_again_until_it_is_cancelled(watch: Watch) -> None:
    seen: list[int] = []

    def call() -> None:
        seen.append(1)
        if len(seen) == 3:
            timer.cancel()
            watch.later(0.02, watch.stop)

    timer = watch.every(0.002, call)
    watch.run()
    assert len(seen) == 3


def test_a_signal_that_comes_before_the_loop_waits_for_whoever_takes_it(watch: Watch) -> None:
    seen: list[str] = []
    hear_early(watch, settings())
    os.kill(os.getpid(), signal.SIGHUP)
    assert signal.SIGTERM not in watch.signals, "a start can be stopped"

    def reload() -> None:
        seen.append("reload")
        watch.stop()

    watch.on_signal(signal.SIGHUP, reload)
    watch.later(10.0, watch.stop)
    watch.run()
    assert seen == ["reload"]


def test_signals_are_heard_in_the_loop(watch: Watch) -> None:
    seen: list[str] = []
    watch.on_signal(signal.SIGUSR1, lambda: seen.append("one"))

    def second() -> None:
        seen.append("two")
        watch.stop()

    watch.on_signal(signal.SIGUSR2, second)
    os.kill(os.getpid(), signal.SIGUSR1)
    assert seen == []  # not in the middle of something
    watch.later(0.0, lambda: os.kill(os.getpid(), signal.SIGUSR2))
    watch.later(5.0, watch.stop)
    watch.run()
    assert seen == ["one", "two"]


def test_a_fault_of_a_call_ends_nothing(watch: Watch, failures: list[str]) -> None:
    def fail() -> None:
        raise KeyError("what")

    watch.later(0.0, fail)
    watch.later(0.01, watch.stop)
    watch.run()
    assert len(failures) == 1
    assert "KeyError: 'what'" in failures[0]


def test_what_is_removed_in_the_same_round_is_not_called(watch: Watch) -> None:
    pipes = [os.pipe() for _ in range(2)]
    seen: list[int] = []

    def take(mine: int, other: int) -> None:
        seen.append(mine)
        watch.remove(mine)
        watch.remove(other)
        watch.later(0.01, watch.stop)

    (one, one_writing), (two, two_writing) = pipes
    watch.add(one, lambda: take(one, two))
    watch.add(two, lambda: take(two, one))
    os.write(one_writing, b"x")
    os.write(two_writing, b"x")
    watch.run()
    assert len(seen) == 1
    for fd in (one, one_writing, two, two_writing):
        os.close(fd)
