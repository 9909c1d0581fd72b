"""Which loop is made: the one that is asked for, uvloop when nobody asks."""

import asyncio
import socket
from collections.abc import Iterator

import pytest
import uvloop

from penstock.net.loop import make_loop


@pytest.fixture(params=["auto", "uvloop", "asyncio"])
def loop(request: pytest.FixtureRequest) -> Iterator[asyncio.AbstractEventLoop]:
    made = make_loop(request.param)
    assert isinstance(made, uvloop.Loop) == (request.param != "asyncio")
    yield made
    made.close()


def test_it_runs_and_watches_descriptors(loop: asyncio.AbstractEventLoop) -> None:
    """Plain asyncio must be the selector loop: others have no add_reader."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        got = loop.create_future()
        loop.add_reader(ours, lambda: got.set_result(ours.recv(10)))
        theirs.send(b"word")
        assert loop.run_until_complete(asyncio.wait_for(got, 5)) == b"word"
        loop.remove_reader(ours)


def test_each_call_makes_a_new_one() -> None:
    first, second = make_loop("asyncio"), make_loop("asyncio")
    assert first is not second
    first.close()
    second.close()


async def add(left: int, right: int) -> int:
    await asyncio.sleep(0)
    return left + right


@pytest.mark.asyncio
async def test_the_current_loop_is_left_alone() -> None:
    """Making a loop does not make it the thread's own."""
    running = asyncio.get_running_loop()
    made = make_loop("auto")
    made.close()
    assert asyncio.get_running_loop() is running
    assert await add(1, 2) == 3
