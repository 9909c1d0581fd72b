"""A connection by itself: what follows when this comes next, and above all when nothing comes."""

import socket

import pytest

from penstock.core.errors import BodyError, Disconnected
from penstock.handoff.inbox import Inbox
from penstock.handoff.lease import CLOSE, KEEP
from penstock.net.door import Intake, Patience
from penstock.net.life import LIFE, Life
from penstock.net.trust import Peers
from tests.net.boxes import OK, Case, request

# ---- One request after the other --------------------------------------------------------------------


def test_a_request_goes_to_the_pool_and_its_reply_to_the_client() -> None:
    case = Case(request("/a?b"))
    x = case.taken()
    assert (x.request.vars["PATH_INFO"], x.request.vars["QUERY_STRING"]) == ("/a", "b")
    x.outbox.put(x, OK, KEEP)
    assert case.heard == OK
    assert case.loop.wakes == 0  # nothing waits for the end of this reply
    case.says(request("/next"))
    assert case.taken().request.vars["PATH_INFO"] == "/next"


def test_a_request_in_pieces() -> None:
    case = Case()
    for at in range(len(request())):
        case.says(request()[at : at + 1])
    case.answer()
    assert case.heard == OK


def test_a_connection_of_one_request_is_never_in_the_loops_poll() -> None:
    case = Case(request("/", "Connection: close"))
    assert not case.loop.readers
    case.answer(close=True)
    assert case.closed and case.loop.wakes == 0
    case.later(0)
    assert not case.door.connections


def test_pipelined_requests_are_answered_one_after_the_other() -> None:
    case = Case(b"".join(request(f"/{n}") for n in range(5)))
    for number in range(5):
        assert len(case.pool.work) == 1
        assert case.pool.work[0] is not None
        assert case.pool.work[0].request.vars["PATH_INFO"] == f"/{number}"
        case.answer(b"%d" % number)
    assert case.heard == b"01234" and not case.pool.work


def test_what_is_read_ahead_is_served_when_the_reply_ends_and_no_other_event_comes() -> None:
    case = Case(request("/1"))
    case.says(request("/2"))
    assert len(case.pool.work) == 1
    case.answer()
    assert case.loop.wakes == 1  # the thread was asked to ring
    assert case.taken().request.vars["PATH_INFO"] == "/2"


def test_reading_ahead_stops_at_its_mark_and_goes_on_after_the_reply() -> None:
    case = Case(request("/1"), intake=Intake(read_ahead=100))
    case.says(request("/2", "X-Fill: " + "x" * 200), request("/3"))
    assert not case.connection.reading and len(case.sock.incoming) == 1
    case.answer()
    assert case.connection.reading
    case.answer()
    case.says()
    case.answer()
    assert case.heard == OK * 3


def test_a_fault_in_what_was_read_ahead_does_not_overtake_the_reply() -> None:
    case = Case(request("/1"))
    case.says(b"BAD\r\n\r\n")
    case.answer()
    assert case.heard.startswith(OK + b"HTTP/1.1 400 ")


# ---- The end of the stream --------------------------------------------------------------------------


def test_eof_of_an_idle_client_closes() -> None:
    case = Case(request())
    case.answer()
    case.says(b"")
    assert case.closed and not case.door.connections and not case.loop.readers


def test_eof_while_a_thread_answers_disarms_the_reader_and_closes_after_the_reply() -> None:
    case = Case(request())
    case.says(b"")
    assert not case.loop.readers  # an armed reader at the end of a stream spins
    assert not case.closed
    case.answer()
    assert case.heard == OK and case.closed


def test_eof_before_a_request_is_complete_closes() -> None:
    case = Case(b"GET / HTTP/1.1\r\n")
    case.says(b"")
    assert case.closed and case.heard == b""


def test_eof_in_a_body_reaches_the_application_as_an_error() -> None:
    case = Case(request("/", "Content-Length: 100000", body=b"begun"), intake=Intake(gather=5))
    body = case.taken().body
    assert isinstance(body, Inbox)
    assert body.take() == b"begun"
    case.says(b"")
    with pytest.raises(BodyError):
        body.take()


def test_an_error_while_a_thread_answers_ends_when_it_does() -> None:
    case = Case(request())
    x = case.taken()
    case.says(ConnectionResetError(104, "reset"))
    assert not case.loop.readers and not case.closed
    with pytest.raises(Disconnected):
        x.outbox.put(x, OK, KEEP)
    x.outbox.abandon(x)
    case.turns()
    assert case.closed and not case.door.connections


