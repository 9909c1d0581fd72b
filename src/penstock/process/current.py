"""What a worker is at: its running and waiting requests, with the stacks of their threads, for its operator.

``seen`` runs on the loop while the threads go on, so what it looks at may have just ended; ``told`` reads
source files for the stacks, and runs on a service thread. Neither changes anything.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from penstock.handoff.pool import Pool
from penstock.net.sight import QUEUED, Sight, look, sight

MOST = 200  # requests that are told of: what waits in a long queue says little more


def seen(pool: Pool, now: float) -> list[Sight]:
    """What runs, and what waits for a thread. Never raises."""
    found: list[Sight] = []
    with suppress(Exception):
        running = (look(slot, now) for slot in pool.slots)
        found += [one for one in running if one is not None]
        waiting = [x for x in list(pool.work) if x is not None]
        found += [sight(x, now, QUEUED) for x in waiting[: max(0, MOST - len(found))]]
    return found


def told(requests: Sequence[Sight]) -> list[dict[str, Any]]:
    """One entry for each, as plain data: ``method``, ``uri``, ``remote``, ``age`` in seconds since its head
    was complete, ``phase``, ``thread`` the name of its thread, "" for none, and that one's ``stack`` as a
    traceback shows it."""
    return [
        {
            "method": one.method,
            "uri": one.uri,
            "remote": one.remote,
            "age": round(max(0.0, one.age), 3),
            "phase": one.phase,
            "thread": one.thread,
            "stack": one.trace(),
        }
        for one in requests
    ]
