"""uWSGI's cheaper-algo busyness: the number of workers follows how busy they were over a window.

Pure, as the other algorithms; runs in the supervisor. A worker's busyness is the share of its threads that
its loop found busy, tick by tick, so that one long request counts as much as many short ones.
"""

from collections.abc import Callable

from penstock.process.supervisor.cheaper.facts import STAY, Facts, Pulse, Step
from penstock.process.supervisor.cheaper.rules import Rules

MIDDLING = 3
"""Windows in a row that are neither busy nor idle, after which the time to the next stop begins anew."""


class Busyness:
    """``say`` takes lines for the log: what changes its patience, and with ``verbose`` all that it sees."""

    def __init__(self, rules: Rules, say: Callable[[str], None]) -> None:
        self.rules = rules
        self.own = rules.busyness
        self.say = say
        self.multiplier = self.own.multiplier
        self.checked = -1.0
        self.next_stop = 0.0
        self.last_stop: float | None = None
        self.stopped_last = False
        self.middling = 0
        self.emergency = 0
        self.waiting_since: float | None = None
        self.before: dict[int, tuple[int, int]] = {}
        self.was_busy: set[int] = set()
        say(
            f"busyness: from {self.own.least} to {self.own.most} %, looked at every {rules.overload} s; "
            f"a worker stops after {self.own.multiplier} idle windows; alert at {self.own.alert} waiting "
            f"requests, or at any for {self.own.nonzero:g} s"
        )

    def decide(self, facts: Facts) -> Step:
        """One look; busyness itself is judged once each ``cheaper-overload`` seconds."""
        if self.checked < 0:
            self.checked = facts.now
            self.before = counted(facts)
            self.put_off(facts.now)
        self.was_busy.update(worker.pid for worker in facts.workers if worker.busy)
        step = STAY
        if facts.now - self.checked >= self.rules.overload:
            step = self.judge(facts)
        elif self.alarming(facts):
            step = self.emergency_step(facts)
        # uWSGI looks at this only between the windows, so never where a window is one second.
        return step if step.delta else self.look_at_queue(facts)

    def verbosely(self, text: str) -> None:
        """A line of ``cheaper-busyness-verbose``."""
        if self.own.verbose:
            self.say(f"busyness: {text}")

    # ---- A window ------------------------------------------------------------------------------------

    def judge(self, facts: Facts) -> Step:
        """The end of a window."""
        average = self.average(facts)
        self.checked = facts.now
        self.before = counted(facts)
        self.was_busy = set()
        if average > self.own.most:
            return self.loaded(facts, average)
        if self.alarming(facts):
            return self.emergency_step(facts)
        if facts.wanted == 1:
            return STAY
        if average < self.own.least:
            return self.idle(facts, average)
        self.neither(facts, average)
        return STAY

    def average(self, facts: Facts) -> int:
        """Percent, over all that are wanted: a worker that is still to come is idle."""
        shares = [self.share(worker) for worker in facts.workers]
        found = sum(shares) // facts.wanted if facts.wanted else 0
        for worker, share in zip(facts.workers, shares, strict=True):
            self.verbosely(f"pid {worker.pid} {share} %")
        self.verbosely(f"{found} % on average of {facts.wanted} over {self.rules.overload} s")
        return min(100, found)

    def share(self, worker: Pulse) -> int:
        """Percent of one worker's threads in this window."""
        ticks, busy_ticks = self.before.get(worker.pid, (0, 0))
        seen = (worker.ticks - ticks) * worker.threads
        if seen <= 0:
            # Its loop did not come to tick: a thread keeps the interpreter's lock.
            return 100 if worker.pid in self.was_busy else 0
        return min(100, (worker.busy_ticks - busy_ticks) * 100 // seen)

    def loaded(self, facts: Facts, average: int) -> Step:
        """Too busy: more workers, and more patience if one was stopped only just now."""
        self.middling = 0
        count = min(self.rules.step, self.rules.most - facts.wanted) if facts.may_grow else 0
        if count <= 0:
            self.say(f"busyness: {average} %, but {facts.wanted} is all there may be")
            return STAY
        self.stopped_last = False
        if self.last_stop is not None and self.windows_since(facts.now) <= self.multiplier:
            self.multiplier += self.own.penalty
            self.say(
                f"busyness: a worker was stopped and is needed again; from now on {self.multiplier} windows"
            )
        else:
            self.relax()
        self.put_off(facts.now)
        return Step(count, f"busy for {average} % of {self.rules.overload} s")

    def windows_since(self, now: float) -> int:
        """Whole windows since a worker was stopped."""
        return int((now - (self.last_stop or 0.0)) // self.rules.overload)

    def idle(self, facts: Facts, average: int) -> Step:
        """Not busy enough: one worker less, when that has lasted."""
        self.middling = 0
        if facts.wanted <= self.rules.least:
            return STAY
        if facts.now < self.next_stop:
            self.verbosely(f"a worker can be stopped in {self.next_stop - facts.now:.0f} s")
            return STAY
        if self.stopped_last:
            self.relax()
        self.put_off(facts.now)
        self.last_stop = facts.now
        self.stopped_last = True
        self.emergency = max(0, self.emergency - 1)
        return Step(-1, f"busy for {average} % of {self.rules.overload} s")

    def neither(self, facts: Facts, average: int) -> None:
        """Between the two: this window is not an idle one, and several of them begin the count anew."""
        self.emergency = max(0, self.emergency - 1)
        self.middling += 1
        if self.middling >= MIDDLING:
            self.put_off(facts.now)
        else:
            self.next_stop += self.rules.overload
        self.verbosely(f"{average} %: neither busy nor idle, {self.middling} times in a row")

    # ---- The queue -----------------------------------------------------------------------------------

    def alarming(self, facts: Facts) -> bool:
        """Whether so many wait that a worker is started before the window ends."""
        return facts.may_grow and facts.waiting > self.own.alert and facts.wanted < self.rules.most

    def look_at_queue(self, facts: Facts) -> Step:
        """``cheaper-busyness-backlog-nonzero``: anything that waits for so long, however little it is."""
        if not facts.waiting:
            self.waiting_since = None
            return STAY
        if self.waiting_since is None:
            self.waiting_since = facts.now
        room = facts.may_grow and facts.wanted < self.rules.most
        if not room or facts.now - self.waiting_since < self.own.nonzero:
            return STAY
        self.waiting_since = facts.now
        return self.emergency_step(facts)

    def emergency_step(self, facts: Facts) -> Step:
        """Workers for a peak; they may go sooner than others."""
        self.multiplier = self.own.multiplier
        self.stopped_last = False
        count = min(self.own.backlog_step, self.rules.most - facts.wanted)
        self.emergency += count
        self.put_off(facts.now)
        return Step(count, f"{facts.waiting} requests waited")

    # ---- Patience ------------------------------------------------------------------------------------

    def put_off(self, now: float) -> None:
        """The time to the next stop begins anew."""
        windows = self.own.backlog_multiplier if self.emergency else self.multiplier
        self.next_stop = now + windows * self.rules.overload

    def relax(self) -> None:
        """One window less of patience, down to what was asked for."""
        if self.multiplier > self.own.multiplier:
            self.multiplier -= 1
            self.say(f"busyness: from now on {self.multiplier} windows")


def counted(facts: Facts) -> dict[int, tuple[int, int]]:
    """What the workers have counted so far, by pid."""
    return {worker.pid: (worker.ticks, worker.busy_ticks) for worker in facts.workers}
