"""What uwsgi packets of one process usually look like, learned from them, so that the usual part is compared
instead of taken apart.

A front server sends the same variables in the same order with each request, and half of them with the same
value. Runs of such pairs are kept as the bytes that they are: where a packet has the same bytes at the same
place, walking through them would give the same pairs, because each pair begins with its lengths. So what is
learned decides how fast a packet is read, and never what it says. Used on any thread: a plan is replaced and
never changed.
"""

from collections.abc import Mapping

Step = tuple[bytes, dict[str, str], int, str, int]
"""Bytes of constant pairs and of the next one's name; these pairs; how many with that one; its name; and how
many bytes there are before its value begins."""

PATIENCE = 32  # packets that differ, after which the next one is learned from
LONGEST = 256  # bytes of a value that may be constant: a longer one is somebody's own
MOST = 48  # pairs of a plan


class Habit:
    """``plan`` is what ``read_variables`` follows as far as a packet does. ``volatile``: names whose values
    were seen to differ."""

    __slots__ = ("misses", "plan", "usual", "volatile")

    def __init__(self) -> None:
        self.plan: tuple[Step, ...] = ()
        self.usual: dict[str, str] = {}
        self.volatile: frozenset[str] = frozenset()
        self.misses = 0

    def missed(self, given: Mapping[str, str]) -> None:
        """A packet was not as usual; ``given`` is what it said, and good."""
        self.misses += 1  # a count that two threads made one of is no harm
        if self.misses >= PATIENCE:
            self.misses = 0
            self.learn(given)

    def learn(self, given: Mapping[str, str]) -> None:
        """Take this packet for the usual one, except where values are known to differ."""
        usual = self.usual
        changed = {name for name, value in given.items() if usual.get(name, value) != value}
        self.volatile = volatile = frozenset(name for name in (self.volatile | changed) if name in given)
        self.plan = planned(given, volatile)
        self.usual = dict(given)


def planned(given: Mapping[str, str], volatile: frozenset[str]) -> tuple[Step, ...]:
    """The steps through a packet that says ``given``. The last pair ends a step, whatever it is."""
    steps: list[Step] = []
    lead, constant = b"", dict[str, str]()
    names = list(given)[:MOST]
    for name in names:
        value = given[name]
        lead += sized(name)
        if name in volatile or len(value) > LONGEST or name == names[-1]:
            steps.append((lead, constant, len(constant) + 1, name, len(lead) + 2))
            lead, constant = b"", {}
        else:
            lead += sized(value)
            constant[name] = value
    return tuple(steps)


def sized(text: str) -> bytes:
    """A string of a packet: its length and its bytes."""
    data = text.encode("latin-1")
    return len(data).to_bytes(2, "little") + data
