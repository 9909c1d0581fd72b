"""What every scenario's script has in common: its options, its lines as it goes, its summary, its verdict.

A criterion that is not met is a ``wrong``; with one the exit status is 1, and the folder with the logs is
kept.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.supervision.load import Load, kinds
from tests.supervision.wire import Kind

ODD = ("Exception in thread", "fault of penstock's own", "RuntimeWarning", "Exception ignored")


@dataclass
class Scene:
    """One run of a scenario: where its files are, what was measured, what is wrong."""

    name: str
    folder: Path
    figures: dict[str, Any] = field(default_factory=dict)
    wrongs: list[str] = field(default_factory=list)
    begun: float = field(default_factory=time.monotonic)
    quiet: bool = False

    def tell(self, text: str) -> None:
        """A line for whoever watches."""
        if not self.quiet:
            print(f"{self.name:10} {time.monotonic() - self.begun:7.1f} s  {text}", flush=True)

    def put(self, **figures: Any) -> None:
        """Figures of the summary, told at once."""
        self.figures.update(figures)
        self.tell("  ".join(f"{name} {value}" for name, value in figures.items()))

    def check(self, right: bool, text: str) -> None:
        """A criterion; ``text`` says what is wrong where it is not met."""
        if not right:
            self.wrongs.append(text)
            self.tell(f"WRONG {text}")

    def count(self, load: Load, name: str = "") -> None:
        """How many were asked and failed; any failure is wrong, and the first few are shown."""
        records, failures = load.records(), load.failures()
        right = sum(record.kind == Kind.OK for record in records)
        prefix = f"{name} " if name else ""
        self.put(**{f"{prefix}requests": len(records), f"{prefix}failed": len(records) - right})
        self.check(right > 0, f"{prefix}no request came right")
        self.check(not failures, f"{prefix}{len(failures)} requests failed: {kinds(records)}")
        for words in failures[:5]:
            self.tell(f"  {json.dumps(words)}")

    def look_into_logs(self) -> None:
        """What no server may ever say."""
        for path in sorted(self.folder.rglob("log")):
            text = path.read_text(errors="replace")
            for odd in ODD:
                if odd in text:
                    at = text.index(odd)
                    self.check(False, f"a log has {text.count(odd)} x {text[at : at + 1500]!r}")

    def summary(self) -> str:
        """All of it as a table in markdown, and as JSON."""
        rows = [f"| {name} | {value} |" for name, value in self.figures.items()]
        words = {"scenario": self.name, "figures": self.figures, "wrong": self.wrongs}
        return "\n".join([f"\n| {self.name} | |", "|---|---|", *rows, "", json.dumps(words)])


Play = Callable[[Scene, argparse.Namespace], None]


def parser(name: str, text: str | None) -> argparse.ArgumentParser:
    """Of a scenario's command line; ``text`` is its module's docstring."""
    made = argparse.ArgumentParser(prog=f"python -m tests.supervision.{name}", description=text)
    made.add_argument("--keep", action="store_true", help="keep the folder with the logs")
    return made


def perform(name: str, play: Play, words: argparse.ArgumentParser, given: Sequence[str] | None = None) -> int:
    """Run a scenario by its command line; the exit status."""
    options = words.parse_args(given)
    folder = Path(tempfile.mkdtemp(prefix=f"penstock-{name}-"))
    folder.chmod(0o755)
    scene = Scene(name, folder)
    try:
        play(scene, options)
    except (AssertionError, OSError, RuntimeError, TimeoutError) as error:
        scene.check(False, f"{type(error).__name__}: {error}")
    scene.look_into_logs()
    print(scene.summary(), flush=True)
    if scene.wrongs or options.keep:
        print(f"logs in {folder}", flush=True)
    else:
        shutil.rmtree(folder, ignore_errors=True)
    for text in scene.wrongs:
        print(f"WRONG {text}", file=sys.stderr)
    return 1 if scene.wrongs else 0
