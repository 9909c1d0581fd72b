"""Makes a failing input as short as it can be (delta debugging: Zeller and Hildebrandt, 2002)."""

from collections.abc import Callable
from dataclasses import replace

from tests.fuzz.case import Case

Fails = Callable[[Case], bool]
MOST = 4000  # tries, so that a long input does not hold everything up


def bare(case: Case) -> Case:
    """The case without what its maker knew of it, which no longer fits once it is changed."""
    return replace(case, expected=None, refusal=())


def minimise(case: Case, fails: Fails) -> Case:
    """The shortest input found that still fails; the case itself if it fails only by what its maker knew."""
    best = bare(case)
    if not fails(best):
        return case
    tries = 0
    size = max(1, len(best.raw) // 2)
    while size and tries < MOST:
        at, shorter = 0, False
        while at < len(best.raw) and tries < MOST:
            tries += 1
            raw = best.raw[:at] + best.raw[at + size :]
            candidate = replace(best, raw=raw)
            if fails(candidate):
                best, shorter = candidate, True
            else:
                at += size
        if not shorter:
            size //= 2
    return plain(best, fails)


def plain(case: Case, fails: Fails) -> Case:
    """Each octet becomes an ordinary one where that makes no difference."""
    best = case
    for at in range(min(len(case.raw), MOST // 4)):
        if best.raw[at : at + 1] != b"a":
            candidate = replace(best, raw=best.raw[:at] + b"a" + best.raw[at + 1 :])
            if fails(candidate):
                best = candidate
    return best
