"""Requests that take too long: who is answered, who is cut, who is left alone, and what is said of it."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

import pytest

from penstock.core.errors import BodyError, Deadline, Disconnected
from penstock.core.request import Request
from penstock.handoff.exchange import Exchange
from penstock.handoff.lease import CLOSE, KEEP, MORE
from penstock.handoff.pool import Slot
from penstock.net.overdue import ANSWERED, COMPLETE, CUT, GONE, KILLED, DeadlinePlan, Overdue, Overrun
from penstock.net.sight import AFTER, WORKING, Frame
from tests.net.boxes import Case, request

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nfirst"


class Kitchen:
    """A case with deadlines; the test is the threads' application, except in ``serving``."""

    def __init__(self, *first: bytes, threads: int = 1, **plan: Any) -> None:
        case_words = {name: plan.pop(name) for name in ("intake", "protocol") if name in plan}
        self.case = Case(*first, **case_words)
        self.pool = self.case.pool
        for index in range(threads):
            self.pool.slots.append(Slot(index))
            self.pool.slots[index].thread = threading.current_thread()
        self.overruns: list[Overrun] = []
        self.refused: list[tuple[Request, int]] = []
        self.case.door.refused = lambda request, status, size: self.refused.append((request, status))
        self.overdue = Overdue(self.case.door, DeadlinePlan(**{"seconds": 10, **plan}), self.overruns.append)
        self.wear: list[tuple[str, bool]] = []
        self.overdue.worn = lambda why, urgent: self.wear.append((why, urgent))

    def takes(self, index: int = 0) -> Exchange:
        """A thread takes the next request."""
        x = self.case.taken()
        x.started_at = monotonic()
        self.pool.slots[index].exchange = x
        return x

    def after(self, seconds: float) -> None:
        """The tick so much later."""
        self.overdue.tick(monotonic() + seconds)
        assert self.case.door.files.stop(5)
        self.case.door.files.threads.clear()
        self.case.turns()

    @property
    def outcomes(self) -> list[str]:
        return [overrun.outcome for overrun in self.overruns]


@contextmanager
def serving(kitchen: Kitchen, work: Callable[[], object], armed: bool = True) -> Iterator[list[str]]:
    """A real thread has the request: it does ``work``, and is ``armed`` by now; what came of it."""
    x, aim, came = kitchen.takes(), kitchen.overdue.aims[0], []

    def turn() -> None:
        aim.begin(x)
        try:
            aim.arm()
            work()
            came.append("returned")
        except BaseException as error:
            came.append(type(error).__name__)
        aim.end()
        kitchen.pool.slots[0].exchange = None

    thread = threading.Thread(target=turn, name="cook", daemon=True)
    kitchen.pool.slots[0].thread = thread
    thread.start()
    until = monotonic() + 5
    while armed and not aim.armed and monotonic() < until:
        time.sleep(0.001)
    yield came
    thread.join(10)
    assert not thread.is_alive()


def spin() -> None:
    while True:
        pass


# ---- The client ---------------------------------------------------------------------------------------


def test_a_request_without_a_head_is_answered_504_at_once_and_recorded_once() -> None:
    kitchen = Kitchen(request("/slow?x=1"))
    x = kitchen.takes()
    kitchen.after(9)
    assert not kitchen.case.heard
    kitchen.after(11)
    kitchen.after(12)
    case = kitchen.case
    assert (
        case.heard.startswith(b"HTTP/1.1 504 Gateway Timeout\r\n")
        and b"\r\nConnection: close\r\n" in case.heard
    )
    assert case.heard.endswith(b"504 Gateway Timeout: the request took too long\n") and case.shut
    assert [(status, found.vars["REQUEST_URI"]) for found, status in kitchen.refused] == [(504, "/slow?x=1")]
    assert kitchen.outcomes == [ANSWERED] and kitchen.overdue.count == 1
    seen = kitchen.overruns[0].sight
    assert (seen.line, seen.remote, seen.phase) == ("GET /slow?x=1 HTTP/1.1", "127.0.0.1", WORKING)
    assert seen.age == pytest.approx(11, abs=1)
    assert x.overdue and x.reclaimed
    with pytest.raises(Disconnected):
        x.outbox.put(x, HEAD, CLOSE)
    x.outbox.abandon(x)
    assert case.heard.count(b"HTTP/1.1") == 1 and not case.reports


