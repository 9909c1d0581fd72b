"""Where a deadline's exception lands: in the armed code of the request it is meant for, or nowhere."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from penstock.core.errors import Deadline
from penstock.core.request import Request
from penstock.handoff.deadline import Aim, make_throw
from penstock.handoff.doorway import Doorway
from penstock.handoff.exchange import CONFIGURED, PASSED, Exchange
from penstock.handoff.outbox import Outbox
from tests.fakes import FakeLoop, FakeSocket
from tests.waiting import until


class Owner:
    """A connection of which nothing is asked."""

    def returned(self) -> None: ...

    def flush(self) -> None: ...


BOX = Outbox(FakeSocket()(), Doorway(FakeLoop()()), Owner())


def exchange() -> Exchange:
    return Exchange(Request({}), BOX, None, time.monotonic())


@contextmanager
def thread_of(turn: Callable[[], None]) -> Iterator[threading.Thread]:
    thread = threading.Thread(target=turn, daemon=True)
    thread.start()
    yield thread
    thread.join(20)
    assert not thread.is_alive()


def test_an_armed_thread_is_hit_in_the_middle_of_its_loop() -> None:
    aim, x = Aim(make_throw()), exchange()
    landed: list[str] = []

    def turn() -> None:
        aim.begin(x)
        try:
            aim.arm()
            while True:
                pass
        except Deadline as error:
            landed.append(str(error))
        aim.end()

    with thread_of(turn):
        until(lambda: aim.armed)
        assert aim.shoot(x)
        assert not aim.shoot(x), "once"
    assert landed == ["the request's deadline has passed"]
    assert (aim.x, aim.thrown, aim.on, aim.armed) == (None, None, False, set())


def test_nobody_is_hit_who_is_not_armed_or_armed_for_another() -> None:
    thrown: list[Any] = []
    aim, x = Aim(thrown.append), exchange()
    aim.begin(x)
    assert not aim.shoot(x)
    aim.arm()
    assert not aim.shoot(exchange())
    assert not aim.disarm()
    assert not aim.shoot(x)
    aim.end()
    assert thrown == []


def test_what_was_thrown_and_swallowed_is_not_thrown_again_nor_armed_for() -> None:
    aim, x, steps = Aim(make_throw()), exchange(), []

    def turn() -> None:
        aim.begin(x)
        try:
            aim.arm()
            while True:
                pass
        except Deadline:
            steps.append("hit")
        steps.append("entered" if aim.enter() else "was not armed")
        aim.arm()
        steps.append("armed" if aim.armed else "not armed again")
        aim.end()
        aim.begin(exchange())
        aim.arm()
        steps.append("armed for the next" if aim.armed else "lost")
        assert not aim.disarm()
        aim.end()

    with thread_of(turn):
        until(lambda: aim.armed)
        assert aim.shoot(x)
    assert steps == ["hit", "entered", "not armed again", "armed for the next"]


def test_a_throw_that_has_not_come_out_is_raised_from_what_the_application_calls() -> None:
    """As if the loop had thrown between two steps: it takes the request, and throws a moment later."""
    aim, x = Aim(make_throw()), exchange()
    landed: list[str] = []
    entering = threading.Event()

    def turn() -> None:
        aim.begin(x)
        aim.arm()
        entering.set()
        while aim.armed:
            pass
        try:
            aim.away(landed.append, "ran")
        except Deadline:
            landed.append("raised")
        aim.end()

    with thread_of(turn):
        assert entering.wait(5)
        aim.armed.remove(x)
        time.sleep(0.05)
        aim.throw(aim.ident)
        aim.thrown = x
    assert landed == ["raised"]


def test_what_the_application_calls_is_disarmed_and_armed_again_after_it_also_when_it_raises() -> None:
    aim, x, seen = Aim(make_throw()), exchange(), []

    def fails(word: str) -> None:
        seen.append((word, set(aim.armed)))
        raise ValueError(word)

    aim.begin(x)
    aim.arm()
    with pytest.raises(ValueError, match="no"):
        aim.away(fails, "no")
    seen.append(("after", set(aim.armed)))
    aim.disarm()
    with pytest.raises(ValueError, match="bare"):
        aim.away(fails, "bare")
    seen.append(("unarmed", set(aim.armed)))
    aim.end()
    assert seen == [("no", set()), ("after", {x}), ("bare", set()), ("unarmed", set())]


def test_a_thread_of_the_applications_own_changes_nothing() -> None:
    aim, x, seen = Aim(make_throw()), exchange(), []
    aim.begin(x)
    aim.arm()
    with thread_of(lambda: aim.away(lambda: seen.append(set(aim.armed)))):
        pass
    assert seen == [{x}] and aim.armed == {x}
    aim.disarm()
    aim.end()


def test_a_throw_that_came_at_the_step_of_disarming_is_settled_before_the_next_request() -> None:
    """``disarm`` was entered and left by the exception itself: its caller is out, the aim not yet clean."""
    thrown: list[int] = []

    def throw(thread: int) -> None:
        thrown.append(thread)
        if len(thrown) % 2 == 0:  # the thread's own, which comes at once
            raise Deadline

    aim, x = Aim(throw), exchange()
    for requests in (1, 2):
        aim.begin(x)
        aim.arm()
        assert aim.shoot(x)
        aim.arm()
        assert (aim.on, aim.armed, len(thrown)) == (False, set(), 2 * requests)
        aim.end()
        assert aim.thrown is None


class Racing:
    """A thread that serves one request after the other, and a count of where it is hit."""

    def __init__(self) -> None:
        self.aim = Aim(make_throw())
        self.current: Exchange | None = None
        self.steps = 0
        self.over = False
        self.where: Counter[str] = Counter()
        self.strays: list[str] = []

    def turn(self) -> None:
        try:
            while not self.over:
                self.serve(exchange())
        except Deadline as error:
            frame = error.__traceback__
            while frame is not None and frame.tb_next is not None:
                frame = frame.tb_next
            self.strays.append(frame.tb_frame.f_code.co_name if frame is not None else "")

    def serve(self, x: Exchange) -> None:
        aim = self.aim
        aim.begin(x)
        place = "application"
        try:
            aim.arm()
            self.current = x
            self.application()
            place = "disarming"
            if aim.disarm():
                self.where["taken by disarm"] += 1
        except Deadline:
            self.where[place] += 1
        self.server()
        aim.end()
        self.server()

    def application(self) -> None:
        for _ in range(20):
            self.steps += 1

    def server(self) -> None:
        """A hit in here is one in the server's own code."""
        for _ in range(30):
            self.steps -= 1


