"""What the threads leave behind: no request outlives its reply, and no descriptor its failure."""

import errno
import os
import resource
import socket
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic, sleep

import pytest

from penstock.core.request import Request
from penstock.handoff.doorway import Doorway
from penstock.handoff.exchange import Exchange
from penstock.handoff.lease import KEEP, MORE
from penstock.handoff.offload import Offload
from penstock.handoff.outbox import Outbox
from penstock.handoff.pool import Pool
from tests.fakes import FakeLoop


class Thing:
    """What an application puts into its environ."""


class Owner:
    """A connection that is only rung for."""

    def returned(self) -> None: ...

    def flush(self) -> None: ...


def soon(asked: Callable[[], bool]) -> bool:
    until = monotonic() + 5
    while not asked() and monotonic() < until:
        sleep(0.001)
    return asked()


@pytest.mark.parametrize("fails", [False, True])
def test_a_parked_thread_keeps_no_request(fails: bool) -> None:
    loop = FakeLoop()
    pool = Pool(loop(), Doorway(loop()), threads=1, queue=10)
    things: list[weakref.ref[Thing]] = []

    def serve(x: Exchange, index: int) -> None:
        thing = x.request.vars["my.thing"] = Thing()
        things.append(weakref.ref(thing))
        x.outbox.abandon(x)
        if fails:
            raise ValueError

    left, right = socket.socketpair()
    with left, right:
        outbox = Outbox(left, pool.doorway, Owner())
        outbox.registered = outbox.adopted = True
        pool.submit(Exchange(Request({}), outbox, None, monotonic()))
        pool.start(serve)
        assert soon(lambda: bool(things) and bool(pool.parked))
        assert things[0]() is None
        pool.stop()
        assert pool.join(5) == []


def test_a_service_thread_keeps_no_job() -> None:
    loop = FakeLoop()
    offload = Offload(Doorway(loop()), "test")
    told = threading.Event()
    thing = Thing()
    alive = weakref.ref(thing)

    def work(kept: Thing = thing) -> Thing:
        return kept

    offload.submit(work, lambda result, error: told.set())
    assert soon(lambda: bool(loop.soon))
    loop.turn()
    assert told.is_set()
    del work, thing
    assert soon(lambda: alive() is None)
    assert offload.stop(5)


@contextmanager
def no_descriptor_left() -> Iterator[None]:
    """This process can open nothing more."""
    lowest = os.open(os.devnull, os.O_RDONLY)
    os.close(lowest)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize("then", [KEEP, MORE])
def test_a_file_whose_rest_cannot_be_kept_is_still_the_threads_to_end(then: int) -> None:
    """The rest of a file is left to the loop under a descriptor of its own, and there is none."""
    loop = FakeLoop()
    doorway = Doorway(loop())
    left, right = socket.socketpair()
    with left, right, tempfile.TemporaryFile() as file:
        file.truncate(20 << 20)
        left.setblocking(False)
        outbox = Outbox(left, doorway, Owner())
        outbox.registered = outbox.adopted = True
        x = Exchange(Request({}), outbox, None, monotonic())
        outbox.lend(x, news=False)
        with no_descriptor_left(), pytest.raises(OSError) as caught:
            outbox.put_file(x, file.fileno(), 0, 20 << 20, then)
        assert caught.value.errno == errno.EMFILE
        assert not outbox.left
        outbox.abandon(x)
        assert (outbox.exchange, outbox.closing, loop.wakes) == (None, True, 1), "it had it until then"
