"""penstock against a real uWSGI: the same command line, application, nginx and bytes.

Every case is a test; what differs must stand in ``differences.toml``, and what stands there must differ.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.compat import pair
from tests.compat.cases import CASES, Case
from tests.compat.compare import WAYS, Difference, Entry, differences, listed
from tests.e2e.nginx import MISSING, PROGRAM
from tests.guards.run import mutations

pytestmark = pytest.mark.compat
CITED = re.compile(r"PEP 3333|RFC \d{4} §|^BUG:")
GUARD = re.compile(r"\bguard (\d[\w.-]*\w)")


@dataclass(frozen=True)
class Outcome:
    """Both runs."""

    requests: int
    found: list[Difference]
    nginx: tuple[int, ...]


@pytest.fixture(scope="module")
def entries() -> list[Entry]:
    return listed()


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcome]:
    """Every case asked of uWSGI, then of penstock."""
    if not pair.UWSGI.exists():
        pytest.skip(pair.MISSING)
    if PROGRAM is None:
        pytest.skip(MISSING)
    with pair.bench(tmp_path_factory.mktemp("compat")) as made:
        with pair.uwsgi(made):
            theirs = pair.run(made, "uwsgi")
        with pair.penstock(made):
            ours = pair.run(made, "penstock")
    yield Outcome(len(theirs), differences(theirs, ours), pair.nginx_version())


def test_it_is_uwsgi_2_0(outcome: Outcome) -> None:
    assert pair.uwsgi_version().startswith("2.0.")
    assert outcome.requests == sum(len(case.ways) for case in CASES)


def test_every_entry_is_well_formed(entries: list[Entry]) -> None:
    rules = {mutation.rule for mutation in mutations()}
    for entry in entries:
        assert entry.where and entry.uwsgi and entry.penstock, entry
        assert bool(entry.part) == (entry.scope == "reply"), entry
        cited = GUARD.findall(entry.reason)
        assert cited or CITED.search(entry.reason), f"the reason cites nothing: {entry.reason}"
        assert {*cited} <= rules, entry.reason


def test_the_environ_has_few_differences(entries: list[Entry], outcome: Outcome) -> None:
    """At most 15 entries; and at most 13 keys, counted one by one, for what comes through nginx. Those that
    penstock adds under its own name are none that anybody who comes from uWSGI could miss."""
    assert len([entry for entry in entries if entry.scope == "environ"]) <= 15
    keys = {one.part for one in outcome.found if one.scope == "environ" and one.way in WAYS["nginx"]}
    assert len([key for key in keys if not key.startswith("penstock.")]) <= 13, sorted(keys)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Case, entries: list[Entry], outcome: Outcome) -> None:
    mine = [one for one in outcome.found if one.case == case.name]
    unlisted = [str(one) for one in mine if not any(entry.covers(one) for entry in entries)]
    assert not unlisted, "\n".join(unlisted)


def test_every_entry_still_occurs(entries: list[Entry], outcome: Outcome) -> None:
    stale = [(entry.where, entry.part, entry.unseen(outcome.found, outcome.nginx)) for entry in entries]
    assert not [one for one in stale if one[2]]
