"""The verbs: which there are, and how their words are understood."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import penstock
from penstock.cli.verbs import USAGE, VERBS, run
from penstock.cli.words import Asked, Misused, sorted_out
from penstock.config.completion import VERBS as COMPLETED
from tests.e2e.surroundings import environment

KNOWN = {"--strict": "", "--format": "text json", "-o": "*", "--": ""}


def test_no_verb_is_somebody_elses_word() -> None:
    assert run(["app:application"]) is None
    assert run(["--http", ":8000"]) is None
    assert run([]) is None


def test_every_verb_has_its_usage_and_its_completion() -> None:
    assert set(VERBS) == set(USAGE) == set(COMPLETED)


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_help(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([verb, "--help"]) == 0
    assert capsys.readouterr().out == f"usage: {USAGE[verb]}\n"


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ([], Asked((), {}, None)),
        (["a", "--strict", "b"], Asked(("a", "b"), {"--strict": ""}, None)),
        (["--format", "json", "-"], Asked(("-",), {"--format": "json"}, None)),
        (["--format=json"], Asked((), {"--format": "json"}, None)),
        (["-o", "-x"], Asked((), {"-o": "-x"}, None)),
        (["a", "--", "--strict", "--"], Asked(("a",), {}, ("--strict", "--"))),
    ],
)
def test_words_are_sorted(words: list[str], asked: Asked) -> None:
    assert sorted_out(words, KNOWN) == asked


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--frob"], "unknown option --frob (a command line of options goes behind --)"),
        (["--format"], "--format needs a value"),
        (["--format", "csv"], "--format: text, json is expected"),
        (["--strict=no"], "--strict: no value is expected"),
    ],
)
def test_words_that_are_not_understood(words: list[str], said: str) -> None:
    with pytest.raises(Misused) as error:
        sorted_out(words, KNOWN)
    assert str(error.value) == said


@pytest.mark.parametrize(
    "words",
    [
        ["check"],
        ["check", "a.ini", "--", "-w", "app"],
        ["explain", "--"],
        ["migrate"],
        ["migrate", "a.ini", "b.ini"],
        ["migrate", "gunicorn.conf.py", "--format", "xml"],
        ["migrate", "--"],
        ["options", "a", "b"],
        ["schema", "x"],
        ["man", "x"],
        ["completion"],
        ["completion", "csh"],
    ],
)
def test_misuse_is_status_2_with_the_usage(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    first, second = err.splitlines()
    assert first.startswith(f"penstock {words[0]}: ")
    assert second == f"usage: {USAGE[words[0]]}"


# ---- The reference ------------------------------------------------------------------------------------


def test_options_by_name_by_word_and_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["options", "vacuum"]) == 0
    assert capsys.readouterr().out.startswith("--vacuum\n    Remove UNIX sockets")
    assert run(["options", "static"]) == 0
    assert "static-map" in capsys.readouterr().out
    assert run(["options", "zzyzx"]) == 1
    out, err = capsys.readouterr()
    assert (out, err) == ("", "penstock options: nothing is called zzyzx\n")


def test_options_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["options", "--format", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    names = {name for row in rows for name in (row["name"], *row["aliases"])}
    assert len(names) >= 1335
    assert {row["state"] for row in rows} == {"acted-on", "harmless", "unsupported"}


def test_schema_completion_and_man(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema"]) == 0
    assert "uwsgi" in json.loads(capsys.readouterr().out)["properties"]
    for shell in ("bash", "zsh", "fish"):
        assert run(["completion", shell]) == 0
        assert "penstock" in capsys.readouterr().out
    assert run(["man"]) == 0
    assert f"penstock {penstock.__version__}" in capsys.readouterr().out


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    script = "import sys; from penstock.cli.verbs import run; sys.exit(run(['options']))"
    process = subprocess.Popen(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment(),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout and process.stderr
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(30) == 0
