"""Subjects that make a search as slow as they can: what a run takes, many times, and then what ends it badly.

Run in the child of a trial. They are made from the tree: something before the run that matches, octets of
each kind that the expression tells apart, and an end that fits nowhere.
"""

from collections.abc import Iterator

from penstock.serve.routing.regexes.tree import (
    OCTETS,
    Branches,
    Chars,
    Group,
    Node,
    Repeat,
    Sequence,
    Tree,
    folded,
    nodes,
)

KINDS = 10  # octets that are told apart, at most
PAIRED = 6  # of them that are tried in turn
RUNS = 24  # runs that are tried, at most
MANY = 16  # a bounded run this long is tried like one without bound
COMMON = b"a/0.-_A% =&"  # taken for a kind of octets, where they are of it

Pump = tuple[str, str, str]
"""What stands before, what is repeated, and what ends it."""


def pumps(tree: Tree) -> Iterator[Pump]:
    """The subjects to try, as their parts."""
    seen: set[Pump] = set()
    kinds = alphabet(tree)
    misfit = unfit(tree)
    for before, bodies, rest in places(tree, kinds):
        for body in bodies:
            for end in dict.fromkeys((misfit, "", "\n", rest + misfit)):
                pump = (before, body, end)
                if body and pump not in seen:
                    seen.add(pump)
                    yield pump


def places(tree: Tree, kinds: list[str]) -> Iterator[tuple[str, list[str], str]]:
    """What stands before, what may be repeated there, and what should follow."""
    runs = list(walk(tree.branches, ""))[:RUNS]
    # A search that begins anew everywhere: what the expression begins with, again and again.
    starts = [before for before, _, _ in runs if before]
    pairs = [one + other for one in kinds[:PAIRED] for other in kinds[:PAIRED] if one != other]
    yield "", [*kinds, *pairs, *starts, *(example(branch) for branch in tree.branches)], ""
    for before, node, rest in runs:
        yield before, [*bodies(node), *kinds, *pairs], rest


def walk(branches: Branches, before: str) -> Iterator[tuple[str, Repeat, str]]:
    """Each long run, with an example of what matches before it and behind it."""
    for branch in branches:
        gone = before
        for at, node in enumerate(branch):
            inner = node.node if isinstance(node, Repeat) else node
            if isinstance(node, Repeat) and (node.most is None or node.most >= MANY):
                yield gone, node, example(branch[at + 1 :])
            if isinstance(inner, Group):
                yield from walk(inner.branches, gone)
            gone += one(node)


def bodies(node: Repeat) -> list[str]:
    """Examples of what a run repeats, and two of them in turn."""
    inner = node.node
    if not isinstance(inner, Group):
        return [one(inner)]
    each = list(dict.fromkeys(example(branch) for branch in inner.branches))[:6]
    return [*each, *(first + second for first in each for second in each if first != second)]


def example(branch: Sequence) -> str:
    """Something that a sequence matches."""
    return "".join(map(one, branch))


def one(node: Node) -> str:
    """Something that a node matches."""
    if isinstance(node, Chars):
        return chosen(node.members)
    if isinstance(node, Group):
        return example(node.branches[0]) if node.consumes else ""
    if isinstance(node, Repeat):
        return one(node.node) * min(max(node.least, 1), 64)
    return ""


def chosen(members: frozenset[int]) -> str:
    """One of some octets, a common one where there is one."""
    for octet in COMMON:
        if octet in members:
            return chr(octet)
    return chr(min(members)) if members else ""


def alphabet(tree: Tree) -> list[str]:
    """One octet for each kind that the expression tells apart."""
    sets = list(
        dict.fromkeys(members(node, tree.fold) for node in nodes(tree.branches) if isinstance(node, Chars))
    )
    kinds: dict[tuple[bool, ...], int] = {}
    for octet in (*COMMON, *sorted(OCTETS)):
        kinds.setdefault(tuple(octet in some for some in sets), octet)
    # Those that most sets have in common are the most likely to be taken in more than one way.
    ranked = sorted(kinds, key=sum, reverse=True)[:KINDS]
    return [chr(kinds[kind]) for kind in ranked]


def unfit(tree: Tree) -> str:
    """An octet that as few sets as possible have."""
    sets = [members(node, tree.fold) for node in nodes(tree.branches) if isinstance(node, Chars)]
    return chr(min(OCTETS - {10}, key=lambda octet: (sum(octet in some for some in sets), octet)))


def members(node: Chars, fold: bool) -> frozenset[int]:
    """The octets of a set, with both cases where one is ignored."""
    return folded(node.members) if fold else node.members
