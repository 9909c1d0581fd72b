"""Scrapes on a listener: one text for who asks at the same time, and what is not there."""

import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from penstock.core.errors import StartError
from penstock.interprocess.ledger import SENT, Ledger
from penstock.interprocess.scoreboard import Scoreboard
from penstock.logs.setup import Diary
from penstock.logs.sinks import Sink
from penstock.net.buckets import TICK
from penstock.process.pages.httpd import Deferred, PageReply, PageRequest
from penstock.process.pages.metrics import Metrics
from tests.process.supervisor.recording import recording, settings


class Server(SimpleNamespace):
    """What is read of a supervisor that has no worker; ``slow``: seconds that a look takes."""

    slow = 0.0

    def handles(self) -> list[object]:
        time.sleep(self.slow)
        return []


@pytest.fixture
def book() -> Ledger:
    return Ledger.private()


def server(**more: object) -> Server:
    board = Scoreboard.create(1)
    diary = Diary(Sink(2), None)
    return Server(
        board=board, diary=diary, settings=settings(), current=None, wanted=1, since=0.0, paused=False,
        ending=None, lame=False, **more,
    )  # fmt: skip


def ask(metrics: Metrics, path: str, accept: str = "") -> PageReply:
    found = metrics.answer(PageRequest("GET", path, "", {"accept": accept}, ""))
    assert isinstance(found, PageReply)
    return found


def requests_in(reply: PageReply) -> bool:
    """Whether the one byte that ``book`` was made to say was told of."""
    return b"penstock_sent_bytes_total 1.0" in reply.body


def test_one_text_for_a_quarter_of_a_second(book: Ledger) -> None:
    metrics = Metrics(server(), book)
    metrics.meet(settings(metrics="127.0.0.1:0"))
    begun = time.monotonic()
    first = ask(metrics, "/metrics")
    book.cell(0).words[SENT] = 1
    again = ask(metrics, "/metrics")
    if time.monotonic() - begun < TICK:  # else the machine was too slow to tell
        assert again == first
    assert not requests_in(first)
    other = ask(metrics, "/metrics", "application/openmetrics-text")
    assert other.content_type != first.content_type and requests_in(other)
    due, _ = metrics.rendered[False]
    assert due >= begun + TICK
    time.sleep(max(0.0, due - time.monotonic()))
    assert requests_in(ask(metrics, "/metrics"))


def test_a_text_that_takes_long_is_kept_for_longer(book: Ledger) -> None:
    metrics = Metrics(server(slow=0.1), book)
    ask(metrics, "/metrics")
    due, _ = metrics.rendered[False]
    assert due - time.monotonic() > 5 * 0.1


def test_health_and_nothing_else(book: Ledger) -> None:
    metrics = Metrics(server(), book)
    assert ask(metrics, "/-/live").status == 200
    assert ask(metrics, "/-/ready").body == b"starting\n"
    for path in ("/", "/metrics/", "/-/livelier"):
        assert ask(metrics, path).status == 404


def test_a_page_of_another_site_cannot_read_them_by_a_name_that_it_has_rebound(book: Ledger) -> None:
    metrics = Metrics(server(), book)
    for headers, status in (
        ({"host": "evil.example:9090", "accept-language": ""}, 403),
        ({"host": "localhost:9090", "accept-language": "en"}, 200),
        ({"host": "shop.internal:9090"}, 200),
    ):
        found = metrics.answer(PageRequest("GET", "/metrics", "", headers, "127.0.0.1"))
        assert isinstance(found, PageReply) and found.status == status


def test_where_there_are_requests_to_serve_a_service_thread_makes_it(book: Ledger) -> None:
    metrics = Metrics(server(), book)

    def offload(work: object, done: object) -> None:
        jobs.append((work, done))

    jobs: list[tuple[object, object]] = []
    metrics.offload = offload
    found = metrics.answer(PageRequest("GET", "/metrics", "", {}, ""))
    assert isinstance(found, Deferred) and found.reply is None
    ((work, done),) = jobs
    assert callable(work) and callable(done)
    done(work(), None)
    assert found.reply is not None and found.reply.status == 200
    assert ask(metrics, "/metrics").status == 200 and len(jobs) == 1, "what was made is told again"
    again = metrics.answer(PageRequest("GET", "/metrics", "", {"accept": "application/openmetrics-text"}, ""))
    assert isinstance(again, Deferred)
    failed = jobs[1][1]
    assert callable(failed)
    failed(None, RuntimeError("no"))
    assert again.reply is not None and again.reply.status == 500


def test_a_thousand_who_ask_at_once_are_told_of_one_text(book: Ledger) -> None:
    jobs: list[tuple[Callable[[], Any], Callable[[Any, BaseException | None], None]]] = []
    metrics = Metrics(server(), book)
    metrics.offload = lambda work, done: jobs.append((work, done))
    found = [metrics.answer(PageRequest("GET", "/metrics", "", {}, "")) for _ in range(1000)]
    ((work, done),) = jobs
    done(work(), None)
    assert {one.reply.status for one in found if isinstance(one, Deferred) and one.reply} == {200}
    assert all(isinstance(one, Deferred) and one.reply is not None for one in found)
    metrics.rendered.clear()
    metrics.answer(PageRequest("GET", "/metrics", "", {}, ""))
    assert len(jobs) == 2, "the next one is made anew"


def test_an_address_that_is_taken(tmp_path: Path, book: Ledger) -> None:
    with recording(tmp_path, metrics=str(tmp_path / "missing" / "metrics.sock")) as it:
        metrics = Metrics(it, book)
        metrics.meet(it.settings)
        with pytest.raises(StartError, match="missing"):
            metrics.open()
        metrics.changed()
        assert "metrics: " in it.text(), "over a reload it is told of, and the server serves on"
        metrics.close()
