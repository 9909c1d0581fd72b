"""One shared cache: items with a key, a value and an end, of which all processes see the same.

Runs on any thread of any process that has its memory. Everything is done under one lock that dies with its
holder; who changes something says so first, and if it never says that it is done (its process was killed, a
deadline struck) the next one empties the cache: what is left may be half of one thing and half of another.
"""

from collections.abc import Callable
from errno import EBUSY
from hashlib import blake2b
from time import time

from penstock.interprocess.cache.memory import (
    COUNT,
    DIRTY,
    EMPTIED,
    EXPIRES,
    FULL,
    HITS,
    MISS,
    ROW,
    Memory,
)
from penstock.interprocess.cache.shelves import Shelves

Warn = Callable[[str, str], None]
"""Called with a key and a line for the log, which is wanted once for each key."""
Sum = Callable[[int, int], int]
"""From the number that is there and the one that is given to the one that is to be there."""

NUMBER = 8  # bytes of a number, little-endian, with a sign: as uWSGI keeps it
LONGEST = 10**11  # seconds from now; beyond it nothing expires
WIDTH = 1 << 64


class Store:
    """A cache. Keys and values are bytes, neither is empty. Times are whole seconds.

    No method raises for what it is given or for want of room; all may be called by many threads at once.
    """

    def __init__(self, memory: Memory, warn: Warn, clock: Callable[[], float] = time) -> None:
        self.memory = memory
        self.form = memory.form
        self.warn = warn
        self.clock = clock
        self.shelves = Shelves(memory)
        self.lock = memory.lock
        self.words = memory.words
        self.seed = memory.seed
        self.due = ""  # what is to be said once the lock is free

    # ---- Reading ------------------------------------------------------------------------------------

    def get(self, key: bytes) -> bytes | None:
        """The value; None where there is none."""
        found = self.fetch(key)
        return None if found is None else found[0]

    def fetch(self, key: bytes) -> tuple[bytes, int] | None:
        """The value, and the Unix time at which it expires, 0 for never; None where there is none."""
        hashed = self._hashed(key)
        words, lock = self.words, self.lock
        mine = lock.address
        try:
            result = lock.attempt(mine)
            if (result or words[DIRTY]) and not self._enter(result):
                mine = lock.nobodys
                return None
            slot = self._live(key, hashed)
            if not slot:
                words[MISS] += 1
                return None
            words[HITS] += 1
            shelves = self.shelves
            if shelves.ordered and not shelves.is_newest(slot):
                words[DIRTY] = 1
                shelves.renew(slot)
                words[DIRTY] = 0
            return shelves.value(slot), words[shelves.rows + slot * ROW + EXPIRES] // 1000
        finally:
            lock.release(mine)

    def exists(self, key: bytes) -> bool:
        """Whether there is a value."""
        hashed = self._hashed(key)
        lock = self.lock
        mine = lock.address
        try:
            result = lock.attempt(mine)
            if (result or self.words[DIRTY]) and not self._enter(result):
                mine = lock.nobodys
                return False
            return bool(self._live(key, hashed))
        finally:
            lock.release(mine)

    def num(self, key: bytes) -> int:
        """The number that ``alter`` keeps there; 0 where there is none."""
        value = self.get(key)
        return number_in(value) if value is not None and len(value) == NUMBER else 0

    def keys(self) -> list[bytes]:
        """The keys of all that is there now."""
        lock = self.lock
        mine = lock.address
        try:
            result = lock.attempt(mine)
            if (result or self.words[DIRTY]) and not self._enter(result):
                mine = lock.nobodys
                return []
            return self.shelves.all_keys(self._now() if self.form.expires else 0)
        finally:
            lock.release(mine)

    # ---- Writing ------------------------------------------------------------------------------------

    def set(self, key: bytes, value: bytes, expires: int = 0, update: bool = True) -> bool:
        """Keep a value for so many seconds, 0 for ever; without ``update`` only where there is none.

        False when it is not kept: it is too large, its key is, there is no room. After an update that finds
        no room there is no value at all, rather than the old one.
        """
        if not (0 < len(key) <= self.form.keysize and 0 < len(value) <= self.form.largest):
            return False
        hashed = self._hashed(key)
        words, lock = self.words, self.lock
        mine = lock.address
        try:
            result = lock.attempt(mine)
            if (result or words[DIRTY]) and not self._enter(result):
                mine = lock.nobodys
                return False
            words[DIRTY] = 1
            slot = self._live(key, hashed)
            kept = update or not slot
            if kept:
                kept = self._keep(slot, (key, hashed), value, self._until(expires))
            words[DIRTY] = 0
        finally:
            lock.release(mine)
        if self.due:
            self._say()
        return kept

    def alter(self, key: bytes, how: Sum, number: int, expires: int = 0) -> int | None:
        """Keep ``how(number that is there, number)``, of 64 bits with a sign; what is new begins from
        ``math_initial``. ``expires`` counts for what is new alone. The new number; None when it is not kept.
        """
        if not 0 < len(key) <= self.form.keysize:
            return None
        hashed = self._hashed(key)
        words, lock, shelves = self.words, self.lock, self.shelves
        mine = lock.address
        try:
            result = lock.attempt(mine)
            if (result or words[DIRTY]) and not self._enter(result):
                mine = lock.nobodys
                return None
            words[DIRTY] = 1
            slot = self._live(key, hashed)
            if slot:
                there = number_in(shelves.value(slot)[:NUMBER])
                until = words[shelves.rows + slot * ROW + EXPIRES]
            else:
                there, until = self.form.math_initial, self._until(expires)
            then = wrapped(how(there, number))
            value = then.to_bytes(NUMBER, "little", signed=True)
            kept = self._keep(slot, (key, hashed), value, until)
            words[DIRTY] = 0
        finally:
            lock.release(mine)
        if self.due:
            self._say()
        return then if kept else None

    def delete(self, key: bytes) -> bool:
        """Forget a value; whether there was one."""
        hashed = self._hashed(key)
        words, lock = self.words, self.lock
        mine = lock.address
        try:
            result = lock.attempt(mine)
            if (result or words[DIRTY]) and not self._enter(result):
                mine = lock.nobodys
                return False
            words[DIRTY] = 1
            slot = self._live(key, hashed)
            if slot:
                self.shelves.drop(slot)
            words[DIRTY] = 0
            return bool(slot)
        finally:
            lock.release(mine)

    def clear(self) -> bool:
        """Forget all; whether that was possible."""
        lock = self.lock
        mine = lock.address
        try:
            result = lock.attempt(mine)
            if (result or self.words[DIRTY]) and not self._enter(result):
                mine = lock.nobodys
                return False
            self.memory.empty()
            self.words[DIRTY] = 0
            return True
        finally:
            lock.release(mine)

    # ---- Figures and the end ------------------------------------------------------------------------

    def figures(self) -> dict[str, int | str]:
        """What there is to say of it, in uWSGI's words; ``emptied`` counts what deaths cost."""
        form, words = self.form, self.words
        return {
            "name": form.name,
            "keysize": form.keysize,
            "max_items": form.items,
            "blocks": self.memory.blocks,
            "blocksize": form.blocksize,
            "items": words[COUNT],
            "hits": words[HITS],
            "miss": words[MISS],
            "full": words[FULL],
            "emptied": words[EMPTIED],
        }

    def close(self) -> None:
        """Give the memory back in this process, where nobody is using it any more."""
        self.memory.close()

    # ---- Under the lock -----------------------------------------------------------------------------

    def _enter(self, result: int) -> bool:
        """The lock was not free, or what it guards is not whole: wait, mend; False without the lock."""
        if result and not self.lock.settle(result):
            if result == EBUSY:
                self.due = f"cache {self.form.name} is not asked: somebody who was stopped holds it"
            return False
        if self.words[DIRTY]:
            self.memory.empty()
            self.words[EMPTIED] += 1
            self.words[DIRTY] = 0
            self.due = f"cache {self.form.name} is empty again: somebody died while changing it"
        return True

    def _live(self, key: bytes, hashed: int) -> int:
        """The slot of a key, 0 for none; what has expired is dropped."""
        slot = self.shelves.find(key, hashed)
        if slot and self.form.expires:
            until = self.words[self.shelves.rows + slot * ROW + EXPIRES]
            if until and until <= self._now():
                dirty = self.words[DIRTY]
                self.words[DIRTY] = 1
                self.shelves.drop(slot)
                self.words[DIRTY] = dirty
                return 0
        return slot

    def _keep(self, slot: int, name: tuple[bytes, int], value: bytes, until: int) -> bool:
        """Put a value into its slot, 0 for a new one; False when there is no room."""
        shelves = self.shelves
        if slot and shelves.fits(slot, len(value)):
            shelves.renew(slot)
        else:
            if slot:
                shelves.drop(slot)
            slot = shelves.claim(len(value), self._now())
            if not slot:
                if not self.form.ignore_full:
                    self.due = f"cache {self.form.name} is full: {self.words[COUNT]} items"
                return False
            shelves.link(slot, *name)
        shelves.put(slot, value, until)
        return True

    def _say(self) -> None:
        """Say what is due. Without the lock: the log may wait."""
        text, self.due = self.due, ""
        if text:
            self.warn(text.partition(":")[0], text)

    def _hashed(self, key: bytes) -> int:
        if self.due:
            self._say()
        return int.from_bytes(blake2b(self.seed + key, digest_size=8).digest(), "little")

    def _now(self) -> int:
        return int(self.clock() * 1000)

    def _until(self, expires: int) -> int:
        return self._now() + expires * 1000 if 0 < expires <= LONGEST else 0


def number_in(value: bytes) -> int:
    """The number that a value is, up to eight bytes of it."""
    return int.from_bytes(value, "little", signed=len(value) == NUMBER)


def wrapped(number: int) -> int:
    """The same in 64 bits with a sign; what is beyond comes round from the other end, as in C."""
    return (number + WIDTH // 2) % WIDTH - WIDTH // 2