def test_a_reply_that_has_begun_is_cut() -> None:
    kitchen = Kitchen(request())
    x = kitchen.takes()
    x.outbox.put(x, HEAD, MORE)
    kitchen.after(11)
    assert kitchen.case.heard == HEAD and "shutdown 2" in kitchen.case.sock.calls
    assert kitchen.outcomes == [CUT] and kitchen.refused == [] and not x.reclaimed
    with pytest.raises(Disconnected):
        x.outbox.put(x, b"more", CLOSE)
    assert not kitchen.case.closed, "the number is the thread's until it comes back"
    x.outbox.abandon(x)
    kitchen.case.turns()
    assert kitchen.case.closed


def test_a_reply_that_has_ended_and_the_request_after_it_are_left_alone() -> None:
    kitchen = Kitchen(request("/first"), threads=2)
    first = kitchen.takes()
    first.outbox.put(first, HEAD + b"last", KEEP)
    kitchen.case.says(request("/second"))
    second = kitchen.takes(1)
    second.set_deadline(1000)
    kitchen.after(11)
    assert kitchen.outcomes == [COMPLETE] and kitchen.overruns[0].sight.phase == AFTER
    second.outbox.put(second, HEAD, MORE)
    assert kitchen.case.heard == HEAD + b"last" + HEAD and "shutdown 2" not in kitchen.case.sock.calls


def test_a_client_that_has_gone_is_not_answered() -> None:
    kitchen = Kitchen(request())
    x = kitchen.takes()
    x.outbox.broken = True
    kitchen.after(11)
    assert kitchen.outcomes == [GONE] and kitchen.case.closed and not kitchen.case.heard
    # It ran, so it is recorded: its thread makes no record of what was taken from it.
    assert [(status, found.vars["REQUEST_URI"]) for found, status in kitchen.refused] == [(0, "/")]
    assert x.reclaimed


def test_the_record_of_a_504_has_all_that_a_log_may_ask_for() -> None:
    kitchen = Kitchen(request("/slow"))
    x = kitchen.takes()
    x.request.vars.update({"penstock.request_id": "4711", "HTTP_USER_AGENT": "curl", "mine": object()})
    kitchen.after(11)
    ((found, status),) = kitchen.refused
    assert status == 504 and "mine" not in found.vars
    assert (found.vars["penstock.request_id"], found.vars["HTTP_USER_AGENT"]) == ("4711", "curl")


def test_a_connection_that_nobody_knows_any_more_is_no_fault() -> None:
    kitchen = Kitchen(request())
    x = kitchen.takes()
    x.outbox.clear()
    kitchen.after(11)
    assert kitchen.outcomes == [GONE]


def test_the_time_in_the_queue_is_another_ones_to_bound() -> None:
    kitchen = Kitchen(request("/waits"))
    kitchen.after(1000)
    assert kitchen.overruns == [] and len(kitchen.pool.work) == 1
    kitchen.takes()
    kitchen.after(9)
    assert kitchen.overruns == []
    kitchen.after(11)
    assert kitchen.outcomes == [ANSWERED]


def test_a_body_that_streams_fails_in_the_thread_that_reads_it() -> None:
    head = request("/", "Content-Length: 100000")[:-2].replace(b"GET", b"POST") + b"\r\n"
    kitchen = Kitchen(head, b"x" * 70_000)
    kitchen.case.says()
    x: Any = kitchen.takes()
    kitchen.after(11)
    while x.body.size:
        x.body.take()
    with pytest.raises(BodyError, match="took too long"):
        x.body.take()
    assert kitchen.case.heard.startswith(b"HTTP/1.1 504 ") and kitchen.outcomes == [ANSWERED]


