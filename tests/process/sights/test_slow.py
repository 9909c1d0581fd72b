"""Slow requests have a record while they run, with the right stack; of very many few are written."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from penstock.handoff.exchange import PASSED, Exchange
from penstock.handoff.pool import Slot
from penstock.process.sights.slow import MOST, SPAN, Slow
from tests.e2e.server import LOOPS
from tests.net.boxes import Case
from tests.process.running import Held, hello, running

GET = b"GET /shop?item=7 HTTP/1.1\r\nHost: a\r\n\r\n"


class Cases:
    """A door whose threads are the test; each request comes on a connection of its own."""

    def __init__(self, threads: int = 1) -> None:
        self.case = Case()
        for index in range(threads):
            slot = Slot(index)
            slot.thread = threading.current_thread()
            self.case.pool.slots.append(slot)
        self.texts: list[str] = []
        self.slow = Slow(self.case.door, 2.0, self.texts.append)

    def takes(self, index: int = 0, request: bytes = GET) -> Exchange:
        x = Case(request).taken()
        x.started_at = monotonic()
        self.case.pool.slots[index].exchange = x
        return x

    def after(self, seconds: float) -> list[str]:
        """The tick so much later: what is written."""
        self.texts.clear()
        self.slow.tick(monotonic() + seconds)
        assert self.case.door.files.stop(5)
        self.case.door.files.threads.clear()
        return list(self.texts)

    def ends(self, index: int = 0) -> None:
        self.case.pool.slots[index].exchange = None


def test_it_is_told_while_it_runs_and_when_it_has_ended() -> None:
    cases = Cases()
    cases.takes()
    assert cases.after(1.9) == []
    (text,) = cases.after(2.1)
    head, stack, *trace = text.splitlines()
    assert head.startswith("slow: GET /shop?item=7 HTTP/1.1 from ")
    assert "2.1 s so far, in the application (receive 0.000 s, queue 0.0" in head and "run 2.1" in head
    assert stack.startswith("Stack of ") and "test_it_is_told_while_it_runs" in "".join(trace)
    assert cases.after(2.4) == [], "once"
    cases.ends()
    assert cases.after(3.0) == ["slow: GET /shop?item=7 HTTP/1.1: ended after 3.0 s"]
    assert cases.after(9.0) == [] and cases.slow.count == 1


def test_the_next_request_of_the_thread_is_another() -> None:
    cases = Cases()
    cases.takes()
    cases.after(2.1)
    cases.ends()
    cases.takes(request=GET.replace(b"item=7", b"item=8")).received_at += 3
    (text,) = cases.after(4.0)
    assert "item=7" in text and "ended" in text
    (text,) = cases.after(5.2)
    assert "item=8" in text and "so far" in text


def test_one_that_waited_for_its_thread_is_slow_too() -> None:
    cases = Cases()
    x = cases.takes()
    x.began_at = x.received_at = x.started_at - 2.5
    (text,) = cases.after(0.1)
    assert "queue 2.5" in text and "run 0.1" in text


def test_one_whose_deadline_has_passed_has_its_own_record() -> None:
    cases = Cases()
    cases.takes().deadline = PASSED
    assert cases.after(3) == []
    cases.ends()
    assert cases.after(4) == []


def test_when_everything_is_slow_few_stacks_are_written_and_the_rest_is_counted() -> None:
    many = MOST + 7
    cases = Cases(threads=many)
    for index in range(many):
        cases.takes(index)
    assert len(cases.after(2.1)) == MOST
    assert cases.after(2.3) == []
    for index in range(many):
        cases.ends(index)
    assert len(cases.after(2.6)) == MOST, "an end for each that had a beginning"
    assert cases.after(2.1 + SPAN) == [
        f"slow: 7 more requests were slow within 10 s; {MOST} stacks are all that is written"
    ]
    assert cases.slow.count == many and not cases.slow.open


@contextmanager
def written(log: Path) -> Iterator[Callable[[str], str]]:
    """Waits for a word in the log; the whole of it."""

    def until(word: str) -> str:
        end = time.monotonic() + 5
        while word not in log.read_text():
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.02)
        return log.read_text()

    yield until


@pytest.mark.parametrize("loop", LOOPS)
def test_a_worker_tells_of_it(tmp_path: Path, loop: str) -> None:
    held = Held()
    with (
        running(tmp_path, held, loop=loop, log_slow=100) as it,
        it.client() as client,
        written(it.log) as until,
    ):
        client.send(GET)
        text = until("self.go.wait(20)")
        assert "penstock warning: slow: GET /shop?item=7 HTTP/1.1 from 127.0.0.1: 0." in text
        assert "Stack of penstock-" in text and "ended" not in text
        held.go.set()
        assert client.reply().status == 200
        assert "slow: GET /shop?item=7 HTTP/1.1: ended after 0." in until("ended after")


def test_without_the_option_nobody_looks(tmp_path: Path) -> None:
    with running(tmp_path, hello) as it:
        calls: list[Any] = [getattr(call, "__self__", None) for call in it.worker.door.on_tick]
        assert not any(isinstance(one, Slow) for one in calls)
