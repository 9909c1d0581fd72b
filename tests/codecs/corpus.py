"""The corpora as cases: templates filled in, octets as latin-1."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "corpus"


@dataclass(frozen=True)
class Vector:
    """One request and its verdict: 200 for taken, else the status it is refused with."""

    name: str
    raw: bytes
    verdict: int
    also: tuple[int, ...]
    rule: str
    section: str
    expect: dict[str, Any]


def vectors(file: str) -> list[Vector]:
    """All vectors of a corpus file."""
    found = []
    for number, group in enumerate(tomllib.loads((FOLDER / file).read_text())["group"]):
        for index, case in enumerate(group["cases"]):
            expect = {
                key: value.replace("{}", case) if isinstance(value, str) else value
                for key, value in group.get("expect", {}).items()
            }
            raw = group["template"].replace("{}", case, 1).encode("latin-1")
            name = f"{group['rule']}-{number}-{index}"
            verdicts = group["verdict"] if isinstance(group["verdict"], list) else [group["verdict"]]
            found.append(
                Vector(name, raw, verdicts[0], tuple(verdicts), group["rule"], group["section"], expect)
            )
    return found
