"""The doorway in: the loop submits exchanges, the pool's threads serve them, one woken at a time.

Waking threads is the dearest thing on the path, so at most one is on its way: the loop lets one parked
thread go (the one parked last), and the one that arrives owes the next look. A fast application is
served by one warm thread that drains the batch; a blocking one spreads over all of them, one that computes
over as many as are of use (``Breadth``).

The invariant, kept by the doorway's one lock and so without reliance on the GIL: work is not empty and
a thread is parked => a check is scheduled, or a thread is on its way, or a bell has been rung, or as many
serve as there is room for and the loop looks at that again.
"""

import os
import threading
import time
from _thread import LockType, allocate_lock
from asyncio import AbstractEventLoop
from collections import deque
from collections.abc import Callable
from math import inf
from time import monotonic
from typing import Final, Protocol

from penstock.handoff.breadth import LOOK, Breadth
from penstock.handoff.doorway import Doorway
from penstock.handoff.exchange import Exchange
from penstock.handoff.post import HOLD

Serve = Callable[[Exchange, int], None]


class Watch(Protocol):
    """A porter, as the pool knows it (see ``Porter``)."""

    @property
    def held(self) -> bool: ...
    def watch(self, slot: "Slot") -> bool: ...
    def call(self) -> None: ...


BACKLOG: Final = 4  # exchanges that wait, from which on small replies are sent several at once
QUICK = 4  # replies in the post's time without which it is not worth it
LATER = 0.1  # seconds until it is tried again then
STALE: Final = 1.0  # seconds after which a queued request is served only if its client is still there


class Slot:
    """What one pool thread is doing; written by that thread alone, read by the loop.

    ``exchange`` is None while it does nothing; ``finished`` counts the exchanges it is done with, ``dropped``
    those of them whose client had gone before, ``revoked`` those that the loop has answered in its place,
    ``taken`` those that it took at the door itself. ``clock``: the thread's CPU clock, -1 before it has one.
    """

    __slots__ = ("clock", "dropped", "exchange", "finished", "index", "revoked", "taken", "thread")

    def __init__(self, index: int) -> None:
        self.index = index
        self.exchange: Exchange | None = None
        self.finished = 0
        self.dropped = 0
        self.revoked = 0
        self.taken = 0
        self.clock = -1
        self.thread: threading.Thread | None = None


