"""The lane: paths that the loop answers by itself, on a connection with everything real between."""

import re
from collections.abc import Sequence
from typing import Any

import pytest

from penstock.codecs.uwsgi import encode_request
from penstock.core.request import Request
from penstock.net.connection import Connection
from penstock.net.door import Intake
from penstock.net.firstlook import first_request
from penstock.net.lane import PATIENCE, Reply
from penstock.serve.refusal import page
from tests.fakes import FakeSocket
from tests.net.boxes import OK, Case, request


class Pages:
    """Two pages: ``/-/here`` answers at once, ``/-/later`` when it is told to."""

    def __init__(self, *first: bytes | OSError, **more: Any) -> None:
        self.case = case = Case(**more)
        self.noted: list[tuple[str, int, int]] = []
        self.replies: list[Reply] = []
        self.faults: list[str] = []
        lane = case.door.lane
        lane.compose = page
        lane.report = self.faults.append
        lane.note = lambda request, status, size, seconds: self.noted.append(
            (request.vars["PATH_INFO"], status, size)
        )
        lane.pages["/-/here"] = lambda request, reply: reply(200, "text/plain", b"here\n", ())
        lane.pages["/-/later"] = lambda request, reply: self.replies.append(reply)
        lane.pages["/-/broken"] = self.broken
        lane.pages["/-/unsaid"] = lambda request, reply: reply(200, "text/plain", b"", [("A\n", "b")])
        case.says(*first)

    def broken(self, request: Request, reply: Reply) -> None:
        raise ZeroDivisionError("of mine")

    def later(self, body: bytes = b"later\n", fields: Sequence[tuple[str, str]] = ()) -> None:
        self.replies.pop(0)(200, "text/plain", body, fields)
        self.case.turns()


def statuses(heard: bytes) -> list[str]:
    return [found.decode() for found in re.findall(rb"HTTP/1\.[01] (\d{3}) ", heard)]


def test_a_page_is_answered_without_a_thread_and_the_connection_stays() -> None:
    pages = Pages(request("/-/here"), request("/-/here?why=now"))
    assert pages.case.heard.count(b"\r\n\r\nhere\n") == 2
    assert not pages.case.pool.work and not pages.case.shut
    assert [path for path, _, _ in pages.noted] == ["/-/here"] * 2
    assert sum(size for _, _, size in pages.noted) == len(pages.case.heard)
    assert pages.case.door.lane.served == 2


def test_other_paths_go_to_the_pool() -> None:
    pages = Pages(request("/-/here/"))
    pages.case.answer()
    pages.case.says(request("/"))
    pages.case.answer()
    assert pages.case.heard == OK * 2 and not pages.noted


def test_it_is_answered_while_the_queue_is_full() -> None:
    pages = Pages(queue=0)
    pages.case.says(request("/"), request("/-/here"))
    assert statuses(pages.case.heard) == ["503", "200"]


