"""The thread that sends files: whole, in order, to many; who hears of the end and of failures."""

import os
import resource
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import BinaryIO

import pytest

from penstock.core.errors import Disconnected
from penstock.handoff.doorway import Doorway
from penstock.handoff.lease import CLOSE, KEEP, MORE, Drained
from penstock.handoff.outbox import Outbox
from penstock.handoff.sender import ROOMY, SEVERAL
from tests.fakes import FakeLoop
from tests.waiting import until

SIZE = 3 << 20
DATA = os.urandom(SIZE)


class Lessee:
    """What the lease is lent to."""

    begun = reclaimed = trailing = False
    waited = 0.0


class Owner:
    """A connection, as the outbox knows one."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def struck(self) -> None:
        self.calls.append("struck")

    def returned(self) -> None:
        self.calls.append("returned")

    def flush(self) -> None:
        self.calls.append("flush")


class House:
    """A doorway whose loop is turned by hand, and a file."""

    def __init__(self, file: BinaryIO) -> None:
        self.loop = FakeLoop()
        self.told: list[str] = []
        self.doorway = Doorway(self.loop(), failed=self.told.append)
        self.sender = self.doorway.sender
        self.file = file
        self.sockets: list[socket.socket] = []

    def client(self, news: bool = False) -> "Client":
        return Client(self, news)

    def end(self) -> None:
        for sock in self.sockets:
            sock.close()
        assert self.sender.stop(5)


class Client:
    """A connection with a request that is answered."""

    def __init__(self, house: House, news: bool) -> None:
        self.house = house
        self.ours, self.theirs = socket.socketpair()
        house.sockets += (self.ours, self.theirs)
        self.ours.setblocking(False)
        self.theirs.settimeout(5)
        self.owner = Owner()
        self.outbox = Outbox(self.ours, house.doorway, self.owner)
        self.outbox.registered = self.outbox.adopted = True
        self.x = Lessee()
        self.outbox.lend(self.x, news)

    def send(self, then: int = KEEP, start: int = 0, count: int = SIZE) -> None:
        self.outbox.put_file(self.x, self.house.file.fileno(), start, count, then)

    def read(self, count: int = SIZE) -> bytes:
        got = bytearray()
        while len(got) < count:
            data = self.theirs.recv(min(1 << 18, count - len(got)))
            assert data, f"ended after {len(got)} bytes"
            got += data
        return bytes(got)

    def heard(self) -> list[str]:
        self.house.loop.turn()
        return self.owner.calls


@pytest.fixture
def house() -> Iterator[House]:
    with tempfile.TemporaryFile(buffering=0) as file:
        file.write(DATA)
        house = House(file)
        yield house
        house.end()


def test_the_rest_of_a_file_is_sent_while_the_thread_and_the_loop_do_other_things(house: House) -> None:
    client = house.client()
    client.send()
    assert client.outbox.exchange is None, "the thread is free although nobody reads"
    assert client.outbox.sending and client.outbox.hear()
    assert client.read() == DATA
    until(lambda: not client.outbox.sending)
    assert not client.outbox.left and client.outbox.sent < SIZE, "the first of it went at once"


def test_the_file_may_be_closed_by_its_owner_meanwhile(house: House) -> None:
    client = house.client()
    with tempfile.TemporaryFile(buffering=0) as file:
        file.write(DATA[::-1])
        client.outbox.put_file(client.x, file.fileno(), 0, SIZE, KEEP)
    assert client.read() == DATA[::-1]


@pytest.mark.parametrize(
    ("then", "news", "heard"), [(KEEP, False, []), (KEEP, True, ["flush"]), (CLOSE, False, ["flush"])]
)
def test_the_end_rings_where_the_loop_must_hear_of_it(
    house: House, then: int, news: bool, heard: list[str]
) -> None:
    client = house.client(news)
    client.send(then)
    before = client.outbox.finished_at
    assert client.heard() == []
    assert client.read() == DATA
    until(lambda: not client.outbox.sending)
    assert client.heard() == heard
    assert client.outbox.finished_at > before, "idle from the end on, not from when the rest was left"
    assert client.outbox.drain() is Drained.ENDED


def test_who_asks_in_the_middle_hears_of_the_end(house: House) -> None:
    client = house.client()
    client.send()
    assert client.outbox.hear()
    client.read()
    until(client.heard)
    assert client.owner.calls == ["flush"]


def test_several_parts_of_one_reply_are_in_order_with_what_stands_between(house: House) -> None:
    client = house.client()
    outbox, x = client.outbox, client.x
    for number in range(3):
        outbox.put(x, b"head %d " % number)
        client.send(MORE, number, SIZE - number)
    outbox.put(x, b"tail", KEEP)
    expected = b"".join(b"head %d " % number + DATA[number:] for number in range(3)) + b"tail"
    got = bytearray()
    while len(got) < len(expected):
        if not outbox.sending and outbox.drain() is Drained.FILE:
            house.sender.offer(outbox)
        client.theirs.settimeout(0.01)
        with suppress(TimeoutError):
            got += client.theirs.recv(1 << 18)
    assert bytes(got) == expected


def test_many_are_served_while_some_do_not_read(house: House) -> None:
    still = [house.client() for _ in range(SEVERAL)]
    moving = [house.client() for _ in range(SEVERAL)]
    for client in still + moving:
        client.send()
    for client in moving:
        assert client.read() == DATA
    assert all(client.outbox.sending for client in still)
    for client in still:
        assert client.read() == DATA


def test_sockets_with_much_room_are_served_a_little_later_together(house: House) -> None:
    house.file.truncate(20 * ROOMY)
    with socket.create_server(("127.0.0.1", 0)) as server:
        clients = []
        for _ in range(SEVERAL):
            client = house.client()
            theirs = socket.create_connection(server.getsockname(), timeout=5)
            ours = server.accept()[0]
            ours.setblocking(False)
            client.ours, client.theirs, client.outbox = (
                ours,
                theirs,
                Outbox(ours, house.doorway, client.owner),
            )
            client.outbox.registered = True
            client.outbox.lend(client.x, news=False)
            house.sockets += (ours, theirs)
            clients.append(client)
        for client in clients:
            client.send(KEEP, 0, 20 * ROOMY)
        threads = [threading.Thread(target=client.read, args=(20 * ROOMY,)) for client in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        until(lambda: not any(client.outbox.sending for client in clients))
        assert not any(client.outbox.broken for client in clients)


def test_a_client_that_leaves_in_the_middle_is_told_to_the_loop(house: House) -> None:
    client = house.client()
    client.send()
    client.theirs.recv(1000)
    client.theirs.close()
    until(client.heard)
    assert client.owner.calls == ["flush"]
    assert client.outbox.drain() is Drained.BROKEN
    assert not client.outbox.sending and house.told == []
    client.outbox.clear()


def test_a_file_that_is_truncated_in_the_middle_breaks_the_reply_and_is_said(house: House) -> None:
    client = house.client()
    client.send()
    house.file.truncate(SIZE // 2)
    client.theirs.settimeout(0.01)
    got = 0
    until = time.monotonic() + 5
    while not client.heard() and time.monotonic() < until:
        with suppress(TimeoutError):
            got += len(client.theirs.recv(1 << 18))
    assert got <= SIZE // 2
    assert client.outbox.drain() is Drained.BROKEN
    assert "announced length" in house.told[0]
    client.outbox.clear()


def test_a_connection_that_is_cut_is_given_back(house: House) -> None:
    client = house.client()
    client.send()
    client.outbox.cut()
    until(lambda: not client.outbox.sending)
    assert client.heard() == ["flush"]
    client.outbox.clear()


def test_the_next_reply_may_follow_before_the_sender_has_let_go(house: House) -> None:
    client = house.client()
    for _ in range(20):
        client.send()
        assert client.read() == DATA
        client.outbox.lend(client.x, news=False)
    until(lambda: not client.outbox.left)  # what is put behind a file is the loop's, and there is none here
    client.outbox.put(client.x, b"end", KEEP)
    assert client.read(3) == b"end"
    until(lambda: not client.outbox.sending)
    assert not client.outbox.left and not client.outbox.broken


def test_a_thread_that_lost_the_lease_leaves_no_file(house: House) -> None:
    client = house.client()
    other = Lessee()
    client.outbox.lend(other, news=False)
    with pytest.raises(Disconnected):
        client.send()
    assert not client.outbox.left and not client.outbox.sending


def test_nobody_is_given_to_a_sender_that_cannot_be_started(house: House) -> None:
    client = house.client()
    lowest = os.open(os.devnull, os.O_RDONLY)
    os.close(lowest)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, before[1]))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            house.sender.start()
        with pytest.raises(OSError, match="Too many open files"):
            client.send()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert not client.outbox.left and client.outbox.exchange is client.x
    house.sender.start()


def test_a_socket_that_was_closed_by_somebody_else_breaks_the_reply(house: House) -> None:
    client = house.client()
    client.outbox.registered = False
    client.send()
    assert client.heard() == ["flush"], "the loop hands it over"
    client.ours.close()
    house.sender.offer(client.outbox)
    assert client.heard() == ["flush"] * 2
    assert client.outbox.broken and not client.outbox.sending
    client.outbox.clear()


def test_it_leaves_when_all_is_sent_and_not_before(house: House) -> None:
    client = house.client()
    client.send()
    assert not house.sender.stop(0.05)
    assert client.read() == DATA
    assert house.sender.stop(5)
    assert house.sender.stop(5), "again"
    late = house.client()
    late.send()
    assert late.outbox.left, "nobody is left to send it"
    late.outbox.clear()


def test_without_a_file_there_is_no_thread(house: House) -> None:
    client = house.client()
    client.outbox.put(client.x, b"small", KEEP)
    assert house.sender.thread is None and house.sender.stop(0)