class Pool:
    """``threads`` threads that call ``serve(exchange, index)``; a queue of at most ``queue`` exchanges.

    ``serve`` answers for its own errors; what still escapes it is told to ``failed(text)``.
    """

    def __init__(self, loop: AbstractEventLoop, doorway: Doorway, threads: int, queue: int) -> None:
        self.loop = loop
        self.doorway = doorway
        self.lock = doorway.lock
        self.queue = queue
        self.work: deque[Exchange | None] = deque()
        self.parked: list[LockType] = []
        self.waking = False
        self.scheduled = False
        self.post = doorway.post
        self.post_from = 0.0
        self.done_before = 0
        self.admitted = 0
        self.slots = [Slot(index) for index in range(threads)]
        self.breadth = Breadth(self.slots)
        self.size = self.room = threads
        self.narrow = False
        self.serve: Serve = _unset
        self.porter: Watch | None = None

    def start(self, serve: Serve) -> None:
        """Start the threads; they are daemons, so that a stuck one cannot keep the process alive."""
        self.serve = serve
        for slot in self.slots:
            slot.thread = threading.Thread(
                target=self._turn, args=(slot,), name=f"penstock-{slot.index}", daemon=True
            )
            slot.thread.start()

    # ---- LOOP -------------------------------------------------------------------------------------

    @property
    def full(self) -> bool:
        """Whether the queue is at its mark: the next request is answered 503 without a thread."""
        return len(self.work) >= self.queue

    @property
    def pressed(self) -> bool:
        """Whether requests wait and no thread is free, or there is no room for those that are."""
        return bool(self.work) and (not self.parked or self.narrow)

    @property
    def serving(self) -> int:
        """Threads that take requests from the queue, or are on their way to it (under the lock)."""
        return self.size - len(self.parked) - self.attended

    def submit(self, x: Exchange) -> None:
        """Queue an exchange, whose lease the thread now has; one look per turn of the loop."""
        self.admitted += 1
        self.work.append(x)
        if not self.scheduled:
            self.scheduled = True
            self.loop.call_soon(self.check)

    def check(self) -> None:
        """Let one parked thread go if there is work and none is on its way."""
        self.scheduled = False
        if len(self.work) >= BACKLOG:
            if not self.post.open:
                self.open_post()
            if not self.breadth.watching and self.breadth.begin(monotonic()):
                self.loop.call_later(LOOK, self.look)
        with self.lock:
            if self.waking or not self.work:
                return
            parking = self.parked.pop() if self.parked and self.serving < self.room else None
            self.waking = parking is not None
        if parking is not None:
            parking.release()
        elif self.porter is not None:
            self.porter.call()

    def look(self) -> None:
        """While requests wait: whether more or fewer threads are of use."""
        self.breadth.look(monotonic(), bool(self.work))
        self.room, self.narrow = self.breadth.room, self.breadth.narrow
        if self.breadth.watching:
            self.loop.call_later(LOOK, self.look)
        self.check()

    def open_post(self) -> None:
        """Requests queue: small replies may wait for each other, as long as they come quickly."""
        if monotonic() >= self.post_from:
            self.done_before = self.done
            self.post.open = True
            self.loop.call_later(HOLD, self.shut_post)

    def shut_post(self) -> None:
        """The time of those that wait in the post is over."""
        self.post.shut()
        if self.done - self.done_before < QUICK:
            self.post_from = monotonic() + LATER

    @property
    def done(self) -> int:
        """Exchanges that the threads are done with."""
        return sum(slot.finished for slot in self.slots)

    @property
    def dropped(self) -> int:
        """Those of them whose client had gone before a thread had them."""
        return sum(slot.dropped for slot in self.slots)

    @property
    def answered(self) -> int:
        """Those of them that a thread has answered."""
        return sum(slot.finished - slot.dropped - slot.revoked for slot in self.slots)

    @property
    def attended(self) -> bool:
        """Whether a thread is at the door, which can be called."""
        return self.porter is not None and self.porter.held

    def expire(self, before: float) -> list[Exchange]:
        """Take from the queue what was received ``before`` that time; each is the caller's now.

        The left of the deque is the oldest. Whoever pops an exchange owns it: one that a thread's pop
        made us take in error goes back to where it was.
        """
        late: list[Exchange] = []
        work = self.work
        while _oldest(work) < before:
            try:
                x = work.popleft()
            except IndexError:
                break
            if x is None or x.received_at >= before:
                work.appendleft(x)
                self.loop.call_soon(self.check)
                break
            self.admitted -= 1
            late.append(x)
        return late

    @property
    def in_flight(self) -> int:
        """Exchanges that were submitted and are not finished (queued ones included)."""
        taken = sum(slot.taken - slot.finished for slot in self.slots)
        return self.admitted + taken + len(self.post.waiting)

    def stop(self) -> None:
        """Have every thread leave once what is queued is served."""
        self.post_from = inf
        self.post.shut()
        self.work.extend([None] * len(self.slots))
        self.breadth.end()
        with self.lock:
            self.room = self.size
            self.narrow = False
            parked, self.parked = self.parked, []
            self.waking = False
        for parking in parked:
            parking.release()

    def join(self, seconds: float) -> list[int]:
        """Wait for the threads; returns the indexes of those that are still busy."""
        until = monotonic() + seconds
        for slot in self.slots:
            if slot.thread is not None:
                slot.thread.join(max(0.0, until - monotonic()))
        return [slot.index for slot in self.slots if slot.thread is not None and slot.thread.is_alive()]

    # ---- THREAD -----------------------------------------------------------------------------------

    def _turn(self, slot: Slot) -> None:
        parking = allocate_lock()
        parking.acquire()
        if hasattr(time, "pthread_getcpuclockid"):
            slot.clock = time.pthread_getcpuclockid(threading.get_ident())
        fresh = False  # let go by the loop and not yet paid with a look
        single = False  # the last one was the only request of its connection: the next may come the same way
        work, lock, post = self.work, self.lock, self.post
        while True:
            if not work:
                if post.waiting:
                    post.send()
                fresh = self._idle(slot, parking, fresh, single)
                single = False
                continue
            if self.narrow and not fresh and self._stand_back(parking):
                fresh = True
                single = False
                continue
            try:
                x = work.popleft()
            except IndexError:
                continue  # another thread was faster
            if fresh:
                with lock:
                    fresh = self.waking = False
                    free = self.parked and self.serving < self.room
                    more = bool(work and (free or self.attended))
                if more:
                    self.doorway.bell.ring(self.check)
            if x is None:
                return
            self.run_one(x, slot)
            single = x.outbox.closed
            x = None  # a parked thread must not keep the last request's environ alive

    def _idle(self, slot: Slot, parking: LockType, fresh: bool, single: bool) -> bool:
        """Go to the door, or park; returns whether the look is owed after it.

        Never called within an ``except``: what is served at the door would see that exception as the
        context of its own.
        """
        if single and not fresh and self.porter is not None and self.porter.watch(slot):
            return False
        with self.lock:
            park = not self.work
            if park:
                self.waking = self.waking and not fresh
                self.parked.append(parking)
        if park:  # else still on its way if fresh: the look is owed
            parking.acquire()
        return fresh or park

    def _stand_back(self, parking: LockType) -> bool:
        """Park although there is work, where as many others serve as there is room for."""
        with self.lock:
            back = self.serving > self.room
            if back:
                self.parked.append(parking)
        if back:
            if self.post.waiting:
                self.post.send()
            parking.acquire()
        return back

    def run_one(self, x: Exchange, slot: Slot) -> None:
        """Serve an exchange on this thread, ``slot``'s."""
        slot.exchange = x
        try:
            x.started_at = now = monotonic()
            if x.outbox.broken or (now - x.received_at > STALE and x.outbox.disconnected()):
                slot.dropped += 1
                x.outbox.abandon(x)
            else:
                self.serve(x, slot.index)
        except BaseException as error:
            # Whatever a request raises is that request's: the thread lives on.
            self.doorway.bell.failed(f"penstock-{slot.index}: {error!r}")
            x.outbox.abandon(x)
        finally:
            slot.exchange = None
            if x.reclaimed:
                slot.revoked += 1
            slot.finished += 1
            if self.doorway.kin.foreign:
                os._exit(0)  # a child that the application forked: it must take nothing more of ours


def _oldest(work: deque[Exchange | None]) -> float:
    """When the exchange on the left was received; never, for an empty queue or a stop token."""
    try:
        x = work[0]
    except IndexError:
        return inf
    return inf if x is None else x.received_at


def _unset(x: Exchange, index: int) -> None:
    raise RuntimeError("the pool was not started")
