"""The porter: a pool thread with nothing to do that takes one-request connections at the door itself.

Behind nginx each uwsgi request comes on a connection of its own. By way of the loop it wakes the loop, then
a thread, and the two pass the interpreter's lock back and forth over every system call: three times the
CPU of the request. A thread that has just answered such a connection therefore stays at the door for a
moment and answers the next ones. Nothing here knows what a connection is made of: ``takes`` does.
"""

import os
import select
from _thread import allocate_lock
from collections.abc import Callable, Mapping
from time import monotonic

from penstock.handoff.exchange import Exchange
from penstock.handoff.pool import Pool, Slot

STAY = 20  # milliseconds without a connection after which the door is the loop's again
LOOK = 0.005  # seconds after which the loop looks whether a request holds the porter up
SHORT = 0.0005  # seconds of a mean request above which those who wait are better served side by side
MEAN = 1 / 32  # weight of the last request in that mean: the system takes a thread off its core now and then
SEVERAL = 8  # connections that are taken before it is asked who else wants something
NOW_AND_THEN = 16  # times that it was asked first, after which it is tried to do without
BACKOFF = 0.25  # seconds in which no thread takes the door after that

Take = Callable[[], "Exchange | bool"]
"""Accept one connection without waiting: its request if all of it is here; True when there was none or the
loop has it now; False when the door is better left to the loop."""


