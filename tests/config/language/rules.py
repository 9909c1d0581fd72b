"""The rules of tests/corpus/language.toml: as data, and put in a folder with a machine's own names."""

import os
import socket
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from penstock.config.raw import RawOption

FILE = Path(__file__).parents[2] / "corpus" / "language.toml"


@dataclass(frozen=True)
class Rule:
    """One rule; see the file's head. ``refused`` None: uWSGI shows something."""

    name: str
    section: str
    words: list[str]
    environ: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    shown: list[str] | None = None
    options: list[str] | None = None
    findings: list[str] = field(default_factory=list)
    prints: list[str] = field(default_factory=list)
    code: int | None = None
    refused: str | None = None

    def put(self, folder: Path) -> "Rule":
        """Write the files to ``folder``; the rule with what depends on it filled in."""

        def filled(text: str) -> str:
            for name, value in (
                ("FOLDER", str(folder)), ("BASE", folder.name), ("HOST", socket.gethostname()),
                ("UID", str(os.getuid())),
            ):  # fmt: skip
                text = text.replace(name, value)
            return text

        for name, text in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(filled(text))
        listed = None if self.shown is None else [filled(line) for line in self.shown]
        return Rule(**{**self.__dict__, "shown": listed})


def rules() -> list[Rule]:
    """All of them."""
    rows: list[dict[str, Any]] = tomllib.loads(FILE.read_text())["rule"]
    return [Rule(**row) for row in rows]


def pair(raw: RawOption) -> str:
    """An option as the data names it."""
    return raw.key if raw.value is None else f"{raw.key}={raw.value}"
