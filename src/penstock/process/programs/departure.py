"""The end of one program: its stop signal, the time that it has, and SIGKILL for all that it has started.

Runs in the supervisor. uWSGI repeats the signal every second, which many programs take for "at once", waits
in its master's loop meanwhile, and looks at the first process alone; this one sends it once, waits for
nobody, and sees to the whole family.
"""

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from time import monotonic

from penstock.process.household.keeper import Keeper
from penstock.process.programs.kin import Table, alive, family, process, processes
from penstock.process.programs.programs import House, Running
from penstock.process.supervisor.watch import Timer

LOOK = 0.1  # seconds between two looks at who is left
MERCY = 3.0  # seconds that a program has to end, without reload-mercy
URGENT = 0.5  # the same when a stop is urgent
LAST = 5.0  # seconds after SIGKILL until we give up: somebody hangs in the kernel, or has become root's


class Departure:
    """``number`` is the signal, ``mercy`` the seconds until SIGKILL; ``done`` is called once, when nobody of
    the family is left. Whoever hears of the program's end calls ``look``, also when it had ended before."""

    def __init__(
        self, house: House, running: Running, number: int, mercy: float, done: Callable[[], None]
    ) -> None:
        self.house = house
        self.running = running
        self.number = number
        self.done = done
        self.over = self.told = False
        self.deadline = 0.0
        leader = None if running.ended else process(running.pid)
        self.born = 0 if leader is None else leader.started
        # Those that leave their session and lose their parent later are known from now on.
        self.members: dict[int, int] = {}
        self.refresh()
        self.mercy: Timer = house.watch.later(mercy, self.kill)
        self.again: Timer | None = None
        running.signal(number)
        running.signal(signal.SIGCONT)  # one that is stopped could not end

    def look(self) -> None:
        """Is somebody left? Asked when the program has ended, and from then on from time to time."""
        if self.over or not (self.deadline or self.running.ended):
            return
        if self.again is not None:
            self.again.cancel()
        if self.deadline:
            self.strike()
        else:
            self.refresh()
        left = alive(self.members) | (set() if self.running.ended else {self.running.pid})
        if not left or self.given_up(left):
            self.finish()
            return
        if not self.deadline:
            self.tell(left)
        self.again = self.house.watch.later(LOOK, self.look)

    def given_up(self, left: set[int]) -> bool:
        """Whether those that are ``left`` outlive even SIGKILL; it is told of, and not waited for."""
        if not self.deadline or monotonic() <= self.deadline:
            return False
        numbers = ", ".join(str(pid) for pid in sorted(left))
        self.house.diary.error(f"{self.running.program.label}: could not be ended: pid {numbers}")
        return True

    def tell(self, left: set[int]) -> None:
        """Those that a program leaves behind get its signal too, once: they may be in no group of its."""
        if not self.told:
            self.told = True
            for pid in left:
                send(pid, self.number)

    def refresh(self) -> Table:
        """Those that were started meanwhile. A number that another process has by now is no session of ours:
        the kernel gives it to nobody while it is one."""
        pid = self.running.pid
        table = processes()
        if pid not in table or table[pid].started == self.born:
            self.members |= family(table, pid, self.members)
        return table

    def kill(self) -> None:
        """Its time is over."""
        if not self.over and not self.deadline:
            self.mercy.cancel()
            self.deadline = monotonic() + LAST
            label = self.running.program.label
            self.house.diary.warning(f"{label} (pid {self.running.pid}) did not end in time, and is killed")
            self.look()

    def hurry(self, seconds: float) -> None:
        """It has no more time than that."""
        if not self.over and not self.deadline and self.mercy.when > monotonic() + seconds:
            self.mercy.cancel()
            self.mercy = self.house.watch.later(seconds, self.kill)

    def strike(self) -> None:
        """SIGKILL to each group of the session, which is one step for the kernel, so that none of it can fork
        meanwhile; then to each of the family, wherever it is by now."""
        self.running.signal(signal.SIGKILL)
        table = self.refresh()
        seen = [table[pid] for pid in self.members if pid in table]
        # The dead ones tell as well: one that forks and ends, over and over, is in the group of the dead.
        for group in {one.group for one in seen if one.session == self.running.pid}:
            with suppress(OSError):
                os.killpg(group, signal.SIGKILL)
        for pid in alive(self.members):
            send(pid, signal.SIGKILL)

    def finish(self) -> None:
        """Nobody is left."""
        self.over = True
        for timer in (self.mercy, self.again):
            if timer is not None:
                timer.cancel()
        self.done()


def urgent(keeper: Keeper) -> bool:
    """Whether nothing is to be waited for."""
    return keeper.ending is not None and bool(keeper.ending.now)


def mercy_of(keeper: Keeper) -> float:
    """Seconds that a program has to end."""
    return URGENT if urgent(keeper) else keeper.settings.reload_mercy or MERCY


def send(pid: int, number: int) -> None:
    """A signal to one that may be gone, or somebody else's."""
    with suppress(OSError):
        os.kill(pid, number)
