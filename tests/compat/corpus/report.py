"""Which configurations of the corpus start a server, as a table; ``python -m tests.compat.corpus.report``.

``--program`` tries another server with the same files: a real uWSGI shows what the harness itself is worth.
"""

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from tests.compat.corpus.corpus import Case, data, files, lines, plan_of
from tests.compat.corpus.programs import KINDS
from tests.compat.corpus.sandbox import PENSTOCK, Outcome, obstacle, run

FORMS = ("ini", "yaml", "xml", "json", "env", "line")


def tried(cases: Sequence[Case], program: tuple[str, ...], jobs: int) -> list[tuple[Case, Outcome]]:
    """Every case's outcome, a few at a time."""
    with ThreadPoolExecutor(jobs) as pool:
        outcomes = pool.map(lambda case: run(plan_of(case), program), cases)
        found = []
        for case, outcome in zip(cases, outcomes, strict=True):
            print(case.name, "started" if outcome.started else outcome.why[:160], file=sys.stderr, flush=True)
            found.append((case, outcome))
        return found


def table(results: Iterable[tuple[Case, Outcome]]) -> str:
    """Counts by format, then who did not start and why."""
    results = list(results)
    counted: Counter[str] = Counter(case.form for case, _ in results)
    started = Counter(case.form for case, outcome in results if outcome.started)
    rows = ["| format | tried | started |", "|---|--:|--:|"]
    rows += [f"| {form} | {counted[form]} | {started[form]} |" for form in FORMS if counted[form]]
    rows += [f"| all | {counted.total()} | {started.total()} |", ""]
    rows += working(results)
    rows += ["| did not start | listed as | why |", "|---|---|---|"]
    waits = data().get("waits", {})
    for case, outcome in results:
        if not outcome.started:
            why = re.sub(r"\s+", " ", outcome.why).replace("|", "/")
            rows.append(f"| {case.name} | {waits.get(case.name, {}).get('part', '')} | {why[:400]} |")
    return "\n".join(rows) + "\n"


def working(results: Sequence[tuple[Case, Outcome]]) -> list[str]:
    """What a master does beside serving: files that ask for it, and those that start with it working."""
    rows = ["| beside serving | files | start with it working |", "|---|--:|--:|"]
    kinds = {case.name: plan_of(case).kinds for case, _ in results}
    for kind in KINDS:
        named = [outcome for case, outcome in results if kind in kinds[case.name]]
        rows.append(f"| {kind} | {len(named)} | {sum(outcome.started for outcome in named)} |")
    return [*rows, ""]


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Which configurations of the corpus start a server.")
    parser.add_argument("only", nargs="*", help="names, or parts of names")
    parser.add_argument("--program", nargs=1, default=PENSTOCK)
    parser.add_argument("--jobs", type=int, choices=(1, 2), default=1)
    parser.add_argument("--log", action="store_true", help="everything that was said")
    given = parser.parse_args(words)
    if reason := obstacle():
        raise SystemExit(reason)
    cases = [*files(), *lines()]
    if given.only:
        cases = [case for case in cases if any(word in case.name for word in given.only)]
    results = tried(cases, tuple(given.program), given.jobs)
    for case, outcome in results if given.log else ():
        print(f"---- {case.name}: {plan_of(case).words}\n{outcome.wrong} {outcome.left}\n{outcome.log}")
    print(table(results))


if __name__ == "__main__":
    main()
