"""Where items stand in a cache's memory: finding a slot, taking one, giving it back, and their order of use.

Runs in whoever holds the cache's lock and has said that it changes something. It knows no clock and no lock.
"""

from penstock.interprocess.cache.memory import (
    BLOCK,
    COUNT,
    CURSOR,
    EXPIRES,
    FREE,
    FRESH,
    FULL,
    HASH,
    LENGTH,
    LOOKED,
    NEWER,
    NEWEST,
    NEXT,
    OLDER,
    OLDEST,
    ROW,
    SIZE_OF,
    SOONEST,
    Memory,
)


class Shelves:
    """Those of one cache; a slot is a number from 1 on, and 0 is none."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self.form = memory.form
        self.bytes = memory.bytes
        self.words = memory.words
        self.rows = memory.rows
        self.buckets, self.mask = memory.buckets, memory.mask
        self.keys, self.keysize = memory.keys, memory.form.keysize
        self.data, self.blocksize = memory.data, memory.form.blocksize
        self.ordered = memory.form.purge_lru
        self.steps = range(memory.form.items + 1)  # no chain is longer

    # ---- What is there ------------------------------------------------------------------------------

    def find(self, key: bytes, hashed: int) -> int:
        """The slot of a key, expired or not; 0 where there is none."""
        words = self.words
        slot = words[self.buckets + (hashed & self.mask)]
        if not slot:
            return 0
        length = len(key)
        for _ in self.steps:
            row = self.rows + slot * ROW
            if words[row] == hashed and words[row + LENGTH] == length:
                at = self.keys + slot * self.keysize
                if self.bytes[at : at + length] == key:
                    return slot
            slot = words[row + NEXT]
            if not slot:
                return 0
        raise RuntimeError("a chain of items without an end")

    def value(self, slot: int) -> bytes:
        """Its value."""
        row = self.rows + slot * ROW
        at = self.data + self.words[row + BLOCK] * self.blocksize
        return self.bytes[at : at + self.words[row + SIZE_OF]]

    def all_keys(self, now: int) -> list[bytes]:
        """All keys but those that have expired at ``now``, in ms; 0: nothing expires."""
        lengths, ends = self._column(LENGTH), self._column(EXPIRES)
        found = []
        for slot, (length, until) in enumerate(zip(lengths, ends, strict=True), 1):
            if length and not 0 < until <= now:
                at = self.keys + slot * self.keysize
                found.append(self.bytes[at : at + length])
        return found

    def _column(self, word: int) -> list[int]:
        """A word of every slot that was ever used, from the first one on."""
        first = self.rows + ROW + word
        return self.words[first : first + self.words[FRESH] * ROW : ROW].tolist()

    # ---- Coming and going ---------------------------------------------------------------------------

    def claim(self, size: int, now: int) -> int:
        """A slot with blocks for ``size`` bytes, in no chain yet; 0 when there is none and nothing goes."""
        words = self.words
        count = self._blocks(size)
        slot, block = self._free_slot(), self._free_blocks(count)
        if not slot or block < 0:
            words[FULL] += 1
        while not slot or block < 0:
            if not self._make_room(now):
                return 0
            slot, block = self._free_slot(), self._free_blocks(count)
        row = self.rows + slot * ROW
        if slot == words[FREE]:
            words[FREE] = words[row + NEXT]
        else:
            words[FRESH] = slot
        if self.form.bitmap:
            self._mark(block, count, b"\1")
            words[CURSOR] = block + count
        words[row + BLOCK] = block if self.form.bitmap else slot - 1
        return slot

    def link(self, slot: int, key: bytes, hashed: int) -> None:
        """The slot is this key's from now on."""
        words = self.words
        row = self.rows + slot * ROW
        bucket = self.buckets + (hashed & self.mask)
        at = self.keys + slot * self.keysize
        self.bytes[at : at + len(key)] = key
        words[row + HASH] = hashed
        words[row + LENGTH] = len(key)
        words[row + NEXT] = words[bucket]
        words[bucket] = slot
        words[COUNT] += 1
        if self.ordered:
            self._append(slot)

    def fits(self, slot: int, size: int) -> bool:
        """Whether so many bytes take the blocks that the slot has."""
        held = self.words[self.rows + slot * ROW + SIZE_OF]
        return not self.form.bitmap or self._blocks(held) == self._blocks(size)

    def put(self, slot: int, value: bytes, until: int) -> None:
        """The slot's value, which fits, and the ms at which it expires, 0 for never."""
        words = self.words
        row = self.rows + slot * ROW
        at = self.data + words[row + BLOCK] * self.blocksize
        self.bytes[at : at + len(value)] = value
        words[row + SIZE_OF] = len(value)
        words[row + EXPIRES] = until
        if until and not 0 < words[SOONEST] <= until:
            words[SOONEST] = until

    def drop(self, slot: int) -> None:
        """Give a slot and its blocks back. Raises RuntimeError for one that is in no chain."""
        words = self.words
        row = self.rows + slot * ROW
        pointer = self.buckets + (words[row + HASH] & self.mask)
        for _ in self.steps:
            following = words[pointer]
            if following == slot:
                break
            pointer = self.rows + following * ROW + NEXT
        else:
            raise RuntimeError("an item in no chain")
        words[pointer] = words[row + NEXT]
        if self.ordered:
            self._take_out(slot)
        if self.form.bitmap:
            self._mark(words[row + BLOCK], self._blocks(words[row + SIZE_OF]), b"\0")
        words[row + LENGTH] = words[row + EXPIRES] = 0
        words[row + NEXT] = words[FREE]
        words[FREE] = slot
        words[COUNT] -= 1

    # ---- Room ---------------------------------------------------------------------------------------

    def _make_room(self, now: int) -> bool:
        """Let items go, as the form says; False when nothing went."""
        if self._sweep(now):
            return True
        if self.ordered and self.words[OLDEST]:
            self.drop(self.words[OLDEST])
            return True
        if self.form.clear_on_full and self.words[COUNT]:
            self.memory.empty()
            return True
        return False

    def _sweep(self, now: int) -> int:
        """Drop what has expired, unless that was looked for a moment ago; how many went."""
        words = self.words
        if not 0 < words[SOONEST] <= now or not self.form.expires:
            return 0
        if 0 <= now - words[LOOKED] < self.form.sweep * 1000:
            return 0
        words[LOOKED] = now
        ends = self._column(EXPIRES)
        over = [slot for slot, until in enumerate(ends, 1) if 0 < until <= now]
        for slot in over:
            self.drop(slot)
        words[SOONEST] = min((until for until in ends if until > now), default=0)
        return len(over)

    def _free_slot(self) -> int:
        """One that nobody has; 0 without one."""
        words = self.words
        if words[FREE]:
            return words[FREE]
        return words[FRESH] + 1 if words[FRESH] < self.form.items else 0

    def _blocks(self, size: int) -> int:
        return -(-size // self.blocksize)

    def _free_blocks(self, count: int) -> int:
        """The first of so many free blocks in a row, behind the last ones that were taken if possible; -1 for
        none. Without ``bitmap`` every slot has its own."""
        if not self.form.bitmap:
            return 0
        marks, total, cursor = self.memory.marks, self.memory.blocks, self.words[CURSOR]
        wanted = bytes(count)
        if self.bytes[marks + cursor : marks + min(cursor + count, total)] == wanted:
            return cursor
        # Of a copy: its search is linear, that of a mapping was not always.
        found = self.bytes[marks + cursor : marks + total].find(wanted)
        if found >= 0:
            return cursor + found
        return self.bytes[marks : marks + total].find(wanted)

    def _mark(self, block: int, count: int, mark: bytes) -> None:
        at = self.memory.marks + block
        self.bytes[at : at + count] = mark * count

    # ---- The order of use ---------------------------------------------------------------------------

    def is_newest(self, slot: int) -> bool:
        """Whether it was the last one to be used."""
        return self.words[NEWEST] == slot

    def renew(self, slot: int) -> None:
        """It is used now."""
        if self.ordered and self.words[NEWEST] != slot:
            self._take_out(slot)
            self._append(slot)

    def _append(self, slot: int) -> None:
        words = self.words
        row, last = self.rows + slot * ROW, words[NEWEST]
        words[row + OLDER], words[row + NEWER] = last, 0
        words[self.rows + last * ROW + NEWER if last else OLDEST] = slot
        words[NEWEST] = slot

    def _take_out(self, slot: int) -> None:
        words = self.words
        row = self.rows + slot * ROW
        older, newer = words[row + OLDER], words[row + NEWER]
        words[self.rows + older * ROW + NEWER if older else OLDEST] = newer
        words[self.rows + newer * ROW + OLDER if newer else NEWEST] = older
