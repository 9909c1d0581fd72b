"""A configuration looked at as a whole."""

from pathlib import Path

import pytest

from penstock.config.judge import judge, surroundings, words_for


def test_everything_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "app.ini"
    path.write_text("[uwsgi]\nmodule = app\nchdir = no/such\nthreads = many\nvaccum = 1\ngevent = 10\n")
    judged = judge(words_for(str(path)), {}, str(path))
    assert judged.settings is None
    assert [(finding.line, finding.level, finding.kind) for finding in judged.findings] == [
        (0, "error", "missing-option"),
        (3, "error", "missing-path"),
        (4, "error", "bad-value"),
        (5, "warning", "unknown-option"),
        (6, "warning", "unsupported"),
    ]
    assert {finding.file for finding in judged.findings} == {str(path)}


def test_what_may_start_has_settings(tmp_path: Path) -> None:
    path = tmp_path / "app.conf"
    path.write_text("[uwsgi]\nmodule = app\nhttp-socket = :8000\n")
    judged = judge(words_for(str(path)), {})
    assert judged.findings == ()
    assert judged.settings is not None and judged.settings.module == "app"


def test_the_environment_is_the_process_own_unless_named() -> None:
    assert "PATH" in surroundings()
    judged = judge(["-w", "app"], {"UWSGI_HTTP_SOCKET": ":1"})
    assert judged.settings is not None
    assert [spec.address for spec in judged.settings.listeners] == [":1"]


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("a.ini", ["a.ini"]),
        ("a.YAML:x", ["a.YAML:x"]),
        ("a.conf", ["--ini", "a.conf"]),
        ("a.conf:x", ["--ini", "a.conf:x"]),
        ("-", ["--ini", "-"]),
        ("http://h/a.ini", ["--ini", "http://h/a.ini"]),
        ("dir:x/a", ["--ini", "dir:x/a"]),
    ],
)
def test_the_words_that_read_a_file(file: str, words: list[str]) -> None:
    assert words_for(file) == words


def test_what_could_not_be_read_is_not_also_missing(tmp_path: Path) -> None:
    path = tmp_path / "app.ini"
    path.write_text("[uwsgi]\nini = no-such.ini\n")
    (finding,) = judge(words_for(str(path)), {}, str(path)).findings
    assert (finding.kind, finding.line) == ("missing-path", 2)


def test_what_is_not_acted_on_is_named_where_it_leaves_no_application(tmp_path: Path) -> None:
    path = tmp_path / "app.ini"
    path.write_text("[uwsgi]\nfastrouter = :3031\n")
    errors = [finding for finding in judge(words_for(str(path)), {}).findings if finding.level == "error"]
    assert [error.message.partition(" is not acted on: ")[0] for error in errors] == [
        "no application: fastrouter",
        "no socket: fastrouter",
    ]
