"""A deadline at every step of a request: it lands in the application, or at its door, and nowhere else."""

import threading
from collections import Counter
from pathlib import Path
from queue import SimpleQueue
from types import CodeType
from typing import Any

import pytest

from penstock.core.errors import Deadline
from penstock.handoff.exchange import Exchange
from tests.serve.wsgi.stepping import Run, stepping
from tests.serve.wsgi.test_armed import Result, Thread, streamed


class Steps:
    """Runs a request step by step (an instruction each), takes it from the thread at one of them, and raises
    Deadline ``delay`` steps later, as the loop would; says in whose code that was.

    ``slow``: that it was thrown is written by another thread, and so a moment after it has come out.
    """

    def __init__(self, application: Any) -> None:
        self.thread = Thread(application, self.throw)
        self.loop: SimpleQueue[Exchange | None] = SimpleQueue()
        self.helper = threading.Thread(target=self.writes, daemon=True)
        self.helper.start()
        self.stepping: Run = lambda call: None
        self.x: Any = None
        self.step = self.at = self.due = 0
        self.armed: list[int] = []
        self.pending = False
        self.slow = False
        self.where = ""

    def throw(self, thread: int) -> None:
        """By the thread itself, at the end: it takes the place of what is pending, and comes at once. Not by
        way of the steps, of which a trace that has raised sees no more."""
        self.pending = False
        raise Deadline

    def writes(self) -> None:
        while (x := self.loop.get()) is not None:
            self.thread.aim.thrown = x

    def thrown(self) -> None:
        if self.slow:
            self.loop.put(self.x)
        else:
            self.thread.aim.thrown = self.x

    def take(self, code: CodeType) -> None:
        """The next step: be the loop, if it is time."""
        self.step += 1
        aim = self.thread.aim
        if self.x in aim.armed:
            self.armed.append(self.step)
            if self.at and self.step >= self.at:
                aim.armed.remove(self.x)
                self.pending, self.due, self.at = True, self.step + self.due, 0
        if self.pending and self.step >= self.due:
            self.pending = False
            self.where = self.where or f"{Path(code.co_filename).stem}.{code.co_qualname}"
            self.thrown()
            raise Deadline

    def run(self, at: int, delay: int) -> str:
        """Where it landed, "" where nowhere."""
        self.step, self.at, self.due, self.where, self.pending = 0, at, delay, "", False
        self.x, _ = self.thread.exchange(body=streamed(b"body"))
        self.stepping(lambda: self.thread.answer(self.x, 0))
        assert not self.pending, f"still to come after the request: step {at}, {delay} later"
        aim = self.thread.aim
        assert (aim.x, aim.thrown, aim.on, aim.armed) == (None, None, False, set())
        return self.where

    def end(self) -> None:
        self.loop.put(None)
        self.helper.join(5)


def calls_back(environ: dict[str, Any], start_response: Any) -> Any:
    environ["wsgi.input"].read(2)
    write = start_response("200 OK", [])
    write(b"a")
    environ["wsgi.errors"].write("b")
    return Result(lambda word: None)


def returns(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [])
    return [b"a"]


APPLICATION = ("test_armed_steps.calls_back", "test_armed_steps.returns", "test_armed.Result.")
DOOR = ("armed.", "deadline.")


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("delays", "stride"),
    [((0, 40), 8), pytest.param(range(0, 60, 4), 1, marks=pytest.mark.slow)],
    ids=["some", "all"],
)
@pytest.mark.parametrize("slow", [False, True], ids=["at once", "a moment later"])
@pytest.mark.parametrize("application", [returns, calls_back])
def test_whatever_the_step_a_deadline_lands_in_the_application_or_at_its_door(
    application: Any, slow: bool, delays: Any, stride: int
) -> None:
    steps = Steps(application)
    steps.slow = slow
    where: Counter[str] = Counter()
    with stepping(steps.take) as steps.stepping:
        for _ in range(2):  # the first request of a thread has steps of its own
            steps.armed.clear()
            steps.run(0, 0)
        # Of few steps more are tried: an application that does little has hardly any of its own.
        armed = steps.armed[:: stride if len(steps.armed) > 150 else min(stride, 3)]
        for delay in delays:
            for at in armed:
                where[steps.run(at, delay)] += 1
    steps.end()
    assert sum(where.values()) == len(delays) * len(armed) and where[""] < len(armed)
    inside = sum(where[name] for name in where if name.startswith(APPLICATION))
    door = sum(where[name] for name in where if name.startswith(DOOR))
    assert inside and door and inside + door + where[""] == sum(where.values()), where
