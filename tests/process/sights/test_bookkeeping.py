"""A worker's books: connections by their state, the queue's age, and how long a thread waits for the lock."""

import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from penstock.config.assemble import from_keywords
from penstock.core.request import Request
from penstock.interprocess.ledger import GIL, Figures, Ledger, LedgerCell
from penstock.net.lane import Reply
from penstock.process.sights.bookkeeping import Bookkeeping, Probe, mounts_of
from tests.process.running import Running, running
from tests.waiting import until

HEAD = b"GET / HTTP/1.1\r\nHost: a\r\n"
LARGE = 64 << 20


@contextmanager
def kept(
    tmp: Path, application: Callable[..., Iterable[bytes]], **options: Any
) -> Iterator[tuple[Running, LedgerCell]]:
    """A worker whose books are kept."""
    book = Ledger.private()
    with running(tmp, application, metrics=str(tmp / "metrics.sock"), **options) as it:
        it.call(Bookkeeping, it.worker, book, 0)
        until(lambda: book.cell(0).figures().gil.count > 0)
        yield it, book.cell(0)
    book.close()


class Gate:
    """An application that answers when it is let."""

    def __init__(self) -> None:
        self.open = threading.Event()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        if environ["PATH_INFO"] == "/large":
            start_response("200 OK", [("Content-Length", str(LARGE))])
            return [bytes(LARGE)]
        self.open.wait(20)
        start_response("200 OK", [("Content-Length", "0")])
        return []


def alive(request: Request, reply: Reply) -> None:
    """A page of the lane."""
    reply(200, "text/plain", b"yes", ())


def test_connections_are_counted_by_their_state(tmp_path: Path) -> None:
    gate = Gate()
    with kept(tmp_path, gate, threads=1, reply_buffer=LARGE * 2) as (it, cell):
        clients = {name: it.client() for name in ("large", "idle", "half", "first", "second")}
        clients["large"].send(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        until(lambda: cell.connections()["writing"] == 1)
        clients["half"].send(HEAD)
        clients["first"].send(HEAD + b"\r\n")
        until(lambda: cell.connections()["running"] == 1)
        clients["second"].send(HEAD + b"\r\n")
        expected = {"idle": 1, "reading": 1, "queued": 1, "running": 1, "writing": 1, "lingering": 0}
        until(lambda: cell.connections() == expected)
        waited = cell.oldest
        until(lambda: cell.oldest > waited + 400_000)
        gate.open.set()
        for name in ("first", "second"):
            assert clients[name].reply().status == 200
        until(lambda: cell.oldest == 0)
        for client in clients.values():
            client.close()
        until(lambda: not any(cell.connections().values()))


def test_one_that_is_heard_out_lingers(tmp_path: Path) -> None:
    gate = Gate()
    with kept(tmp_path, gate) as (it, cell), it.client() as client:
        client.send(b"nonsense\r\n\r\n")
        assert client.head().status == 400
        until(lambda: cell.connections()["lingering"] == 1)
        assert cell.counters()["malformed"] == 1


def test_records_add_up_while_it_serves_and_at_its_end(tmp_path: Path) -> None:
    gate = Gate()
    gate.open.set()
    book = Ledger.private()
    with running(tmp_path, gate, metrics=str(tmp_path / "metrics.sock")) as it:
        it.call(Bookkeeping, it.worker, book, 0)
        with it.client() as client:
            for _ in range(20):
                assert client.get("/").status == 200
            until(lambda: book.read_all().counters["requests"] == 20)
            assert client.get("/").status == 200
        it.end(it.worker.leave)
        figures = book.read_all()
    assert figures.counters["requests"] == 21, "the last ones too, which no tick came for"
    assert sum(core["requests"] for core in book.cell(0).cores()) == 21
    book.close()


def test_the_last_looks_at_health_are_counted_at_its_end(tmp_path: Path) -> None:
    gate = Gate()
    book = Ledger.private()
    with running(tmp_path, gate, metrics=str(tmp_path / "metrics.sock")) as it:
        it.call(Bookkeeping, it.worker, book, 0)
        it.call(it.worker.door.lane.pages.__setitem__, "/alive", alive)
        until(lambda: "/alive" in it.worker.door.lane.pages)
        with it.client() as client:
            for _ in range(5):
                assert client.get("/alive").status == 200
            it.end(it.worker.halt)  # no tick comes any more
        assert book.cell(0).counters()["lane"] == 5
    book.close()


def test_lines_that_the_log_lost_are_told_of(tmp_path: Path) -> None:
    gate = Gate()
    with kept(tmp_path, gate) as (it, cell):
        it.diary.error_sink.dropped = 7
        assert it.diary.lost == 7
        until(lambda: cell.counters()["lost_lines"] == 7)
        until(lambda: cell.figures().gil.count > 1)


# ---- The wait for the interpreter -----------------------------------------------------------------------


def sampled(count: int) -> Figures:
    book = Ledger.private()
    try:
        probe = Probe(book.cell(0).words)
        for _ in range(count):
            probe.sample()
            time.sleep(0.005)
        assert book.cell(0).words[GIL - 1] == 0
        return book.cell(0).figures()
    finally:
        book.close()


def test_threads_that_compute_are_waited_for() -> None:
    ending = threading.Event()

    def compute() -> None:
        while not ending.is_set():
            sum(range(2000))

    before = sys.getswitchinterval()
    idle = sampled(30).gil
    threads = [threading.Thread(target=compute) for _ in range(2)]
    sys.setswitchinterval(0.005)
    try:
        for thread in threads:
            thread.start()
        busy = sampled(30).gil
    finally:
        sys.setswitchinterval(before)
        ending.set()
        for thread in threads:
            thread.join()
    assert (idle.count, busy.count) == (30, 30)
    assert idle.seconds / 30 < 0.002
    assert busy.seconds / 30 > 0.002, "about the interval for which a thread has the lock"


def test_where_the_system_does_not_tell_the_processor_counts_as_well() -> None:
    book = Ledger.private()
    probe = Probe(book.cell(0).words)
    probe.fd = -1
    assert probe.queued() == 0.0
    probe.sample()
    assert book.cell(0).figures().gil.count == 1
    book.close()


# ---- Mount points ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mounts", "found"),
    [
        ([], []),
        (["/shop=shop:app"], ["/shop"]),
        (["/shop/=shop:app", "/=main:app"], ["/shop", "/shop/", "", "/"]),
        (["a.example/shop=shop:app"], ["/shop", "a.example/shop"]),
    ],
)
def test_mount_points_as_requests_name_them(mounts: list[str], found: list[str]) -> None:
    given = from_keywords({"bind": "127.0.0.1:0", "mount": mounts}, application=True)
    assert mounts_of(given) == found
