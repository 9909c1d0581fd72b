"""A tree written again, for Python's ``re`` or for RE2.

Runs when rules are compiled. Both texts find the same in subjects of octets; RE2 has no words for looking
around, for references and for giving nothing back, and then there is none for it.
"""

from penstock.serve.routing.regexes.tree import (
    OCTETS,
    Back,
    Branches,
    Chars,
    Edge,
    Group,
    Node,
    Repeat,
    Sequence,
    Tree,
    nodes,
)

PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_/:;,=@ \"'!%<>`")
LINEAR_OPENINGS = ("(", "(?:")
LONGEST_COUNT = 1000  # RE2's
END = r"(?:\n?\z)"  # what PCRE's $ and \Z are where RE2's are not


def python(tree: Tree) -> str:
    """The expression for ``re.compile(..., re.ASCII)``."""
    text = alternatives(tree.branches, False)
    # What begins with .* need not be tried at each place of a line, only at its first (PCRE does the same).
    return f"(?m:^)(?:{text})" if anchored_by_dots(tree) else text


def linear(tree: Tree) -> str:
    """The expression for RE2; "" where it has no words for it."""
    if any(map(beyond, nodes(tree.branches))) or odd_case(tree) or not ends_last(tree.branches):
        return ""
    return alternatives(tree.branches, True)


def ends_last(branches: Branches) -> bool:
    """Whether nothing follows a ``$``: for RE2 it is a newline that may be there, and is gone past then."""
    for branch in branches:
        last = branch[-1] if branch else None
        inner = last.branches if isinstance(last, Group) else ()
        before = branch[:-1] if inner or isinstance(last, Edge) else branch
        if any(isinstance(node, Edge) and node.linear == END for node in nodes((before,))):
            return False
        if not ends_last(inner):
            return False
    return True


def beyond(node: Node) -> bool:
    """Whether RE2 cannot do this."""
    if isinstance(node, Group):
        scoped = node.opening.endswith(":") or node.opening.startswith("(?P<")
        return node.opening not in LINEAR_OPENINGS and not scoped
    if isinstance(node, Repeat):
        return node.how == "+" or max(node.least, node.most or 0) > LONGEST_COUNT
    return isinstance(node, Back) or (isinstance(node, Edge) and not node.linear)


def odd_case(tree: Tree) -> bool:
    """Whether ignoring case would fold letters that are not ASCII: RE2 does, PCRE and ``re.ASCII`` do not."""
    if not tree.fold:
        return False
    upper = range(0xC0, 0xDF)
    return any(
        (octet in node.members) != ((octet | 0x20) in node.members)
        for node in nodes(tree.branches)
        if isinstance(node, Chars)
        for octet in upper
    )


def anchored_by_dots(tree: Tree) -> bool:
    """Whether it has one alternative that begins with ``.*``, and nothing refers back to it."""
    branches = tree.branches
    if tree.dotall or any(isinstance(node, Back) for node in nodes(branches)):
        return False
    while len(branches) == 1 and branches[0]:
        first = branches[0][0]
        if isinstance(first, Group) and first.opening in LINEAR_OPENINGS:
            branches = first.branches
            continue
        return (
            isinstance(first, Repeat)
            and isinstance(first.node, Chars)
            and first.node.dot
            and (first.least, first.most) == (0, None)
            and first.how != "+"
        )
    return False


def alternatives(branches: Branches, for_re2: bool) -> str:
    """Alternatives with their bars."""
    return "|".join(sequence(branch, for_re2) for branch in branches)


def sequence(branch: Sequence, for_re2: bool) -> str:
    """One thing after the other."""
    return "".join(written(node, for_re2) for node in branch)


def written(node: Node, for_re2: bool) -> str:
    """One node."""
    if isinstance(node, Chars):
        return "." if node.dot else octets(node.members)
    if isinstance(node, Edge):
        return node.linear if for_re2 else node.python
    if isinstance(node, Back):
        return node.said
    if isinstance(node, Group):
        return f"{node.opening}{alternatives(node.branches, for_re2)})"
    return f"{written(node.node, for_re2)}{count(node)}{node.how}"


def count(node: Repeat) -> str:
    """A quantifier."""
    signs = {(0, None): "*", (1, None): "+", (0, 1): "?"}
    said = signs.get((node.least, node.most))
    if said:
        return said
    if node.most == node.least:
        return f"{{{node.least}}}"
    return f"{{{node.least},{'' if node.most is None else node.most}}}"


def octets(members: frozenset[int]) -> str:
    """One octet out of a set."""
    if len(members) == 1:
        return letter(next(iter(members)))
    if len(members) == len(OCTETS):
        return r"[\x00-\xff]"
    if len(members) > 128:
        return f"[^{ranges(OCTETS - members)}]"
    # PCRE has an empty set, too: what is the complement of everything never matches.
    return f"[{ranges(members)}]" if members else r"[^\x00-\xff]"


def ranges(members: frozenset[int]) -> str:
    """The inside of a set."""
    said, left = [], sorted(members)
    while left:
        run = 1
        while run < len(left) and left[run] == left[0] + run:
            run += 1
        first, last = letter(left[0]), letter(left[run - 1])
        said.append(first + (last if run == 2 else f"-{last}" if run > 2 else ""))
        left = left[run:]
    return "".join(said)


def letter(octet: int) -> str:
    """One octet that is nothing but itself, inside a set or outside."""
    return chr(octet) if octet in PLAIN else f"\\x{octet:02x}"
