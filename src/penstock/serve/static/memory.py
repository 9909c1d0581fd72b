"""What is remembered for a moment: two generations, bounded in number and in bytes.

Shared by all pool threads without a lock: the two are replaced whole, and whoever loses a race loses what
is found again. Knows nothing of what it holds but its size.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

Value = TypeVar("Value")

COUNT = 4096  # of each generation
BYTES = 8 << 20
WEIGHED = 32  # so many come before the bytes are counted again; each is SMALL at most
LONGEST = 512  # characters of a name that is worth remembering


class Memory(Generic[Value]):
    """Values by name. The older half is forgotten where the younger has grown full; what is asked for again
    before comes back into it. ``size``: the bytes of a value, None where they are not worth counting."""

    __slots__ = ("size", "state")

    def __init__(self, size: Callable[[Value], int] | None = None) -> None:
        self.size = size
        self.state: tuple[dict[str, Value], dict[str, Value]] = ({}, {})

    def get(self, name: str) -> Value | None:
        young, old = self.state
        value = young.get(name)
        if value is None:
            value = old.get(name)
            if value is not None:
                self.put(name, value)
        return value

    def put(self, name: str, value: Value) -> None:
        if len(name) > LONGEST:
            return
        young, _ = self.state
        before = len(young)
        young[name] = value
        count = len(young)
        if count > before and (count >= COUNT or (count % WEIGHED == 0 and self.heavy(young))):
            self.state = ({}, young)

    def heavy(self, generation: dict[str, Value]) -> bool:
        """Whether a generation holds more bytes than it may."""
        return self.size is not None and sum(map(self.size, list(generation.values()))) > BYTES

    def forget(self, name: str) -> None:
        for generation in self.state:
            generation.pop(name, None)
