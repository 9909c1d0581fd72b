"""The literal that a regex's matches must begin with, where it says so itself: ``^/static/`` begins so.

Pure functions, used at boot: with it the table can skip a run of rules by one look at the path. They know
regexes by their text only, and give "" wherever they are not sure.
"""

SPECIAL = frozenset(".^$*+?{}[]()|\\")
REPEATS = ("?", "*", "{")  # what stands before one of these may be absent
ESCAPED = frozenset(
    "/.-_~:@!$&'()*+,;=%#?[]{}|^\\ \""
)  # a backslash makes these, and no more than these, literal


def prefix_of(pattern: str) -> str:
    """What each match of ``pattern`` begins with, at the subject's own beginning; "" where it may begin
    otherwise or elsewhere."""
    for anchor in ("^", r"\A"):
        if pattern.startswith(anchor) and not has_choice(pattern):
            return literal(pattern, len(anchor))
    return ""


def has_choice(pattern: str) -> bool:
    """Whether there is a ``|`` outside of all brackets, or a flag that changes what a literal is."""
    depth, at = 0, 0
    while at < len(pattern):
        character = pattern[at]
        if character == "\\":
            at += 2 if pattern[at + 1 : at + 2] == "c" else 1  # \c( is no bracket
        elif character == "[":
            at = end_of_set(pattern, at)
        elif character == "(":
            depth += 1
            if is_flag(pattern, at):
                return True
        elif character == ")":
            depth -= 1
        elif character == "|" and depth == 0:
            return True
        at += 1
    return False


def is_flag(pattern: str, at: int) -> bool:
    """Whether the bracket at ``at`` sets flags, or anything else that is not plainly a group."""
    after = pattern[at + 1 : at + 3]
    return after[:1] in ("?", "*") and after not in ("?:", "?=", "?!", "?P", "?<", "?>")


def end_of_set(pattern: str, at: int) -> int:
    """Where the set that begins at ``at`` ends; a ``]`` that comes first is in it."""
    at += 2 if pattern[at + 1 : at + 2] == "^" else 1
    at += pattern[at : at + 1] == "]"
    while at < len(pattern) and pattern[at] != "]":
        at += 2 if pattern[at] == "\\" else 1
    return at


def literal(pattern: str, at: int) -> str:
    """The plain characters from ``at`` on that must all be there."""
    found = ""
    while at < len(pattern):
        character, size = pattern[at], 1
        if character == "\\" and pattern[at + 1 : at + 2] in ESCAPED and at + 1 < len(pattern):
            character, size = pattern[at + 1], 2
        elif character in SPECIAL:
            break
        if pattern.startswith(REPEATS, at + size):
            break
        found += character
        at += size
    return found
