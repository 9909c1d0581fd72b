"""Uploads in pieces: order, the watermark, and an end that is told from a cut."""

import threading

import pytest

from penstock.core.errors import BodyError
from penstock.handoff.doorway import Doorway, Marks
from penstock.handoff.inbox import Inbox
from tests.fakes import FakeLoop


def inbox(mark: int = 100) -> tuple[Inbox, FakeLoop, list[str]]:
    loop = FakeLoop()
    calls: list[str] = []
    return Inbox(Doorway(loop(), Marks(body_buffer=mark)), lambda: calls.append("resume")), loop, calls


def test_pieces_come_in_order_and_then_the_end() -> None:
    box, _, _ = inbox()
    assert box.feed(b"one")
    assert box.feed(b"two")
    box.finish()
    assert [box.take(), box.take(), box.take(), box.take()] == [b"one", b"two", b"", b""]
    assert box.complete
    assert box.total == 6


def test_a_cut_is_an_error_after_what_came_before_it() -> None:
    box, _, _ = inbox()
    box.feed(b"half")
    box.fail("the client left")
    assert box.take() == b"half"
    with pytest.raises(BodyError, match="the client left"):
        box.take()
    assert not box.complete


def test_a_failure_after_the_end_changes_nothing() -> None:
    box, _, _ = inbox()
    box.finish()
    box.fail("too late")
    assert box.take() == b""


def test_above_the_mark_reading_stops_and_resumes_at_half_of_it() -> None:
    box, loop, calls = inbox(mark=10)
    assert box.feed(b"x" * 6)
    assert not box.feed(b"y" * 6)
    box.take()
    loop.turn()
    assert calls == [], "6 are left, the low mark is 5"
    box.take()
    loop.turn()
    assert calls == ["resume"]


def test_a_reader_waits_for_the_loop() -> None:
    box, _, _ = inbox()
    got: list[bytes] = []

    def read() -> None:
        while piece := box.take():
            got.append(piece)

    thread = threading.Thread(target=read)
    thread.start()
    for _ in range(200):
        box.feed(b"z")
    box.finish()
    thread.join(5)
    assert b"".join(got) == b"z" * 200
