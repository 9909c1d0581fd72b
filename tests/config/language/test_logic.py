"""Blocks, where the data of the rules says nothing: what is odd, and what goes wrong."""

import os
import socket
from pathlib import Path

import pytest

from penstock.config.language.limits import MOST_OPTIONS
from penstock.config.language.logic import LONGEST_FILE, Block, Fault, World

WORLD = World({"HERE": "v"}, {"threads": "2"}.get)


def values(word: str, argument: str, value: str | None = "%(_)") -> list[str | None]:
    return list(Block(word, argument).values(value, WORLD))


@pytest.mark.parametrize(
    ("word", "argument", "expected"),
    [
        ("if-env", "", []),
        ("if-env", "=v", []),
        ("if-not-env", "", ["%(_)"]),
        ("if-opt", "threads=", []),
        ("if-opt", "threads", ["2"]),
        ("if-exists", "", []),
        ("if-exists", "a\0b", []),
        ("if-file", "a\0b", []),
        ("if-not-dir", "/none/such", ["/none/such"]),
        ("if-dir", "/", ["/"]),
        ("if-hostname-match", f"^{socket.gethostname()[:2]}", [f"^{socket.gethostname()[:2]}"]),
        ("if-not-hostname-match", "^$", ["^$"]),
        ("if-plugin", "python3", ["python3"]),
        ("if-plugin", "perl", []),
        ("if-reload", "", []),
        ("if-not-reload", "", ["%(_)"]),
        ("for", "", []),
        ("for", " a\tb  c ", ["a\tb", "c"]),
        ("for-times", "-3", []),
        ("for-times", "2 times", ["1", "2"]),
        ("for-times", "many", []),
    ],
)
def test_what_an_option_becomes(word: str, argument: str, expected: list[str]) -> None:
    assert values(word, argument) == expected


def test_an_option_without_a_value_stays_without() -> None:
    assert values("for", "a b", None) == [None, None]
    assert values("if-env", "HERE", None) == [None]


def test_a_process_that_takes_over_is_a_reload() -> None:
    world = World({"UWSGI_RELOADS": "1"}, WORLD.first)
    assert list(Block("if-reload", "").values("x", world)) == ["x"]
    assert list(Block("if-not-reload", "").values("x", world)) == []


def test_paths_are_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("b", "a", ".hidden"):
        (tmp_path / name).touch()
    (tmp_path / "c").mkdir()
    monkeypatch.chdir(tmp_path)
    assert values("for-glob", "*") == ["a", "b", "c/"]
    assert values("for-glob", f"{tmp_path}/*/") == [f"{tmp_path}/c/"]
    assert values("for-glob", "none-*") == ["none-*"]


def test_lines_that_cannot_be_had(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    large = tmp_path / "large"
    large.write_bytes(b"x" * (LONGEST_FILE + 1))
    for path, said in (
        (pipe, "no plain file"), (tmp_path, "no plain file"), (large, "longer than 1 MB"),
        (tmp_path / "none", "No such file"),
    ):  # fmt: skip
        block = Block("for-readline", str(path))
        with pytest.raises(Fault, match=said):
            list(block.values("x", WORLD))
        assert list(block.values("x", WORLD)) == [], "it is told once"


def test_lines(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    for text, expected in ((b"", []), (b"\n", [""]), (b"a\n\xff", ["a", "\udcff"]), (b"a\n\n", ["a", ""])):
        path.write_bytes(text)
        assert values("for-readline", str(path)) == expected


def test_loops_have_an_end() -> None:
    assert len(values("for-times", "999999999999999999999", "x")) == MOST_OPTIONS + 1


def test_a_pattern_that_is_none() -> None:
    with pytest.raises(Fault, match="no regular expression"):
        values("if-hostname-match", "(")


def test_the_other_half() -> None:
    taken, passed = Block("if-env", "HERE"), Block("if-env", "NONE")
    for block, expected in ((taken, []), (passed, ["x"])):
        assert list(block.other(WORLD).values("x", WORLD)) == expected, "nothing stood before else"
    list(passed.values("x", WORLD))
    other = passed.other(WORLD)
    assert list(other.values("%(_)", WORLD)) == ["%(_)"]
    assert list(other.other(WORLD).values("x", WORLD)) == ["x"], "the condition is still the same one"
    assert list(Block("for", "a").other(WORLD).values("x", WORLD)) == []
