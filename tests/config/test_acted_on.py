"""Each option that a supervisor, its household, its emperor or a site acts on, or that says what is seen of
them, has a test that fails without it.

``acted_on.toml`` names them: a test of what the option does, not of how it is read. Here is checked that
the list is whole, that each test is there, and that its module, or one of the tests' that it imports, names
the option.
"""

import ast
import re
import tomllib
from functools import cache
from pathlib import Path

from penstock.config.option import ACTED_ON, Option
from penstock.config.registry import options
from tests.cases import each

TOP = Path(__file__).parents[2]
TABLE: dict[str, dict[str, list[str]]] = tomllib.loads(Path(__file__).with_name("acted_on.toml").read_text())
GROUPS = {
    "Processes", "Reloading", "Daemons", "Cron", "Emperor", "Alarms", "Hooks", "Mules, spooler and signals",
    "Privileges", "Isolation", "Static files", "Routing", "Caching",
    "Logging", "Stats and metrics",
}  # fmt: skip
BESIDES = {"py-tracebacker", "https-export-cert"}
"""Options of other groups."""
READING = {"skip-zero"}
"""What the configuration itself carries out; no other option is proved by its tests."""

OWN = {"Logging", "Stats and metrics"}
"""Groups whose options that uWSGI does not have are listed, too."""

ACTED = [
    option for option in options() if option.state == ACTED_ON and (not option.own or option.group in OWN)
]
WANTED = {option.name: option for option in ACTED if option.group in GROUPS or option.name in BESIDES}
PROVED = [(name, node) for group in TABLE.values() for name, nodes in group.items() for node in nodes]


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def texts(path: Path) -> tuple[str, ...]:
    """A module of the tests, and those that it imports."""
    found = {path}
    for node in tree(path).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tests."):
            module = TOP / str(node.module).replace(".", "/")
            found |= {module.with_suffix(".py"), *(module / f"{name.name}.py" for name in node.names)}
    return tuple(one.read_text() for one in sorted(found) if one.is_file())


def names(text: str, option: Option) -> bool:
    """Whether a text has one of an option's names, or its field."""
    found = "|".join(re.escape(word) for name in option.names for word in {name, name.replace("-", "_")})
    return re.search(rf"(?<![\w-])(?:--)?(?:{found})(?![\w-])", text) is not None


def test_every_option_is_proved_by_a_test() -> None:
    listed = {name: group for group, proofs in TABLE.items() for name in proofs}
    assert listed == {name: option.group for name, option in WANTED.items()}
    assert all(nodes for proofs in TABLE.values() for nodes in proofs.values())


def test_the_table_is_in_order() -> None:
    for proofs in TABLE.values():
        assert list(proofs) == sorted(proofs)


@each(PROVED, " ".join)
def test_the_test_is_there_and_names_its_option(proof: tuple[str, str]) -> None:
    name, node = proof
    path, _, function = node.partition("::")
    defined = [one.name for one in tree(TOP / path).body if isinstance(one, ast.FunctionDef)]
    assert function.startswith("test_") and defined.count(function) == 1
    assert any(names(text, WANTED[name]) for text in texts(TOP / path))
    assert not path.startswith("tests/config/") or name in READING


def test_a_name_within_another_is_none() -> None:
    assert names("('--mount-as-root', 'x')", WANTED["mount-as-root"])
    assert names("settings(mount_as_root=('x',))", WANTED["mount-as-root"])
    assert not names("umount-as-root, mount_as_root_too", WANTED["mount-as-root"])
