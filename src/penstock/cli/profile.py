"""What ``penstock ctl profile`` makes of workers' samples: two files, and a few lines.

Runs in the command alone. It does not know how samples are taken.
"""

import os
from collections import Counter
from time import localtime, strftime
from typing import Any

from penstock.services.flame import Stack, collapsed, stacks_of, svg

ENDINGS = (".svg", ".collapsed")
TOP = 5  # functions that are named


def written(profile: list[Any], where: str, pid: int) -> str:
    """Write ``where`` with each of the endings, in this folder and by the time without a name; what is to be
    said of it. Raises OSError."""
    parts = [one for one in profile if isinstance(one, dict)]
    stacks: Counter[Stack] = Counter()
    for part in parts:
        stacks.update(stacks_of(part))
    summary = summed(parts, sum(stacks.values()))
    base = where or strftime(f"penstock-{pid}-%Y%m%d-%H%M%S", localtime())
    for ending in ENDINGS:
        base = base.removesuffix(ending)
    picture, text = (f"{base}{ending}" for ending in ENDINGS)
    write(picture, svg(stacks, summary))
    write(text, collapsed(stacks))
    lines = [summary, *missing(parts), *busiest(stacks)]
    return "\n".join([*lines, f"{picture} is for a browser, {text} for other tools"])


def write(path: str, text: str) -> None:
    """A file, which may be there already. Raises OSError."""
    with open(os.path.expanduser(path), "w", encoding="utf-8") as file:
        file.write(text)


def summed(parts: list[dict[str, Any]], seen: int) -> str:
    """All workers together in a line."""
    there = [part for part in parts if not part.get("reason")]
    seconds = max((figure(part, "seconds") for part in there), default=0.0)
    looks = sum(figure(part, "samples") * figure(part, "threads") for part in there)
    threads = int(sum(figure(part, "threads") for part in there))
    cost = sum(figure(part, "cost") for part in there)
    return (
        f"{seconds:.1f} s, {threads} threads in {len(there)} worker{'s' * (len(there) != 1)}: "
        f"{100 * seen / looks if looks else 0.0:.1f} % of {looks:.0f} looks found a request; "
        f"looking took {100 * cost / seconds if seconds else 0.0:.1f} % of a processor"
    )


def figure(part: dict[str, Any], name: str) -> float:
    """A number of a worker's answer, 0.0 for what is none."""
    value = part.get(name)
    return float(value) if isinstance(value, int | float) else 0.0


def missing(parts: list[dict[str, Any]]) -> list[str]:
    """Who could not be looked at."""
    return [f"worker {part.get('wid')}: {part['reason']}" for part in parts if part.get("reason")]


def busiest(stacks: Counter[Stack]) -> list[str]:
    """Where threads were found most often: the innermost function, whatever had called it."""
    total = sum(stacks.values())
    inner: Counter[str] = Counter()
    for stack, count in stacks.items():
        inner[stack[-1] if stack else "(no stack)"] += count
    return [f"{100 * count / total:5.1f} %  {label}" for label, count in inner.most_common(TOP)]
