"""uWSGI's ``reaper``: child processes that the application has started and never asks about are reaped.

Runs at the tick of a process that serves, on the loop's thread. uWSGI reaps whatever is dead after each
request, and so takes exit statuses from requests that run in other threads; here a dead child is left alone
while a request runs that ran already when it was first seen dead, since that one may be waiting for it.
"""

import os
from typing import Any, Protocol


class Slot(Protocol):
    """A thread of the pool, with what it runs."""

    @property
    def exchange(self) -> Any: ...


class Pool(Protocol):
    """The threads that requests run in."""

    @property
    def slots(self) -> list[Any]: ...


class Zombies:
    """``pid`` is the dead child that is looked at, 0 for none; ``witnesses`` ran when it was first seen."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.pid = 0
        self.witnesses: list[Any] = []

    def tick(self, now: float) -> None:
        """Every quarter second: reap, and look for the next."""
        while self.pid or self.look():
            running = self.running()
            if any(one is other for one in self.witnesses for other in running):
                return
            self.reap()
            if running:
                return  # the next one may be theirs

    def look(self) -> bool:
        """See whether a child is dead, and who may want to know."""
        witnesses = self.running()
        try:
            found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return False
        self.pid = 0 if found is None else found.si_pid
        self.witnesses = witnesses
        return self.pid > 0

    def reap(self) -> None:
        """Nobody has asked."""
        try:
            os.waitpid(self.pid, os.WNOHANG)
        except ChildProcessError:
            pass  # somebody has, meanwhile
        self.pid = 0
        self.witnesses = []

    def running(self) -> list[Any]:
        """What runs now."""
        found = [slot.exchange for slot in self.pool.slots]
        return [exchange for exchange in found if exchange is not None]
