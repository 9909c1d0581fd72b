"""What happens between two events that usually come as one: the order of each case is set by hand.

The window that most cases open lies between the end of a reply, on its thread, and the bell that tells
the loop of it. In real life it is microseconds wide; here it is as wide as a test needs it.
"""

import io
import threading
from time import monotonic

import pytest

from penstock.core.errors import BodyError, Disconnected
from penstock.handoff.exchange import Exchange
from penstock.handoff.inbox import Inbox
from penstock.handoff.lease import CLOSE, KEEP
from penstock.handoff.pool import Slot
from penstock.net.door import Intake, Patience
from penstock.net.life import Life
from tests.net.boxes import OK, Case, request
from tests.net.test_body import Disk

SMUGGLED = request("/smuggled")
CHUNKED = ("Transfer-Encoding: chunked",)
UPLOAD = request("/upload", *CHUNKED, body=b"14\r\n" + b"x" * 20 + b"\r\n0\r\n\r\n")


def happens(case: Case, *pieces: bytes | OSError) -> None:
    """The socket's event alone: whatever else waits for the loop has not had its turn yet."""
    case.sock.incoming += pieces
    case.loop.readers[case.sock]()


def ends(case: Case, data: bytes = OK, then: int = KEEP) -> None:
    """A thread answers, and its bell has not been heard yet."""
    x = case.taken()
    x.outbox.put(x, data, then)


def paths(case: Case) -> list[str]:
    """What was given to the pool, in its order; each is answered, so that the next can follow."""
    found = []
    while case.pool.work:
        x = case.taken()
        found.append(x.request.vars["PATH_INFO"])
        x.outbox.put(x, OK, KEEP)
        case.turns()
    return found


def ahead(*pieces: bytes) -> Case:
    """A request is with its thread, and ``pieces`` were read ahead of its end."""
    case = Case(request("/1"), patience=Patience(keepalive=75, linger=2))
    case.says(*pieces)
    return case


# ---- Between the end of a reply and its bell --------------------------------------------------------


def test_bytes_in_the_window_come_after_what_was_read_ahead() -> None:
    case = ahead(request("/2"))
    ends(case)
    happens(case, request("/3"))
    case.turns()
    assert paths(case) == ["/2", "/3"]


def test_a_body_in_the_window_is_not_taken_for_a_request() -> None:
    case = ahead(request("/2", f"Content-Length: {len(SMUGGLED)}", body=b" ")[:-1])
    ends(case)
    happens(case, SMUGGLED)
    case.turns()
    x = case.taken()
    assert (x.request.vars["PATH_INFO"], x.body) == ("/2", SMUGGLED)
    assert not case.pool.work and case.heard == OK


def test_the_rest_of_a_head_in_the_window_joins_its_beginning() -> None:
    case = Case(request("/1") + request("/2")[:20])
    ends(case)
    happens(case, request("/2")[20:])
    case.turns()
    assert paths(case) == ["/2"] and case.heard == OK * 2


def test_a_request_in_the_window_after_a_last_reply_is_not_served() -> None:
    case = Case(request("/1"))
    ends(case, then=CLOSE)
    happens(case, request("/2"))
    case.turns()
    assert not case.pool.work and case.heard == OK and case.shut


def test_the_end_of_the_stream_in_the_window_waits_for_what_was_read_ahead() -> None:
    case = ahead(request("/2"))
    ends(case)
    happens(case, b"")
    assert not case.closed
    case.turns()
    assert paths(case) == ["/2"]
    assert case.heard == OK * 2 and case.closed and not case.door.connections


def test_the_tick_in_the_window_finds_nobody_idle() -> None:
    case = ahead(request("/2"))
    ends(case)
    case.door.buckets.tick(monotonic() + 76)
    assert not case.closed
    case.turns()
    assert paths(case) == ["/2"]


def test_leaving_in_the_window_still_answers_what_was_read_ahead() -> None:
    case = ahead(request("/2"))
    ends(case)
    case.door.leave()
    case.turns()
    ends(case, then=CLOSE)
    case.turns()
    assert case.heard == OK * 2 and case.shut


def test_leaving_in_the_window_with_nothing_ahead_lets_go_in_time() -> None:
    case = ahead()
    ends(case)
    case.door.leave()
    case.turns()
    case.later(3)
    assert case.closed and not case.door.connections


def test_a_reset_in_the_window_is_an_end_once() -> None:
    case = ahead(request("/2"))
    ends(case)
    happens(case, ConnectionResetError(104, "reset"))
    case.turns()
    assert case.closed and not case.pool.work and case.sock.calls.count("close") == 1


def test_the_writers_event_may_come_before_the_bell() -> None:
    case = Case(request("/1"))
    faults: list[str] = []
    case.door.doorway.bell.failed = faults.append
    x = case.taken()
    case.sock.room = 0
    x.outbox.put(x, b"head")
    case.turns()
    x.outbox.put(x, b"body", CLOSE)
    case.sock.room = 100
    writer = case.loop.writers[case.sock]
    x.outbox.ring()
    writer()
    assert case.connection.life is Life.LINGERING
    case.turns()
    assert case.heard == b"headbody" and case.shut and not faults


# ---- Uploads that are being stored ------------------------------------------------------------------


