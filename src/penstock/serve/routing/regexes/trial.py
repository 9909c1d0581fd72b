"""The trial of expressions against the worst subjects that can be thought of, in a child that may be killed.

Forked by the process that compiles rules, before there are threads. A verdict is how long a subject may be,
or why the expression cannot be used; the figures are processor time, so a busy machine changes none.
"""

import re
from collections.abc import Iterable
from time import process_time

from penstock.config.sources.isolated import Overrun, isolated
from penstock.serve.routing.regexes import emit
from penstock.serve.routing.regexes.parse import parse
from penstock.serve.routing.regexes.pumps import pumps

LONG, SHORT = 8192, 2048  # octets of a subject
QUICK = 0.001  # seconds at SHORT: what is proportional takes a tenth of it, what grows by the square more
BEARABLE = 0.250  # likewise: a square takes some 20 ms, a cube seconds
STEPS = (*range(8, 20, 2), *range(20, 34), *range(34, 64, 3), 64, 80, 96, 128, 160, 192, 256, 320, 384, 512)
"""Lengths that are gone up by, so that what doubles with each octet is found before it takes for ever."""
STEEP = 0.030  # seconds at any of them: a square takes up to 3 ms at the last one, a cube 20 ms and more
SCALE = SHORT // STEPS[-1]  # its square is how much longer a square takes at SHORT than at the last of them
ENOUGH = 0.5  # seconds for one expression: by then the worst of it has been seen

TOO_SLOW = (
    "can take so long on some requests that the whole worker would stand still; say more exactly what a run "
    "may be ([^/]+ rather than .*, no run inside a run), or install RE2: pip install penstock[re2]"
)

Verdict = int | str


def tried(texts: list[str]) -> dict[str, Verdict]:
    """The verdict on each: all in one child, and each in its own where that one does not come to an end."""
    found = together(texts)
    if found is not None:
        return found
    verdicts: dict[str, Verdict] = {}
    for text in texts:
        alone = together([text]) if len(texts) > 1 else None
        verdicts[text] = TOO_SLOW if alone is None else alone[text]
    return verdicts


def together(texts: list[str]) -> dict[str, Verdict] | None:
    """The verdicts from one child; None where it was killed."""
    try:
        said = isolated(judged, texts)
    except Overrun:
        return None
    assert isinstance(said, list)
    return dict(zip(texts, said, strict=True))


def judged(texts: Iterable[str]) -> list[Verdict]:
    """The verdicts. Runs in the child."""
    return [verdict(text) for text in texts]


def verdict(text: str) -> Verdict:
    """How long a subject may be, or TOO_SLOW."""
    tree = parse(text)
    compiled = re.compile(emit.python(tree), re.ASCII)
    limit, start = LONG, process_time()
    for pump in pumps(tree):
        last = 0.0
        for size in STEPS:
            last = took(compiled, subject(*pump, size))
            if last > STEEP:
                return TOO_SLOW
        if (limit == LONG and last * SCALE**2 > QUICK) or last * SCALE**3 > BEARABLE:
            worst = subject(*pump, SHORT)
            # The better of two: a page that the system fetches is not the expression's fault.
            last = min(took(compiled, worst), took(compiled, worst))
            if last > BEARABLE:
                return TOO_SLOW
            limit = SHORT if last > QUICK else limit
        if process_time() - start > ENOUGH:
            break
    return limit


def subject(before: str, body: str, end: str, size: int) -> str:
    """The subject of about that many octets."""
    room = max(size - len(before) - len(end), len(body))
    return f"{before}{body * (room // len(body))}{end}"


def took(compiled: re.Pattern[str], text: str) -> float:
    """Seconds of processor time for one search."""
    start = process_time()
    compiled.search(text)
    return process_time() - start
