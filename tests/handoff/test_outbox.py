"""The write lease: who may send, who closes, who hears of the end, and what happens to what is left."""

import os
import socket
import tempfile
import threading
from collections.abc import Callable
from typing import Any

import pytest

from penstock.core.errors import Disconnected
from penstock.handoff.doorway import Doorway, Marks
from penstock.handoff.lease import CLOSE, KEEP, MORE, Drained
from penstock.handoff.outbox import Outbox
from penstock.handoff.sockets import send_slice
from penstock.handoff.spool import FilePart
from tests.fakes import FakeLoop, FakeSocket


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


class Lessee:
    """What the lease is lent to."""

    begun = reclaimed = trailing = False
    waited = 0.0


class Case:
    """An outbox over fakes."""

    def __init__(self, room: int = 1 << 30, marks: Marks | None = None, registered: bool = True) -> None:
        self.loop = FakeLoop()
        self.doorway = Doorway(self.loop(), marks)
        self.sock = FakeSocket(room)
        self.owner = Owner()
        self.outbox = Outbox(self.sock(), self.doorway, self.owner)
        self.outbox.registered, self.outbox.adopted = registered, True
        self.x = Lessee()

    def lend(self, news: bool = False) -> Lessee:
        self.outbox.lend(self.x, news)
        return self.x


@pytest.mark.parametrize("registered", [False, True])
@pytest.mark.parametrize("way", ["kept", "closed", "abandoned", "reset"])
def test_who_gives_the_lease_back_sets_nothing_after_it(way: str, registered: bool) -> None:
    """What ``hear`` reads without the lock rests on this."""
    names: list[str] = []

    class Watched(Outbox):
        def __setattr__(self, name: str, value: object) -> None:
            super().__setattr__(name, value)
            names.append(name)

    case = Case(registered=registered)
    box = Watched(case.sock(), case.doorway, case.owner)
    box.registered, box.adopted = registered, True
    box.lend(case.x, False)
    names.clear()
    if way in ("kept", "closed"):
        box.put(case.x, b"whole", KEEP if way == "kept" else CLOSE)
    else:
        box.abandon(case.x, reset=way == "reset")
    assert box.exchange is None
    assert len(names) > 1
    assert names[-1] == "exchange"


def test_a_reply_that_fits_is_one_send_and_rings_nobody() -> None:
    case = Case()
    x = case.lend()
    case.outbox.put(x, b"whole", KEEP)
    assert case.sock.calls == ["send"]
    assert case.outbox.exchange is None
    assert case.outbox.finished_at > 0
    assert case.loop.wakes == 0


def test_the_end_rings_when_the_loop_asked_to_hear_of_it() -> None:
    case = Case()
    x = case.lend()
    assert case.outbox.hear()
    case.outbox.put(x, b"whole", KEEP)
    case.loop.turn()
    assert case.owner.calls == ["returned"]


def test_hearing_is_refused_once_the_lease_is_back() -> None:
    case = Case()
    case.outbox.put(case.lend(), b"whole", KEEP)
    assert not case.outbox.hear()


def test_a_connection_that_the_loop_never_knew_is_closed_by_the_thread() -> None:
    case = Case(registered=False)
    case.outbox.put(case.lend(), b"whole", CLOSE)
    assert case.sock.calls == ["send", f"shutdown {socket.SHUT_WR}", "close"]
    assert list(case.doorway.gone) == [case.owner]
    assert case.loop.wakes == 0


def test_a_registered_one_is_closed_by_the_loop_only() -> None:
    case = Case(registered=True)
    case.outbox.put(case.lend(), b"whole", CLOSE)
    assert "close" not in case.sock.calls
    case.loop.turn()
    assert case.owner.calls == ["returned"]
    assert case.outbox.closing


def test_a_thread_without_the_lease_cannot_send_one_byte() -> None:
    case = Case()
    x = case.lend()
    assert case.outbox.reclaim(x)
    with pytest.raises(Disconnected):
        case.outbox.put(x, b"late", KEEP)
    case.outbox.lend(Lessee(), news=False)
    with pytest.raises(Disconnected):
        case.outbox.put(x, b"late", KEEP)
    assert case.sock.sent == b""


def test_a_reply_that_was_begun_cannot_be_taken_back() -> None:
    case = Case()
    x = case.lend()
    case.outbox.put(x, b"head", MORE)
    assert not case.outbox.reclaim(x)
    assert case.outbox.exchange is x


def test_what_the_socket_refuses_is_left_in_order_and_drained() -> None:
    case = Case(room=3)
    x = case.lend()
    case.outbox.put(x, b"abcdef")
    case.outbox.put(x, b"ghi")
    case.outbox.put(x, b"jkl", KEEP)
    assert case.loop.wakes == 1, "only the first piece rings"
    assert case.outbox.remainder.in_memory == 9
    assert case.outbox.drain() is Drained.BLOCKED
    case.sock.room = 5
    assert case.outbox.drain() is Drained.BLOCKED
    case.sock.room = 100
    assert case.outbox.drain() is Drained.ENDED
    assert case.sock.sent == b"abcdefghijkl"
    assert case.outbox.remainder.in_memory == 0
    assert case.outbox.exchange is None


def test_while_something_is_left_the_thread_only_appends() -> None:
    case = Case(room=0)
    x = case.lend()
    case.outbox.put(x, b"one")
    case.sock.room = 100
    case.outbox.put(x, b"two")
    assert case.sock.sent == b"", "the socket has room, but the loop has the turn"
    assert case.outbox.drain() is Drained.EMPTY
    case.outbox.put(x, b"three", KEEP)
    assert case.sock.sent == b"onetwothree"


