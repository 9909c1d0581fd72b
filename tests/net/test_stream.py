"""What of a reply the client has taken, and not only the kernel."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from penstock.net.pace import Pace
from penstock.net.stream import unsent
from tests.net.boxes import OK, Case, request


@contextmanager
def pair(family: str) -> Iterator[tuple[socket.socket, socket.socket]]:
    """Ours, which does not block, and the client's."""
    if family == "unix":
        ours, theirs = socket.socketpair()
    else:
        with socket.create_server(("127.0.0.1", 0)) as server:
            theirs = socket.socket()
            theirs.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            theirs.connect(server.getsockname())
            ours = server.accept()[0]
    ours.setblocking(False)
    with ours, theirs:
        yield ours, theirs


def full(sock: socket.socket) -> int:
    """Send until no more goes; the bytes that went."""
    sent = 0
    try:
        while True:
            sent += sock.send(bytes(65536))
    except BlockingIOError:
        return sent


@pytest.mark.parametrize("family", ["tcp", "unix"])
def test_a_reader_is_seen_to_move_before_there_is_room_for_more(family: str) -> None:
    with pair(family) as (ours, theirs):
        assert unsent(ours) == 0
        full(ours)
        time.sleep(0.1)
        full(ours)
        before, moved = unsent(ours), 0
        assert before > 0
        for _ in range(200):
            theirs.recv(4096)
            time.sleep(0.001)
            moved = before - unsent(ours)
            if moved > 0:
                break
        assert moved > 0


def test_who_does_not_read_does_not_move() -> None:
    with pair("tcp") as (ours, _):
        sent = full(ours)
        time.sleep(0.3)
        sent += full(ours)
        taken = sent - unsent(ours)
        assert taken < 64 << 10, "what its own buffer has"
        time.sleep(0.3)
        sent += full(ours)
        assert sent - unsent(ours) == taken


def test_a_socket_that_is_closed_has_nothing() -> None:
    with pair("unix") as (ours, _):
        ours.close()
        assert unsent(ours) == 0


def test_the_pace_of_one_reply_is_not_held_against_the_next() -> None:
    """The end of a reply that the sender's thread sent does not ring, and leaves its pace."""
    case = Case(request())
    case.connection.pace = Pace(time.monotonic() - 100)
    case.sock.room = 3
    case.answer(OK)
    assert case.connection.outbox.left
    case.later(5)
    assert not case.closed and not case.reports
    case.later(70)
    assert "does not read" in case.reports[-1] and case.closed


def test_a_connection_that_is_lost_is_closed_when_the_sender_has_let_go_of_it() -> None:
    case = Case(request())
    case.answer()
    outbox = case.connection.outbox
    outbox.sending = True
    case.connection.lost()
    assert not case.closed and f"shutdown {socket.SHUT_RDWR}" in case.sock.calls
    case.connection.flush()
    assert not case.closed, "its number must not become another client's meanwhile"
    outbox.sending = False
    outbox.ring(stuck=True)
    case.turns()
    assert case.closed and not case.door.connections
