"""The place of one mule: who has its number, how it is born, told to end and followed by another.

Runs in the supervisor. Mules are forked by the prototype of the generation that serves; of one number there
is never more than one. It does not know how many there are, nor why one is to end.
"""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from penstock.config.household.mules import Work
from penstock.interprocess.channel import Channel, pair
from penstock.process.household.keeper import Keeper
from penstock.process.supervisor.herd import is_child
from penstock.process.supervisor.reaper import how
from penstock.process.supervisor.watch import Timer
from penstock.process.titles import MULE

SECOND = 1.0  # between two beginnings of one number, and the first pause after a failure
SLOWEST = 30.0  # seconds between two tries at most
LONG = 10.0  # seconds after which a mule counts as one that has worked


@dataclass(eq=False)
class Mule:
    """One process. ``pid`` 0 until it has said hello, ``why`` it is to end, or ""; ``timer`` is what is due
    for it next, ``limit`` the end of its task's time."""

    number: int
    work: Work
    generation: int
    channel: Channel
    pid: int = 0
    why: str = ""
    reason: str = ""
    born: float = field(default_factory=monotonic)
    timer: Timer | None = None
    limit: Timer | None = None

    @property
    def name(self) -> str:
        """For the log."""
        return f"mule {self.number} (pid {self.pid})" if self.pid else f"mule {self.number}"

    def set_timer(self, timer: Timer | None) -> None:
        """What is due for it next, in place of what was."""
        if self.timer is not None:
            self.timer.cancel()
        self.timer = timer

    def set_limit(self, timer: Timer | None) -> None:
        """The end of its task's time, in place of another."""
        if self.limit is not None:
            self.limit.cancel()
        self.limit = timer


