"""The post: small replies go out several at a time, each once, none later than the loop says."""

import random
import socket
import threading
from time import monotonic, sleep
from typing import Any

import pytest

from penstock.core.request import Request
from penstock.handoff.doorway import Doorway
from penstock.handoff.exchange import Exchange
from penstock.handoff.lease import CLOSE, KEEP, MORE
from penstock.handoff.outbox import Outbox
from penstock.handoff.pool import BACKLOG, LATER, QUICK, Pool
from penstock.handoff.post import HOLD, SEVERAL, SMALL
from tests.fakes import FakeLoop, FakeSocket
from tests.handoff.test_outbox import Owner


class Place:
    """A doorway whose post is open, and outboxes on it."""

    def __init__(self) -> None:
        self.loop = FakeLoop()
        self.said: list[str] = []
        self.doorway = Doorway(self.loop(), None, self.said.append)
        self.post = self.doorway.post
        self.post.open = True

    def exchange(self) -> tuple[Exchange, Outbox, FakeSocket]:
        """An exchange that has the lease of a registered connection."""
        sock = FakeSocket()
        outbox = Outbox(sock(), self.doorway, Owner())
        outbox.registered = True
        x = Exchange(Request({}), outbox, None, monotonic())
        outbox.lend(x, False)
        return x, outbox, sock


@pytest.fixture
def place() -> Place:
    return Place()


def test_a_closed_post_takes_nothing(place: Place) -> None:
    place.post.open = False
    x, outbox, sock = place.exchange()
    outbox.put(x, b"reply", KEEP)
    assert sock.sent == b"reply"


def test_replies_wait_until_there_are_several(place: Place) -> None:
    found = [place.exchange() for _ in range(SEVERAL)]
    for x, outbox, _ in found[:-1]:
        outbox.put(x, b"reply", KEEP)
        assert outbox.exchange is x, "the lease is out while a reply waits"
        assert not outbox.reclaim(x), "it has begun"
    assert [bytes(sock.sent) for _, _, sock in found] == [b""] * SEVERAL
    x, outbox, _ = found[-1]
    outbox.put(x, b"reply", KEEP)
    assert [bytes(sock.sent) for _, _, sock in found] == [b"reply"] * SEVERAL
    assert all(outbox.exchange is None for _, outbox, _ in found)


def test_the_loop_sends_what_waits_and_nothing_comes_after_it(place: Place) -> None:
    first, second = place.exchange(), place.exchange()
    first[1].put(first[0], b"reply", KEEP)
    place.post.shut()
    second[1].put(second[0], b"reply", KEEP)
    assert first[2].sent == second[2].sent == b"reply"
    assert not place.post.waiting


def test_what_is_not_a_small_whole_reply_on_the_loops_own_socket_goes_out_at_once(place: Place) -> None:
    x, outbox, sock = place.exchange()
    outbox.put(x, b"part", MORE)
    outbox.put(x, b"end", KEEP)
    assert sock.sent == b"partend"
    x, outbox, sock = place.exchange()
    outbox.put(x, b"x" * (SMALL + 1), KEEP)
    assert len(sock.sent) == SMALL + 1
    x, outbox, sock = place.exchange()
    outbox.registered = False
    outbox.put(x, b"closed by the thread", CLOSE)
    assert sock.sent == b"closed by the thread"


def test_a_client_that_is_gone_is_closed_and_the_others_have_their_replies(place: Place) -> None:
    gone, cut, well = place.exchange(), place.exchange(), place.exchange()
    for x, outbox, _ in (gone, cut, well):
        outbox.put(x, b"reply", KEEP)
    gone[2].error = BrokenPipeError()
    cut[1].cut()
    place.post.shut()
    assert well[2].sent == b"reply"
    assert cut[2].sent == b""
    for _, outbox, _ in (gone, cut):
        assert outbox.exchange is None
        assert outbox.closing
    place.loop.turn()
    assert gone[1].owner.calls == cut[1].owner.calls == ["returned"]


