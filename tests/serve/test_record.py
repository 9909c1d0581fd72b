"""What a request's record has: its phases, who answered, what went wrong, what the log asks for."""

from threading import Lock
from time import sleep
from typing import Any

import pytest

from penstock.core.errors import BodyError, Disconnected
from penstock.core.record import APPLICATION, FAILED, READ_ERROR, WRITE_ERROR, Record
from penstock.handoff.exchange import Exchange
from penstock.serve.answer import Kitchen, make_answer
from penstock.serve.record import Made, Noting, completed, hand_over, record_of_refusal
from tests.serve.boxes import ListBox, exchange, manner


def ok(environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [])
    return [b"body"]


def made(application: Any, x: Exchange, noting: Noting | None = None) -> Record:
    """The record of one request."""
    records: list[Made] = []
    said: list[str] = []
    kitchen = Kitchen(
        application, manner(), said.append, said.append, records.append, noting=noting or Noting()
    )
    make_answer(kitchen)(x, 2)
    (raw,) = records
    return Record(*raw)


def timed(began: float, received: float, started: float) -> Exchange:
    x = exchange(ListBox())
    x.began_at, x.received_at, x.started_at = began, received, started
    return x


def test_the_phases_of_a_request() -> None:
    from time import monotonic

    now = monotonic()
    x = timed(now - 3.0, now - 1.0, now - 0.25)
    x.waited = 0.05
    record = made(ok, x)
    assert record.receive == pytest.approx(2.0)
    assert record.queue == pytest.approx(0.75)
    assert record.write == 0.05
    assert 0.2 <= record.run < 1.0
    assert record.seconds == pytest.approx(record.receive + record.queue + record.run + record.write)
    assert x.request.vars["penstock.queue_time"] == pytest.approx(0.75)


def test_when_a_request_began_is_said_by_the_clock_as_the_loop_last_found_it() -> None:
    x = timed(10.0, 10.0, 10.5)
    x.outbox.doorway.epoch = 1_700_000_000.0
    assert made(ok, x).started == 1_700_000_010.0


def test_what_a_front_server_says_of_waiting_counts_as_waiting() -> None:
    x = timed(10.0, 10.0, 10.5)
    x.request.vars["penstock.queue_time"] = 2.0
    assert made(ok, x).queue == pytest.approx(2.5)


@pytest.mark.parametrize(
    ("error", "faults"),
    [
        (ValueError("mine"), FAILED),
        (BodyError("cut"), READ_ERROR),
        (Disconnected(104, "gone"), WRITE_ERROR),
    ],
)
def test_what_went_wrong(error: Exception, faults: int) -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        raise error

    record = made(app, exchange(ListBox()))
    assert (record.kind, record.faults) == (APPLICATION, faults)


def test_what_the_log_asks_for_is_what_came() -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        environ["HTTP_HOST"] = environ["SCRIPT_NAME"] = "changed"
        return ok(environ, start_response)

    x = exchange(ListBox())
    x.request.vars |= {"HTTP_HOST": "h", "SCRIPT_NAME": "/shop", "odd": 7, "penstock.request_id": "i"}
    record = made(
        app,
        x,
        Noting(mounts=lambda environ: environ["SCRIPT_NAME"], wanted=("HTTP_HOST", "HTTP_REFERER", "odd")),
    )
    assert (record.said, record.mount, record.id) == (("h", "", "7"), "/shop", "i")


def test_a_refusal_has_a_record_without_a_thread() -> None:
    request = exchange(ListBox()).request
    record = Record(*record_of_refusal(request, 503, 120, Noting()))
    assert (record.status, record.core, record.app, record.header_bytes) == (503, -1, -1, 120)
    assert (record.queue, record.run) == (0.0, 0.0)


# ---- Replies that the kernel does not take at once ------------------------------------------------------


class Remainder:
    """What of a box is asked here."""

    def __init__(self, behind: Exchange | None) -> None:
        self.behind = behind
        self.after: Any = None


def trailing(whole: bool) -> tuple[Made, list[Made]]:
    """A request's record before and after the rest of its reply was taken, or never."""
    box: Any = ListBox()
    x = exchange(box)
    box.remainder, box.lock = Remainder(x), Lock()
    x.trailing = True
    before = Record(*record_of_refusal(x.request, 200, 5, Noting()))
    records: list[Made] = []
    hand_over(x, before, records.append)
    assert records == []
    sleep(0.02)
    box.remainder.after(whole)
    return before, records


def test_the_record_waits_for_the_last_byte() -> None:
    before, (after,) = trailing(whole=True)
    record = Record(*after)
    assert record.write >= 0.02 and record.seconds >= 0.02 and record.faults == 0
    assert record._replace(write=0.0, seconds=0.0) == before


def test_and_says_when_that_never_went() -> None:
    _, (after,) = trailing(whole=False)
    assert Record(*after).faults == WRITE_ERROR


def test_nothing_else_changes() -> None:
    raw = record_of_refusal(exchange(ListBox()).request, 200, 5, Noting())
    assert completed(raw, 0.0, True) == raw