class Porter:
    """One per worker, over listening sockets by descriptor.

    ``listen(True)`` has the loop accept, ``listen(False)`` has it leave that to the thread. At most one
    thread is at the door; a request that holds it up is noticed by the loop, which then accepts itself.
    """

    def __init__(self, pool: Pool, takes: Mapping[int, Take], listen: Callable[[bool], None]) -> None:
        self.pool = pool
        self.takes = dict(takes)
        self.listen = listen
        self.lock = pool.lock
        self.bell = pool.doorway.bell
        # Held by the thread over "is it closed? then accept": once ``close`` has had it, no thread touches
        # a listener again, and its descriptor may become another's.
        self.entry = allocate_lock()
        self.closed = False
        self.holder: Slot | None = None
        self.not_before = 0.0
        self.last = 0.0
        self.serving_since = 0.0
        self.mean = 0.0
        self.looking = False
        self.crowded = False
        self.asked = 0
        self.wake_read, self.wake_write = os.pipe()
        os.set_blocking(self.wake_read, False)
        os.set_blocking(self.wake_write, False)
        self.poll = select.poll()
        for fd in (self.wake_read, *self.takes):
            self.poll.register(fd, select.POLLIN)
        pool.porter = self

    @property
    def held(self) -> bool:
        """Whether a thread is at the door. Not while a request holds it up: then the door is the loop's."""
        return self.holder is not None

    # ---- THREAD -------------------------------------------------------------------------------------

    def watch(self, slot: Slot) -> bool:
        """Stand at the door until nobody comes or there is other work; False when it is not free."""
        now = monotonic()
        with self.lock:
            last, self.last = self.last, now
            rare = now - last > STAY / 1000  # the next one would not come in time either
            if rare or self.holder is not None or self.closed or now < self.not_before:
                return False
            self.holder = slot
        self.bell.ring(self.taken)
        try:
            self.stand(slot)
        finally:
            with self.lock:
                mine = self.holds(slot)
                if mine:
                    self.holder = None
            if mine:
                self.bell.ring(self.left)
        return True

    def holds(self, slot: Slot) -> bool:
        """Whether the door is still ``slot``'s (under the lock).

        Not written out in ``watch``: behind its ``self.holder = slot`` the types say that it is, and the
        compiled build raises where the loop has taken the door back meanwhile.
        """
        return self.holder is slot

    def stand(self, slot: Slot) -> None:
        """Until nobody comes, or it is called.

        ``held`` was announced before this looks for work, and work is queued before ``Pool.check`` looks
        whether the door is held: so either this one sees it or that one calls.
        """
        if self.pool.work:
            return
        while True:
            ready = self.poll.poll(STAY)
            if not ready:
                return
            for fd, _ in ready:
                if fd == self.wake_read:
                    self.hear()
                    return
                if not self.serve_several(slot, self.takes[fd]):
                    return

    def serve_several(self, slot: Slot, take: Take) -> bool:
        """Answer one, and under load those who have come meanwhile, without asking the system each time;
        False to leave the door."""
        self.asked += 1
        most = SEVERAL if self.crowded or self.asked % NOW_AND_THEN == 0 else 1
        for _ in range(most):
            finished = slot.finished
            if not self.serve_one(slot, take):
                return False
            if slot.finished == finished:
                self.crowded = False  # an accept in vain costs more than it saves
                return True
        self.crowded = most == SEVERAL
        return True

    def serve_one(self, slot: Slot, take: Take) -> bool:
        """Take one and answer it; False to leave the door."""
        self.entry.acquire()  # on every request's way: ``with`` is twice as dear
        try:
            if self.closed:
                return False
            slot.taken += 1  # before the accept: whoever ends the worker must see it coming
            x = take()
        except BaseException as error:
            # As in the pool: whatever it is, the thread lives on, and what it took is accounted for.
            self.bell.failed(f"penstock-{slot.index} at the door: {error!r}")
            x = False
        finally:
            self.entry.release()
        if isinstance(x, bool):
            slot.taken -= 1  # there was none, or it is the loop's: nothing that this thread has done
            return x
        self.serving_since = begun = x.received_at
        self.pool.run_one(x, slot)
        now = monotonic()
        with self.lock:
            # Together, so that the loop takes the door from one that serves and from no other.
            self.last = now
            mine = self.holder is slot
            if mine:
                self.serving_since = 0.0
        if not mine:
            return False  # the loop accepts, or another thread is at the door by now
        took = now - begun
        self.mean += (min(took, 4 * SHORT) - self.mean) * MEAN
        if self.mean > SHORT and self.poll.poll(0):
            self.mean = 0.0
            with self.lock:
                self.not_before = now + BACKOFF
            return False
        return True

    def hear(self) -> None:
        """Take what was written to wake it."""
        try:
            os.read(self.wake_read, 4096)
        except BlockingIOError:
            pass

    # ---- LOOP ---------------------------------------------------------------------------------------

    def taken(self) -> None:
        """A thread is at the door."""
        with self.lock:
            held = self.held
        if not held or self.closed:
            return
        self.listen(False)
        if not self.looking:
            self.looking = True
            self.pool.loop.call_later(LOOK, self.look)

    def left(self) -> None:
        """No thread is there any more, unless another has come."""
        with self.lock:
            held = self.held
        if not held and not self.closed:
            self.listen(True)

    def look(self) -> None:
        """Every few milliseconds while a thread is there: take the door back when a request holds it up."""
        with self.lock:
            since = self.serving_since
            slow = since > 0.0 and monotonic() - since > LOOK
            if slow:
                # Both: the next one at the door serves nobody yet, and two may never wait there at once.
                self.holder = None
                self.serving_since = 0.0
            held = self.holder is not None
        self.looking = held and not self.closed
        if self.looking:
            self.pool.loop.call_later(LOOK, self.look)
        elif slow and not self.closed:
            self.listen(True)

    def call(self) -> None:
        """Work waits and no thread is parked: the one at the door is to come."""
        if self.held:
            self.wake()

    def wake(self) -> None:
        """End the wait of the thread at the door."""
        try:
            os.write(self.wake_write, b"!")
        except BlockingIOError:
            pass  # it has been called often enough

    def close(self) -> None:
        """Before the listeners are closed: from here on no thread accepts."""
        with self.entry, self.lock:
            self.closed = True
        self.wake()

    def end(self) -> None:
        """After the threads: give the pipe back."""
        if self.wake_read >= 0:
            os.close(self.wake_read)
            os.close(self.wake_write)
            self.wake_read = self.wake_write = -1
