"""Who wants to know when the kernel has all of a reply that was complete before: its record waits for that.

Used by the thread that made the reply, by the loop and by the sender. Most replies leave nothing, and nothing
here is called for them.
"""

from collections.abc import Callable
from typing import Any

from penstock.handoff.lease import Lessee
from penstock.handoff.remainder import Remainder

After = Callable[[bool], None]


def when_written(outbox: Any, x: Lessee, call: After) -> bool:
    """THREAD: have ``call`` told, on any thread, when the kernel has all of ``x``'s reply; with False where
    it never will. False: that has come by now, and nobody is called."""
    with outbox.doorway.lock:
        if outbox.remainder.behind is not x:
            return False
        outbox.remainder.after = call
        return True


def written(outbox: Any) -> None:
    """LOOP: nothing is left, or the connection ends with what is."""
    with outbox.doorway.lock:
        whole = not outbox.remainder.pieces
        call = taken_from(outbox.remainder)
    if call is not None:
        call(whole)


def taken_from(remainder: Remainder) -> After | None:
    """Under the lock: who is to be told, by the caller and once the lock is free."""
    call, remainder.after, remainder.behind = remainder.after, None, None
    return call