def test_a_fault_of_ours_in_one_does_not_keep_the_others(place: Place) -> None:
    bad, well = place.exchange(), place.exchange()
    for x, outbox, _ in (bad, well):
        outbox.put(x, b"reply", KEEP)
    bad[2].error = ZeroDivisionError("a fault")  # type: ignore[assignment]  # no OSError: what nobody expects
    place.post.shut()
    assert well[2].sent == b"reply"
    assert bad[1].exchange is None
    assert place.said == ["a reply could not be sent: ZeroDivisionError('a fault')"]


# ---- The pool opens and shuts it ----------------------------------------------------------------------


class Idle:
    """A pool whose threads are not started: the test is its thread."""

    def __init__(self) -> None:
        self.loop = FakeLoop()
        self.doorway = Doorway(self.loop())
        self.pool = Pool(self.loop(), self.doorway, threads=2, queue=100)

    def queue(self, count: int) -> None:
        box: Any = None
        for _ in range(count):
            self.pool.submit(Exchange(Request({}), box, None, monotonic()))
        self.loop.turn()

    def shut(self) -> None:
        """The time is over."""
        (seconds, call), *self.loop.later = self.loop.later
        assert seconds == HOLD
        call()


def test_a_backlog_opens_it_for_a_moment() -> None:
    idle = Idle()
    idle.queue(BACKLOG - 1)
    assert not idle.doorway.post.open
    idle.queue(1)
    assert idle.doorway.post.open
    idle.queue(1)
    assert len(idle.loop.later) == 1
    idle.pool.slots[0].finished += QUICK
    idle.shut()
    assert not idle.doorway.post.open
    idle.queue(1)
    assert idle.doorway.post.open, "it was worth it"


def test_it_stays_shut_for_a_while_where_requests_are_slow() -> None:
    idle = Idle()
    idle.queue(BACKLOG)
    idle.pool.slots[1].finished += QUICK - 1
    idle.shut()
    idle.queue(1)
    assert not idle.doorway.post.open
    sleep(LATER)
    idle.queue(1)
    assert idle.doorway.post.open


def test_replies_in_the_post_are_in_flight_and_a_pool_that_stops_sends_them() -> None:
    idle = Idle()
    place = Place()
    idle.doorway.post.open = True
    sock = FakeSocket()
    outbox = Outbox(sock(), idle.doorway, Owner())
    outbox.registered = True
    x = Exchange(Request({}), outbox, None, monotonic())
    outbox.lend(x, False)
    before = idle.pool.in_flight
    outbox.put(x, b"reply", KEEP)
    assert idle.pool.in_flight == before + 1
    idle.pool.stop()
    assert sock.sent == b"reply"
    assert not idle.doorway.post.open
    assert not place.post.waiting


class Race:
    """Threads that answer, and a loop that opens and shuts the post meanwhile."""

    def __init__(self) -> None:
        self.place = Place()
        self.place.post.open = False
        self.over = threading.Event()
        self.pairs: list[tuple[socket.socket, socket.socket, bytes]] = []

    def answer(self, index: int) -> None:
        for number in range(300):
            ours, theirs = socket.socketpair()
            outbox = Outbox(ours, self.place.doorway, Owner())
            outbox.registered = True
            x = Exchange(Request({}), outbox, None, monotonic())
            outbox.lend(x, False)
            reply = b"%d-%d" % (index, number)
            outbox.put(x, reply, KEEP)
            with self.place.doorway.lock:
                self.pairs.append((ours, theirs, reply))
            if random.random() < 0.1:
                self.place.post.send()

    def swing(self) -> None:
        while not self.over.is_set():
            self.place.post.open = True
            sleep(random.random() / 2000)
            self.place.post.shut()

    def run(self) -> None:
        loop = threading.Thread(target=self.swing)
        threads = [threading.Thread(target=self.answer, args=(index,)) for index in range(3)]
        for thread in (loop, *threads):
            thread.start()
        for thread in threads:
            thread.join(30)
        self.over.set()
        loop.join(30)
        self.place.post.shut()


@pytest.mark.usefixtures("restless")
def test_threads_and_the_loop_at_once_send_every_reply_once() -> None:
    race = Race()
    race.run()
    assert len(race.pairs) == 900
    for ours, theirs, reply in race.pairs:
        theirs.setblocking(False)
        assert theirs.recv(100) == reply
        with pytest.raises(BlockingIOError):
            theirs.recv(1)
        theirs.close()
        ours.close()
