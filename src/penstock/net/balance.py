"""Whether the next connection is left to a sibling, where several worker processes share a listener.

Runs on the loop, and on the thread at the door. Reads what the siblings say of themselves in the scoreboard
and says the same of this worker; does not know how accepting is done, nor how one steps aside.
"""

from collections.abc import Callable
from time import monotonic, monotonic_ns

from penstock.handoff.pool import Pool
from penstock.interprocess.scoreboard import CONNECTIONS, GATE, LOAD, SHUT, THREADS
from penstock.interprocess.siblings import Siblings
from penstock.net.buckets import TICK

ASIDE = 0.002  # seconds without accepting, in which a sibling takes what waits
LOOKS = 4  # times in a row that it is left to who has a thread free, or far fewer connections
SHORT = 0.002  # seconds of a mean request, below which a thread is soon free
MEMORY = 0.8  # what of that mean stays from tick to tick
STUCK = 0.005  # seconds in which no thread began a request: those that run are long ones
FEW = 8  # quarters of a connection: with fewer a difference of a quarter says nothing
MARK = 16  # requests that wait for a thread, from which on others should have the next
LONG = 250_000_000  # nanoseconds without room, after which nobody leaves a connection to that worker


class Balance:
    """One per worker that has siblings. ``open()`` says how many connections it has, of at most ``most``.

    * **Room.** Without a thread free, and with all of them at long requests or the queue at its mark, a
      worker takes nothing while a sibling has room. When none has, it goes on: the kernel's queue has no
      time-out and no 503.
    * **A thread.** Without a thread free it leaves the next to a sibling that has one, for 8 ms, unless
      requests here are short: then a thread is free before those are over.
    * **Number.** With more connections than a sibling by more than an eighth it leaves the next to that one
      for 2 ms, by more than a quarter for 8 ms if that one has a thread free; then it takes one whatever the
      numbers say, because they may be of a worker that hangs. Idle connections spread evenly by this, also
      where the system lets a worker wait for its core. Where each connection is one request, requests are
      counted instead: connections that idle on another listener say nothing of these.
    """

    def __init__(self, siblings: Siblings, pool: Pool, open: Callable[[], int], most: int) -> None:
        self.siblings = siblings
        self.pool = pool
        self.open = open
        self.most = most
        self.threads = len(pool.slots)
        self.mark = min(pool.queue, max(MARK, 4 * self.threads))
        self.done = 0
        self.busy_seconds = self.answered = 0.0
        self.tick(monotonic())

    def yields(self, alone: bool, looks: int) -> bool:
        """Loop: whether the next connection is for a sibling. ``alone``: connections of this listener have
        one request each; ``looks``: how often in a row this was said since the last was taken."""
        load, room = self.look()
        others = self.siblings.open()
        if not room and others:
            return True
        if looks:
            return looks < LOOKS and self.better(alone, load)
        if self.busy(load) and any(words[LOAD] < words[THREADS] for words in others):
            return True
        if alone:
            return any(8 * load > 9 * words[LOAD] for words in others)
        count = self.open()
        return any(8 * count > 9 * words[CONNECTIONS] for words in self.comparable())

    def better(self, alone: bool, load: int) -> bool:
        """Whether a sibling has a thread free where none is here, or beside it far fewer connections."""
        busy, count = self.busy(load), self.open()
        for words in self.siblings.open():
            if words[LOAD] < words[THREADS] and (
                busy or (not alone and 4 * count > 5 * words[CONNECTIONS] + FEW)
            ):
                return True
        return False

    def yields_door(self, alone: bool) -> bool:
        """The same, for the thread at the door. It is free, and answers short requests of connections that
        do not stay: only where many do, and a sibling has far fewer, is the next one left to that."""
        _, room = self.look()
        if not room:
            return self.siblings.room_elsewhere()
        count = self.open()
        return not alone and any(4 * count > 5 * words[CONNECTIONS] + 16 for words in self.comparable())

    def busy(self, load: int) -> bool:
        """Whether no thread is free, nor will be in a moment. Nothing is known before the first replies."""
        return load >= self.threads and self.busy_seconds >= self.answered * SHORT

    def comparable(self) -> "list[memoryview[int]]":
        """The siblings that would take a connection now or soon."""
        then = monotonic_ns() - LONG
        return [words for words in self.siblings.accepting() if not 0 < words[SHUT] < then]

    def look(self) -> tuple[int, bool]:
        """Requests in threads or before them, and whether there is room for another; the siblings are told.

        What is read here belongs to others and changes meanwhile: the next look is never far.
        """
        pool, words = self.pool, self.siblings.own
        count, waiting = self.open(), len(pool.work)
        # One that was let go will take what is counted as waiting; the one at the door is free.
        load = max(0, self.threads - len(pool.parked) - pool.waking - pool.attended + waiting)
        room = count < self.most and (load < self.threads or (waiting < self.mark and self.turns_over()))
        words[CONNECTIONS] = count
        words[LOAD] = load
        if room:
            words[GATE], words[SHUT] = 1, 0
        elif words[GATE] or not words[SHUT]:
            words[GATE], words[SHUT] = 0, monotonic_ns()
        return load, room

    def turns_over(self) -> bool:
        """Whether a thread has begun a request just now, or is between two."""
        then = monotonic() - STUCK
        for slot in self.pool.slots:
            x = slot.exchange
            if x is None or not 0.0 < x.started_at < then:
                return True
        return False

    def count(self) -> None:
        """A connection came or went."""
        self.siblings.own[CONNECTIONS] = self.open()

    def tick(self, now: float) -> None:
        """Every quarter second: what nothing else has told."""
        self.siblings.own[THREADS] = self.threads
        done, running = self.pool.done, sum(slot.exchange is not None for slot in self.pool.slots)
        self.busy_seconds = self.busy_seconds * MEMORY + running * TICK
        self.answered = self.answered * MEMORY + done - self.done
        self.done = done
        self.look()
