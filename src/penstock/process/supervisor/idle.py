"""uWSGI's idle, cheap and die-on-idle: a server without requests has no workers, until a connection comes.

Runs in the supervisor, which watches the listeners itself meanwhile. It does not accept: the connection
waits in the kernel's queue for the worker that it has woken.
"""

import socket
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any, Protocol

from penstock.config.settings import Settings
from penstock.logs.setup import Diary
from penstock.process.supervisor.watch import Watch


def workers(count: int) -> str:
    """``1 worker``, ``2 workers``."""
    return f"{count} worker{'s' if count != 1 else ''}"


class Sleeper(Protocol):
    """What is asked of the supervisor."""

    watch: Watch
    diary: Diary
    board: Any
    wanted: int

    @property
    def settings(self) -> Settings:
        """Those that are in force."""

    def handles(self) -> Sequence[Any]:
        """The workers that are not gone."""

    def set_wanted(self, count: int) -> None:
        """So many are to run; 0 for none."""

    def stop(self, why: str) -> None:
        """End the server."""


class Idle:
    """``back`` is how many workers a connection brings back; ``clock`` gives seconds."""

    def __init__(
        self,
        supervisor: Sleeper,
        sockets: Callable[[], Sequence[socket.socket]],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.supervisor = supervisor
        self.sockets = sockets
        self.clock = clock
        self.back = 1
        self.since = clock()
        self.count = 0
        self.watched: set[int] = set()
        self.asleep = False

    def look(self) -> None:
        """Every ``check-interval``: have there been no requests for longer than ``idle``?"""
        if self.asleep:
            if self.supervisor.wanted:
                self.end()  # somebody else has woken it
            return
        if self.stirring():
            self.put_off()
        elif 0 < self.supervisor.settings.idle < self.clock() - self.since:
            self.expire()

    def put_off(self) -> None:
        """The time begins anew."""
        self.since = self.clock()

    def stirring(self) -> bool:
        """Whether something runs or waits, or was answered since the last look."""
        cells = [handle.cell for handle in self.supervisor.handles()]
        before = self.count
        self.count = self.supervisor.board.totals["requests"] + sum(cell.requests for cell in cells)
        return self.count != before or any(cell.busy or cell.queued for cell in cells)

    def expire(self) -> None:
        """Nothing was asked for too long."""
        settings = self.supervisor.settings
        why = f"no request for more than {settings.idle:g} s (idle)"
        if settings.die_on_idle:
            self.supervisor.stop(f"{why}; die-on-idle")
        else:
            self.sleep(why)

    # ---- Asleep --------------------------------------------------------------------------------------

    def sleep(self, why: str) -> None:
        """Stop the workers; whoever connects next has them started again."""
        if self.asleep:
            return
        self.asleep = True
        self.supervisor.diary.info(f"{why}: no workers run, waiting for a connection")
        self.supervisor.set_wanted(0)
        self.refresh()

    def refresh(self) -> None:
        """The listeners have changed; called before those that are dropped are closed."""
        if not self.asleep:
            return
        now = {sock.fileno() for sock in self.sockets()}
        for fd in self.watched - now:
            self.supervisor.watch.remove(fd)
        for fd in now - self.watched:
            self.supervisor.watch.add(fd, self.wake)
        self.watched = now

    def wake(self) -> None:
        """Somebody has connected."""
        self.end()
        self.supervisor.diary.info(f"a connection has come: {workers(self.back)} to start")
        self.supervisor.set_wanted(self.back)

    def end(self) -> None:
        """Watch the listeners no more."""
        for fd in self.watched:
            self.supervisor.watch.remove(fd)
        self.watched = set()
        self.asleep = False
        self.put_off()
