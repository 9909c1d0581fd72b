"""What mypyc 2.4.1 compiles to something else than Python runs, and no compiled module may therefore say.

The end-to-end tests pass on the compiled build (``make compiled-test``); these are the faults that a change
could bring in and that are not always seen at once.
"""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

TOP = Path(__file__).parents[1]
# Asked twice, these say the same and do nothing.
PURE = {"len", "min", "max", "index", "find"}
# Bases whose objects mypyc knows how to begin with; any other of C's own is overwritten by its fields.
BASES = {"ABC", "Protocol", "Enum", "ValueError"}


def options() -> Any:
    """The build hook's table."""
    project: Any = tomllib.loads((TOP / "pyproject.toml").read_text())
    return project["tool"]["hatch"]["build"]["targets"]["wheel"]["hooks"]["mypyc"]


def compiled() -> Iterator[Path]:
    """Every module that is compiled."""
    for pattern in options()["include"]:
        yield from (path for path in TOP.glob(pattern.lstrip("/")) if path.name != "__init__.py")


MODULES = sorted(compiled())


def names(node: ast.expr | None) -> Iterator[str]:
    """What an expression calls."""
    for part in ast.walk(node) if node is not None else ():
        if isinstance(part, ast.Call):
            yield ast.unparse(part.func).rpartition(".")[2]


def bounds_that_act(tree: ast.AST) -> list[str]:
    """Slices whose bounds call something that may do more than answer: mypyc may call it twice."""
    return [
        f"line {node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Slice) and {*names(node.lower), *names(node.upper)} - PURE
    ]


def foreign_bases(tree: ast.Module) -> list[str]:
    """Classes that inherit from one that is neither the module's, nor penstock's, nor in ``BASES``."""
    ours = {node.name for node in tree.body if isinstance(node, ast.ClassDef)} | BASES
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("penstock."):
            ours |= {alias.asname or alias.name for alias in node.names}
    return [
        f"{node.name}({ast.unparse(base)})"
        for node in tree.body
        if isinstance(node, ast.ClassDef)
        for base in node.bases
        if ast.unparse(base) not in ours
    ]


def heirs_that_can_be_called(tree: ast.AST) -> list[str]:
    """Classes with a ``__call__`` and a base: mypyc puts a pointer before their fields, and the base's
    methods look for these where they are without it."""
    return [
        f"{node.name}({', '.join(map(ast.unparse, node.bases))})"
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and any(ast.unparse(base) != "Protocol" for base in node.bases)
        if any(isinstance(part, ast.FunctionDef) and part.name == "__call__" for part in node.body)
    ]


def addresses(tree: ast.AST) -> list[str]:
    """Where the address of an object's memory is handed out: mypyc lets go of the object behind its last use,
    which may be before the address is."""
    return [
        f"line {node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in ("buffer_info", "addressof", "from_buffer")
    ]


def test_what_is_named_is_there() -> None:
    assert [pattern for pattern in options()["include"] if not list(TOP.glob(pattern.lstrip("/")))] == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_no_bound_of_a_slice_acts(path: Path) -> None:
    assert bounds_that_act(ast.parse(path.read_text())) == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_no_class_inherits_from_what_is_cs_own(path: Path) -> None:
    assert foreign_bases(ast.parse(path.read_text())) == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_no_class_with_a_base_can_be_called(path: Path) -> None:
    assert heirs_that_can_be_called(ast.parse(path.read_text())) == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_no_address_of_memory_is_handed_out(path: Path) -> None:
    assert addresses(ast.parse(path.read_text())) == []


def test_what_must_stay_out_is_recognised() -> None:
    """The modules that brought the faults to light: a stored upload was doubled, the server crashed, and
    connections were let in at the end."""
    source = TOP / "src" / "penstock"
    assert len(bounds_that_act(ast.parse((source / "net" / "body.py").read_text()))) == 1
    assert len(foreign_bases(ast.parse((source / "serve" / "wsgi" / "input.py").read_text()))) == 2
    assert len(addresses(ast.parse((source / "net" / "listening.py").read_text()))) == 1
    heir = "class Call(Reply):\n    def __call__(self, data: object) -> None:\n        self.write(data)\n"
    assert heirs_that_can_be_called(ast.parse(heir)) == ["Call(Reply)"]


def test_what_the_compiled_tests_leave_out_is_there() -> None:
    script = (TOP / "tools" / "compiled-test.sh").read_text()
    for left_out in re.findall(r"--(?:ignore|deselect)=(\S+)", script):
        path, _, name = left_out.partition("::")
        assert (TOP / path).exists(), left_out
        assert not name or f"def {name}" in (TOP / path).read_text(), left_out
