"""The command line as raw options."""

import pytest

from penstock.config.finding import Finding
from penstock.config.raw import RawOption
from penstock.config.sources.argv import ORIGIN, walk
from penstock.core.errors import ConfigError
from tests.config.parse import read_argv


def pairs(*words: str) -> list[tuple[str, str | None]]:
    """Keys and values; the origin is the same for all."""
    raws = read_argv(words)
    assert all(raw.origin == ORIGIN for raw in raws)
    return [(raw.key, raw.value) for raw in raws]


def test_options_stay_in_their_order_and_what_is_none_comes_behind_them() -> None:
    words = ("--threads", "4", "app:web", "--bind=:1", "--vacuum", "--bind", ":2")
    assert read_argv(words) == [
        RawOption("threads", "4", "command line"),
        RawOption("bind", ":1", "command line"),
        RawOption("vacuum", None, "command line"),
        RawOption("bind", ":2", "command line"),
        RawOption("<application>", "app:web", "command line"),
    ]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], []),
        (["--bind", ":1"], [("bind", ":1")]),
        (["--bind=:1"], [("bind", ":1")]),
        (["--bind="], [("bind", "")]),
        (["--env=A=b=c"], [("env", "A=b=c")]),
        (["--env", "--bind"], [("env", "--bind")]),
        (["--file", "app.py"], [("file", "app.py")]),
        (["--workers", "3"], [("workers", "3")]),
        (["--wsgi-env-b", "cheat"], [("wsgi-env-behaviour", "cheat")]),
        (["--uwsgi-sock", ":1"], [("uwsgi-socket", ":1")]),
        (["--proces=4"], [("processes", "4")]),
        (["--vacuum"], [("vacuum", None)]),
        (["--vacuum=false"], [("vacuum", "false")]),
        (["--vacuum", "app"], [("vacuum", None), ("<application>", "app")]),
        (["--chmod-socket", "app"], [("chmod-socket", None), ("<application>", "app")]),
        (["--chmod-socket=660"], [("chmod-socket", "660")]),
        (["-C660"], [("chmod-socket", "660")]),
        (["-s", ":1"], [("socket", ":1")]),
        (["-s:1"], [("socket", ":1")]),
        (["-s=:1"], [("socket", ":1")]),
        (["-M"], [("master", None)]),
        (["-MLT"], [("master", None), ("disable-logging", None), ("enable-threads", None)]),
        (["-MLp4"], [("master", None), ("disable-logging", None), ("processes", "4")]),
        (["-Mp", "4", "x"], [("master", None), ("processes", "4"), ("<application>", "x")]),
        (["-w", "app", "-H/srv/venv"], [("module", "app"), ("home", "/srv/venv")]),
        (["--", "--bind"], [("<application>", "--bind")]),
        (["--vacuum", "--", "app"], [("vacuum", None), ("<application>", "app")]),
        (["pkg.mod:app"], [("<application>", "pkg.mod:app")]),
        (["app.py:web"], [("<application>", "app.py:web")]),
    ],
)
def test_words(words: list[str], expected: list[tuple[str, str | None]]) -> None:
    assert pairs(*words) == expected


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--frobnicate"], "command line: unknown option --frobnicate"),
        (["--frobnicate=3"], "command line: unknown option --frobnicate"),
        (["--vaccum"], "command line: unknown option --vaccum; did you mean --vacuum?"),
        (["--http-scoket", ":1"], "command line: unknown option --http-scoket; did you mean --http-socket?"),
        (["--Threads", "4"], "command line: unknown option --Threads; did you mean --threads?"),
        (
            ["--head", "1"],
            "command line: --head may be --head-timeout, --header-bytes, --header-count",
        ),
        (["--he", "1"], "command line: --he may be --heartbeat, --help"),
        (["--bi", "1"], "command line: --bi may be --binary-append-data, --binary-path"),
        (["-Z"], "command line: unknown option -Z"),
        (["-MZ"], "command line: unknown option -Z"),
        (["-M=true"], "command line: unknown option -="),
        (["--bind"], "command line: --bind needs a value: ADDRESS"),
        (["--forwarded-allow-ips"], "command line: --forwarded-allow-ips needs a value: PEERS"),
        (["-s"], "command line: --socket needs a value: ADDRESS"),
        (["-Ml"], "command line: --listen needs a value: N"),
        (["-"], "command line: -: name its format, with --ini, "),
        (["http://x.invalid/conf"], "command line: http://x.invalid/conf: name its format, with --ini, "),
    ],
)
def test_what_cannot_be_read_names_the_word_and_where_it_stood(words: list[str], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_argv(words)
    assert str(caught.value).startswith(said)
    assert caught.value.origin == ORIGIN


@pytest.mark.parametrize("ending", ["ini", "xml", "yaml", "yml", "json", "js", "toml", "INI"])
def test_a_configuration_file_is_not_taken_for_an_application(ending: str) -> None:
    for word in (f"uwsgi.{ending}", f"./a/uwsgi.{ending}:production", f"http://h:80/u.{ending}"):
        assert pairs(word) == [("<file>", word)]
    assert pairs(f"{ending}.mod:app") == [("<application>", f"{ending}.mod:app")]


def test_words_are_walked_one_by_one_so_that_one_can_declare_the_next() -> None:
    declared: dict[str, str] = {}
    found = walk(["--threads", "2", "--mine", "3", "--flag", "app"], declared)
    assert next(found) == RawOption("threads", "2", ORIGIN)
    declared |= {"mine": "required", "flag": "none", "threads": "none"}
    assert list(found) == [
        RawOption("mine", "3", ORIGIN),
        RawOption("flag", None, ORIGIN),
        RawOption("<application>", "app", ORIGIN),
    ]


def test_a_finding_stands_where_its_word_stood_and_the_others_are_read() -> None:
    found = list(walk(["--vacuum", "--vaccum", "-Z", "--threads", "2", "--bind"]))
    kinds = [one.kind if isinstance(one, Finding) else one.key for one in found]
    assert kinds == ["vacuum", "unknown-option", "unknown-option", "threads", "syntax"]


def test_a_name_of_uwsgi_is_what_a_word_in_brackets_is() -> None:
    assert pairs("[uwsgi]", "--master") == [("master", None)]


@pytest.mark.parametrize(
    ("words", "left"),
    [
        (["--thredas", "8", "app:web"], ["app:web"]),
        (["--htpp", ":8000", "app:web"], ["app:web"]),
        (["--frobnicate", "app:web"], ["app:web"]),
        (["--thredas=8", "8"], [None]),  # a finding of its own
    ],
)
def test_what_can_only_be_an_unknown_options_value_is_nothing_else(
    words: list[str], left: list[str | None]
) -> None:
    first, *rest = walk(words)
    assert isinstance(first, Finding)
    assert [found.value for found in rest] == left


def test_a_number_alone_is_no_application() -> None:
    (option, finding) = walk(["--chmod-socket", "660"])
    assert isinstance(option, RawOption) and option.value is None
    assert isinstance(finding, Finding) and finding.level == "error"
    assert finding.message.startswith("660 stands alone; ")
