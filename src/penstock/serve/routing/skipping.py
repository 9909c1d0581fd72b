"""Which rules a look at the beginning of a path, or of another variable, can skip, all of them at once.

Worked out at boot for a table; what it gives is called by pool threads. It knows what rules want their
subject to begin with, and nothing of what they do.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any

from penstock.serve.routing.rule import Rule

LITTLE = 2  # rules beside each other that are worth a look


def runs(rules: Sequence[Rule]) -> list[tuple[int, int]]:
    """Where rules on the same subject that say how it must begin follow each other: the numbers of the first,
    and of the one behind the last. Labels between them do no harm."""
    found = []
    others = [rule for rule in rules if rule.kind != "label"]
    for subject, group in groupby(others, lambda rule: rule.subject if rule.prefix else ""):
        run = list(group)
        if subject and len(run) >= LITTLE:
            found.append((run[0].number, run[-1].number + 1))
    return found


def heads_of(rules: Iterable[Rule]) -> tuple[str, ...]:
    """The beginnings that rules want."""
    return tuple(sorted({rule.prefix for rule in rules if rule.subject}))


def size_of(heads: Sequence[str]) -> tuple[int, frozenset[str]]:
    """As many characters as the shortest of ``heads`` has, and what those may be: a look into a set is
    cheaper than fifty comparisons, and settles it for nearly all requests."""
    size = min(map(len, heads))
    return size, frozenset(head[:size] for head in heads)


def look_of(subject: str, rules: Sequence[Rule]) -> tuple[str, int, frozenset[str], tuple[str, ...]]:
    """One look for all rules on that subject."""
    heads = heads_of(rule for rule in rules if rule.subject == subject)
    return (subject, *size_of(heads), heads)


def quiet_of(rules: Sequence[Rule]) -> Callable[[dict[str, Any]], bool] | None:
    """Whether none of ``rules`` can be for a request, asked with its environ; None: only a walk can tell."""
    asking = [rule for rule in rules if rule.kind != "label"]
    if not asking or not all(rule.prefix for rule in asking):
        return None
    looks = [look_of(subject, asking) for subject in sorted({rule.subject for rule in asking})]

    def quiet(environ: dict[str, Any]) -> bool:
        for subject, size, cut, heads in looks:
            text = environ.get(subject, "")
            if text[:size] in cut and text.startswith(heads):
                return False
        return True

    return quiet
