"""What uwsgi packets of one process usually look like, learned from them, so that the usual part is compared
instead of taken apart.

A front server sends the same variables in the same order with each request, and half of them with the same
value. Runs of such pairs are kept as the bytes that they are: where a packet has the same bytes at the same
place, walking through them would give the same pairs, because each pair begins with its lengths. So what is
learned decides how fast a packet is read, and never what it says. Used on any thread: a plan is replaced and
never changed.
"""

from collections.abc import Mapping
from typing import Any

Step = tuple[bytes, str, int]
"""Bytes of pairs that stay as they are and of the next one's name; this name; and how many bytes there are
before its value begins."""

PATIENCE = 32  # packets that differ, after which the next one is learned from
LONGEST = 256  # bytes of a value that may be constant: a longer one is somebody's own
MOST = 48  # pairs of a packet that is learned from
BASES = 16  # dicts that requests begin as, for which the constant pairs are kept with them
LEFT_OUT = "HTTP_PROXY"  # of whoever brings it nothing is learned: it is no part of the environ


class Plan:
    """One packet: ``steps`` through it, ``count`` pairs in all, of which ``constant`` stay. The last one ends
    a step, whatever it is."""

    __slots__ = ("begun", "constant", "count", "steps")

    def __init__(self, given: Mapping[str, str], volatile: frozenset[str]) -> None:
        self.begun: dict[int, tuple[dict[str, Any], dict[str, Any]]] = {}
        self.constant: dict[str, str] = {}
        self.count = len(given)
        steps: list[Step] = []
        lead, names = b"", list(given)
        for name in names:
            value = given[name]
            lead += sized(name)
            if name in volatile or len(value) > LONGEST or name == names[-1]:
                steps.append((lead, name, len(lead) + 2))
                lead = b""
            else:
                lead += sized(value)
                self.constant[name] = value
        self.steps = tuple(steps)

    def on(self, base: dict[str, Any]) -> dict[str, Any]:
        """A new dict of ``base`` and the constant pairs; a copy costs a sixth of putting them together."""
        found = self.begun.get(id(base))
        if found is None or found[0] is not base:
            if len(self.begun) >= BASES:
                self.begun.clear()
            # With ``base`` beside it: as long as this is here, no other dict has its id.
            found = self.begun[id(base)] = (base, base | self.constant)
        return found[1].copy()


NONE = Plan({}, frozenset())


class Habit:
    """``plan`` is that of the usual packet. ``volatile``: names whose values were seen to differ."""

    __slots__ = ("misses", "plan", "usual", "volatile")

    def __init__(self) -> None:
        self.plan = NONE
        self.usual: dict[str, str] = {}
        self.volatile: frozenset[str] = frozenset()
        self.misses = 0

    def missed(self, given: Mapping[str, str]) -> None:
        """A packet was not as usual; ``given`` is what it said, and good."""
        self.misses += 1  # a count that two threads made one of is no harm
        if self.misses >= PATIENCE and len(given) <= MOST and LEFT_OUT not in given:
            self.misses = 0
            self.learn(given)

    def learn(self, given: Mapping[str, str]) -> None:
        """Take this packet for the usual one, except where values are known to differ."""
        usual = self.usual
        changed = {name for name, value in given.items() if usual.get(name, value) != value}
        self.volatile = volatile = frozenset(name for name in (self.volatile | changed) if name in given)
        self.plan = Plan(given, volatile)
        self.usual = dict(given)


def sized(text: str) -> bytes:
    """A string of a packet: its length and its bytes."""
    data = text.encode("latin-1")
    return len(data).to_bytes(2, "little") + data