def test_a_socket_that_only_its_thread_knows_is_answered_too() -> None:
    """One-request connections are not in the loop's poll; of those taken at the door it has never heard."""
    kitchen = Kitchen(request("/", "Connection: close"))
    connection = kitchen.case.connection
    assert connection.away and not connection.outbox.registered
    kitchen.case.door.connections.clear()
    connection.outbox.adopted = False
    kitchen.takes()
    kitchen.after(11)
    assert kitchen.case.heard.startswith(b"HTTP/1.1 504 ")
    assert connection.outbox.adopted and not connection.away


def test_what_the_application_put_into_its_environ_forges_no_line_and_hurts_nobody() -> None:
    kitchen = Kitchen(request("/x"))
    x = kitchen.takes()
    x.request.vars.update({"REQUEST_URI": "/x\nforged", "REMOTE_ADDR": 7, "REMOTE_USER": object()})
    del x.request.vars["REQUEST_METHOD"]
    kitchen.after(11)
    assert kitchen.overruns[0].text.startswith("harakiri: - /x\\x0aforged HTTP/1.1 from 7: 1")
    said = dict(kitchen.refused[0][0].vars)
    times = said.pop("penstock.queue_time"), said.pop("penstock.run_time")
    assert all(isinstance(time, float) and time >= 0.0 for time in times)
    assert all(isinstance(value, str) for value in said.values())


def test_what_a_proxy_told_of_its_own_queue_is_in_the_record() -> None:
    kitchen = Kitchen(request("/x"))
    kitchen.takes().request.vars["penstock.queue_time"] = 7.5
    kitchen.after(11)
    assert kitchen.refused[0][0].vars["penstock.queue_time"] == 7.5


def test_a_fault_of_our_own_ends_one_connection_and_not_the_tick() -> None:
    kitchen = Kitchen(request(), threads=2)
    kitchen.takes()

    def fails(*words: object) -> bytes:
        raise ValueError("no")

    kitchen.case.door.refusal = fails
    kitchen.after(11)
    assert kitchen.case.closed and kitchen.outcomes == [COMPLETE]


# ---- Whose time it is ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("own", "late_at"), [(3, 4), (20, 21), (0, None)])
def test_a_request_may_have_a_deadline_of_its_own(own: float, late_at: float | None) -> None:
    kitchen = Kitchen(request())
    kitchen.takes().set_deadline(own)
    kitchen.after((late_at or 100_000) - 2)
    assert kitchen.overruns == []
    if late_at is not None:
        kitchen.after(late_at)
        assert kitchen.outcomes == [ANSWERED]


def test_deadlines_for_single_requests_alone_leave_all_others() -> None:
    plan = DeadlinePlan(routes=True)
    assert plan.wanted and not DeadlinePlan().wanted and DeadlinePlan(seconds=0.5).wanted
    kitchen = Kitchen(request("/one"), seconds=0, routes=True)
    kitchen.after(100_000)
    x = kitchen.takes()
    kitchen.after(100_000)
    assert kitchen.overruns == []
    x.set_deadline(1)
    kitchen.after(2)
    assert kitchen.outcomes == [ANSWERED]


def test_nobody_is_ended_while_fewer_wait_than_the_threshold() -> None:
    kitchen = Kitchen(request("/slow"), queue=2)
    box = kitchen.takes().outbox
    kitchen.after(11)
    for _ in range(2):
        assert kitchen.overruns == []
        kitchen.pool.work.append(Exchange(Request({}), box, None, monotonic() + 100))
        kitchen.after(11)
    assert kitchen.outcomes == [ANSWERED]


# ---- The thread ---------------------------------------------------------------------------------------


def test_the_thread_is_hit_once_its_stack_is_kept_and_the_worker_is_worn() -> None:
    kitchen = Kitchen(request("/spin"))
    with serving(kitchen, spin) as came:
        kitchen.after(11)
    kitchen.after(30)
    assert came == ["Deadline"] and kitchen.overdue.shots == 1
    assert kitchen.wear == [("harakiri: an exception was thrown into GET /spin HTTP/1.1", False)]
    seen = kitchen.overruns[0].sight
    assert seen.thread == "cook" and seen.stack[-1].name == "spin"
    text = kitchen.overruns[0].text
    assert "Stack of cook (most recent call last):\n" in text and "in spin\n" in text
    assert text.index("in turn") < text.index("in spin")
    assert "threading.py" not in text, "what of the server called the application is left out"


