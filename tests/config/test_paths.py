"""Paths that a configuration names: which must be there."""

from pathlib import Path

import pytest

from penstock.config.finding import Finding
from penstock.config.paths import missing
from penstock.config.raw import RawOption


def found(*pairs: tuple[str, str]) -> list[Finding]:
    return list(missing([RawOption(key, value, "app.ini:1", "app.ini", 1) for key, value in pairs]))


@pytest.mark.parametrize(
    ("key", "value", "level", "message"),
    [
        ("chdir", "no/such", "error", "there is no such folder"),
        ("chroot", "no/such", "error", "there is no such folder"),
        ("touch-reload", "no/such", "warning", "there is no no/such"),
        ("touch-chain-reload", "no/such", "warning", "there is no no/such"),
        ("fs-reload", "no/such", "warning", "there is no no/such"),
        ("wsgi-file", "no/such.py", "error", "there is no such file"),
        ("file", "no/such.py", "error", "there is no such file"),
        ("mount", "/shop=no/such.py", "error", "there is no such file"),
        ("virtualenv", "no/such", "error", "there is no such folder"),
        ("pythonpath", "no/such/*", "warning", "there is no such folder, so nothing is imported from it"),
        ("logto", "no/such.log", "error", "there is no folder no"),
        ("daemonize", "no/such.log", "error", "there is no folder no"),
        ("pidfile", "no/such.pid", "error", "there is no folder no"),
        ("socket", "no/such.sock", "error", "there is no folder no"),
        ("bind", "unix:no/such.sock", "error", "there is no folder no"),
        ("emperor-pidfile", "no/such.pid", "error", "there is no folder no"),
        ("force-cwd", "no/such", "error", "there is no such folder"),
        ("flock", "no/such", "error", "there is no such file"),
        ("emperor", "no/such", "warning", "there is no no/such"),
        ("emperor", "dir://no/such", "warning", "there is no no/such"),
        ("emperor", "no/such/*.ini", "warning", "there is no no/such/*.ini"),
        ("touch-exec", "no/such ./run it=now", "warning", "there is no no/such"),
        ("touch-logreopen", "no/such", "warning", "there is no no/such"),
        ("touch-logrotate", "no/such", "warning", "there is no no/such"),
        ("mule", "no/such.py", "warning", "there is no no/such.py"),
        ("hook-touch", "no/such print:x", "warning", "there is no no/such"),
    ],
)
def test_what_is_not_there(key: str, value: str, level: str, message: str) -> None:
    (finding,) = found((key, value))
    assert (finding.level, finding.kind, finding.message) == (level, "missing-path", message)
    assert (finding.option, finding.value, finding.origin, finding.line) == (key, value, "app.ini:1", 1)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("chdir", ""),
        ("logto", "here.log"),
        ("logto", "logs.example/x:1717"),
        ("socket", ":8000"),
        ("socket", "@abstract"),
        ("socket", "1:2:3"),
        ("module", "no.such"),
        ("mount", "/shop=no.such"),
        ("emperor", "pg://no.such"),
        ("mule", ""),
        ("mule", "no.such:work"),
        ("vassals-set", "no/such=no/such"),
        ("no-such-option", "no/such"),
    ],
)
def test_what_needs_no_path(key: str, value: str) -> None:
    assert found((key, value)) == []


def test_paths_are_seen_from_chdir(tmp_path: Path) -> None:
    (tmp_path / "app.py").touch()
    (tmp_path / "lib").mkdir()
    there = ("chdir", str(tmp_path))
    assert found(there, ("wsgi-file", "app.py"), ("pythonpath", "l*"), ("logto", f"{tmp_path}/x.log")) == []
    (finding,) = found(there, ("wsgi-file", "other.py"))
    assert finding.message == f"there is no such file in {tmp_path}"


def test_touched_files_are_seen_from_chdir_too(tmp_path: Path) -> None:
    (tmp_path / "touched").touch()
    assert found(("chdir", str(tmp_path)), ("touch-reload", "touched")) == []
    assert len(found(("chdir", str(tmp_path)), ("touch-reload", "other"))) == 1


def test_below_another_root_nothing_else_is_looked_for(tmp_path: Path) -> None:
    assert found(("chroot", str(tmp_path)), ("chdir", "/no/such"), ("wsgi-file", "/no/such.py")) == []
    assert len(found(("chroot", ""), ("chdir", "/no/such"))) == 1


def test_below_a_folder_that_is_missing_nothing_more_is_said() -> None:
    assert [f.option for f in found(("chdir", "/no/such"), ("wsgi-file", "a.py"))] == ["chdir"]


def test_the_last_one_counts(tmp_path: Path) -> None:
    assert found(("chdir", "no/such"), ("chdir", str(tmp_path))) == []


def test_a_file_in_the_place_of_a_folder_of_files(tmp_path: Path) -> None:
    (tmp_path / "a.txt").touch()
    (finding,) = found(("check-static", f"{tmp_path}/a.txt"))
    said = f"{tmp_path}/a.txt is no folder, so nothing is served from it"
    assert (finding.level, finding.message) == ("warning", said)
    assert found(("check-static", str(tmp_path)), ("static-map", f"/a={tmp_path}/a.txt")) == []
