"""The command line as raw options."""

import pytest

from penstock.config.raw import RawOption
from penstock.config.sources.argv import ORIGIN, read_argv
from penstock.core.errors import ConfigError


def pairs(*words: str) -> list[tuple[str, str | None]]:
    """Keys and values; the origin is the same for all."""
    raws = read_argv(words)
    assert all(raw.origin == ORIGIN for raw in raws)
    return [(raw.key, raw.value) for raw in raws]


def test_options_stay_in_their_order() -> None:
    words = ("--threads", "4", "app:web", "--bind=:1", "--vacuum", "--bind", ":2")
    assert read_argv(words) == [
        RawOption("threads", "4", "command line"),
        RawOption("<application>", "app:web", "command line"),
        RawOption("bind", ":1", "command line"),
        RawOption("vacuum", None, "command line"),
        RawOption("bind", ":2", "command line"),
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
        (["--file", "app.py"], [("wsgi-file", "app.py")]),
        (["--workers", "3"], [("processes", "3")]),
        (["--wsgi-env-b", "cheat"], [("wsgi-env-behaviour", "cheat")]),
        (["--http-sock", ":1"], [("http-socket", ":1")]),
        (["--vacuum"], [("vacuum", None)]),
        (["--vacuum=false"], [("vacuum", "false")]),
        (["--vacuum", "app"], [("vacuum", None), ("<application>", "app")]),
        (["--chmod-socket", "660"], [("chmod-socket", None), ("<application>", "660")]),
        (["--chmod-socket=660"], [("chmod-socket", "660")]),
        (["-C660"], [("chmod-socket", "660")]),
        (["-s", ":1"], [("socket", ":1")]),
        (["-s:1"], [("socket", ":1")]),
        (["-s=:1"], [("socket", ":1")]),
        (["-M"], [("master", None)]),
        (["-MLT"], [("master", None), ("disable-logging", None), ("enable-threads", None)]),
        (["-MLp4"], [("master", None), ("disable-logging", None), ("processes", "4")]),
        (["-Mp", "4", "x"], [("master", None), ("processes", "4"), ("<application>", "x")]),
        (["-w", "app", "-H/srv/venv"], [("module", "app"), ("virtualenv", "/srv/venv")]),
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
        (["--thread=4"], ""),
        (["--http-scoket", ":1"], "command line: unknown option --http-scoket; did you mean --http-socket?"),
        (["--Threads", "4"], "command line: unknown option --Threads; did you mean --threads?"),
        (
            ["--head", "1"],
            "command line: --head may be --head-timeout, --header-bytes, --header-count",
        ),
        (["--he", "1"], "command line: unknown option --he"),
        (["-Z"], "command line: unknown option -Z"),
        (["-MZ"], "command line: unknown option -Z"),
        (["-M=true"], "command line: unknown option -="),
        (["--bind"], "command line: --bind needs a value: ADDRESS"),
        (["--forwarded-allow-ips"], "command line: --trusted-proxies needs a value: PEERS"),
        (["-s"], "command line: --socket needs a value: ADDRESS"),
        (["-Ml"], "command line: --listen needs a value: N"),
        (["app.ini"], "command line: app.ini: configuration files are not part of this version"),
        (["app.YAML"], "command line: app.YAML: configuration files are not part of this version"),
        (["--", "x.ini:section"], "command line: x.ini:section: configuration files are not part of"),
    ],
)
def test_what_cannot_be_read_names_the_word_and_where_it_stood(words: list[str], said: str) -> None:
    if not said:
        assert pairs(*words) == [("threads", "4")], "a beginning that only one option has"
        return
    with pytest.raises(ConfigError) as caught:
        read_argv(words)
    assert str(caught.value).startswith(said)
    assert caught.value.origin == ORIGIN


@pytest.mark.parametrize("ending", ["ini", "xml", "yaml", "yml", "json", "js", "toml"])
def test_a_configuration_file_is_not_taken_for_an_application(ending: str) -> None:
    with pytest.raises(ConfigError, match="configuration files"):
        read_argv([f"uwsgi.{ending}"])