@pytest.mark.usefixtures("restless")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("wanted", [1000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_deadlines_at_the_end_of_a_request_land_nowhere_else(wanted: int) -> None:
    """The threads are real, and so is the throw; every step that there is, is tried in serve/wsgi."""
    racing, thrown = Racing(), 0
    with thread_of(racing.turn):
        begun = time.monotonic()
        while thrown < wanted and time.monotonic() - begun < 250 and not racing.strays:
            time.sleep(0.00002)
            x = racing.current
            if x is not None:
                thrown += racing.aim.shoot(x)
        racing.over = True
    assert racing.strays == []
    assert thrown >= wanted, f"only {thrown} in time"
    assert sum(racing.where.values()) == thrown, racing.where


# ---- An exchange's own deadline -----------------------------------------------------------------------


def test_an_exchange_has_the_workers_deadline_its_own_or_none() -> None:
    x = exchange()
    assert x.deadline == CONFIGURED and not x.overdue
    x.set_deadline(5)
    assert x.deadline == pytest.approx(time.monotonic() + 5, abs=1)
    x.set_deadline(0)
    assert x.deadline == float("inf")


def test_a_deadline_that_has_passed_is_not_taken_back() -> None:
    x = exchange()
    x.deadline = PASSED
    x.set_deadline(5)
    assert x.overdue
