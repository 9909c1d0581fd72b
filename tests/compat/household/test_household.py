"""Hooks, daemons, crons, mules, emperors and privileges: what can be seen of them, on uWSGI and on penstock.

Each case is played on both with the same text; every single thing that it sees is compared. What differs on
purpose stands in ``differences.toml``, and what stands there must differ.
"""

import json
import os
import shutil
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.compat import pair
from tests.compat.household import crons, daemons, emperors, hooks, mules, privileges
from tests.compat.household.site import Site

pytestmark = [pytest.mark.compat, pytest.mark.timeout(120)]
MODULES = (hooks, daemons, crons, mules, emperors, privileges)
MOST = 15
ABSENT = "absent"


class Case(NamedTuple):
    name: str
    play: Callable[[Site], dict[str, object]]


CASES = [
    Case(f"{module.__name__.rpartition('.')[2]}.{play.__name__}", play)
    for module in MODULES
    for play in module.CASES
]


def listed() -> list[dict[str, Any]]:
    with Path(__file__).with_name("differences.toml").open("rb") as file:
        found: list[dict[str, Any]] = tomllib.load(file)["difference"]
    return found


@pytest.fixture
def folder() -> Iterator[Path]:
    """Open to every user, as pytest's own are not."""
    made = Path(tempfile.mkdtemp(prefix="household-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


def seen(case: Case, name: str, folder: Path) -> dict[str, Any]:
    """What one server shows, as plain data."""
    site = Site(name, folder / name)
    try:
        found: dict[str, Any] = site.normal(json.loads(json.dumps(case.play(site))))
    finally:
        site.close()
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Case, folder: Path) -> None:
    if not pair.UWSGI.exists():
        pytest.skip(pair.MISSING)
    if case.name.startswith("privileges.") and os.getuid() != 0:
        pytest.skip("only root can become another")
    theirs, ours = (seen(case, name, folder) for name in ("uwsgi", "penstock"))
    entries = [entry for entry in listed() if case.name in entry["cases"]]
    allowed = {key for entry in entries for key in entry["keys"]}
    differing = {key for key in {*theirs, *ours} if theirs.get(key, ABSENT) != ours.get(key, ABSENT)}
    lines = [f"{key}: uWSGI {theirs.get(key, ABSENT)!r}, penstock {ours.get(key, ABSENT)!r}"
             for key in sorted(differing - allowed)]  # fmt: skip
    assert not lines, "\n".join(lines)
    stale = [entry["reason"] for entry in entries if not differing & {*entry["keys"]}]
    assert not stale, f"no difference any more: {stale}"


def test_the_list_is_short_and_in_order() -> None:
    entries = listed()
    assert len(entries) <= MOST
    names = {case.name for case in CASES}
    for entry in entries:
        assert {*entry} == {"cases", "keys", "uwsgi", "penstock", "reason"}, entry
        assert entry["cases"] and {*entry["cases"]} <= names, entry["cases"]
        assert entry["keys"] and len(entry["reason"]) > 20
