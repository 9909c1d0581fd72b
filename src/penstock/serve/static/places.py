"""Where a file was found, and how to find it again.

Plain values, shared by pool threads. Knows roots and names; which file is there is seen anew at each opening.
"""

import os
from typing import NamedTuple

from penstock.serve.static.opening import PEEK
from penstock.serve.static.roots import Root
from penstock.serve.static.walking import Names


class Place(NamedTuple):
    """Where a file was found, to find it again: names below a root."""

    root: Root
    parts: Names

    def open(self, flags: int) -> int:
        """A descriptor; nothing is said about which file it is. Raises OSError."""
        return self.root.open(self.parts, flags)[0]

    def real(self) -> Names:
        """The real names from "/" on. Raises OSError."""
        fd, names = self.root.open(self.parts, PEEK, named=True)
        os.close(fd)
        return names


class RealPlace(NamedTuple):
    """Where a file was found beside another one: real names from "/" on."""

    root: Root
    names: Names

    def open(self, flags: int) -> int:
        """As Place's."""
        return self.root.open_real(self.names, flags)[0]

    def real(self) -> Names:
        """As Place's."""
        fd, names = self.root.open_real(self.names, PEEK, named=True)
        os.close(fd)
        return names


Spot = Place | RealPlace


def look_at(place: Spot) -> os.stat_result:
    """What is there, without opening it: a device may act on being opened. Raises OSError."""
    fd = place.open(PEEK)
    try:
        return os.fstat(fd)
    finally:
        os.close(fd)
