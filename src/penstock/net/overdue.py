"""Deadlines: who has had the time that a request has, and what becomes of that request and of nobody else.

Runs on the loop, at every tick, and looks at the threads; a request costs nothing until it is late. It does
not know how a worker is replaced: it says that one is worn, and why.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import inf
from time import monotonic
from typing import NamedTuple

from penstock.core.request import Request
from penstock.handoff.deadline import Aim, make_throw
from penstock.handoff.exchange import CONFIGURED, PASSED, Exchange
from penstock.handoff.pool import Slot
from penstock.net.door import Door
from penstock.net.sight import Sight, look, queued

STATUS, REASON = 504, "the request took too long"
ANSWERED, CUT = "answered 504", "its reply had begun: the connection was cut"
COMPLETE, GONE, KILLED = "its reply was complete", "its client had gone", "its worker is killed"
NOT_AT_ALL, ONCE, URGENTLY = 0, 1, 2


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class DeadlinePlan:
    """What a worker is told of deadlines.

    ``seconds``  float, how long a request may take, from when a thread has it; 0 for ever
    ``grace``    float, seconds that its thread has to come out of it, before the worker is replaced urgently
    ``process``  bool, the whole worker is killed instead (uWSGI's way)
    ``queue``    int, requests that must wait for a thread before one that is late is ended (uWSGI's
                 ``harakiri-queue-threshold``)
    ``routes``   bool, deadlines may be set for single requests (``Exchange.set_deadline``)
    """

    seconds: float = 0.0
    grace: float = 5.0
    process: bool = False
    queue: int = 0
    routes: bool = False

    @property
    def wanted(self) -> bool:
        """Whether there are deadlines at all."""
        return self.seconds > 0 or self.routes


class Overrun(NamedTuple):
    """The record of a request that took too long: what was seen of it, and what became of it."""

    sight: Sight
    outcome: str

    @property
    def text(self) -> str:
        """For the error log. Reads source files: not for the loop."""
        seen = self.sight
        head = f"harakiri: {seen.line} from {seen.remote}: {seen.age:.1f} s, {seen.phase}: {self.outcome}"
        head += f" ({seen.phases})"
        if not seen.stack:
            return head
        return f"{head}\nStack of {seen.thread} (most recent call last):\n{seen.trace()}"


@dataclass(slots=True, eq=False, repr=False)
class Late:
    """A request that is late and whose thread has not come back. ``since``: the reading of
    ``time.monotonic`` when that was found."""

    x: Exchange
    line: str
    since: float
    shot: bool = False
    told: bool = False


class Overdue:
    """One per worker that has deadlines. ``aims`` are those of the pool's threads, for ``make_answer``.

    ``record`` is called with each ``Overrun``, on a service thread. ``worn(why, urgent)`` is called on the
    loop when the worker should be replaced: once, and once more with ``urgent`` where that was not said yet.
    ``kill_me(why)`` ends the worker at once; without one, ``DeadlinePlan.process`` means nothing.
    ``count`` requests were late, into ``shots`` of them an exception was thrown.
    """

    def __init__(self, door: Door, plan: DeadlinePlan, record: Callable[[Overrun], None]) -> None:
        self.door = door
        self.plan = plan
        self.record = record
        throw = make_throw()
        self.aims = [Aim(throw) for _ in door.pool.slots]
        self.worn: Callable[[str, bool], None] = self.nobody
        self.kill_me: Callable[[str], None] | None = None
        self.late: dict[int, Late] = {}
        self.asked = NOT_AT_ALL
        self.count = 0
        self.shots = 0
        door.on_tick.append(self.tick)

    def nobody(self, why: str, urgent: bool) -> None:
        """There is no supervisor."""
        self.door.report(f"{why}; nobody is there to replace this process: restart it when it suits")

    def tick(self, now: float) -> None:
        """Every quarter second."""
        pool, plan = self.door.pool, self.plan
        calm = len(pool.work) < plan.queue
        for slot, aim in zip(pool.slots, self.aims, strict=True):
            x, late = slot.exchange, self.late.get(slot.index)
            if late is not None and late.x is x:
                self.follow(late, slot, aim, now)
            else:
                self.late.pop(slot.index, None)
                if x is not None and not calm and self.due(x) <= now:
                    self.expire(x, slot, aim, now)

    def due(self, x: Exchange) -> float:
        """When ``x`` is late."""
        if x.deadline != CONFIGURED:
            return x.deadline
        # As in uWSGI the time begins when a thread has it; how long it may wait is ``queue-timeout``'s. Else
        # an overload would have workers replaced that have nothing wrong with them.
        begun = x.started_at if self.plan.seconds > 0 else 0.0
        return begun + self.plan.seconds if begun else inf

    # ---- Being late ---------------------------------------------------------------------------------

    def expire(self, x: Exchange, slot: Slot, aim: Aim, now: float) -> None:
        """A thread has it."""
        seen = look(slot, now)  # before anything is done: what is done changes what there is to be seen
        if seen is None or slot.exchange is not x:
            return
        self.count += 1
        self.late[slot.index] = late = Late(x, seen.line, now)
        x.deadline = PASSED
        if self.plan.process and self.kill_me is not None:
            late.shot = late.told = True
            self.record(Overrun(seen, KILLED))  # here and now: there is no later
            self.kill_me(f"harakiri: {seen.line}: {seen.age:.1f} s")
            return
        self.tell(Overrun(seen, self.revoke(x)))
        self.follow(late, slot, aim, now)

    def tell(self, overrun: Overrun) -> None:
        """Have it recorded."""
        self.door.files.submit(partial(self.record, overrun))

    def revoke(self, x: Exchange) -> str:
        """Whatever ``x`` sends from here on goes nowhere; the outcome for its client, in words."""
        connection = x.outbox.owner
        if connection is None:
            return GONE
        try:
            if x.outbox.reclaim(x):
                connection.away = False
                if x.outbox.broken:
                    self.door.refused(timed(x), 0, 0)  # its thread makes no record any more
                    connection.lost()
                    return GONE
                connection.refuse(STATUS, REASON, timed(x))
                return ANSWERED
            if x.outbox.cut(x):
                connection.lost()
                return CUT
        except Exception as error:
            self.door.fault(connection, error)
        return COMPLETE

    # ---- The thread ---------------------------------------------------------------------------------

    def follow(self, late: Late, slot: Slot, aim: Aim, now: float) -> None:
        """Its thread has not come back."""
        if not late.shot and aim.shoot(late.x):
            late.shot = True
            self.shots += 1
            # Whether or not the thread comes out well: the application's locks, pools and half-done imports
            # may be left as they were.
            self.wear(f"harakiri: an exception was thrown into {late.line}", ONCE)
        if not late.told and now - late.since >= self.plan.grace:
            late.told = True
            seconds = f"{now - late.since:.1f} s after its deadline"
            self.wear(f"harakiri: {late.line} still holds thread {slot.index} {seconds}", URGENTLY)

    @property
    def held(self) -> int:
        """Threads that have not come back from a request which is over for its client."""
        slots = self.door.pool.slots
        return sum(slots[index].exchange is late.x for index, late in self.late.items())

    def wear(self, why: str, how: int) -> None:
        """The worker is to be replaced; said once, and once more when it has become urgent."""
        if how > self.asked:
            self.asked = how
            self.worn(why, how == URGENTLY)


def timed(x: Exchange) -> Request:
    """What a refusal and its record need of a request that a thread has: its environ is the application's."""
    copy = as_text(x.request)
    copy.vars["penstock.queue_time"] = queued(x, x.started_at)
    copy.vars["penstock.run_time"] = monotonic() - x.started_at
    return copy


def as_text(request: Request) -> Request:
    """The same request for a refusal and its record: its environ is the application's, which may have put
    anything into it and still does. Its log line may ask for any variable, and has the request's id."""
    found = {name: value for name, value in request.vars.copy().items() if isinstance(value, str)}
    copy = Request(found, request.count, request.size)
    copy.http11, copy.is_head = request.http11, request.is_head
    return copy
