"""A loop that hears the signals of the moment before it runs."""

import asyncio
import signal
import threading
from collections.abc import Iterator

import pytest

from penstock.process.loops import loop_for
from tests.e2e.server import LOOPS


@pytest.fixture(params=LOOPS)
def loop(request: pytest.FixtureRequest) -> Iterator[asyncio.AbstractEventLoop]:
    made = loop_for(request.param)
    yield made
    made.close()


def test_a_signal_that_comes_before_it_runs_is_heard_once(loop: asyncio.AbstractEventLoop) -> None:
    heard: list[str] = []
    loop.add_signal_handler(signal.SIGUSR2, heard.append, "early")
    signal.raise_signal(signal.SIGUSR2)
    assert heard == []
    loop.run_until_complete(asyncio.sleep(0.05))
    assert heard == ["early"]
    loop.call_soon(signal.raise_signal, signal.SIGUSR2)
    loop.run_until_complete(asyncio.sleep(0.05))
    assert heard == ["early"] * 2


def test_one_that_runs_on_another_thread_leaves_signals_alone(loop: asyncio.AbstractEventLoop) -> None:
    before = signal.set_wakeup_fd(-1)
    signal.set_wakeup_fd(before)
    thread = threading.Thread(target=loop.run_until_complete, args=[asyncio.sleep(0.01)])
    thread.start()
    thread.join()
    assert signal.set_wakeup_fd(before) == before