def storing(*pieces: bytes, first: bytes = b"") -> tuple[Case, Disk]:
    """A chunked upload that goes to the disk, which does nothing before it is told."""
    case = Case(intake=Intake(gather=10))
    disk = Disk()
    case.door.files = disk()
    case.says(*([first] if first else []), *pieces)
    return case, disk


def size_of(x: Exchange) -> int:
    body = x.body
    assert isinstance(body, io.FileIO)
    with body:
        return len(body.read())


def test_a_stored_upload_whose_client_sends_no_more_is_answered() -> None:
    case, disk = storing(UPLOAD, b"")
    assert not case.pool.work and not case.closed
    disk.turn()
    x = case.taken()
    assert size_of(x) == 20
    x.outbox.put(x, OK, KEEP)
    case.turns()
    assert case.heard == OK and case.closed and not case.door.connections


@pytest.mark.parametrize("together", [True, False])
def test_a_request_behind_a_stored_upload_keeps_its_turn(together: bool) -> None:
    behind = request("/behind")
    case, disk = storing(UPLOAD + behind) if together else storing(UPLOAD, behind)
    assert not case.pool.work
    disk.turn()
    x = case.taken()
    assert (x.request.vars["PATH_INFO"], size_of(x)) == ("/upload", 20)
    assert not case.pool.work
    x.outbox.put(x, OK, KEEP)
    case.turns()
    assert paths(case) == ["/behind"]


def test_an_end_behind_a_request_behind_a_stored_upload_loses_neither() -> None:
    case, disk = storing(UPLOAD, request("/behind"), b"")
    disk.turn()
    size_of(case.pool.work[0] or case.taken())
    assert paths(case) == ["/upload", "/behind"] and case.closed


def test_a_stored_upload_that_was_read_ahead_survives_the_end_of_the_stream() -> None:
    case, disk = storing(UPLOAD, b"", first=request("/first"))
    ends(case)
    case.turns()
    assert not case.closed and len(disk.jobs) == 1
    disk.turn()
    x = case.taken()
    assert size_of(x) == 20
    x.outbox.put(x, OK, KEEP)
    case.turns()
    assert case.heard == OK * 2 and case.closed


def test_a_client_that_resets_while_its_upload_is_stored_is_forgotten() -> None:
    case, disk = storing(UPLOAD)
    happens(case, ConnectionResetError(104, "reset"))
    disk.turn()
    case.turns()
    assert case.closed and not case.pool.work and not case.door.connections


# ---- A reset frees whoever waits --------------------------------------------------------------------


def ended(target: threading.Thread) -> bool:
    target.join(5)
    return not target.is_alive()


def uploading() -> tuple[Case, threading.Thread, list[str]]:
    """A thread that waits for the rest of a body, and what became of its read."""
    case = Case(request("/", "Content-Length: 100000", body=b"begun"), intake=Intake(gather=4))
    body = case.taken().body
    assert isinstance(body, Inbox)
    said: list[str] = []

    def read() -> None:
        try:
            while body.take():
                pass
        except BodyError as error:
            said.append(str(error))

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    return case, thread, said


def test_a_reset_ends_the_wait_for_a_body() -> None:
    case, thread, said = uploading()
    happens(case, ConnectionResetError(104, "reset"))
    assert ended(thread) and len(said) == 1


def test_a_reset_behind_bytes_ends_the_wait_for_a_body_by_one_event() -> None:
    """uvloop calls the reader once for both, and then never again."""
    case, thread, said = uploading()
    happens(case, b"x" * 100, ConnectionResetError(104, "reset"))
    assert ended(thread) and len(said) == 1


def test_more_bytes_of_a_body_than_one_turn_takes_are_read_in_the_next() -> None:
    case, thread, said = uploading()
    happens(case, *[b"x" * 1000] * 30, ConnectionResetError(104, "reset"))
    assert len(case.sock.incoming) > 1 and not said, "the others have their turn"
    case.turns()
    assert ended(thread) and len(said) == 1


def test_a_reset_ends_the_wait_for_room() -> None:
    case = Case(request("/"))
    case.sock.room = 0
    x = case.taken()
    said: list[str] = []

    def write() -> None:
        try:
            for _ in range(10):
                x.outbox.put(x, b"x" * 900)
        except Disconnected as error:
            said.append(str(error))
            x.outbox.abandon(x)

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    until = monotonic() + 5
    while x.outbox.waiter is None and monotonic() < until:
        pass
    happens(case, ConnectionResetError(104, "reset"))
    assert ended(thread) and len(said) == 1
    case.turns()
    assert case.closed and not case.door.connections


# ---- A queued request whose client is known to be gone ----------------------------------------------


def test_what_waits_in_the_queue_is_not_run_after_a_reset() -> None:
    case = Case(request("/1"))
    happens(case, ConnectionResetError(104, "reset"))
    served: list[Exchange] = []
    case.pool.slots.append(Slot(0))
    case.pool.start(lambda x, index: served.append(x))
    case.pool.stop()
    assert case.pool.join(5) == []
    case.turns()
    assert (served, case.pool.dropped, case.pool.in_flight) == ([], 1, 0)
    assert case.closed and not case.door.connections
