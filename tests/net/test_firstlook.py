"""The first look: a thread's own is what is whole in the first read; all else the loop begins anew."""

import errno
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Any

import pytest

from penstock.codecs.http1 import Http1Decoder
from penstock.codecs.uwsgi import UwsgiDecoder, encode_request
from penstock.core.errors import Disconnected
from penstock.handoff.doorway import Marks
from penstock.handoff.exchange import Exchange
from penstock.handoff.lease import CLOSE, KEEP
from penstock.handoff.pool import Slot
from penstock.net.acceptor import Acceptor
from penstock.net.connection import Connection
from penstock.net.door import Intake, Patience
from penstock.net.firstlook import first_request
from penstock.net.listener import Listener
from penstock.net.listening import bind_tcp
from penstock.net.trust import Forwarding, Peers
from tests.fakes import FakeSocket
from tests.net.boxes import OK, Case, request

PACKET = encode_request({"REQUEST_METHOD": "GET", "PATH_INFO": "/a", "SERVER_PROTOCOL": "HTTP/1.1"})


class Look(Case):
    """A case whose connection a thread at the door has just accepted; ``x`` is what it has of it."""

    def __init__(self, *first: bytes | OSError, protocol: str = "uwsgi", **more: Any) -> None:
        super().__init__(protocol=protocol, **more)
        self.connection.close()
        self.turns()
        self.reports.clear()
        self.sock = FakeSocket()
        self.sock.incoming += first
        self.connection = Connection(self.door, self.connection.listener, self.sock(), ("127.0.0.1", 4000))
        self.rings = self.loop.wakes
        self.x = first_request(self.connection)

    def put(self, data: bytes = OK, then: int = CLOSE) -> None:
        """The thread answers what it has."""
        assert self.x is not None
        self.x.outbox.put(self.x, data, then)


def test_a_whole_packet_is_answered_and_closed_without_the_loop() -> None:
    look = Look(PACKET)
    assert look.x is not None
    assert look.x.request.vars["PATH_INFO"] == "/a"
    assert not look.x.http
    assert look.x.body is None
    look.put()
    assert look.heard == OK
    assert look.sock.calls[-2:] == [f"shutdown {socket.SHUT_WR}", "close"]
    assert look.loop.wakes == look.rings, "no bell"
    assert not look.door.connections
    assert not look.door.doorway.gone
    assert look.connection.closed
    assert look.x.outbox.owner is None


@pytest.mark.parametrize("at", [1, 3, 4, 10, len(PACKET) - 1])
def test_a_part_of_a_packet_begins_anew_on_the_loop(at: int) -> None:
    look = Look(PACKET[:at])
    assert look.x is None
    look.turns()
    assert look.door.connections == {look.connection}
    assert look.connection.bucket, "its head's clock runs"
    look.says(PACKET[at:])
    assert look.taken().request.vars["PATH_INFO"] == "/a"


def test_a_part_that_is_never_completed_is_closed() -> None:
    look = Look(PACKET[:9], patience=Patience(head=5.0))
    look.turns()
    look.later(20)
    look.later(40)
    assert look.closed


@pytest.mark.parametrize("cut", [0, 1, 5])
def test_a_body_is_the_threads_when_all_of_it_is_here(cut: int) -> None:
    packet = encode_request({"REQUEST_METHOD": "POST", "CONTENT_LENGTH": "5"}) + b"hello"
    look = Look(packet[: len(packet) - cut])
    if cut:
        assert look.x is None
        look.turns()
        look.says(packet[len(packet) - cut :])
        assert look.taken().body == b"hello"
    else:
        assert look.x is not None
        assert look.x.body == b"hello"


def test_a_chunk_framed_body_is_the_loops_although_it_is_here() -> None:
    head = encode_request({"REQUEST_METHOD": "POST", "HTTP_TRANSFER_ENCODING": "chunked"})
    look = Look(head + b"5\r\nhello\r\n0\r\n\r\n")
    assert look.x is None
    look.turns()
    x = look.taken()
    assert x.body == b"hello"
    assert x.request.vars["CONTENT_LENGTH"] == "5"


