"""What the tests of the shared cache have in common: a store of a written form, and values that prove whose
they are."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from time import time
from zlib import crc32

from penstock.config.site.caches import parse
from penstock.interprocess.cache.memory import Memory
from penstock.interprocess.cache.store import Store


class Said:
    """Whom a store tells."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, key: str, text: str) -> None:
        self.lines.append(text)


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = time()

    def __call__(self) -> float:
        return self.now


@contextmanager
def store_of(text: str, said: Said | None = None, clock: Callable[[], float] = time) -> Iterator[Store]:
    """A store as ``cache2`` writes it."""
    store = Store(Memory.create(parse(text)), said or Said(), clock)
    try:
        yield store
    finally:
        store.close()


def proof(key: bytes, random: Random, longest: int = 3000) -> bytes:
    """A value of any length that names its key, with a sum over both."""
    rest = random.randbytes(random.randrange(longest))
    return crc32(key + rest).to_bytes(4, "big") + key + rest


def proves(key: bytes, value: bytes) -> bool:
    """Whether it is such a value, of that key, whole."""
    rest = value[4 + len(key) :]
    return value[4 : 4 + len(key)] == key and crc32(key + rest) == int.from_bytes(value[:4], "big")
