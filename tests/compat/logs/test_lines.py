"""The access log beside a real uWSGI: every variable, every piece of the default line, who has a line at all.

Both servers get the same ini and the same bytes. What differs on purpose stands in ``differences.toml``, and
what stands there must differ.
"""

import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.compat import pair
from tests.compat.logs.lines import GROUPS, MORE, NAMES, REQUESTS, RULES, Group, is_line, parsed
from tests.compat.logs.listed import Entry, listed
from tests.compat.site.packets import MARK, packed
from tests.compat.site.site import UP, Site
from tests.compat.wire import ask

pytestmark = [pytest.mark.compat, pytest.mark.timeout(120)]
HERE = Path(__file__).parent
ABSENT = "no line"


class Difference(NamedTuple):
    """Of one piece of one request's line."""

    group: str
    request: str
    piece: str
    uwsgi: str
    penstock: str


@dataclass
class Seen:
    """The pieces of each request's line, and whether the log has the group's patterns."""

    lines: dict[str, dict[str, str]]
    patterns: dict[str, bool]


@dataclass
class Run:
    folder: Path
    known: dict[tuple[str, str], Seen] = field(default_factory=dict)

    def seen(self, group: Group, name: str) -> Seen:
        key = (group.name, name)
        if key not in self.known:
            self.known[key] = played(Site(name, self.folder / "-".join(key), {}), group)
        return self.known[key]

    def differences(self, group: Group) -> list[Difference]:
        theirs, ours = self.seen(group, "uwsgi"), self.seen(group, "penstock")
        found = []
        for request in group.asks:
            left, right = theirs.lines.get(request), ours.lines.get(request)
            if left is None or right is None:
                if left is not right:
                    found.append(Difference(group.name, request, "line", str(left), str(right)))
                continue
            found += [
                Difference(group.name, request, piece, left[piece], right[piece])
                for piece in left
                if left[piece] != right[piece]
            ]
        return found


def played(site: Site, group: Group) -> Seen:
    """What a server's log has of the group's requests."""
    shutil.copy(HERE / "logged.py", site.folder / "logged.py")
    (site.folder / "page.txt").write_text("a page\n")
    sockets = (
        "http-socket = 127.0.0.1:PORT\nsocket = 127.0.0.1:SECOND\nwsgi-file = logged.py\nneed-app = true\n"
    )
    with site.running(f"[uwsgi]\nmaster = true\n{sockets}{RULES}{group.ini}"):
        for request in group.asks:
            data = REQUESTS[request].replace(b"CASE", request.encode())
            if data.startswith(MARK):
                ask(site.second, packed(data), head=False, to_end=True)
            else:
                ask(site.port, data, head=data.startswith(b"HEAD"), to_end=True)
        # uWSGI writes a line after the connection has ended, but before it takes the next one.
        ask(site.port, UP, head=False, to_end=True)
    text = site.log.read_bytes().decode("utf-8", "surrogateescape")
    lines = [line for line in text.split("\n") if is_line(group, line) and "/up" not in line]
    asked = [request for request in group.asks if any(names(line, request) for line in lines)]
    if group.blind:
        # Before and behind them are the questions whether it is up, where that does not show.
        asked = list(group.asks)
        lines = lines if group.default else lines[1 : 1 + len(asked)]
    assert len(lines) == len(asked), (lines, asked)
    return Seen(
        from_the_first({request: parsed(group, line) for request, line in zip(asked, lines, strict=True)}),
        {pattern: re.search(pattern, text, re.MULTILINE) is not None for pattern in group.patterns},
    )


def from_the_first(lines: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """Their numbers of requests counted from the first: how often a server was asked whether it is up is
    nothing of its own."""
    for name in ("req", "all"):
        numbers = [int(pieces[name]) for pieces in lines.values() if name in pieces]
        for pieces, number in zip(lines.values(), numbers, strict=False):
            pieces[name] = str(number - numbers[0])
    return lines


def names(line: str, request: str) -> bool:
    """Whether a line is of that request, by its path."""
    return re.search(rf"/{request}(?![\w-])", line) is not None


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    """Both servers, started when a group is first asked for."""
    if not pair.UWSGI.exists():
        pytest.skip(pair.MISSING)
    folder = Path(tempfile.mkdtemp(prefix="lines-"))
    yield Run(folder)
    shutil.rmtree(folder, ignore_errors=True)


def covers(entry: Entry, found: Difference) -> bool:
    return all(
        any(fnmatchcase(value, glob) for glob in entry[key])
        for key, value in (("groups", found.group), ("requests", found.request), ("pieces", found.piece))
    ) and all(re.fullmatch(entry[key], getattr(found, key)) for key in ("uwsgi", "penstock"))


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_group(group: Group, run: Run) -> None:
    entries = listed("difference")
    unlisted = [one for one in run.differences(group) if not any(covers(entry, one) for entry in entries)]
    assert not unlisted, "\n".join(map(str, unlisted))
    for name in ("uwsgi", "penstock"):
        seen = run.seen(group, name)
        assert all(seen.patterns.values()), (name, seen.patterns)


def test_every_entry_still_occurs(run: Run) -> None:
    found = [one for group in GROUPS for one in run.differences(group)]
    entries = listed("difference")
    stale = [entry["reason"] for entry in entries if not any(covers(entry, one) for one in found)]
    assert not stale, stale


def test_how_much_is_equal(run: Run) -> None:
    """Every variable of uWSGI's, on the same requests."""
    group = GROUPS[0]
    wanted = {*NAMES, *MORE}
    differing = {one.piece for one in run.differences(group)}
    seen = run.seen(group, "uwsgi").lines
    compared = sum(len(pieces) for pieces in seen.values())
    assert {piece for pieces in seen.values() for piece in pieces} == wanted
    print(f"{len(wanted) - len(differing)} of {len(wanted)} variables equal, {compared} values compared")
    assert len(differing) <= 7, differing
