"""Takes each guard out in turn and demands that a test goes red: ``python -m tests.guards.run [RULE]``.

Each mutation is applied to a copy of the source, never to the checkout; two run at a time.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).parents[2]
SOURCE = TOP / "src"
FILES = ("http1.toml", "uwsgi.toml", "replies.toml", "sights.toml")
RED, NO_TESTS = 1, 5


@dataclass(frozen=True)
class Mutation:
    """One guard and how it is taken out."""

    rule: str
    title: str
    file: str
    find: str
    replace: str
    tests: tuple[str, ...]


def mutations() -> list[Mutation]:
    """All of them, in order."""
    found = []
    for name in FILES:
        for entry in tomllib.loads((Path(__file__).parent / name).read_text())["mutation"]:
            found.append(Mutation(**{**entry, "tests": tuple(entry["tests"])}))
    return found


def problem(mutation: Mutation) -> str:
    """Why a mutation cannot be applied any more, or ""."""
    text = (SOURCE / "penstock" / mutation.file).read_text()
    count = text.count(mutation.find)
    return "" if count == 1 else f"{mutation.file}: {mutation.find!r} stands {count} times"


def survives(mutation: Mutation) -> str:
    """Run its tests on a mutated copy; why nobody noticed, or ""."""
    wrong = problem(mutation)
    if wrong:
        return wrong
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "src"
        shutil.copytree(SOURCE, source, ignore=shutil.ignore_patterns("__pycache__"))
        target = source / "penstock" / mutation.file
        target.write_text(target.read_text().replace(mutation.find, mutation.replace))
        env = {**os.environ, "PYTHONPATH": f"{source}{os.pathsep}{TOP}", "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *mutation.tests]
        if "--timeout" not in mutation.tests:
            command += ["--timeout", "30"]
        try:
            done = subprocess.run(
                command, cwd=TOP, env=env, capture_output=True, text=True, timeout=180, check=False
            )
        except subprocess.TimeoutExpired:
            return ""  # it hangs without the guard: noticed
    if done.returncode == RED:
        return ""
    return "no test was run" if done.returncode == NO_TESTS else "every test stayed green"


def main() -> int:
    """Run all, or those of the rules that are named; the exit status says whether each was noticed."""
    wanted = sys.argv[1:]
    chosen = [m for m in mutations() if not wanted or m.rule in wanted]
    failed = 0
    with ThreadPoolExecutor(2) as workers:
        for mutation, reason in zip(chosen, workers.map(survives, chosen), strict=True):
            mark = f"SURVIVES: {reason}" if reason else "noticed"
            failed += bool(reason)
            print(f"{mutation.rule:14} {mutation.title:62} {mark}", flush=True)
    rules = len({mutation.rule for mutation in chosen})
    print(f"{len(chosen)} mutations over {rules} rules: {len(chosen) - failed} noticed, {failed} not")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