def test_one_that_goes_on_after_the_grace_makes_it_urgent_once() -> None:
    kitchen = Kitchen(request("/stuck"), grace=5)
    go = threading.Event()

    def stuck() -> None:
        go.wait(10)

    with serving(kitchen, stuck) as came:
        for seconds in (11.0, 13.0, 15.9, 16.5, 17.0, 30.0):
            kitchen.after(seconds)
        go.set()
    assert came == ["Deadline"] and kitchen.overdue.shots == 1
    assert [urgent for _, urgent in kitchen.wear] == [False, True]
    assert kitchen.wear[1][0].startswith("harakiri: GET /stuck HTTP/1.1 still holds thread 0 5.")
    assert len(kitchen.overruns) == 1


def test_one_that_is_in_our_own_code_is_hit_when_it_is_back_in_the_applications() -> None:
    kitchen = Kitchen(request("/slow"))
    inside, back = threading.Event(), threading.Event()

    def ours() -> None:
        inside.set()
        back.wait(10)

    def work() -> None:
        kitchen.overdue.aims[0].away(ours)
        spin()

    with serving(kitchen, work, armed=False) as came:
        assert inside.wait(5)
        kitchen.after(11)
        assert (kitchen.overdue.shots, kitchen.outcomes, kitchen.wear) == (0, [ANSWERED], [])
        back.set()
        until = monotonic() + 5
        while not kitchen.overdue.shots and monotonic() < until:
            kitchen.after(11.5)
    assert came == ["Deadline"] and len(kitchen.overruns) == 1


def test_one_that_came_back_by_itself_leaves_the_worker_as_it_was() -> None:
    kitchen = Kitchen(request())
    kitchen.takes()
    kitchen.after(11)
    kitchen.pool.slots[0].exchange = None
    kitchen.after(30)
    assert kitchen.wear == [] and kitchen.overdue.late == {}


def test_without_a_supervisor_it_is_said() -> None:
    kitchen = Kitchen(request("/spin"))
    kitchen.overdue.worn = kitchen.overdue.nobody
    with serving(kitchen, spin):
        kitchen.after(11)
    assert "nobody is there to replace this process" in kitchen.case.reports[0]


# ---- uWSGI's way --------------------------------------------------------------------------------------


def test_the_whole_worker_is_killed_where_that_is_wanted_and_nothing_else_is_done() -> None:
    kitchen = Kitchen(request("/slow"), process=True, grace=1)
    killed: list[tuple[str, int]] = []
    kitchen.overdue.kill_me = lambda why: killed.append((why, len(kitchen.overruns)))
    x = kitchen.takes()
    kitchen.overdue.aims[0].begin(x)
    kitchen.overdue.aims[0].arm()
    for seconds in (11.0, 12.0, 30.0):
        kitchen.after(seconds)
    assert [(why.rpartition(":")[0], records) for why, records in killed] == [
        ("harakiri: GET /slow HTTP/1.1", 1)
    ], "once, with the record written before"
    assert kitchen.outcomes == [KILLED] and not kitchen.case.heard and kitchen.wear == []
    assert kitchen.overdue.shots == 0


def test_without_somebody_who_kills_the_request_alone_is_ended() -> None:
    kitchen = Kitchen(request("/spin"), process=True)
    with serving(kitchen, spin) as came:
        kitchen.after(11)
    assert came == ["Deadline"] and kitchen.outcomes == [ANSWERED]


def test_a_frame_without_a_source_is_said_by_its_place() -> None:
    kitchen = Kitchen(request())
    kitchen.takes()
    kitchen.after(11)
    seen = kitchen.overruns[0].sight
    made = seen._replace(thread="t", stack=(Frame("<string>", 3, "f", "m"),))
    assert Overrun(made, CUT).text.endswith('\n  File "<string>", line 3, in f')


def test_a_deadline_is_no_exception_that_applications_catch_unasked() -> None:
    assert not issubclass(Deadline, Exception)