class Stall:
    """``work(number)`` is what the settings give to a number, None for nothing."""

    def __init__(self, supervisor: Keeper, number: int, work: Callable[[int], Work | None]) -> None:
        self.supervisor = supervisor
        self.diary = supervisor.diary
        self.watch = supervisor.watch
        self.number = number
        self.work = work
        self.mule: Mule | None = None
        self.failures = 0
        self.retry: Timer | None = None

    def calm(self) -> None:
        """Nobody is to be tried any more."""
        if self.retry is not None:
            self.retry.cancel()
            self.retry = None

    # ---- Birth --------------------------------------------------------------------------------------

    def bring(self) -> None:
        """Have the prototype fork one, as soon as it can."""
        supervisor, current, work = self.supervisor, self.supervisor.current, self.work(self.number)
        if current is None or supervisor.ending is not None or self.mule is not None or work is None:
            return
        self.calm()
        if current.prototype is None or not current.able:
            supervisor.lineage.rebuild(current)
            self.again(SECOND)
            return
        try:
            ours, theirs = pair()
        except OSError as error:
            self.diary.error(f"mule {self.number}: no channel could be made: {error.strerror}")
            self.again(SECOND)
            return
        mule = Mule(self.number, work, current.number, ours)
        self.take(mule)
        order = {"do": "fork", "role": MULE, "wid": self.number, "slot": -1}
        current.prototype.channel.send(order, [theirs.fileno()])
        theirs.close()
        seconds = current.settings.start_timeout
        mule.set_timer(self.watch.later(seconds, lambda: self.forgotten(mule)))

    def take(self, mule: Mule) -> None:
        """One is ours from now on."""
        self.mule = mule
        mule.channel.descriptors = False  # it has none to give
        self.watch.add(mule.channel.fileno(), lambda: self.heard(mule))
        if mule.pid:
            self.supervisor.children[mule.pid] = lambda status: self.gone(mule, status)

    def again(self, seconds: float) -> None:
        """Try again later."""
        self.calm()
        self.retry = self.watch.later(seconds, self.bring)

    def forgotten(self, mule: Mule) -> None:
        """The prototype has not done as it was told: it is stopped, or hangs, and is ended for it."""
        self.unborn(mule, "nobody has forked it")
        self.supervisor.herd.unborn(mule)

    def unborn(self, mule: Mule, why: str) -> None:
        """It was ordered, and is not there. Should it be born yet, it finds its channel closed, and ends."""
        self.diary.error(f"{mule.name}: {why}")
        self.part(mule)
        self.follow(mule, 1)

    def born(self, mule: Mule, pid: int) -> None:
        """It has said its number, which must be a child's, and waits for the word to begin."""
        children, herd = self.supervisor.children, self.supervisor.herd
        if pid in children or herd.by_pid(pid) is not None:
            return  # somebody else's
        mule.pid = pid
        mule.set_timer(None)
        status = herd.strangers.pop(pid, 1)
        if not is_child(pid):
            self.gone(mule, status)
            return
        children[pid] = lambda status: self.gone(mule, status)
        self.diary.info(f"spawned mule {self.number} (pid: {pid}){mule.work.shown}")  # as uWSGI's line
        mule.channel.send({"do": "run"})

    # ---- What it says -------------------------------------------------------------------------------

    def heard(self, mule: Mule) -> None:
        """Its channel has something."""
        for message, _ in mule.channel.receive():
            self.say(mule, message)
        if mule.channel.ended and mule.channel.fileno() >= 0:
            self.watch.remove(mule.channel.fileno())
            if not mule.pid:
                self.unborn(mule, mule.reason or "it ended before its first word")

    def say(self, mule: Mule, message: dict[str, Any]) -> None:
        """One message, of whose truth nothing depends but its own fate."""
        kind, pid, seconds = message.get("is"), message.get("pid"), message.get("seconds")
        if kind == "hello" and not mule.pid and isinstance(pid, int) and pid > 1:
            self.born(mule, pid)
        elif kind == "failed":
            mule.reason = f"it could not be forked: {message.get('reason')}"
        elif kind == "busy" and isinstance(seconds, int | float):
            mule.set_limit(self.watch.later(seconds, lambda: self.overdue(mule)))
        elif kind == "idle":
            mule.set_limit(None)
        elif kind == "alarm":  # of a hook
            self.supervisor.alarm(str(message.get("name")), str(message.get("text")))

    def overdue(self, mule: Mule) -> None:
        """Its task takes too long."""
        self.diary.error(f"{mule.name}: its task takes longer than mule-harakiri; it is killed")
        self.signal(signal.SIGKILL)

    # ---- Its end ------------------------------------------------------------------------------------

    def leave(self, why: str, mercy: float, brutal: bool = False) -> None:
        """Have it end within so many seconds. As uWSGI: HUP, and TERM where what runs is to be cut; to its
        script they are the same."""
        mule = self.mule
        if mule is None or mule.why:
            return
        if not mule.pid:
            self.part(mule)  # it was not told to begin, and never will be
            self.bring()
            return
        mule.why = why
        self.signal(signal.SIGTERM if brutal else signal.SIGHUP)
        self.expect(mercy)

    def expect(self, seconds: float) -> None:
        """It is to be gone within so many seconds."""
        mule = self.mule
        if mule is not None:
            mule.set_timer(self.watch.later(seconds, lambda: self.no_mercy(mule)))

    def no_mercy(self, mule: Mule) -> None:
        """It did not go by itself."""
        if self.mule is mule:
            self.diary.warning(f"{mule.name}: it takes too long to end and is killed")
            self.signal(signal.SIGKILL)

    def signal(self, number: int) -> None:
        """A signal; its number is its own until it is reaped."""
        if self.mule is not None and self.mule.pid in self.supervisor.children:
            os.kill(self.mule.pid, number)

    def part(self, mule: Mule) -> None:
        """Its channel and its place are free."""
        mule.set_timer(None)
        mule.set_limit(None)
        if mule.channel.fileno() >= 0:
            self.watch.remove(mule.channel.fileno())
            mule.channel.close()
        if self.mule is mule:
            self.mule = None

    def gone(self, mule: Mule, status: int) -> None:
        """It is dead and reaped."""
        self.part(mule)
        if mule.why:
            self.diary.info(f"{mule.name} has ended: {mule.why}")
        elif self.supervisor.ending is None:
            say = self.diary.info if status == 0 else self.diary.error
            say(f"{mule.name}{mule.work.shown} has ended by itself: {how(status)}")
        if self.supervisor.ending is not None:
            self.supervisor.look_whether_done()
        elif mule.why:
            self.bring()
        else:
            self.follow(mule, status)

    def follow(self, mule: Mule, status: int) -> None:
        """Another one in place of one that ended by itself. Beginnings of one number are a second apart, as
        uWSGI's are, and further and further where one after the other fails."""
        lived = monotonic() - mule.born
        self.failures = 0 if status == 0 or lived >= LONG else self.failures + 1
        pause = min(SLOWEST, SECOND * 2.0 ** max(0, self.failures - 1))
        if self.failures > 1:
            self.diary.warning(
                f"mule {self.number}: {self.failures} in a row have failed; the next begins in {pause:g} s"
            )
        self.again(max(0.0, pause - lived))
