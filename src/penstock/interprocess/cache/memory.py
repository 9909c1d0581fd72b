"""The memory of one shared cache: where its header, its items, their keys and their values are.

Runs in every process that has the cache. It knows offsets, and nothing of what becomes of an item.
"""

import mmap
import os

from penstock.config.site.caches import Form
from penstock.core.errors import StartError
from penstock.interprocess.cache.lock import SIZE, Lock
from penstock.interprocess.inmemory import fix, shared

WORD = 8  # bytes
PAGE = 4096
MAGIC, VERSION = 0x65686361636B6370, 1

# Words of the head, behind the lock. The first of them never change.
FACTS = SIZE // WORD
SEED = FACTS + 8  # two words
DIRTY = 32  # not 0 while somebody changes something: of one that died then nothing can be trusted
COUNT = 33  # items that are there
FREE = 34  # the first slot that was given back, 0 without one; the others behind it by NEXT
FRESH = 35  # slots that were ever used
OLDEST, NEWEST = 36, 37  # of those in the order of use, which ``purge_lru`` keeps
CURSOR = 38  # the block behind the last one that was taken
SOONEST = 39  # ms; before it nothing expires; 0 when nothing does at all
LOOKED = 40  # ms of the last look for what has expired
HITS, MISS, FULL, EMPTIED = 41, 42, 43, 44
HEAD = 64

# Words of an item. Slots count from 1; 0 is none.
HASH, LENGTH, SIZE_OF, BLOCK, EXPIRES, NEXT, OLDER, NEWER = range(8)
ROW = 8


class Memory:
    """``words`` is all of it, as numbers; ``bytes`` the same as bytes; the rest are offsets.

    ``buckets``  word of the first bucket, ``mask`` their number less one
    ``rows``     word of slot 0, which is never used
    ``marks``    byte of the first block's mark, 1 for a block that is taken; only with ``bitmap``
    ``keys``     byte of slot 0's key
    ``data``     byte of the first block
    """

    def __init__(self, form: Form, fd: int, make: bool) -> None:
        self.form = form
        self.fd = fd
        self.blocks = form.blocks if form.bitmap else form.items
        buckets = 1 << max(4, (form.items - 1).bit_length())
        self.mask = buckets - 1
        self.buckets = HEAD
        self.rows = HEAD + buckets
        self.marks = (self.rows + (form.items + 1) * ROW) * WORD
        self.keys = self.marks + (self.blocks if form.bitmap else 0) - form.keysize
        self.data = _up(self.keys + (form.items + 1) * form.keysize)
        self.size = _up(self.data + self.blocks * form.blocksize)
        if make:
            fix(fd, self.size)
        elif os.fstat(fd).st_size != self.size:
            raise ValueError("another size")
        self.bytes = mmap.mmap(fd, self.size)
        self.words: memoryview[int] = memoryview(self.bytes).cast("Q")
        self.lock = Lock(self.bytes, make)

    @classmethod
    def create(cls, form: Form) -> "Memory":
        """Memory for a new cache, empty. Raises StartError where the system has or gives none."""
        fd = shared("penstock-cache", f"cache {form.name}: caches")
        try:
            made = cls(form, fd, make=True)
        except (OSError, OverflowError, ValueError) as error:
            os.close(fd)
            raise StartError(f"cache {form.name}: no memory for it: {error}") from error
        facts = made.facts()
        for index, fact in enumerate(facts, FACTS):
            made.words[index] = fact
        made.bytes[SEED * WORD : (SEED + 2) * WORD] = os.urandom(2 * WORD)
        return made

    @classmethod
    def attach(cls, form: Form, fd: int) -> "Memory":
        """The memory behind a descriptor, which is then its own to close. Raises StartError for what is none,
        or of another form."""
        try:
            made = cls(form, fd, make=False)
        except (OSError, OverflowError, ValueError) as error:
            raise StartError(f"cache {form.name}: what was handed over is not its memory: {error}") from error
        if made.words[FACTS : FACTS + 7].tolist() != made.facts():
            made.fd = -1  # not ours, whatever it is
            made.close()
            raise StartError(f"cache {form.name}: what was handed over has another form")
        return made

    def facts(self) -> list[int]:
        """What the head says of the form."""
        form = self.form
        shape = [form.items, form.blocksize, self.blocks, form.keysize, int(form.bitmap)]
        return [MAGIC, VERSION, *shape]

    @property
    def seed(self) -> bytes:
        """What keys are hashed with: nobody outside can make many of them meet in one bucket."""
        return self.bytes[SEED * WORD : (SEED + 2) * WORD]

    def empty(self) -> None:
        """Forget all items. The caller holds the lock."""
        words = self.words
        words[DIRTY] = 1
        self.bytes[self.buckets * WORD : self.rows * WORD] = bytes((self.rows - self.buckets) * WORD)
        if self.form.bitmap:
            self.bytes[self.marks : self.marks + self.blocks] = bytes(self.blocks)
        for index in (COUNT, FREE, FRESH, OLDEST, NEWEST, CURSOR, SOONEST):
            words[index] = 0

    def close(self) -> None:
        """Give memory and descriptor back, once or again; nobody may be using it."""
        self.lock.close()
        self.words.release()
        self.bytes.close()
        if self.fd >= 0:
            fd, self.fd = self.fd, -1
            os.close(fd)


def _up(count: int) -> int:
    """Bytes, in whole pages."""
    return -(-count // PAGE) * PAGE
