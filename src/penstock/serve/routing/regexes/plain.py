"""Whether a search takes no longer than in proportion to its subject, told from the expression alone.

Runs when rules are compiled. It knows the shapes that nearly all rules have; of any other it does not know,
and then a trial shows it.
"""

from penstock.serve.routing.regexes.emit import anchored_by_dots
from penstock.serve.routing.regexes.tree import (
    Back,
    Chars,
    Edge,
    Group,
    Node,
    Repeat,
    Sequence,
    Tree,
    folded,
    nodes,
)

WAYS = 64  # a constant number of ways to try at one place
RUN = 64  # a run that may be longer counts as one without an end
MANY = 200  # likewise an expression of more parts
AT_START = ("^", r"\A")


def is_plain(tree: Tree) -> bool:
    """Whether the time is proportional to the subject's length for certain."""
    every = list(nodes(tree.branches))
    if any(isinstance(node, Back) or (isinstance(node, Group) and odd(node)) for node in every):
        return False
    free, ways = cost_of(tree)
    if len(every) > MANY or any(isinstance(node, Repeat) and endless(node) for node in every):
        starts = anchored_by_dots(tree) or all(map(at_start, tree.branches))
        return starts and free <= 1 and ways <= WAYS
    return ways <= WAYS


def cost_of(tree: Tree) -> tuple[int, int]:
    """The most runs without an end in one alternative, and the ways to try of all of them together."""
    free, ways = 0, 0
    for branch in tree.branches:
        cost = Cost(tree.fold)
        cost.along(branch)
        free, ways = max(free, cost.free), ways + cost.ways
    return free, ways


def endless(node: Repeat) -> bool:
    """Whether a run may take about as much as there is."""
    return node.most is None or node.most > RUN


def odd(node: Group) -> bool:
    """Groups that look around, or in which flags change what is said below."""
    return node.opening.startswith(("(?=", "(?!", "(?<=", "(?<!", "(?(")) or "m" in flags(node)


def flags(node: Group) -> str:
    """The flags that a group sets."""
    return node.opening[2:-1] if node.opening.endswith(":") else ""


def at_start(branch: Sequence) -> bool:
    """Whether an alternative can only begin where the subject does."""
    first = branch[0] if branch else None
    if isinstance(first, Group):
        return all(map(at_start, first.branches))
    return isinstance(first, Edge) and first.python in AT_START


class Cost:
    """What trying one alternative at one place costs: ``free`` counts the runs whose end is not told by
    what follows, ``ways`` is the number of ways through everything else."""

    def __init__(self, fold: bool) -> None:
        self.fold = fold
        self.free = 0
        self.ways = 1

    def along(self, branch: Sequence, behind: Node | None = None) -> None:
        """Count a sequence; ``behind`` follows it."""
        for at, node in enumerate(branch):
            after = branch[at + 1] if at + 1 < len(branch) else behind
            if isinstance(node, Repeat):
                self.repeat(node, after)
            elif isinstance(node, Group):
                self.group(node, after)

    def group(self, node: Group, behind: Node | None) -> None:
        """Count alternatives: the dearest, and each of them a way."""
        free = self.free
        dearest = free
        ways = 0
        before = self.ways
        for branch in node.branches:
            self.free, self.ways = free, 1
            self.along(branch, behind)
            dearest, ways = max(dearest, self.free), ways + self.ways
        self.free, self.ways = dearest, before * ways

    def repeat(self, node: Repeat, after: Node | None) -> None:
        """Count something that is repeated."""
        inner = node.node
        if node.most is not None and not endless(node):
            if isinstance(inner, Group):
                self.group(inner, None)
                self.ways = self.ways**node.most if node.most <= 8 else WAYS + 1
            self.ways *= node.most - node.least + 1
        elif not isinstance(inner, Chars):
            self.free += 2  # a run of groups: the trial shows
        elif not (node.how == "+" or self.ends(inner, after)):
            self.free += 1

    def ends(self, run: Chars, after: Node | None) -> bool:
        """Whether the octet that must follow a run cannot be part of it."""
        if not isinstance(after, Chars):
            return False
        one, other = run.members, after.members
        return not (folded(one) & folded(other) if self.fold else one & other)