def test_a_kept_connection_comes_to_the_loop_with_the_end_of_its_reply() -> None:
    look = Look(request("/1"), protocol="http")
    assert look.x is not None
    look.put(then=KEEP)
    assert not look.door.connections
    look.turns()
    assert look.door.connections == {look.connection}
    assert look.connection.reading
    assert look.connection.bucket, "its idle time runs"
    look.says(request("/2"))
    assert look.taken().request.vars["PATH_INFO"] == "/2"


def test_what_came_with_the_first_request_is_answered_after_it() -> None:
    look = Look(request("/1") + request("/2") + request("/3")[:9], protocol="http")
    assert look.x is not None
    assert look.x.request.vars["PATH_INFO"] == "/1"
    look.turns()
    assert not look.pool.work
    look.put(b"first", KEEP)
    look.turns()
    look.answer(b"second")
    assert look.heard == b"firstsecond"
    look.says(request("/3")[9:])
    assert look.taken().request.vars["PATH_INFO"] == "/3"


def test_what_is_no_request_is_refused_by_the_loop() -> None:
    look = Look(b"GET / HTTP/9.9\r\n\r\n", protocol="http")
    assert look.x is None
    look.turns()
    assert look.heard.startswith(b"HTTP/1.1 505 ")
    assert look.reports
    other = Look(b"GET / HTTP/1.1\r\n\r\n")
    other.turns()
    assert other.closed
    assert "looks like HTTP" in other.reports[0]


def test_who_is_not_allowed_is_not_even_read() -> None:
    look = Look(PACKET, allow=Peers(["192.0.2.0/24"]))
    assert look.x is None
    assert "recv" not in look.sock.calls
    look.turns()
    assert look.closed
    assert "uwsgi-allow" in look.reports[0]


@pytest.mark.parametrize("first", [b"", ConnectionResetError(errno.ECONNRESET, "reset")])
def test_an_end_at_once_is_found_by_the_loop(first: bytes | OSError) -> None:
    look = Look(first, b"") if isinstance(first, bytes) else Look(first)
    look.turns()
    assert look.closed
    assert not look.door.connections


def test_nothing_yet_is_the_loops() -> None:
    look = Look()
    assert look.x is None
    look.turns()
    look.says(PACKET)
    assert look.taken().request.vars["PATH_INFO"] == "/a"


def test_while_the_worker_leaves_a_request_under_way_still_has_its_time() -> None:
    look = Look(patience=Patience(head=1.0, linger=2.0))
    look.door.leave()
    look.turns()
    look.later(1.0)
    assert not look.closed
    look.says(PACKET)
    assert look.taken().request.vars["PATH_INFO"] == "/a"


def test_a_kept_connection_of_the_door_is_closed_when_the_worker_leaves() -> None:
    look = Look(request("/1"), protocol="http", patience=Patience(linger=1.0))
    look.door.leave()
    look.put(then=KEEP)
    look.turns()
    assert not look.closed
    look.later(3)
    assert look.closed


def test_the_rest_of_a_reply_goes_on_by_the_loop() -> None:
    look = Look(PACKET)
    look.sock.room = 3
    look.put(b"0123456789")
    assert not look.door.connections, "the loop has not heard of it yet"
    look.turns()
    assert look.door.connections == {look.connection}
    look.sock.room = 100
    look.loop.writers[look.sock]()
    assert look.heard == b"0123456789"
    assert look.shut


def test_a_reader_that_stalls_is_cut() -> None:
    look = Look(PACKET, patience=Patience(write=2.0))
    look.sock.room = 0
    look.put(b"0123456789")
    look.turns()
    look.later(1.5)
    look.later(5)
    assert look.closed
    assert "does not read" in look.reports[0]


def test_everything_is_cut_and_so_is_what_a_thread_took_at_the_door() -> None:
    look = Look(PACKET)
    assert look.x is not None
    look.pool.slots.append(Slot(0))
    look.pool.slots[0].exchange = look.x
    look.door.cut_all()
    assert f"shutdown {socket.SHUT_RDWR}" in look.sock.calls
    with pytest.raises(Disconnected):
        look.put()


# ---- The accept before it ---------------------------------------------------------------------------


