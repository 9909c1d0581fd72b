"""Python expressions to values without running them: literals, arithmetic, texts, the environment's defaults.

What is not understood raises CannotTell; nothing of the program is ever called. Runs in the command alone.
"""

import ast
import operator
import os
from collections.abc import Callable, Mapping
from typing import Any

from penstock.config.migrate.known import ABSENT, CannotTell, Known, arithmetic, derived, joined, variable

LARGEST = 1 << 16  # of a text or a list, so that no expression can fill the memory
SIGNS: dict[type[ast.operator], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Add: ("+", operator.add),
    ast.Sub: ("-", operator.sub),
    ast.Mult: ("*", operator.mul),
    ast.Div: ("/", operator.truediv),
    ast.FloorDiv: ("//", operator.floordiv),
    ast.Mod: ("%", operator.mod),
    ast.BitOr: ("|", operator.or_),
}
UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.Not: operator.not_,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
COMPARED: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda one, many: one in many,
    ast.NotIn: lambda one, many: one not in many,
}
ALIKE = ("int", "str", "float")
"""Functions that leave what the configuration language spells as it is."""
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "int": int,
    "str": str,
    "float": float,
    "bool": bool,
    "len": len,
    "max": max,
    "min": min,
    "round": round,
    "abs": abs,
    "list": list,
    "tuple": tuple,
    "dict": dict,
    "os.path.join": os.path.join,
    "os.path.dirname": os.path.dirname,
    "os.path.basename": os.path.basename,
    "os.path.abspath": os.path.abspath,
    "os.path.realpath": os.path.realpath,
    "os.path.normpath": os.path.normpath,
    "os.path.expanduser": os.path.expanduser,
}
PROCESSORS = (
    *("os.cpu_count", "multiprocessing.cpu_count", "os.process_cpu_count", "psutil.cpu_count"),
    "joblib.cpu_count",
)
METHODS = frozenset(
    [
        "format",
        "strip",
        "lstrip",
        "rstrip",
        "split",
        "rsplit",
        "splitlines",
        "lower",
        "upper",
        "title",
        "replace",
        "startswith",
        "endswith",
        "join",
        "isdigit",
        "isdecimal",
        "partition",
        "rpartition",
        "removeprefix",
        "removesuffix",
        "get",
        "keys",
        "values",
        "items",
        "count",
    ]
)


