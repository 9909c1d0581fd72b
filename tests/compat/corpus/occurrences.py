"""How much of what real configurations ask for is done; ``python -m tests.compat.corpus.occurrences``.

Every occurrence of an option counts, in files and on command lines; what is not acted on is told by the
part of penstock that is to bring it. Words of the configuration language count as acted on.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable

from penstock.config.catalogue import Entry, by_name
from penstock.config.plugins import reason as missing_plugin
from tests.compat.corpus import words
from tests.compat.corpus.corpus import Case, files, given, lines, plan_of, text_of
from tests.compat.corpus.reading import PARSERS, Pair, variables

OFF = ("false", "off", "no", "0")
DONE = ("acted-on", "harmless", "asks for nothing")
Counted = Counter[tuple[str, str, str]]
"""By name, state, and the part that is to bring it."""


def pairs(case: Case) -> list[Pair]:
    """Every option as it is written, blocks and all sections included."""
    if case.form == "line":
        # The harness's own words are at the end.
        plan = plan_of(case)
        own = 2 * sum(what in ("a listener", "an application") for what in plan.given)
        return list(words.options(plan.words[: len(plan.words) - own]))
    if case.form == "env":
        named = variables(text_of(case)).items()
        return [(name[6:].lower().replace("_", "-"), value) for name, value in named]
    if case.form == "ini":
        sections = {line.strip() for line in text_of(case).splitlines() if line.strip().startswith("[")}
        return [pair for name in sections for pair in PARSERS["ini"](text_of(case), name[1:-1])]
    return list(PARSERS[case.form](text_of(case), given(case).get("section", "")))


def state(entry: Entry, value: str) -> str:
    """What becomes of one occurrence."""
    if entry.name in ("plugins", "need-plugins"):
        return "unsupported" if missing_plugin(value) else "harmless"
    if entry.state != "unsupported" or entry.language:
        return "acted-on" if entry.language else entry.state
    nothing = entry.kind == "flag" and value.lower() in OFF
    return "asks for nothing" if nothing or value in entry.unasked else "unsupported"


def counted(cases: Iterable[Case]) -> Counted:
    """Occurrences of the options that uWSGI has."""
    found: Counted = Counter()
    table = by_name()
    for case in cases:
        for key, value in pairs(case):
            if key in table:
                entry = table[key]
                now = state(entry, value)
                found[entry.name, now, entry.later if now == "unsupported" else ""] += 1
    return found


def share(found: Counted) -> float:
    """What part of them is done, or asks for nothing."""
    return sum(count for (_, now, _), count in found.items() if now in DONE) / found.total()


def table(found: Counted) -> str:
    """As Markdown."""
    by_state: Counter[str] = Counter()
    by_part: dict[str, Counter[str]] = defaultdict(Counter)
    for (name, now, part), count in found.items():
        by_state[now] += count
        if now == "unsupported":
            by_part[part or "no part"][name] += count
    rows = ["| occurrences | | |", "|---|--:|--:|"]
    rows += [f"| {now} | {n} | {n / found.total():.1%} |" for now, n in by_state.most_common()]
    rows += [f"| all | {found.total()} | {share(found):.1%} done |", ""]
    rows += ["| waits for | occurrences | options |", "|---|--:|---|"]
    for part, names in sorted(by_part.items(), key=lambda item: -item[1].total()):
        listed = ", ".join(f"{name} {count}" for name, count in names.most_common())
        rows.append(f"| {part} | {names.total()} | {listed} |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    print(table(counted([*files(), *lines()])))
