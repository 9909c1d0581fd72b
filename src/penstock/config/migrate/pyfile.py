"""A Python configuration file read without running it: the names it leaves, as far as they can be known.

Statements are followed in order: imports, assignments, conditions. Loops, calls and whatever else would
have to run make the names that they assign unknown, with the reason. Runs in the command alone.
"""

import ast
from typing import NamedTuple

from penstock.config.migrate.known import CannotTell, Known, derived
from penstock.config.migrate.pyvalue import Evaluator

FUNCTION = object()
"""The value of a name that is a function or a class."""


class Assigned(NamedTuple):
    """What a name has at the end.

    ``known`` its value, None where it cannot be told, for the ``reason``; ``line`` of the assignment;
    ``comments`` the lines of comment right above it.
    """

    known: Known | None
    reason: str
    line: int
    comments: tuple[str, ...] = ()


class Reader:
    """Follows the statements of one file."""

    def __init__(self, text: str, path: str) -> None:
        self.rows = text.splitlines()
        self.found: dict[str, Assigned] = {}
        self.names: dict[str, Known] = {"__file__": Known(path), "__name__": Known("gunicorn_config")}
        self.modules: dict[str, str] = {}
        self.evaluator = Evaluator(self.names, self.modules)
        self.unfollowed: list[tuple[int, str]] = []

    def follow(self, statements: list[ast.stmt]) -> None:
        """Statements in order."""
        for statement in statements:
            method = getattr(self, f"_{type(statement).__name__.lower()}", None)
            if method is None:
                self.lose(statement, f"line {statement.lineno} would have to run")
            else:
                method(statement)

    def keep(self, name: str, known: Known, line: int) -> None:
        """A name has a value."""
        self.names[name] = known
        self.found[name] = Assigned(known, "", line, self.comments(line))

    def forget(self, name: str, reason: str, line: int) -> None:
        """A name has a value that cannot be told."""
        self.names.pop(name, None)
        self.found[name] = Assigned(None, reason, line, self.comments(line))

    def comments(self, line: int) -> tuple[str, ...]:
        """The comment right above a line."""
        at = line - 1
        while at > 0 and self.rows[at - 1].lstrip().startswith("#"):
            at -= 1
        return tuple(row.strip() for row in self.rows[at : line - 1])

    def lose(self, node: ast.AST, reason: str) -> None:
        """Whatever is assigned in there can no longer be told."""
        for inner in ast.walk(node):
            if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store | ast.Del):
                self.forget(inner.id, reason, inner.lineno)
        if any(isinstance(inner, ast.Call) and _open_ended(inner) for inner in ast.walk(node)):
            self.unfollowed.append((getattr(node, "lineno", 0), "sets names that are not written out"))

    # ---- Statements -----------------------------------------------------------------------------------

    def _import(self, node: ast.Import) -> None:
        for alias in node.names:
            name = alias.asname or alias.name.partition(".")[0]
            self.modules[name] = alias.name if alias.asname else name

    def _importfrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            if alias.name == "*":
                self.unfollowed.append((node.lineno, f"takes names from {node.module}, which is not read"))
                continue
            name = alias.asname or alias.name
            self.modules[name] = f"{node.module}.{alias.name}"
            self.forget(name, f"it comes from {node.module}, which is not read", node.lineno)

    def _assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            self.assign(target, node.value, node.lineno)

    def _annassign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.assign(node.target, node.value, node.lineno)

    def _augassign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            read = ast.copy_location(ast.Name(node.target.id, ast.Load()), node)
            self.assign(
                node.target, ast.copy_location(ast.BinOp(read, node.op, node.value), node), node.lineno
            )

    def assign(self, target: ast.expr, value: ast.expr, line: int) -> None:
        """One target of an assignment."""
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            for one, part in zip(target.elts, value.elts, strict=False):
                self.assign(one, part, line)
        elif not isinstance(target, ast.Name):
            self.lose(target, "it is taken apart where it is assigned")
        elif isinstance(value, ast.Lambda):
            self.keep(target.id, Known(FUNCTION), line)
        else:
            try:
                self.keep(target.id, self.evaluator.value(value), line)
            except CannotTell as reason:
                self.forget(target.id, str(reason), line)

    def _functiondef(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> None:
        self.keep(node.name, Known(FUNCTION), node.lineno)

    _asyncfunctiondef = _classdef = _functiondef

    def _if(self, node: ast.If) -> None:
        try:
            test = self.evaluator.plain(node.test)
        except CannotTell as reason:
            self.lose(node, str(reason))
            return
        before = dict(self.found)
        self.follow(node.body if test.value else node.orelse)
        if test.fixed:
            return
        for name, assigned in self.found.items():
            if assigned is not before.get(name) and assigned.known is not None:
                self.keep(name, derived(assigned.known.value, test, assigned.known), assigned.line)

    def _try(self, node: ast.Try) -> None:
        self.follow([*node.body, *node.orelse, *node.finalbody])

    def _expr(self, node: ast.Expr) -> None:
        call = node.value
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
            changed = call.func.value
            if isinstance(changed, ast.Name) and changed.id in self.names:
                self.forget(changed.id, f"line {node.lineno} changes it by a call", node.lineno)
        self.lose(node, "")

    def _assert(self, node: ast.Assert) -> None:
        """It changes nothing."""

    _pass = _assert


def _open_ended(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id in (
        "exec",
        "locals",
        "globals",
        "vars",
        "setattr",
    )


def read_python(text: str, path: str) -> Reader:
    """The names that a file leaves. Raises SyntaxError."""
    reader = Reader(text, path)
    reader.follow(ast.parse(text, path).body)
    return reader
