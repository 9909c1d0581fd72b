"""Files that are touched: the command, the hook or the order of each, and what is remembered."""

from pathlib import Path

import pytest

from penstock.process.household.runs import label_of
from penstock.process.household.touched import Touched
from tests.process.household.attending import Attended, attended
from tests.process.supervisor.recording import later, settings


class Case:
    """A house that looks at files; ``hooks`` are those that it was to carry out, ``orders`` the supervisor's
    commands that it asked for, and why."""

    def __init__(self, house: Attended, start: bool = True) -> None:
        self.house = house
        self.hooks: list[str] = []
        self.orders: list[tuple[str, str]] = []
        self.touched = Touched(house, self.hooks.append, lambda name, why: self.orders.append((name, why)))
        if start:
            self.touched.start()

    def settle(self) -> None:
        self.house.until(lambda: not self.touched.runs.busy)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "touched"
    path.write_text("")
    return path


def test_a_command_runs_at_each_touch(tmp_path: Path, file: Path) -> None:
    out = tmp_path / "out"
    with attended(tmp_path, touch_exec=f"{file} echo a | tee -a {out}; exit 2") as house:
        it = Case(house)
        it.touched.look()
        assert not it.touched.runs.busy
        for count in (1, 2):
            later(file)
            it.touched.look()
            it.settle()
            assert out.read_text().split() == ["a"] * count
        label = label_of("touch-exec", f"echo a | tee -a {out}; exit 2")
        assert f"touch-exec: {file} was touched" in house.text()
        assert f"[{label}] a\n" in house.text()
        assert f"penstock warning: {label} (pid" in house.text() and "exit status 2" in house.text()


def test_one_that_comes_and_goes_counts(tmp_path: Path) -> None:
    text = f"{tmp_path}/later print:x"
    with attended(tmp_path, hook_touch=text) as house:
        it = Case(house)
        path = tmp_path / "later"
        assert f"hook-touch: {path} is not there; it counts when it appears" in house.text()
        path.write_text("")
        it.touched.look()
        path.unlink()
        it.touched.look()
        it.touched.look()
        assert it.hooks == [text] * 2


def test_a_file_that_is_its_own_command(tmp_path: Path) -> None:
    script, out = tmp_path / "script", tmp_path / "out"
    script.write_text(f"#!/bin/sh\necho ran >> {out}\n")
    script.chmod(0o755)
    with attended(tmp_path, touch_exec=str(script)) as house:
        it = Case(house)
        later(script)
        it.touched.look()
        it.settle()
        assert out.read_text() == "ran\n"


@pytest.mark.parametrize(
    ("option", "command"), [("touch-logreopen", "reopen-logs"), ("touch-logrotate", "rotate-logs")]
)
def test_a_log_is_seen_to_when_a_file_is_touched(
    tmp_path: Path, file: Path, option: str, command: str
) -> None:
    other = tmp_path / "a file"
    other.touch()
    given = {option.replace("-", "_"): [str(file), str(other)]}
    with attended(tmp_path, **given) as house:
        it = Case(house)
        it.touched.look()
        assert it.orders == []
        for path in (file, other):
            later(path)
            it.touched.look()
            assert it.orders.pop() == (command, f"{option}: {path} was touched")
        assert not it.orders and not it.hooks and not it.touched.runs.busy


def test_one_file_with_two_entries_does_both(tmp_path: Path, file: Path) -> None:
    out = tmp_path / "out"
    entries = [f"{file} echo a >> {out}", f"{file} echo b >> {out}"]
    with attended(tmp_path, touch_exec=entries, hook_touch=[f"{file} print:1", f"{file} print:2"]) as house:
        it = Case(house)
        later(file)
        it.touched.look()
        it.settle()
        assert sorted(out.read_text().split()) == ["a", "b"]
        assert it.hooks == [f"{file} print:1", f"{file} print:2"]


def test_it_looks_by_itself_and_sees_other_settings(tmp_path: Path, file: Path) -> None:
    other = tmp_path / "other"
    other.write_text("")
    with attended(tmp_path, hook_touch=f"{file} print:1", check_interval=0.05) as house:
        it = Case(house)
        later(file)
        house.until(lambda: it.hooks)
        house.settings = settings(hook_touch=[f"{file} print:1", f"{other} print:2"], check_interval=0.05)
        house.rest(0.2)
        later(other)
        house.until(lambda: len(it.hooks) == 2)
        house.settings = settings(hook_touch=f"{file} print:1", check_interval=0.05)
        house.rest(0.2)
        later(other)
        house.rest(0.2)
        assert it.hooks == [f"{file} print:1", f"{other} print:2"]


def test_a_touch_over_a_change_of_settings_is_not_lost(tmp_path: Path, file: Path) -> None:
    with attended(tmp_path, hook_touch=f"{file} print:1") as house:
        it = Case(house)
        later(file)
        house.settings = settings(hook_touch=f"{file} print:1", threads=2)
        it.touched.turn()
        assert len(it.hooks) == 1


def test_a_touch_while_another_penstock_takes_over_is_not_lost(tmp_path: Path, file: Path) -> None:
    with attended(tmp_path, hook_touch=f"{file} print:1", touch_exec=f"{file} exec sleep 60") as house:
        it = Case(house)
        later(file)
        it.touched.look()
        data = it.touched.state()
        assert data["fds"] == [data["runs"][0]["fd"]]
        house.watch.remove(data["fds"][0])
        house.children.clear()
        later(file)
        other = Case(house, start=False)
        other.touched.resume(data)
        other.touched.start()
        other.touched.look()
        assert other.hooks == [f"{file} print:1"]
        assert len(other.touched.runs.all) == 2, "the one before, and another one"


def test_the_end_stops_what_runs_and_looks_no_more(tmp_path: Path, file: Path) -> None:
    options = {"touch_exec": f"{file} exec sleep 60", "hook_touch": f"{file} print:1", "reload_mercy": 5}
    with attended(tmp_path, **options) as house:
        it = Case(house)
        later(file)
        it.touched.look()
        assert not house.done()
        house.finish()
        later(file)
        it.touched.turn()
        house.until(house.done, 3)
        assert it.hooks == [f"{file} print:1"] and house.looked
        assert "killed by SIGTERM" in house.text()
