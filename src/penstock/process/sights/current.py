"""What a worker is at: its running and waiting requests, with the stacks of their threads, for its operator.

``seen`` runs on the loop while the threads go on, so what it looks at may have just ended; ``told`` reads
source files for the stacks, and runs on a service thread. Neither changes anything.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from penstock.handoff.pool import Pool
from penstock.net.sight import QUEUED, Sight, look, sight, variables

ROOM = 48 << 10  # characters of all stacks together: a message that is longer has to be cut, on the loop
LEAST = 2000  # characters of one of them, however many there are
LONGEST = 2000  # characters of a request's target
MOST = 200  # requests that are told of: what waits in a long queue says little more


def seen(pool: Pool, now: float, with_vars: bool = False) -> list[Sight]:
    """What runs, and what waits for a thread; ``with_vars``: with their variables. Never raises."""
    found: list[Sight] = []
    with suppress(Exception):
        for slot in pool.slots:
            x, one = slot.exchange, look(slot, now)
            if one is not None:
                found.append(one._replace(vars=variables(x)) if with_vars and x is not None else one)
        waiting = [x for x in list(pool.work) if x is not None]
        found += [sight(x, now, QUEUED) for x in waiting[: max(0, MOST - len(found))]]
    return found


def told(requests: Sequence[Sight]) -> list[dict[str, Any]]:
    """One entry for each, as plain data: ``method``, ``uri``, ``protocol``, ``remote``, ``id``, ``age`` in
    seconds since its first byte was here, ``phase``, ``phases`` the seconds of each so far, ``thread`` the
    name of its thread, "" for none, ``core`` that one's index, -1 for none, and its ``stack`` as a traceback
    shows it; ``vars`` if they were asked for."""
    room = max(LEAST, ROOM // max(1, len(requests)))
    return [entry(one, room) for one in requests]


def entry(one: Sight, room: int = ROOM) -> dict[str, Any]:
    """One request, with at most ``room`` characters of its stack. Reads source files."""
    said = {
        "method": one.method,
        "uri": one.uri[:LONGEST],
        "protocol": one.protocol,
        "remote": one.remote,
        "id": one.id,
        "age": round(max(0.0, one.age), 3),
        "phase": one.phase,
        "phases": {name: round(seconds, 3) for name, seconds in one.phases._asdict().items()},
        "thread": one.thread,
        "core": one.core,
        "stack": innermost(one.trace(), room),
    }
    return {**said, "vars": list(one.vars)} if one.vars else said


def innermost(stack: str, room: int) -> str:
    """The end of a stack, whole lines of it, if there is no room for all."""
    return stack if len(stack) <= room else "  [… cut …]\n" + stack[-room:].partition("\n")[2]
