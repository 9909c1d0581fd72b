"""What stops a configuration that never ends: limits, and the words for going beyond one of them.

Used at start while a configuration is read. The figures are far above what people write, and small enough
that the fault is told within a second.
"""

MOST_FILES = 100
"""Files that are read in all, each time they are."""
DEEPEST = 32
"""Files that include each other, one in the other."""
MOST_OPTIONS = 100_000
"""Options in all, those that loops make included."""
MOST_TEXT = 32 << 20
"""Characters of all files, and of all values."""


class Endless(Exception):
    """A limit was reached; the message says which."""


class Halt(Exception):
    """Nothing more is read: ``exit`` was asked for, or a limit was reached."""