@contextmanager
def front(room: int = 1000, protocol: str = "uwsgi") -> Iterator[tuple[Case, Acceptor, tuple[str, int]]]:
    """An acceptor over a real listening socket."""
    case = Case(intake=Intake(max_connections=room), protocol=protocol)
    case.connection.close()
    case.turns()
    (sock,) = bind_tcp("127.0.0.1", 0, 50)
    decoder: Any = UwsgiDecoder if protocol == "uwsgi" else Http1Decoder
    acceptor = Acceptor(case.door, Listener(sock, protocol, decoder({}), {}, Forwarding(Peers(()))))
    try:
        yield case, acceptor, sock.getsockname()
    finally:
        case.turns()
        case.door.cut_all()
        case.turns()  # what was handed to the loop and is cut is closed there
        acceptor.drop_spare()
        sock.close()


def test_nobody_there_is_no_reason_to_leave() -> None:
    with front() as (_, acceptor, _):
        assert acceptor.take_request() is True


def test_the_first_word_is_waited_for_a_moment_only() -> None:
    with front() as (case, acceptor, address):
        with socket.create_connection(address, 5) as client:
            late = threading.Timer(0.0003, client.sendall, (PACKET,))
            late.start()
            x = acceptor.take_request()
            late.join()
            if not isinstance(x, Exchange):  # the machine was too slow, and the loop has it
                case.turns()
                x = case.taken()
            x.outbox.put(x, OK, CLOSE)
            case.turns()
            assert client.recv(1000) == OK
        clients = [socket.create_connection(address, 5) for _ in range(30)]
        begun = monotonic()
        for _ in clients:
            assert acceptor.take_request() is True
        assert monotonic() - begun < 0.02, "who says nothing does not make all others wait"
        case.turns()
        assert len(case.door.connections) >= 30
        for client in clients:
            client.close()


def test_what_is_handed_to_the_loop_counts_before_it_is_in_the_table() -> None:
    with front(room=5) as (case, acceptor, address):
        clients = [socket.create_connection(address, 5) for _ in range(12)]
        sleep(0.05)
        taken = 0
        while acceptor.take_request() is not False:
            taken += 1
            assert taken < 12
        assert taken <= 5
        case.turns()
        assert len(case.door.connections) == taken
        for client in clients:
            client.close()


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM])
def test_a_process_out_of_descriptors_leaves_the_door_to_the_loop(number: int) -> None:
    with front() as (_, acceptor, _):

        def none() -> tuple[int, Any]:
            raise OSError(number, "none left")

        acceptor.take = none
        assert acceptor.take_request() is False
        acceptor.take = lambda: (_ for _ in ()).throw(ConnectionAbortedError())
        assert acceptor.take_request() is True


def test_room_or_the_end_of_a_pause_does_not_take_the_door_from_a_thread() -> None:
    with front() as (case, acceptor, address):
        acceptor.attend(True)
        assert acceptor.listening
        acceptor.attend(False)
        with socket.create_connection(address, 5):
            acceptor.take_request()
            case.turns()
            (connection,) = case.door.connections
            connection.cut()
        acceptor.listen()
        assert not acceptor.listening
        acceptor.attend(True)
        assert acceptor.listening
        acceptor.pause()


def test_a_fault_closes_what_was_accepted() -> None:
    with front() as (_, acceptor, address), socket.create_connection(address, 5) as client:

        class Fault(UwsgiDecoder):
            def anew(self, base: dict[str, Any]) -> UwsgiDecoder:
                raise ValueError("a fault of ours")

        acceptor.listener.decoder = Fault({})
        with pytest.raises(ValueError, match="a fault"):
            acceptor.take_request()
        assert client.recv(1) == b""


def test_a_client_that_does_not_read_holds_neither_thread_nor_loop() -> None:
    with front() as (case, acceptor, address), socket.create_connection(address, 5) as client:
        case.door.doorway.marks = Marks(reply_buffer=64 << 20)
        client.sendall(PACKET)
        x: object = None
        while not isinstance(x, Exchange):
            x = acceptor.take_request()
        outbox, size = x.outbox, 32 << 20
        outbox.put(x, bytes(size), CLOSE)  # to the kernel and to memory; a wait would be for ever
        assert outbox.left and outbox.owner.sock.gettimeout() is None, "it was made so for nobody yet"
        case.turns()
        assert outbox.owner.sock.gettimeout() == 0.0
        got = 0
        while piece := client.recv(1 << 20):
            got += len(piece)
            if outbox.left:
                outbox.owner.flush()  # as when the loop tells of room
        assert got == size
