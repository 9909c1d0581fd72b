"""What a regular expression consists of: the tree that ``parse`` makes and the others walk.

Plain data, made when rules are compiled. It knows neither of the engines that search in the end.
"""

from collections.abc import Iterator
from dataclasses import dataclass

OCTETS = frozenset(range(256))
WORD = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
DIGIT = frozenset(b"0123456789")
SPACE = frozenset(b" \t\n\v\f\r")
VERTICAL = frozenset(b"\n\v\f\r\x85")
HORIZONTAL = frozenset(b"\t \xa0")
LOOKING = ("(?=", "(?!", "(?<=", "(?<!")


@dataclass(frozen=True, slots=True)
class Chars:
    """One octet out of ``members``; ``dot``: it was written as a full stop."""

    members: frozenset[int]
    dot: bool = False


@dataclass(frozen=True, slots=True)
class Edge:
    """A place between two octets, as the two engines write it; "" where RE2 has none of this kind."""

    python: str
    linear: str


@dataclass(frozen=True, slots=True)
class Back:
    """What a group before it has matched, again; ``said`` in Python's words."""

    said: str


@dataclass(frozen=True, slots=True)
class Group:
    """Alternatives in brackets; ``opening`` is what stands before the first."""

    opening: str
    branches: "Branches"

    @property
    def consumes(self) -> bool:
        """Whether what it matches is gone past."""
        return self.opening not in LOOKING


@dataclass(frozen=True, slots=True)
class Repeat:
    """Something so many times; ``most`` is None without an upper bound, ``how`` "", ``?`` or ``+``."""

    node: "Chars | Group | Back | Edge"
    least: int
    most: int | None
    how: str


Node = Chars | Edge | Back | Group | Repeat
Sequence = tuple[Node, ...]
Branches = tuple[Sequence, ...]


@dataclass(frozen=True, slots=True)
class Tree:
    """A whole expression; ``groups`` counts those that capture, ``fold`` says that case is ignored in
    some part of it, ``dotall`` that a full stop means any octet in some part."""

    branches: Branches
    groups: int
    fold: bool
    dotall: bool


def nodes(branches: Branches) -> Iterator[Node]:
    """Every node, outer ones first."""
    for branch in branches:
        for node in branch:
            yield node
            if isinstance(node, Repeat):
                yield node.node
                node = node.node
            if isinstance(node, Group):
                yield from nodes(node.branches)


def folded(members: frozenset[int]) -> frozenset[int]:
    """The octets with their other case; ASCII alone has one (PCRE without a locale)."""
    return members | {octet ^ 0x20 for octet in members if chr(octet & 0xDF) in LETTERS}


LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
