"""Profiles: the right functions by their share of time, threads that wait left out, and a bounded answer."""

import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from penstock.handoff.pool import Slot
from penstock.interprocess.channel import WHOLE
from penstock.process.sights import sampling, tells
from penstock.process.sights.sampling import (
    LABEL,
    MOST,
    OTHERS,
    Samples,
    all_stacks,
    label_of,
    profile,
)
from penstock.process.sights.saying import Say
from penstock.services.flame import stacks_of
from tests.process.running import hello, running
from tests.waiting import until


def waits(gate: threading.Event) -> None:
    gate.wait(20)


def never() -> bool:
    return False


@contextmanager
def threads(*calls: Any) -> Iterator[list[Slot]]:
    """Slots of threads that each have a request, in these calls with a gate."""
    gate = threading.Event()
    slots = []
    for index, call in enumerate(calls):
        slot = Slot(index)
        slot.thread = threading.Thread(target=call, args=(gate,), name=f"cook-{index}", daemon=True)
        slot.thread.start()
        has: Any = object()
        slot.exchange = has
        slots.append(slot)
    time.sleep(0.05)
    yield slots
    gate.set()
    for slot in slots:
        assert slot.thread is not None
        slot.thread.join(5)


def test_where_threads_are_is_seen_as_often_as_they_are_there() -> None:
    def cooks(gate: threading.Event) -> None:
        waits(gate)

    with threads(cooks, waits, waits) as slots:
        slots[2].exchange = None
        found = profile(slots, 0.3, never)
    assert 0.3 <= found["seconds"] < 0.6 and 10 <= found["samples"] <= 31
    assert found["threads"] == 3 and found["busy"] == 2 * found["samples"]
    assert 0 < found["cost"] < found["seconds"] / 2
    stacks = stacks_of(found)
    assert sum(stacks.values()) == found["busy"]
    ours = [stack for stack in stacks if any(":waits:" in label for label in stack)]
    assert sum(stacks[stack] for stack in ours) == found["busy"]
    inner = f"{__name__}:{cooks.__qualname__}:{cooks.__code__.co_firstlineno}"
    assert sum(count for stack, count in stacks.items() if inner in stack) == found["samples"]
    assert json.loads(json.dumps(found)) == found


def test_it_ends_with_its_worker() -> None:
    with threads(waits) as slots:
        began = time.monotonic()
        found = profile(slots, 30, lambda: time.monotonic() - began > 0.1)
    assert found["seconds"] < 5


def test_a_thread_that_is_gone_has_no_stack() -> None:
    with threads(lambda gate: None) as slots:
        found = profile(slots, 0.05, never)
    assert stacks_of(found) == {(): found["busy"]} and found["busy"] > 0


def test_a_stack_has_no_end_of_ours_and_is_not_too_deep() -> None:
    samples = Samples()

    def deeper(more: int) -> tuple[int, ...]:
        return deeper(more - 1) if more else samples.chain(sys._getframe())

    chain = deeper(sampling.DEEPEST + 20)
    assert len(chain) == sampling.DEEPEST
    assert {samples.labels[code].partition(":")[2].split(":")[0] for code in chain} == {
        "test_a_stack_has_no_end_of_ours_and_is_not_too_deep.<locals>.deeper"
    }


def test_a_label_is_one_word_for_other_tools() -> None:
    scope: dict[str, Any] = {"__name__": "a;b\n" + "x" * 500}
    exec("import sys\ndef f(): return sys._getframe()", scope)
    label = label_of(scope["f"]())
    assert label.startswith("a_b_xxx") and len(label) == LABEL


def test_an_answer_is_bounded_however_many_stacks_there_are() -> None:
    samples = Samples()
    for number in range(3 * MOST):
        samples.labels[number] = f"{'module.' * 20}{number}:function:{number}"
        samples.seen[(number, *range(60))] += 1 + (number < 10)
    plain = samples.plain()
    assert len(plain["stacks"]) == MOST + 1 and plain["labels"][-1] == OTHERS
    assert sum(stack[0] for stack in plain["stacks"]) == 3 * MOST + 10
    assert len(json.dumps(plain)) < WHOLE


def test_all_threads_are_told_by_their_names() -> None:
    with threads(waits):
        found = all_stacks()
    (cook,) = [one for one in found if one["thread"] == "cook-0"]
    assert "in waits\n    gate.wait(20)" in cook["stack"] and "threading.py" in cook["stack"]
    assert any(one["thread"] == "MainThread" for one in found)


# ---- In a worker ----------------------------------------------------------------------------------------


def asked(it: Any, *questions: dict[str, Any]) -> list[dict[str, Any]]:
    """What a worker answers, as soon as it has answered all."""
    told: list[dict[str, Any]] = []
    for question in questions:
        it.call(tells.answer, it.worker.tells, question, told.append)
    until(lambda: len(told) == len(questions))
    return told


def test_one_profile_at_a_time_and_none_that_is_too_long(tmp_path: Path) -> None:
    with running(tmp_path, hello) as it:
        told = asked(it, *({"what": "profile", "id": at, "seconds": 0.3} for at in range(2)))
        assert [message["id"] for message in told] == [1, 0]
        assert told[0]["reason"] == "another profile is being taken of this worker"
        assert told[1]["value"]["samples"] > 5 and told[1]["value"]["busy"] == 0
        (third,) = asked(it, {"what": "profile", "seconds": 0.05})
        assert third["value"]["stacks"] == []
        for seconds in (0, 601, "1", None):
            (message,) = asked(it, {"what": "profile", "seconds": seconds})
            assert message["reason"] == "seconds: a number up to 600 is expected"
        assert not [one for one in threading.enumerate() if one.name == "penstock-profile"]


def test_a_worker_tells_of_its_threads(tmp_path: Path) -> None:
    with running(tmp_path, hello, threads=2) as it:
        (told,) = asked(it, {"what": "stacks", "id": 9})
        assert {"worker", "penstock-0", "penstock-1"} <= {one["thread"] for one in told["value"]}


def test_questions_that_make_no_sense_have_an_answer(tmp_path: Path) -> None:
    with running(tmp_path, hello) as it:

        def breaks(question: dict[str, Any], say: Say) -> None:
            raise ValueError("broken")

        it.worker.tells["breaks"] = breaks
        told = asked(it, {"what": "breaks", "id": 1}, {"what": ["x"]}, {})
        assert told[0] == {"is": "told", "id": 1, "reason": "the worker could not tell: ValueError('broken')"}
        assert told[1]["reason"] == told[2]["reason"] == "the worker knows nothing of that"


@pytest.mark.parametrize("work", [lambda: 1 / 0])
def test_work_that_fails_on_its_thread_has_an_answer_too(tmp_path: Path, work: Any) -> None:
    with running(tmp_path, hello) as it:
        it.worker.tells["work"] = lambda question, say: tells.later(it.worker, work, say)
        assert "ZeroDivisionError" in asked(it, {"what": "work"})[0]["reason"]
