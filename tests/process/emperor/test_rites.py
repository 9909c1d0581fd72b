"""Hooks in the process that they are about, and in one of their own."""

from pathlib import Path

import pytest

from penstock.core.errors import StartError
from penstock.process.emperor.rites import apart, rite
from tests.process.emperor.throneroom import put, room, settings
from tests.process.supervisor.recording import later

LOYAL = 17


def test_here_and_now(tmp_path: Path) -> None:
    told: list[str] = []
    given = settings(tmp_path, exec_as_vassal=[f"echo $UWSGI_HOOK_CONTEXT > {tmp_path}/told"])
    assert rite(given, "as-vassal", told.append, "a.ini")
    assert (tmp_path / "told").read_text() == "a.ini\n" and told
    assert rite(given, "as-emperor", told.append)
    with pytest.raises(StartError, match="exec-as-vassal"):
        rite(settings(tmp_path, exec_as_vassal=["false"]), "as-vassal", told.append)


def test_in_a_child_that_is_waited_for_by_nobody(tmp_path: Path) -> None:
    over: list[int] = []
    command = f"cd /; sleep 0.1; echo $UWSGI_VASSAL_PID > {tmp_path}/told"
    with room(tmp_path, exec_as_emperor=[command]) as emperor:
        environ = {"UWSGI_VASSAL_PID": "77"}
        apart(emperor, emperor.settings, ("as-emperor", "a.ini"), environ, lambda: over.append(1))
        assert not over and len(emperor.children) == 1
        emperor.until(lambda: over)
        assert (tmp_path / "told").read_text() == "77\n"
        assert Path.cwd() != Path("/")


def test_one_that_fails_is_told_of(tmp_path: Path) -> None:
    over: list[int] = []
    with room(tmp_path, exec_as_emperor=["exit 3"]) as emperor:
        apart(emperor, emperor.settings, ("as-emperor", "a.ini"), {}, lambda: over.append(1))
        emperor.until(lambda: over)
        assert "as-emperor a.ini: exit status 1" in emperor.text()


def test_nothing_to_do_is_done_at_once(tmp_path: Path) -> None:
    over: list[int] = []
    with room(tmp_path) as emperor:
        apart(emperor, emperor.settings, ("as-emperor", "a.ini"), {}, lambda: over.append(1))
        assert over and not emperor.children


def lines_of(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def test_hooks_round_the_start_of_a_vassal(tmp_path: Path) -> None:
    out = tmp_path / "out"
    its = ["hook-as-emperor-before-vassal", "hook-as-vassal-before-drop", "hook-as-vassal"]
    given = {name.replace("-", "_"): [f"appendn:{out} {name}"] for name in (*its, "hook-as-emperor")}
    put(tmp_path, "a.ini", f"say {LOYAL}")
    with room(tmp_path, **given) as emperor:
        emperor.look_until(lambda: len(lines_of(out)) == 4)
        assert [name for name in lines_of(out) if name != "hook-as-emperor"] == its


def test_hooks_of_one_that_waits_for_a_connection(tmp_path: Path) -> None:
    out = tmp_path / "out"
    options = {
        "hook_as_on_demand_vassal": [f"appendn:{out} it waits"],
        "hook_as_on_config_vassal": [f"appendn:{out} another file"],
    }
    file = put(tmp_path, "a.ini", f"say {LOYAL}")
    (file.parent / "a.ini.socket").write_text("a.sock\n")
    with room(tmp_path, emperor_on_demand_extension=".socket", **options) as emperor:
        emperor.look_until(lambda: lines_of(out) == ["it waits"])
        later(file)
        emperor.look_until(lambda: lines_of(out) == ["it waits", "another file"])
        assert not emperor.pids()