class Evaluator:
    """Expressions by the ``names`` known so far; ``modules`` has what imported names stand for."""

    def __init__(self, names: Mapping[str, Known], modules: Mapping[str, str]) -> None:
        self.names = names
        self.modules = modules

    def value(self, node: ast.expr) -> Known:
        """The value of an expression. Raises CannotTell."""
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None:
            raise CannotTell(f"{_source(node)} is not understood")
        try:
            found: Known = method(node)
        except CannotTell:
            raise
        except Exception as error:  # whatever the program itself would have failed with
            raise CannotTell(f"{_source(node)}: {error}") from error
        return found

    def _constant(self, node: ast.Constant) -> Known:
        return Known(node.value)

    def _name(self, node: ast.Name) -> Known:
        if node.id not in self.names:
            raise CannotTell(f"{node.id} is not known before the program runs")
        return self.names[node.id]

    def _sequence(self, node: ast.List | ast.Tuple | ast.Set) -> Known:
        items = [self.value(item) for item in node.elts]
        if any(item.value is ABSENT for item in items):
            raise CannotTell(f"{_source(node)} depends on the environment")
        kind = {"List": list, "Tuple": tuple, "Set": set}[type(node).__name__]
        whole = derived(kind(item.value for item in items), *items)
        if len(items) == 1 and items[0].spelled:  # a list of one is spelled as the one
            return whole._replace(spelled=items[0].spelled, sum=items[0].sum)
        return whole

    _list = _tuple = _set = _sequence

    def _dict(self, node: ast.Dict) -> Known:
        pairs = []
        for key, item in zip(node.keys, node.values, strict=True):
            if key is None:
                raise CannotTell(f"{_source(node)} is not understood")
            pairs.append((self.plain(key), self.plain(item)))
        return derived({key.value: item.value for key, item in pairs}, *(part for p in pairs for part in p))

    def _joinedstr(self, node: ast.JoinedStr) -> Known:
        return joined(*(self.value(part) for part in node.values))

    def _formattedvalue(self, node: ast.FormattedValue) -> Known:
        if node.format_spec is not None or node.conversion not in (-1, ord("s")):
            raise CannotTell(f"{_source(node)} is not understood")
        return self.value(node.value)

    def _binop(self, node: ast.BinOp) -> Known:
        left, right = self.value(node.left), self.value(node.right)
        sign, apply = SIGNS[type(node.op)]
        if sign == "+" and isinstance(left.value, str) | isinstance(right.value, str):
            return joined(left, right)
        if ABSENT in (left.value, right.value):
            return arithmetic(sign, left, right, ABSENT)
        for one, other in ((left, right), (right, left)):
            if sign == "*" and hasattr(one.value, "__len__") and len(one.value) * other.value > LARGEST:
                raise CannotTell(f"{_source(node)} is too large")
        return arithmetic(sign, left, right, apply(left.value, right.value))

    def _unaryop(self, node: ast.UnaryOp) -> Known:
        operand = self.plain(node.operand)
        return derived(UNARY[type(node.op)](operand.value), operand)

    def _boolop(self, node: ast.BoolOp) -> Known:
        seen: list[Known] = []
        for part in node.values:
            seen.append(self.value(part))
            if bool(seen[-1].value) is isinstance(node.op, ast.Or):
                break
        last, first = seen[-1], seen[0]
        whole = derived(last.value, *seen)
        # os.environ.get("X") or 4: the variable wherever it is set.
        if isinstance(node.op, ast.Or) and len(seen) == 2 and last.fixed and first.spelled:
            return first._replace(value=last.value)
        return whole._replace(spelled=last.spelled, sum=last.sum) if len(seen) == 1 else whole

    def _compare(self, node: ast.Compare) -> Known:
        parts = [self.plain(part) for part in (node.left, *node.comparators)]
        results = [
            COMPARED[type(sign)](one.value, other.value)
            for sign, one, other in zip(node.ops, parts, parts[1:], strict=False)
        ]
        return derived(all(results), *parts)

    def _ifexp(self, node: ast.IfExp) -> Known:
        test = self.plain(node.test)
        chosen = self.value(node.body if test.value else node.orelse)
        return chosen if test.fixed else derived(chosen.value, test, chosen)

    def _subscript(self, node: ast.Subscript) -> Known:
        if self.dotted(node.value) == "os.environ":
            return variable(str(self.plain(node.slice).value), Known(ABSENT))
        whole, at = self.plain(node.value), self.plain(node.slice)
        return derived(whole.value[at.value], whole, at)

    def _slice(self, node: ast.Slice) -> Known:
        parts = [
            Known(None) if part is None else self.plain(part) for part in (node.lower, node.upper, node.step)
        ]
        return derived(slice(*(part.value for part in parts)), *parts)

    def _call(self, node: ast.Call) -> Known:
        name = self.dotted(node.func)
        if name in PROCESSORS or (name == "len" and "sched_getaffinity" in ast.dump(node)):
            return Known(os.cpu_count() or 1, "%k", cpus=True)
        if name in ("os.environ.get", "os.getenv"):
            return self.environment(node)
        if name in FUNCTIONS:
            return self.called(name, [self.value(word) for word in node.args], node)
        return self.method(node)

    def method(self, node: ast.Call) -> Known:
        """A method of a text, a list or a dictionary that changes nothing."""
        if not isinstance(node.func, ast.Attribute) or node.func.attr not in METHODS or node.keywords:
            raise CannotTell(f"{_source(node)} would have to be called")
        words = [self.plain(word) for word in (node.func.value, *node.args)]
        return derived(getattr(words[0].value, node.func.attr)(*(word.value for word in words[1:])), *words)

    def environment(self, node: ast.Call) -> Known:
        """A variable of the environment, with its default where there is one."""
        words = [self.plain(word) for word in (*node.args, *(keyword.value for keyword in node.keywords))]
        return variable(str(words[0].value), words[1] if len(words) > 1 else Known(None))

    def called(self, name: str, words: list[Known], node: ast.Call) -> Known:
        """A function that has no effect beside its result."""
        if node.keywords:
            raise CannotTell(f"{_source(node)} is not understood")
        if name in ALIKE and len(words) == 1 and words[0].spelled:
            only = words[0]
            value = only.value if only.value in (None, ABSENT) else FUNCTIONS[name](only.value)
            return only._replace(value=value)
        if any(word.value is ABSENT for word in words):
            raise CannotTell(f"{_source(node)} depends on the environment")
        return derived(FUNCTIONS[name](*(word.value for word in words)), *words)

    def plain(self, node: ast.expr) -> Known:
        """A value that is there even where no variable is set. Raises CannotTell."""
        found = self.value(node)
        if found.value is ABSENT:
            raise CannotTell(f"{_source(node)} depends on the environment")
        return found

    def dotted(self, node: ast.expr) -> str:
        """``os.environ.get`` for whatever it was imported as; "" for what is no such name."""
        if isinstance(node, ast.Attribute):
            base = self.dotted(node.value)
            return f"{base}.{node.attr}" if base else ""
        if isinstance(node, ast.Name) and node.id not in self.names:
            return self.modules.get(node.id, node.id)
        return ""


def _source(node: ast.expr) -> str:
    text = ast.unparse(node)
    return text if len(text) <= 60 else f"{text[:57]}..."
