"""What differs on purpose in the logs and statistics of both servers, as ``differences.toml`` lists it."""

import tomllib
from pathlib import Path
from typing import Any

FIELDS = {
    "difference": {"groups", "requests", "pieces", "uwsgi", "penstock", "reason"},
    "loggers": {"groups", "reason"},
    "stats": {"key", "uwsgi", "penstock", "reason"},
}
MOST = 15
"""So many in all."""
Entry = dict[str, Any]


def listed(part: str) -> list[Entry]:
    """The entries of a part, each of which says why."""
    found: dict[str, list[Entry]] = tomllib.loads(
        Path(__file__).with_name("differences.toml").read_text(encoding="utf-8")
    )
    assert {*found} == {*FIELDS}
    assert sum(map(len, found.values())) <= MOST
    for entry in found[part]:
        assert {*entry} == FIELDS[part], entry
        assert len(entry["reason"]) > 20, entry
    return found[part]
