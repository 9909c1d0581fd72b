"""What a thread is seen to do: the right thread, its innermost frames, and nothing that has ended."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from penstock.core.request import Request
from penstock.handoff.doorway import Doorway
from penstock.handoff.exchange import Exchange
from penstock.handoff.inbox import Inbox
from penstock.handoff.pool import Slot
from penstock.net.sight import (
    AFTER,
    DEEPEST,
    MOST_VARIABLES,
    QUEUED,
    READING,
    SENDING,
    WORKING,
    look,
    phases_of,
    sight,
    stack_of,
    variables,
)
from tests.fakes import FakeLoop


class Box:
    """An outbox, as far as it is looked at."""

    def __init__(self) -> None:
        self.exchange: Any = None
        self.waiter: Any = None


def slot_of(thread: threading.Thread, body: Any = None) -> tuple[Slot, Exchange]:
    box: Any = Box()
    slot = Slot(0)
    slot.thread = thread
    slot.exchange = box.exchange = x = Exchange(Request({}), box, body, 100.0)
    return slot, x


@contextmanager
def waiting(call: Any) -> Iterator[threading.Thread]:
    """A thread in ``call``, which an inbox or a lock holds up."""
    thread = threading.Thread(target=call, name="cook", daemon=True)
    thread.start()
    time.sleep(0.05)
    yield thread


def test_a_thread_is_seen_with_its_request_and_its_stack() -> None:
    gate = threading.Lock()
    gate.acquire()

    def cooks() -> None:
        gate.acquire()

    with waiting(cooks) as thread:
        seen = look(slot_of(thread)[0], 103.5)
        gate.release()
    assert seen is not None
    assert (seen.age, seen.phase, seen.thread, seen.line) == (3.5, WORKING, "cook", "- - -")
    assert [step.name for step in seen.stack] == ["cooks"]
    assert seen.trace().endswith(", in cooks\n    gate.acquire()")


def test_the_phase_is_what_it_waits_for() -> None:
    inbox = Inbox(Doorway(FakeLoop()()), lambda: None)
    with waiting(inbox.take) as thread:
        slot, x = slot_of(thread, inbox)
        box: Any = x.outbox
        phases = [look(slot, 101.0)]
        box.waiter = threading.Lock()
        phases.append(look(slot, 101.0))
        box.exchange = None
        phases.append(look(slot, 101.0))
        inbox.finish()
    assert [seen.phase for seen in phases if seen is not None] == [READING, SENDING, AFTER]


def test_who_does_nothing_or_has_ended_is_not_seen() -> None:
    slot, _ = slot_of(threading.current_thread())
    slot.exchange = None
    assert look(slot, 101.0) is None
    slot, _ = slot_of(threading.current_thread())
    slot.thread = None
    assert look(slot, 101.0) is None


def test_a_stack_is_kept_from_the_innermost_out_and_has_an_end() -> None:
    found: list[int] = []

    def deeper(more: int) -> None:
        if more:
            deeper(more - 1)
        else:
            found.append(len(stack_of(threading.get_ident())))

    deeper(DEEPEST + 50)
    assert found == [DEEPEST]
    assert stack_of(0) == ()


# ---- What else is said of it ----------------------------------------------------------------------------


def test_where_its_time_has_gone() -> None:
    inbox = Inbox(Doorway(FakeLoop()()), lambda: None)
    slot, x = slot_of(threading.current_thread(), inbox)
    x.began_at, x.received_at, x.started_at = 99.0, 100.5, 102.5
    x.waited, inbox.waited = 0.25, 0.5
    seen = look(slot, 105.0)
    assert seen is not None and seen.core == slot.index
    assert seen.phases == (1.5, 2.0, 1.75, 0.75) and sum(seen.phases) == seen.age == 6.0
    assert str(seen.phases) == "receive 1.500 s, queue 2.000 s, run 1.750 s, write 0.750 s"
    x.request.vars["penstock.queue_time"] = 7.5  # with what the front server had of it
    assert phases_of(x, 105.0).queue == 7.5
    x.request.vars["penstock.queue_time"] = "no number"
    assert phases_of(x, 105.0).queue == 2.0


def test_what_waits_for_a_thread_only_queues() -> None:
    _, x = slot_of(threading.current_thread())
    assert sight(x, 103.0, QUEUED).phases == (0.0, 3.0, 0.0, 0.0)
    for before in (0.0, 4.0):  # seconds elsewhere: every environ has the key before a thread has the request
        x.request.vars["penstock.queue_time"] = before
        assert sight(x, 103.0, QUEUED).phases == (0.0, 3.0 + before, 0.0, 0.0)


def test_its_variables_and_its_id_as_text_whatever_the_application_put_there() -> None:
    slot, x = slot_of(threading.current_thread())
    x.request.vars |= {
        "HTTP_X": "a\nb", "wsgi.input": "no", "NUMBER": 7, "LONG": "x" * 5000,
        "penstock.request_id": "r\x00-1",
    }  # fmt: skip
    assert variables(x) == ("HTTP_X=a\\x0ab", f"LONG={'x' * 2000}")
    seen = look(slot, 101.0)
    assert seen is not None and seen.line == "- - - (r\\x00-1)"
    x.request.vars |= {f"V{at}": "v" for at in range(1000)}
    assert len(variables(x)) == MOST_VARIABLES
