"""Rules, touches of replies, files and several applications: what uWSGI and penstock reply, byte by byte.

Both servers get the same text and the same requests. What differs on purpose stands in ``differences.toml``,
and what stands there must differ; what is not compared stands in ``compare.NORMALISED``.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest

from tests.compat import pair
from tests.compat.site import (
    actions,
    applications,
    conditions,
    flow,
    late,
    names,
    proxies,
    regexes,
    statics,
    stored,
    subjects,
    templates,
    together,
    touches,
    transformations,
)
from tests.compat.site.behind import Behind, standing
from tests.compat.site.cases import Case, Group, names_in
from tests.compat.site.compare import Difference, Entry, differences, listed
from tests.compat.site.site import Seen, Site
from tests.e2e.surroundings import environment

pytestmark = [pytest.mark.compat, pytest.mark.timeout(180)]
MODULES: tuple[ModuleType, ...] = (
    *(subjects, regexes, conditions, templates, flow, actions, stored, transformations, proxies, touches),
    *(applications, together, late, statics),
)
"""Each has GROUPS, whose cases are run here, and perhaps WANTED: what has to be in a group's text."""
GROUPS: tuple[Group, ...] = tuple(group for module in MODULES for group in module.GROUPS)
WANTED = (*names.WANTED, *(name for module in MODULES for name in getattr(module, "WANTED", ())))
MOST = 15


class One(NamedTuple):
    group: Group
    case: Case

    @property
    def name(self) -> str:
        return f"{self.group.name}.{self.case.name}"


CASES = [One(group, case) for group in GROUPS for case in group.cases]


@dataclass
class Run:
    """What the servers have shown so far, group by group as their cases are asked for."""

    folder: Path
    behind: Behind
    known: dict[tuple[str, str, bool], dict[str, Seen]] = field(default_factory=dict)
    failed: dict[tuple[str, str, bool], str] = field(default_factory=dict)

    def seen(self, one: One, name: str, rules: bool = True) -> Seen:
        """Of one case. ``rules``: with its group's."""
        key = (one.group.name, name, rules)
        assert key not in self.failed, self.failed[key]
        if key not in self.known:
            folder = self.folder / f"{one.group.name}-{name}{'' if rules else '-plain'}"
            site = Site(name, folder, self.behind.words)
            try:
                self.known[key] = site.play(one.group, rules)
            except AssertionError as error:
                self.failed[key] = f"{error}"[-3000:]
                raise
        return self.known[key][one.case.name]

    def differences(self, one: One) -> list[Difference]:
        theirs, ours = (self.seen(one, name) for name in ("uwsgi", "penstock"))
        return differences(one.name, theirs, ours)


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    """Both servers, started when a group is first asked for."""
    if not pair.UWSGI.exists():
        pytest.skip(pair.MISSING)
    folder = Path(tempfile.mkdtemp(prefix="site-"))
    with standing() as behind:
        yield Run(folder, behind)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def entries() -> list[Entry]:
    return listed()


@pytest.mark.parametrize("one", CASES, ids=lambda one: one.name)
def test_case(one: One, run: Run, entries: list[Entry]) -> None:
    found = run.differences(one)
    unlisted = [str(each) for each in found if not any(entry.covers(each) for entry in entries)]
    assert not unlisted, "\n".join(unlisted)


@pytest.mark.parametrize("one", [one for one in CASES if one.group.plain], ids=lambda one: one.name)
def test_rules_show(one: One, run: Run) -> None:
    """Without its rules uWSGI answers otherwise, so that a case that agrees says something."""
    with_rules, without = (run.seen(one, "uwsgi", rules) for rules in (True, False))
    shows = bool(differences(one.name, with_rules, without, framed=True))
    assert shows != bool(one.case.silent), one.case.silent or "the rules show nothing"


def test_every_entry_still_occurs(run: Run, entries: list[Entry]) -> None:
    found = [each for one in CASES for each in run.differences(one)]
    stale = [(entry.reason, entry.unseen(found)) for entry in entries if entry.unseen(found)]
    assert not stale, stale
    assert len(entries) <= MOST


def test_every_name_has_a_case() -> None:
    """Done / there."""
    used = set().union(*(names_in(group.text()) for group in GROUPS))
    missing = [name for name in WANTED if name not in used]
    print(f"{len(WANTED) - len(missing)} of {len(WANTED)} names in {len(CASES)} cases")
    assert not missing, missing
    assert len({group.name for group in GROUPS}) == len(GROUPS)
    assert len({one.name for one in CASES}) == len(CASES)


def test_what_is_not_offered_is_refused_by_name(tmp_path: Path) -> None:
    """All of them at once, each with the line that has it."""
    lines = [f"route = ^/ {name}:x" for name in names.REFUSED_ACTIONS]
    lines += [f"route = ^/ addheader:X-A: ${{{name}[x]}}" for name in names.REFUSED_FUNCTIONS]
    lines += [f"route = {pattern} last:" for pattern in regexes.REFUSED.values()]
    (tmp_path / "site.ini").write_text("[uwsgi]\nhttp-socket = 127.0.0.1:0\n" + "\n".join(lines) + "\n")
    ended = subprocess.run(
        [sys.executable, "-m", "penstock", "--ini", "site.ini"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode != 0
    said = ended.stdout + ended.stderr
    for number, line in enumerate(lines, 3):
        assert any(f"site.ini:{number}:" in each and line in each for each in said.splitlines()), (line, said)
