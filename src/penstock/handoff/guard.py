"""A lock for rows that have no threads of their own but are called by several: who holds it makes no system
call.

Used on any thread. It knows nothing of what it guards.
"""

import os
from _thread import RLock
from collections.abc import Callable
from weakref import WeakMethod

Guard = RLock

_forked: list[WeakMethod[Callable[[], None]]] = []
_known = RLock()


def make_guard() -> Guard:
    """A lock that is free; ``with`` takes it. Its holder may take it again: what the collector or a signal
    calls may come in between anywhere."""
    return RLock()


def in_forks(call: Callable[[], None]) -> None:
    """Have the bound method ``call`` called in each process that is forked from this one: a lock that
    another thread held at that moment is held there for ever, and what that thread had begun is not ours.
    It ends with its object."""
    with _known:
        _forked[:] = [known for known in _forked if known() is not None]
        _forked.append(WeakMethod(call))


def _after_fork() -> None:
    global _known
    _known = RLock()
    for known in list(_forked):
        call = known()
        if call is not None:
            call()


os.register_at_fork(after_in_child=_after_fork)
