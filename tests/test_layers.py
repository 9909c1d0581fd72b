"""The table of docs/architecture.md as a test: who may import whom, and which words live where."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tests.cases import each

SOURCE = Path(__file__).parents[1] / "src" / "penstock"
ROWS = [
    {"core"},
    {"codecs", "config"},
    {"handoff", "interprocess"},
    {"net", "serve", "logs"},
    {"services", "api"},
    {"process"},
    {"cli"},
]
LEVEL = {name: level for level, row in enumerate(ROWS) for name in row}
# The package's own face: what `import penstock` offers, imported only when it is used.
FACES = {"__init__", "__main__", "logging", "simple_server"}
WORDS = {
    "asyncio": {"net", "handoff", "process"},
    "uvloop": {"net"},
    "threading": {"handoff"},
    "_thread": {"handoff"},
    "queue": {"handoff"},
    "signal": {"process"},
    "mmap": {"interprocess"},
    "pydantic": set(),
    "subprocess": set(),
    "multiprocessing": set(),
}
CALLS = {
    # A configuration file of strangers is parsed in a child of its own.
    "os.fork": {"process", "config/sources/isolated"},
    "os.kill": {"process", "config/sources/isolated"},
    "os.setuid": {"process"},
    "os.environ": {"config"},
    "os.putenv": {"config"},
    "print": {"cli", "config/show"},
    "call_soon_threadsafe": {"handoff"},
}
MODULES = sorted(path.relative_to(SOURCE).with_suffix("").as_posix() for path in SOURCE.rglob("*.py"))


class Facts(NamedTuple):
    """What a module imports, and what it says of ``CALLS``; each with its line."""

    imported: list[tuple[str, int]]
    called: list[tuple[str, int]]


@cache
def facts(module: str) -> Facts:
    tree = ast.parse((SOURCE / f"{module}.py").read_text())
    return Facts(list(imports(tree)), [(name, line) for name, line in said(tree) if name in CALLS])


def imports(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every module that is imported, with the line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: imports are absolute"
            base = node.module or ""
            yield base, node.lineno
            if base.count(".") < 2 or base.startswith("penstock."):  # what is imported may be a module
                for alias in node.names:
                    yield f"{base}.{alias.name}", node.lineno


def own(module: str) -> Iterator[tuple[str, int]]:
    """Imports of our own packages, as their first folder."""
    for name, line in facts(module).imported:
        parts = name.split(".")
        if parts[0] == "penstock" and len(parts) > 1:
            yield parts[1], line


@each(MODULES)
def test_imports_go_down(module: str) -> None:
    package = module.split("/")[0]
    if package in FACES:
        return
    for target, line in own(module):
        if target in FACES or target == package or target not in LEVEL:
            continue
        assert LEVEL[target] < LEVEL[package], f"{module}:{line} imports {target}: up or sideways"


@each(MODULES)
def test_every_package_has_its_row(module: str) -> None:
    package = module.split("/")[0]
    assert package in LEVEL or package in FACES, f"{package} has no row in the table"


@each(MODULES)
def test_words_stay_in_their_place(module: str) -> None:
    package = module.split("/")[0]
    for name, line in facts(module).imported:
        first = name.split(".")[0]
        if first in WORDS and package not in FACES:
            assert package in WORDS[first], f"{module}:{line} imports {first}"


def said(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield node.attr, node.lineno
            if isinstance(node.value, ast.Name):
                yield f"{node.value.id}.{node.attr}", node.lineno
        elif isinstance(node, ast.Name):
            yield node.id, node.lineno


@each(MODULES)
def test_calls_stay_in_their_place(module: str) -> None:
    package = module.split("/")[0]
    for name, line in facts(module).called:
        assert CALLS[name] & {package, module}, f"{module}:{line} uses {name}"


@each([m for m in MODULES if m.startswith("codecs/")])
def test_codecs_read_no_clock(module: str) -> None:
    assert not {"time", "datetime", "socket", "os"} & {name for name, _ in facts(module).imported}


def test_there_are_no_cycles() -> None:
    graph: dict[str, set[str]] = {}
    for module in MODULES:
        targets = set()
        for name, _ in facts(module).imported:
            path = name.removeprefix("penstock.").replace(".", "/")
            if name.startswith("penstock.") and path in MODULES and path != module:
                targets.add(path)
        graph[module] = targets
    state: dict[str, int] = {}

    def visit(module: str, trail: tuple[str, ...]) -> None:
        state[module] = 1
        for target in graph[module]:
            assert state.get(target) != 1, " -> ".join((*trail, module, target))
            if target not in state:
                visit(target, (*trail, module))
        state[module] = 2

    for module in MODULES:
        if module not in state:
            visit(module, ())


def test_the_page_shows_the_table() -> None:
    page = (SOURCE.parents[1] / "docs" / "architecture.md").read_text()
    for package in {module.split("/")[0] for module in MODULES} - FACES:
        assert f" {package} " in page, f"docs/architecture.md does not name {package}"
