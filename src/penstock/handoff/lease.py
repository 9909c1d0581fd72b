"""The words of the write lease: what follows a send, what a drain found, to whom it is lent."""

from enum import Enum
from typing import Final, Protocol

MORE: Final = 0
KEEP: Final = 1
CLOSE: Final = 2
"""What follows the data of a ``put``: more of this reply, or its end with the connection kept or closed."""


class Drained(Enum):
    """What the loop found when it drained the box."""

    EMPTY = "nothing left; the reply goes on"
    ENDED = "nothing left; the reply is complete"
    BLOCKED = "the socket takes no more now"
    FILE = "a file's turn: a thread must send it"
    BROKEN = "the client is gone"


class Lessee(Protocol):
    """What the lease is lent to. ``begun``: something of its reply was handed over; ``reclaimed``: the lease
    was taken back before that, and somebody else answers. Both are set under the doorway's lock. ``waited``:
    seconds that its thread waited for the client; ``trailing``: its reply was complete before the kernel had
    all of it. Both are its thread's."""

    begun: bool
    reclaimed: bool
    waited: float
    trailing: bool
