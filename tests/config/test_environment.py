"""Variables that options set and unset: in uWSGI's order, whatever the order of the lines."""

from pathlib import Path

import pytest

from penstock.config.environment import Environment
from penstock.config.judge import judge
from penstock.core.errors import ConfigError
from tests.config.parse import parse


def test_the_order_is_uwsgis(tmp_path: Path) -> None:
    (tmp_path / "A").write_text("of the folder\n")
    early, late = tmp_path / "early", tmp_path / "late"
    for folder in (early, late):
        folder.mkdir()
        (folder / folder.name.upper()).write_text("x")
    made = Environment()
    made.add("envdir", str(late))
    made.add("env", "A=1")
    made.add("unenv", "A")
    made.add("env", "B=2")
    made.add("ienv", "A=first")
    made.add("early-envdir", str(early))
    assert made.entries == ["A=first", "EARLY=x", "A=1", "A", "B=2", "LATE=x"]


def test_settings_have_all_of_it(tmp_path: Path) -> None:
    (tmp_path / "FROM_FILE").write_text("value\n")
    (tmp_path / "UNSET").write_text("")
    settings = parse("--env=A=1", f"--envdir={tmp_path}", "--unenv=B", "--env=C=3", "--ienv=D=4")
    assert settings.env_pairs == (
        *(("D", "4"), ("A", "1"), ("B", None), ("C", "3")),
        *(("FROM_FILE", "value"), ("UNSET", None)),
    )
    assert (settings.unenv, settings.ienv, settings.envdir) == (("B",), ("D=4",), (str(tmp_path),))


def test_a_variable_is_unset_by_its_name() -> None:
    assert parse("--unenv=B=2").env_pairs == (("B", None),)


@pytest.mark.parametrize("name", ["envdir", "early-envdir"])
def test_a_folder_that_is_not_there_ends_the_start(name: str) -> None:
    with pytest.raises(ConfigError, match=rf"^command line: --{name} /no/such: /no/such: No such file"):
        parse(f"--{name}=/no/such")


def told(tmp_path: Path, *lines: str) -> str:
    """What the last line's ``procname`` comes to."""
    path = tmp_path / "app.ini"
    path.write_text("\n".join(["[uwsgi]", "need-app = false", "socket = :0", *lines]))
    settings = judge([str(path)], {"OUTER": "outer"}).settings
    assert settings is not None
    return settings.procname


def test_what_is_set_while_reading_fills_placeholders(tmp_path: Path) -> None:
    folder = tmp_path / "variables"
    folder.mkdir()
    (folder / "OF_FILE").write_text("file\n")
    (folder / "OUTER").write_text("")
    assert told(tmp_path, "procname = $(NEW)", "ienv = NEW=new") == "new"
    assert told(tmp_path, f"early-envdir = {folder}", "procname = $(OF_FILE) $(OUTER)") == "file $(OUTER)"
    assert told(tmp_path, "env = NEW=new", "procname = $(NEW)") == "$(NEW)", "env is set too late for that"
    assert told(tmp_path, "ienv = OUTER", "procname = $(OUTER)") == "$(OUTER)"


def test_what_is_set_while_reading_decides_conditions(tmp_path: Path) -> None:
    lines = ("if-env = NEW", "procname = %(_)", "endif =")
    assert told(tmp_path, "ienv = NEW=new", *lines) == "new"
    assert told(tmp_path, *lines, "ienv = NEW=new") == ""
