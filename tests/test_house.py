"""The house rules that a machine can hold: lengths, first lines, silenced checks, and the page's tables."""

import ast
import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from penstock.net.life import LIFE
from penstock.process.supervisor.generation import STAGES
from penstock.process.supervisor.handle import LIFE as WORKER
from tests.cases import each

TOP = Path(__file__).parents[1]
SOURCE = sorted((TOP / "src").rglob("*.py"))
ALL = [*SOURCE, *sorted((TOP / "tests").rglob("*.py")), *sorted((TOP / "benchmarks").rglob("*.py"))]
LONGEST_FILE, LONGEST_FUNCTION, P90 = 400, 40, 30
SILENCED = re.compile(r"#\s*(?:type: ignore(?:\[[\w, -]+\])?|noqa(?::\s*[\w, ]+)?)(?P<reason>.*)")
# Built from pieces, so that this file does not find itself.
FORBIDDEN = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "NotImplemented" + "Error")) + r")\b")
MOCKS = ("unittest" + ".mock", "Magic" + "Mock", "monkeypatch" + ".setattr")


def name_of(path: Path) -> str:
    return path.relative_to(TOP).as_posix()


class Facts(NamedTuple):
    """What the tests ask of a module: its trees would be half a gigabyte."""

    docstring: str
    functions: list[tuple[str, int]]
    silent: list[str]


def inner(nodes: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """Statements, and those within them. Expressions are most of a tree, and have no functions in them."""
    for node in nodes:
        yield node
        for part in ("body", "handlers", "orelse", "finalbody", "cases"):
            if isinstance(below := getattr(node, part, None), list):
                yield from inner(below)


@cache
def facts(path: Path) -> Facts:
    tree = ast.parse(path.read_text())
    functions = [
        (node.name, (node.end_lineno or 0) - node.lineno + 1)
        for node in inner(tree.body)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    silent = [
        node.name
        for node in tree.body
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_")
        if not ast.get_docstring(node)
    ]
    return Facts(ast.get_docstring(tree) or "", functions, silent)


@each(ALL, name_of)
def test_files_and_functions_are_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LONGEST_FILE
    for name, length in facts(path).functions:
        assert length <= LONGEST_FUNCTION, f"{name}: {length} lines"


def test_most_functions_are_shorter() -> None:
    lengths = sorted(length for path in SOURCE for _, length in facts(path).functions)
    assert lengths[int(len(lengths) * 0.9)] <= P90


@each([p for p in SOURCE if p.name != "__init__.py"], name_of)
def test_modules_say_what_they_are(path: Path) -> None:
    assert len(facts(path).docstring) > 40


@each(SOURCE, name_of)
def test_what_is_public_says_what_it_does(path: Path) -> None:
    assert not facts(path).silent


@each(ALL, name_of)
def test_silenced_checks_have_a_reason_and_nothing_is_left_undone(path: Path) -> None:
    for number, line in enumerate(path.read_text().splitlines(), 1):
        found = SILENCED.search(line)
        if found and path != Path(__file__):
            assert "#" in found["reason"], f"line {number}: no reason beside it"
        assert not FORBIDDEN.search(line), f"line {number}: {line.strip()}"
        assert not any(word in line for word in MOCKS), f"line {number}: a mock"


def test_the_page_draws_the_lives() -> None:
    page = (TOP / "docs" / "architecture.md").read_text()
    for table, width in ((LIFE, 22), (WORKER, 56), (STAGES, 56)):
        drawn = []
        for life, steps in table.items():
            arrow = " ".join(f"--{event}--> {then.name}" for event, then in steps.items())
            drawn.append(f"{life.name:10} {arrow:{width}} {life.value}")
        assert "\n".join(drawn) in page