def test_pipelined_requests_are_answered_in_order() -> None:
    pages = Pages(request("/") + request("/-/here") + request("/") + request("/-/here"))
    assert pages.case.heard == b""
    pages.case.answer()
    pages.case.answer()
    assert pages.case.heard.split(b"\r\n")[0] == b"HTTP/1.1 200 OK"
    assert pages.case.heard.count(b"here\n") == 2 and not pages.case.pool.work
    assert pages.case.heard.startswith(OK + b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n")


def test_head_has_the_length_and_no_body() -> None:
    pages = Pages(b"HEAD /-/here HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b"Content-Length: 5\r\n" in pages.case.heard
    assert pages.case.heard.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("head", "version"),
    [
        (b"GET /-/here HTTP/1.0\r\n\r\n", b"HTTP/1.0 200"),
        (b"GET /-/here HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"HTTP/1.1 200"),
    ],
)
def test_whoever_wants_it_closed_has_it_closed(head: bytes, version: bytes) -> None:
    pages = Pages(head)
    assert pages.case.heard.startswith(version)
    assert b"Connection: close\r\n" in pages.case.heard and pages.case.shut


def test_it_is_there_for_uwsgi_as_well() -> None:
    variables = {"REQUEST_METHOD": "GET", "PATH_INFO": "/-/here", "SERVER_PROTOCOL": "HTTP/1.1"}
    pages = Pages(encode_request(variables), protocol="uwsgi")
    assert pages.case.heard.endswith(b"here\n") and pages.case.shut
    assert not pages.case.pool.work


def test_only_get_and_head_and_the_body_of_others_is_taken() -> None:
    pages = Pages(request("/-/here", "Content-Length: 3", body=b"abc"), request("/-/here"))
    assert statuses(pages.case.heard) == ["405", "200"]
    assert b"Allow: GET, HEAD\r\n" in pages.case.heard


def test_a_body_that_would_stream_is_refused_and_the_connection_ends() -> None:
    pages = Pages(intake=Intake(gather=10))
    pages.case.says(b"POST /-/here HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\n" + b"b" * 50)
    assert statuses(pages.case.heard) == ["413"] and pages.case.shut
    assert not pages.case.pool.work


# ---- Pages that answer later ----------------------------------------------------------------------------


def test_a_later_answer_keeps_the_order_of_what_follows() -> None:
    pages = Pages(request("/-/later"))
    pages.case.says(request("/-/here"))
    assert pages.case.heard == b""
    pages.later(fields=[("Cache-Control", "no-store")])
    assert b"Cache-Control: no-store\r\n" in pages.case.heard
    assert pages.case.heard.index(b"later\n") < pages.case.heard.index(b"here\n")
    pages.case.says(request("/"))
    pages.case.answer()
    assert pages.case.heard.endswith(OK)


def test_only_the_first_answer_counts() -> None:
    pages = Pages(request("/-/later"))
    reply = pages.replies[0]
    pages.later()
    before = pages.case.heard
    reply(500, "text/plain", b"again", ())
    pages.case.turns()
    assert pages.case.heard == before


def test_a_visitor_that_left_is_answered_into_nothing() -> None:
    pages = Pages(request("/-/later"), ConnectionResetError())
    assert pages.case.closed
    pages.later()
    assert pages.case.heard == b"" and not pages.noted


def test_a_visitor_that_closed_its_side_still_hears_it_and_then_the_end() -> None:
    pages = Pages(request("/-/later"), b"")
    assert not pages.case.closed
    pages.later()
    assert pages.case.heard.endswith(b"later\n") and pages.case.closed
    assert b"Connection: close\r\n" in pages.case.heard


def test_a_page_that_does_not_answer_in_time_is_told_of() -> None:
    pages = Pages(request("/-/later"))
    [late] = [call for delay, call in pages.case.loop.later if delay == PATIENCE]
    late()
    pages.case.turns()
    assert statuses(pages.case.heard) == ["504"] and not pages.case.shut
    late()
    pages.case.turns()
    assert statuses(pages.case.heard) == ["504"]


def test_it_is_not_cut_by_the_clock_while_it_waits() -> None:
    pages = Pages(request("/-/later"))
    pages.case.later(1000)
    assert not pages.case.closed
    pages.later()
    assert pages.case.heard.endswith(b"later\n")


def test_a_worker_that_leaves_closes_after_the_answer() -> None:
    pages = Pages(request("/-/later"))
    pages.case.door.leave()
    pages.later()
    assert b"Connection: close\r\n" in pages.case.heard and pages.case.shut


# ---- Faults ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("path", "fault"), [("/-/broken", "ZeroDivisionError"), ("/-/unsaid", "BadReply")])
def test_a_page_that_fails_is_500_and_told_of(path: str, fault: str) -> None:
    pages = Pages(request(path), request("/-/here"))
    assert statuses(pages.case.heard) == ["500", "200"]
    assert fault in pages.faults[0] and path in pages.faults[0]


# ---- The thread at the door -----------------------------------------------------------------------------


def test_the_thread_at_the_door_leaves_it_to_the_loop() -> None:
    case = Pages().case
    sock = FakeSocket()
    sock.incoming.append(request("/-/here"))
    connection = Connection(case.door, case.connection.listener, sock(), ("127.0.0.1", 4001))
    assert first_request(connection) is None and not sock.sent
    case.turns()
    assert bytes(sock.sent).endswith(b"here\n") and not case.pool.work
