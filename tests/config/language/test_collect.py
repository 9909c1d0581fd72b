"""What a collected configuration tells beside its lines: origins, variables, places of findings."""

import sys
from pathlib import Path

import pytest

from penstock.config.finding import Finding
from penstock.config.language.collect import collect
from penstock.config.raw import RawOption
from tests.config.language.rules import pair


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_each_option_says_where_it_is_from(folder: Path) -> None:
    (folder / "a.ini").write_text("[uwsgi]\n\nthreads = 2\nset = master=1\n")
    (folder / "b.ini").write_text("[uwsgi]\nvacuum = true\n")
    collected = collect(["--ini", "a.ini", "--inherit", "b.ini", "app:web"], {"UWSGI_PROCESSES": "3"})
    assert collected.options == (
        RawOption("processes", "3", "environment UWSGI_PROCESSES"),
        RawOption("threads", "2", "a.ini:3", "a.ini", 3),
        RawOption("master", "1", "a.ini:4", "a.ini", 4),
        RawOption("vacuum", "true", "b.ini:2", "b.ini", 2),
        RawOption("<application>", "app:web", "command line"),
    )
    assert collected.files == ("a.ini", "b.ini")
    assert [raw.key for raw in collected.lines] == [
        *("processes", "ini", "threads", "set", "master", "inherit", "vacuum"),
    ]


def test_penstocks_variables_come_after_uwsgis() -> None:
    collected = collect([], {"PENSTOCK_THREADS": "1", "UWSGI_THREADS": "2", "PENSTOCK_HEAD_TIMEOUT": "3s"})
    assert [pair(raw) for raw in collected.options] == ["threads=2", "threads=1", "head-timeout=3s"]


def test_platforms_variables_come_first_and_are_not_listed() -> None:
    environ = {"PORT": "80", "FORWARDED_ALLOW_IPS": "*", "WEB_CONCURRENCY": "4", "UWSGI_VACUUM": "1"}
    collected = collect(["--threads", "2"], environ)
    assert [pair(raw) for raw in collected.options] == [
        *("<port>=80", "trusted-proxies=*", "processes=4", "vacuum=1", "threads=2"),
    ]
    assert "PORT" not in collected.shown and "80" not in collected.shown


@pytest.mark.parametrize("words", [["--workers", "2"], ["-p2"], ["--set", "processes=2"], ["a.ini"]])
def test_a_number_of_workers_gives_way_wherever_one_is_named(folder: Path, words: list[str]) -> None:
    (folder / "a.ini").write_text("[uwsgi]\nprocesses = 2\n")
    options = collect(words, {"WEB_CONCURRENCY": "4"}).options
    assert [raw.value for raw in options if raw.key in ("processes", "workers")] == ["2"]


def test_findings_have_their_place(folder: Path) -> None:
    (folder / "a.ini").write_text("[uwsgi]\ninclude = none.ini\nset = x\n")
    (folder / "b.json").write_text('{"uwsgi": {\n,}}')
    found = collect(["a.ini", "--include", "b.json", "gone.ini"], {}).findings
    assert [(one.file, one.line, one.origin, one.option, one.value) for one in found] == [
        ("b.json", 2, "b.json:2", "", None),
        ("a.ini", 2, "a.ini:2", "include", "none.ini"),
        ("a.ini", 3, "a.ini:3", "set", "x"),
        ("", 0, "command line", "", None),
    ]
    assert found[1].text == "a.ini:2: include = none.ini: No such file or directory"
    assert found[3].text == "command line: gone.ini: No such file or directory"


def test_strict_spares_what_a_cluster_sets() -> None:
    environ = {
        "PENSTOCK_PORT_80_TCP": "tcp://10.0.0.1:80",
        "PENSTOCK_SERVICE_HOST": "10.0.0.1",
        "UWSGI_X": "1",
    }
    found = collect(["--strict"], environ).findings
    assert [one.option for one in found if one.level == "error"] == ["x"]


def test_what_is_declared_strict_words_and_shows_is_told_to_the_settings() -> None:
    collected = collect(["--strict", "--show-config", "--set-ph", "a=1", "--plugin", "x"], {})
    assert [raw.key for raw in collected.options] == ["strict", "show-config", "plugin"]
    assert collected.findings == []


def test_nothing_gives_nothing() -> None:
    collected = collect([], {})
    assert (collected.options, collected.findings, collected.lines) == ((), [], ())
    assert collected.shown == ";uWSGI instance configuration\n[uwsgi]\n;end of configuration\n"


def test_what_is_shown_is_read_again(folder: Path) -> None:
    words = ["--threads", "2", "--master", "--env", "A=b=c", "app.py:web"]
    shown = collect(words, {}).shown
    (folder / "again.ini").write_text(shown)
    again = collect(["again.ini"], {})
    assert again.shown == shown and again.findings == []


def test_findings_can_be_added_to() -> None:
    collected = collect(["--vaccum"], {})
    collected.findings.append(Finding("warning", "conflict", "more"))
    assert len(collected.findings) == 2


def test_ini_needs_no_parser_of_others(folder: Path) -> None:
    (folder / "a.ini").write_text("[uwsgi]\nthreads = 2\nhttp-socket = :%(threads)\nchdir = %d\n")
    before = set(sys.modules)
    assert not collect(["a.ini"], {}).findings
    assert not {"yaml", "defusedxml", "xml", "tomllib", "difflib"} & (set(sys.modules) - before)


def test_the_value_of_a_variable_that_is_no_option_is_not_told() -> None:
    (finding,) = collect(["--strict"], {"UWSGI_API_PASSWORD": "hunter2"}).findings
    assert finding.option == "api-password"
    assert "hunter2" not in repr(finding)
