"""Clients that hold a thread by standing still: who has less time, how much less, and who has not."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

import pytest

from penstock.core.request import Request
from penstock.handoff.doorway import Doorway, Marks
from penstock.handoff.exchange import Exchange
from penstock.handoff.lease import KEEP, MORE
from penstock.handoff.pool import Pool, Slot
from penstock.net.door import Patience
from penstock.net.pace import PACKET
from penstock.net.press import STILL, Press
from tests.fakes import FakeLoop
from tests.net.boxes import Case, request


class Client:
    """A connection whose client has stood still for ``seconds``."""

    def __init__(self, seconds: float = 100.0, holds: bool = True, adopted: bool = True) -> None:
        self.seconds = seconds
        self.holds = holds
        self.adopted = adopted
        self.owner = self
        self.exchange: Any = None  # as an outbox it has one

    def still(self, now: float) -> float:
        return self.seconds


def pressing(*clients: Client | None, waiting: int, rate: int = 100_000) -> Press:
    """One thread for each of ``clients``; ``None`` is one that works for itself."""
    loop = FakeLoop()
    pool = Pool(loop(), Doorway(loop()), threads=len(clients), queue=1000)
    for slot, client in zip(pool.slots, clients, strict=True):
        outbox: Any = client or Client(holds=False)
        slot.exchange = outbox.exchange = Exchange(Request({}), outbox, None, 0.0)
    queue(pool, waiting)
    return Press(pool, rate)


def queue(pool: Pool, waiting: int) -> None:
    """So many requests wait now."""
    pool.work.clear()
    box: Any = Client()
    pool.work.extend(Exchange(Request({}), box, None, 0.0) for _ in range(waiting))


# ---- How much less time -----------------------------------------------------------------------------


def test_who_holds_a_thread_while_requests_wait_has_a_quarter_of_the_time() -> None:
    holding = Client()
    press = pressing(holding, None, waiting=1)
    assert press.look(0.0) == [holding]
    assert press.allowed(holding, 60.0) == 15.0
    assert press.allowed(Client(), 60.0) == 60.0


def test_nobody_is_hurried_while_no_request_waits() -> None:
    holding = Client()
    press = pressing(holding, waiting=1)
    press.look(0.0)
    queue(press.pool, 0)
    assert press.look(0.25) == [] and press.allowed(holding, 60.0) == 60.0


def test_nobody_is_hurried_while_a_thread_is_free() -> None:
    press = pressing(Client(), waiting=1)
    parking = threading.Lock()
    press.pool.parked.append(parking)
    assert press.look(0.0) == []


@pytest.mark.parametrize("client", [Client(holds=False), Client(adopted=False)])
def test_a_thread_that_works_for_itself_or_that_the_loop_has_not_heard_of_is_left(client: Client) -> None:
    assert pressing(client, waiting=9).look(0.0) == []


def test_a_reply_that_has_ended_holds_nothing() -> None:
    client = Client()
    press = pressing(client, waiting=1)
    client.exchange = None
    assert press.look(0.0) == []
    press.pool.slots[0].exchange = None
    assert press.look(0.0) == []


@pytest.mark.parametrize(("waiting", "time"), [(2, 15.0), (6, 7.5), (18, 3.0), (500, 1.0)])
def test_waves_of_them_share_half_of_the_time(waiting: int, time: float) -> None:
    """Two threads: with 6 that wait there are 4 waves, of 7.5 s each; never less than a second."""
    clients = [Client(), Client()]
    press = pressing(*clients, waiting=waiting)
    press.look(0.0)
    assert [press.allowed(one, 60.0) for one in clients] == [time, time]


def test_the_last_waves_have_no_more_time_than_the_first() -> None:
    holding = Client()
    press = pressing(holding, waiting=9)
    for waiting in range(9, 0, -1):
        queue(press.pool, waiting)
        press.look(0.0)
        assert press.allowed(holding, 60.0) == 3.0


@pytest.mark.parametrize("other", [None, Client(STILL / 2)])
def test_while_one_thread_goes_on_it_remains_at_a_quarter(other: Client | None) -> None:
    """One that works, or whose client still moves, serves those that wait soon enough."""
    holding = Client()
    press = pressing(holding, other, waiting=500)
    press.look(0.0)
    assert press.allowed(holding, 60.0) == 15.0


def test_a_thread_that_works_again_ends_the_count_of_waves() -> None:
    holding = Client()
    press = pressing(holding, waiting=99)
    press.look(0.0)
    holding.holds = False
    press.look(0.25)
    holding.holds = True
    queue(press.pool, 1)
    press.look(0.5)
    assert press.allowed(holding, 60.0) == 15.0


@pytest.mark.parametrize(("rate", "time"), [(256, PACKET / 256), (1, 15.0), (0, 15.0)])
def test_a_packet_at_the_least_rate_is_always_waited_for(rate: int, time: float) -> None:
    """But a quarter is the most that it has, and what is left where any movement is enough."""
    holding = Client()
    press = pressing(holding, waiting=500, rate=rate)
    press.look(0.0)
    assert press.allowed(holding, 60.0) == time


# ---- Connections ------------------------------------------------------------------------------------


def occupied(case: Case) -> Exchange:
    """The next request, as a thread that took it has it."""
    x = case.taken()
    slot = Slot(len(case.pool.slots))
    slot.exchange = x
    case.pool.slots.append(slot)
    return x


@contextmanager
def spooling(**patience: Any) -> Iterator[Case]:
    """A reply whose client takes nothing, 900 bytes in memory and 5,000 in the file; its thread goes on."""
    case = Case(request(), patience=Patience(**patience))
    case.door.doorway.marks = Marks(reply_buffer=1000, reply_spool=1 << 20)
    x = occupied(case)
    case.sock.room = 0
    x.outbox.put(x, b"x" * 900, MORE)
    case.turns()
    x.outbox.put(x, b"x" * 5000, MORE)
    yield case
    case.connection.outbox.clear()


def until(case: Case, over: Callable[[], bool], most: int) -> int:
    """Quarter seconds until it is ``over``, at most so many."""
    for quarter in range(most):
        if over():
            return quarter
        case.later(quarter / 4)
    return most


def test_a_client_whose_reply_goes_into_the_file_holds_its_thread() -> None:
    with spooling(write=60) as case:
        queue(case.pool, 1)
        assert until(case, lambda: case.connection.outbox.broken, 400) in (61, 62, 63)
    assert "does not read" in case.reports[-1]


def test_it_has_all_its_time_while_nobody_waits() -> None:
    with spooling(write=60) as case:
        assert until(case, lambda: case.connection.outbox.broken, 400) in range(241, 262)


def test_a_client_whose_thread_is_free_has_all_its_time_whoever_waits() -> None:
    case = Case(request(), patience=Patience(write=60))
    x = occupied(case)
    case.sock.room = 0
    x.outbox.put(x, b"x" * 900, KEEP)
    case.turns()
    queue(case.pool, 50)
    assert until(case, lambda: case.closed, 400) in range(241, 262)


def test_a_client_that_takes_a_packet_at_the_least_rate_is_never_cut() -> None:
    """Whoever waits, and however many: a packet of 1,448 bytes every five seconds."""
    with spooling(write=60, rate=256) as case:
        queue(case.pool, 500)
        for quarter in range(1, 1200):
            if quarter % 20 == 0:
                case.connection.outbox.sent += PACKET
            case.later(quarter / 4)
        assert not case.connection.outbox.broken and not case.reports
        case.later(1199 / 4 + 6)
        assert case.connection.outbox.broken, "until it stops"


def test_an_upload_that_streams_is_hurried_while_its_thread_has_had_all_of_it() -> None:
    head = request("/", "Content-Length: 100000")[:-2].replace(b"GET", b"POST") + b"\r\n"
    case = Case(head, b"x" * 70_000, patience=Patience(body=60))
    case.says()
    x = occupied(case)
    queue(case.pool, 1)
    body: Any = x.body
    now = monotonic()
    assert case.door.press.look(now) == [], "there is something to read: the application is at work"
    while body.size:
        body.take()
    assert case.door.press.look(now) == [case.connection]
    assert until(case, lambda: bool(body.error), 400) in (61, 62, 63)


def test_an_upload_that_waits_for_a_thread_holds_none() -> None:
    head = request("/", "Content-Length: 100000")[:-2].replace(b"GET", b"POST") + b"\r\n"
    case = Case(head, b"x" * 70_000, patience=Patience(body=60))
    case.says()
    x: Any = case.pool.work[0]
    case.later(16)
    case.later(32)
    assert not x.body.error