def test_a_loop_that_refuses_a_broken_descriptor_is_an_end() -> None:
    case = Case(request("/", "Connection: close"))
    case.connection.outbox.registered = False

    def refused(sock: object, call: object) -> None:
        raise RuntimeError("the descriptor is bad")

    case.loop.add_reader = refused  # type: ignore[method-assign]  # uvloop says so after a reset
    case.answer(b"HTTP/1.1 200 OK\r\n\r\n", close=True)
    assert case.closed


# ---- Bodies -----------------------------------------------------------------------------------------


def test_a_small_body_is_gathered_before_a_thread_is_taken() -> None:
    case = Case(request("/", "Content-Length: 5", body=b"he"))
    assert not case.pool.work
    case.says(b"llo")
    assert case.taken().body == b"hello"


def test_a_chunked_body_is_gathered_and_has_a_length() -> None:
    case = Case(request("/", "Transfer-Encoding: chunked", body=b"5\r\nhello\r\n"))
    case.says(b"0\r\n\r\n")
    x = case.taken()
    assert x.body == b"hello" and x.request.vars["CONTENT_LENGTH"] == "5"
    assert "HTTP_TRANSFER_ENCODING" not in x.request.vars


def test_an_empty_chunked_body_has_a_length_too() -> None:
    case = Case(request("/", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"))
    x = case.taken()
    assert x.body == b"" and x.request.vars["CONTENT_LENGTH"] == "0"


def test_100_continue_goes_out_when_we_gather_and_not_when_the_application_reads() -> None:
    gathered = Case(request("/", "Expect: 100-continue", "Transfer-Encoding: chunked"))
    assert gathered.heard == b"HTTP/1.1 100 Continue\r\n\r\n"
    streamed = Case(request("/", "Expect: 100-continue", "Content-Length: 5"))
    assert streamed.heard == b"" and isinstance(streamed.taken().body, Inbox)


def test_an_early_answer_is_heard_of_and_the_rest_of_the_body_thrown_away() -> None:
    case = Case(request("/", "Content-Length: 100000", body=b"begun"), intake=Intake(gather=5))
    case.answer(b"HTTP/1.1 200 OK\r\n\r\n", close=True)
    assert case.connection.life is Life.LINGERING and not case.closed
    assert f"shutdown {socket.SHUT_WR}" in case.sock.calls
    case.says(b"x" * 5000)
    assert not case.closed and not case.pool.work
    case.later(29)
    assert not case.closed
    case.later(31)
    assert case.closed


def test_a_malformed_body_that_streams_is_the_applications_error() -> None:
    case = Case(
        request("/", "Transfer-Encoding: chunked", body=b"5\r\nhello\r\n"), intake=Intake(chunked_stream=True)
    )
    x = case.taken()
    assert isinstance(x.body, Inbox) and x.body.take() == b"hello"
    case.says(b"zz\r\n")
    with pytest.raises(BodyError):
        x.body.take()
    x.outbox.put(x, OK, KEEP)
    case.turns()
    assert case.heard == OK and case.shut


# ---- Refusals ---------------------------------------------------------------------------------------


def test_a_full_queue_is_answered_without_a_thread_and_the_connection_kept() -> None:
    case = Case(request("/1"), queue=0)
    case.turns()
    assert case.heard.startswith(b"HTTP/1.1 503 ") and b"Retry-After:" in case.heard
    assert not case.shut and not case.pool.work
    case.pool.queue = 1
    case.says(request("/2"))
    assert case.taken().request.vars["PATH_INFO"] == "/2"


def test_a_request_that_waited_too_long_is_answered_503() -> None:
    case = Case(request("/1"))
    case.connection.refuse_queued(case.taken())
    case.turns()
    assert case.heard.startswith(b"HTTP/1.1 503 ")
    case.says(request("/2"))
    assert len(case.pool.work) == 1


def test_one_that_waited_too_long_and_left_is_dropped() -> None:
    case = Case(request("/1"))
    case.says(b"")
    case.connection.refuse_queued(case.taken())
    case.turns()
    assert case.heard == b"" and case.closed


def test_what_is_no_request_is_answered_and_logged_with_the_peer() -> None:
    case = Case(b"GET / HTTP/1.1\r\n\r\n")
    assert case.heard.startswith(b"HTTP/1.1 400 ") and case.shut
    assert "127.0.0.1" in case.reports[0] and "Host" in case.reports[0]


def test_a_bad_packet_gets_no_http() -> None:
    case = Case(b"\x05\x00\x00\x00", protocol="uwsgi")
    assert case.heard == b"" and case.closed and "127.0.0.1" in case.reports[0]


def test_a_peer_that_is_not_allowed_is_not_read() -> None:
    case = Case(b"\x00\x00\x00\x00", protocol="uwsgi", allow=Peers(["10.0.0.1"]))
    assert case.closed and "uwsgi-allow" in case.reports[0] and "recv" not in case.sock.calls


# ---- Time, when no other event comes ----------------------------------------------------------------


def test_a_client_that_says_nothing_is_closed_after_the_time_for_a_head() -> None:
    case = Case(patience=Patience(head=15))
    case.later(14)
    assert not case.closed
    case.later(16)
    assert case.closed and case.heard == b""


def test_a_head_that_drips_is_answered_408_whatever_still_drips() -> None:
    case = Case(b"GET / HT", patience=Patience(head=15))
    for second in range(1, 15):
        case.says(b"T")
        case.later(second)
    assert case.heard == b""
    case.later(16)
    assert case.heard.startswith(b"HTTP/1.1 408 ") and case.shut


def test_an_idle_connection_is_closed_after_its_time_though_its_reply_rang_no_bell() -> None:
    case = Case(request(), patience=Patience(keepalive=75))
    case.answer()
    assert case.loop.wakes == 0
    case.later(74)
    assert not case.closed
    case.later(76)
    assert case.closed and not case.door.connections


def test_a_body_that_stalls_is_answered_408() -> None:
    case = Case(request("/", "Content-Length: 10", body=b"x"), patience=Patience(body=30))
    for second in range(1, 29):
        case.later(second)
    assert case.heard == b""
    case.later(31)
    case.later(32)
    assert case.heard.startswith(b"HTTP/1.1 408 ")


def test_a_body_of_a_byte_a_second_does_not_count_as_moving() -> None:
    case = Case(request("/", "Content-Length: 1000", body=b"x"), patience=Patience(body=30, rate=256))
    for second in range(1, 35):
        if case.connection.reading and not case.heard:
            case.says(b"x")
        case.later(second)
    assert case.heard.startswith(b"HTTP/1.1 408 ")


def test_a_reader_that_does_not_read_is_cut() -> None:
    case = Case(request(), patience=Patience(write=60))
    case.sock.room = 0
    case.answer(b"x" * 900)
    for second in range(1, 60):
        case.later(second)
    assert not case.closed
    case.later(61)
    case.later(62)
    assert case.closed and "does not read" in case.reports[-1]


def test_a_reader_that_reads_has_its_time() -> None:
    case = Case(request(), patience=Patience(write=60))
    case.sock.room = 0
    case.answer(b"x" * 900)
    case.sock.room = 1000
    case.loop.writers[case.sock]()
    assert case.heard == b"x" * 900 and not case.loop.writers
    case.later(61)
    assert not case.closed


def test_a_client_that_does_not_end_is_not_heard_out_for_ever() -> None:
    case = Case(patience=Patience(linger=2))
    case.says(b"BAD\r\n\r\n")
    assert case.connection.life is Life.LINGERING
    case.later(31)
    assert case.closed


# ---- Leaving, when no other event comes -------------------------------------------------------------


def test_an_idle_connection_lingers_when_the_worker_leaves_and_is_closed() -> None:
    case = Case(request(), patience=Patience(linger=2))
    case.answer()
    case.door.leave()
    case.later(1)
    assert not case.closed
    case.later(3)
    assert case.closed and not case.door.connections


def test_a_request_on_its_way_is_answered_when_the_worker_leaves() -> None:
    case = Case(request())
    case.answer()
    case.door.leave()
    case.says(request("/last"))
    x = case.taken()
    assert case.door.doorway.draining
    x.outbox.put(x, OK, CLOSE)
    case.turns()
    assert case.heard == OK * 2 and case.shut


def test_a_leased_connection_is_heard_of_when_the_worker_leaves() -> None:
    case = Case(request(), patience=Patience(linger=2))
    x = case.taken()
    case.door.leave()
    x.outbox.put(x, OK, KEEP)  # its head was made before: it does not say close
    case.turns()
    assert case.loop.wakes == 1 and not case.closed
    case.later(3)
    assert case.closed and not case.door.connections


def test_cutting_ends_a_thread_that_is_in_mid_reply() -> None:
    case = Case(request())
    x = case.taken()
    x.outbox.put(x, b"HTTP/1.1 200 OK\r\n\r\n")
    case.connection.cut()
    with pytest.raises(Disconnected):
        x.outbox.put(x, b"more")
    x.outbox.abandon(x)
    case.turns()
    assert case.closed and not case.door.connections


# ---- The table --------------------------------------------------------------------------------------


def test_every_life_is_in_the_table_and_none_comes_back() -> None:
    assert set(LIFE) == set(Life)
    order = list(Life)
    for life, steps in LIFE.items():
        assert all(order.index(then) > order.index(life) for then in steps.values())


def test_a_step_that_the_table_does_not_have_is_a_fault() -> None:
    case = Case(request())
    with pytest.raises(KeyError):
        case.connection.move("sent")
