"""Takes each option out in turn and demands that its tests go red: ``python -m tests.guards.options [NAME]``.

The tests are those of ``tests/config/acted_on.toml``. Each runs on a copy of the source whose settings have
that one option as by default, whatever is said; ``--group`` takes all options of a group.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path

from penstock.config.registry import options
from tests.guards.run import SOURCE, TOP

TABLE = TOP / "tests" / "config" / "acted_on.toml"
SETTINGS = Path("penstock", "config", "settings", "__init__.py")
TAKEN = "for name, setting in known.items()}, **values)"
WITHOUT = "{name: value for name, value in values.items() if name != %r}"
RESULT = re.compile(r"^(PASSED|FAILED|ERROR) (\S+?)(?:\[.*)?(?: - .*)?$", re.MULTILINE)


def problem() -> str:
    """Why no option can be taken out any more, or ""."""
    count = (SOURCE / SETTINGS).read_text().count(TAKEN)
    return "" if count == 1 else f"{SETTINGS}: {TAKEN!r} stands {count} times"


def unmoved(field: str, nodes: Sequence[str], source: Path) -> list[str]:
    """Those of an option's tests that stay green without it, or are not run."""
    text = (SOURCE / SETTINGS).read_text()
    (source / SETTINGS).write_text(text.replace(TAKEN, TAKEN.replace("values", WITHOUT % field)))
    env = {**os.environ, "PYTHONPATH": f"{source}{os.pathsep}{TOP}", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-rA", "--tb=no", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, "-m", "not compat", "--timeout", "60", *nodes],
        cwd=TOP, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    red = {node for word, node in RESULT.findall(done.stdout) if word == "FAILED"}
    return [node for node in nodes if node not in red]


def main() -> int:
    """Run all, or those that are named; the exit status says whether each of the tests noticed."""
    parser = argparse.ArgumentParser(description="Takes options out, and demands that their tests go red.")
    parser.add_argument("names", nargs="*", help="options")
    parser.add_argument("--group", action="append", default=[], help="all options of a group")
    given = parser.parse_args()
    fields = {option.name: option.field for option in options()}
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "src"
        shutil.copytree(SOURCE, source, ignore=shutil.ignore_patterns("__pycache__"))
        for group, proofs in tomllib.loads(TABLE.read_text()).items():
            for name, nodes in proofs.items():
                if (given.names or given.group) and name not in given.names and group not in given.group:
                    continue
                green = unmoved(fields[name], nodes, source)
                failed += bool(green)
                print(f"{name:28} {'GREEN: ' + ', '.join(green) if green else 'noticed'}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