def test_a_peer_that_is_gone_raises_and_stays_gone() -> None:
    case = Case()
    x = case.lend()
    case.sock.error = BrokenPipeError(32, "gone")
    with pytest.raises(Disconnected):
        case.outbox.put(x, b"data")
    case.sock.error = None
    with pytest.raises(Disconnected):
        case.outbox.put(x, b"data")
    assert case.outbox.drain() is Drained.BROKEN
    assert case.outbox.disconnected()


def test_abandoning_sends_what_was_left_and_closes() -> None:
    case = Case(room=2)
    x = case.lend()
    case.outbox.put(x, b"abcd")
    case.outbox.abandon(x)
    case.sock.room = 10
    assert case.outbox.drain() is Drained.ENDED
    assert case.sock.sent == b"abcd"
    assert case.outbox.closing
    with pytest.raises(Disconnected):
        case.outbox.put(x, b"more")


def test_abandoning_by_reset_asks_the_kernel_for_one() -> None:
    case = Case(registered=False)
    x = case.lend()
    case.outbox.put(x, b"abcd")
    case.outbox.abandon(x, reset=True)
    assert case.sock.options[0][:2] == (socket.SOL_SOCKET, socket.SO_LINGER)
    assert case.sock.calls[-1] == "close"


def test_abandoning_twice_or_late_does_nothing() -> None:
    case = Case()
    x = case.lend()
    case.outbox.put(x, b"whole", KEEP)
    case.outbox.abandon(x)
    assert not case.outbox.closing


def test_past_the_memory_mark_a_reply_goes_to_a_file_and_frees_its_thread() -> None:
    case = Case(room=0, marks=Marks(reply_buffer=10, reply_spool=1 << 20))
    x = case.lend()
    data = os.urandom(300_000)
    case.outbox.put(x, data[:8])
    case.outbox.put(x, data[8:], KEEP)
    assert case.outbox.exchange is None
    assert case.outbox.remainder.in_memory <= 10
    assert case.outbox.remainder.in_spool == len(data) - 8
    part = case.outbox.left[-1]
    assert isinstance(part, FilePart)
    assert os.pread(part.fd, part.end - part.offset, part.offset) == data[8:]
    case.outbox.clear()


def test_what_goes_to_the_file_in_pieces_is_one_part() -> None:
    case = Case(room=0, marks=Marks(reply_buffer=0, reply_spool=1 << 20))
    x = case.lend()
    for _ in range(50):
        case.outbox.put(x, b"0123456789")
    assert len(case.outbox.left) == 1
    assert case.outbox.remainder.in_spool == 500
    case.outbox.clear()


def run_waiting(case: Case, put: Callable[[], None]) -> tuple[threading.Thread, list[BaseException]]:
    errors: list[BaseException] = []

    def work() -> None:
        try:
            put()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    while case.outbox.waiter is None and thread.is_alive():
        pass
    return thread, errors


def test_above_both_marks_the_thread_waits_until_the_low_one() -> None:
    case = Case(room=0, marks=Marks(reply_buffer=10, reply_spool=0))
    x = case.lend()
    case.outbox.put(x, b"0123456789")
    thread, errors = run_waiting(case, lambda: case.outbox.put(x, b"abcdef", KEEP))
    assert thread.is_alive()
    case.sock.room = 4
    assert case.outbox.drain() is Drained.BLOCKED
    assert thread.is_alive(), "6 bytes are left, the low mark is 5"
    case.sock.room = 2
    case.outbox.drain()
    thread.join(5)
    assert not thread.is_alive()
    case.sock.room = 100
    assert case.outbox.drain() is Drained.ENDED
    assert case.sock.sent == b"0123456789abcdef"
    assert errors == []


def test_a_waiting_thread_is_let_go_when_the_client_is_cut() -> None:
    case = Case(room=0, marks=Marks(reply_buffer=10, reply_spool=0))
    x = case.lend()
    case.outbox.put(x, b"0123456789")
    thread, errors = run_waiting(case, lambda: case.outbox.put(x, b"abcdef", KEEP))
    case.outbox.cut()
    thread.join(5)
    assert [type(error) for error in errors] == [Disconnected]
    assert f"shutdown {socket.SHUT_RDWR}" in case.sock.calls


def test_a_file_that_fits_goes_out_by_sendfile_and_ends_the_reply() -> None:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    case = Case()
    outbox = Outbox(ours, case.doorway, case.owner)
    outbox.registered = True
    outbox.lend(case.x, news=False)
    with tempfile.TemporaryFile() as file:
        file.write(b"0123456789")
        file.flush()
        outbox.put_file(case.x, file.fileno(), 2, 5, KEEP)
    assert theirs.recv(100) == b"23456"
    assert outbox.exchange is None
    ours.close()
    theirs.close()


def test_a_file_that_shrinks_is_an_error_and_not_an_end() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, tempfile.TemporaryFile() as file:
        file.write(b"short")
        file.flush()
        assert send_slice(ours, file.fileno(), 0, 100) == 5
        with pytest.raises(OSError, match="announced length"):
            send_slice(ours, file.fileno(), 5, 100)


@pytest.mark.parametrize(
    ("incoming", "gone"),
    [([], False), ([b"x"], False), ([b""], True), ([ConnectionResetError(104, "reset")], True)],
)
def test_disconnected_looks_and_takes_nothing(incoming: list[Any], gone: bool) -> None:
    case = Case()
    case.sock.incoming = list(incoming)
    assert case.outbox.disconnected() is gone
    assert case.outbox() is gone
    assert case.sock.incoming == incoming
