"""Where a deadline's exception may land: in application code, of the request that it is meant for.

One ``Aim`` a pool thread, used by that thread and, to throw, by the loop. It does not know when a request is
late, nor what becomes of its client.

CPython raises an exception in another thread at that thread's next step, wherever that is. So a thread says
where it may be hit: while it runs application code its request is in ``armed``, a set with atomic ``add`` and
``remove``. Whoever removes the request from it has won: the thread, then nothing is ever thrown; or the loop,
then the thread finds it gone, waits for the throw, and takes it before it does anything else. No lock is
taken where the exception may come: between acquiring one and entering its ``with`` there is such a step in
some versions, and a lock that is never released would end the worker.
"""

from _thread import get_ident
from collections.abc import Callable
from time import sleep
from typing import Any

from penstock.core.errors import Deadline
from penstock.handoff.exchange import Exchange

Throw = Callable[[int], None]
"""``throw(thread)`` raises Deadline in the thread with that identifier, at its next step."""


def make_throw() -> Throw:
    """The one call that can, by ctypes, which is imported only where there are deadlines."""
    import ctypes

    # By item: an attribute's function, and the types set on it, would be shared with the application.
    call = ctypes.pythonapi["PyThreadState_SetAsyncExc"]
    call.argtypes = (ctypes.c_ulong, ctypes.py_object)
    call.restype = ctypes.c_int

    def throw(thread: int) -> None:
        call(thread, Deadline)

    return throw


class Aim:
    """One pool thread as a target. ``x`` is the exchange it serves, ``ident`` its identifier; ``on``: it has
    armed and not yet disarmed, by its own account; ``thrown``: the exchange at which the loop has thrown."""

    __slots__ = ("armed", "ident", "on", "throw", "thrown", "x")

    def __init__(self, throw: Throw) -> None:
        self.throw = throw
        self.armed: set[Exchange] = set()
        self.ident = 0
        self.on = False
        self.x: Any = None
        self.thrown: Exchange | None = None

    # ---- LOOP -------------------------------------------------------------------------------------

    def shoot(self, x: Exchange) -> bool:
        """Raise Deadline in the thread if it is in application code for ``x`` right now; else False."""
        try:
            self.armed.remove(x)
        except KeyError:
            return False
        self.throw(self.ident)
        self.thrown = x  # not before: who reads it may take the throw for done
        return True

    # ---- THREAD -----------------------------------------------------------------------------------

    def begin(self, x: Exchange) -> None:
        """Serve ``x`` from here on."""
        self.x = x
        if not self.ident:
            self.ident = get_ident()

    def end(self) -> None:
        """Done with it; nothing that was thrown at it comes out after this."""
        if self.on:  # as in ``arm``
            self.disarm()
        self.x = self.thrown = None

    def arm(self) -> None:
        """Application code follows. Not again after a throw: it comes once a request."""
        if self.on:  # it was hit at the very step of disarming
            self.disarm()
        if self.thrown is None:
            self.on = True
            self.armed.add(self.x)

    def disarm(self) -> bool:
        """Application code is over; whether Deadline came out here instead of there.

        Until it returns the exception may come: then it is raised from here, as if from the application.
        """
        hit = False
        if self.on:
            try:
                self.armed.remove(self.x)
            except KeyError:
                hit = self._take()
            self.on = False
        return hit

    def _take(self) -> bool:
        """The loop was faster: it throws in this instant or has thrown. Whether it came out here.

        An exception that is taken back unseen (SetAsyncExc with NULL) leaves CPython 3.11 looking for it for
        ever, and spinning where somebody traces. So another one is thrown, which takes the place of what is
        pending, and awaited.
        """
        came = False
        while True:
            try:
                while self.thrown is not self.x:
                    sleep(0)
                sleep(0)  # a call and a step: what was pending has come out behind them
                break
            except Deadline:
                came = True
        try:
            self.throw(self.ident)
            while True:
                sleep(0)
        except Deadline:
            return came

    def enter(self) -> bool:
        """The application calls something of ours: disarm. Whether ``arm`` is to follow at its end.

        False, and nothing done, on a thread of the application's own. Raises Deadline where it was thrown
        and had not come out yet.
        """
        if not self.on or get_ident() != self.ident:
            return False
        try:
            self.armed.remove(self.x)
        except KeyError:
            if self.disarm():
                raise Deadline from None
        self.on = False
        return True

    def away(self, call: Callable[..., Any], *words: Any) -> Any:
        """``call(*words)``, something of ours that the application calls, disarmed."""
        armed = self.enter()
        try:
            return call(*words)
        finally:
            if armed:
                self.arm()
