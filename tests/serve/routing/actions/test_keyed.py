"""Arguments in pairs, and the paths in them."""

from pathlib import Path

import pytest

from penstock.serve.routing.actions.keyed import keyed, number_of
from penstock.serve.routing.actions.places import absolute, folder_of, place_of, stays
from penstock.serve.routing.tools import Tools
from penstock.serve.routing.turn import Turn
from tests.serve.routing.ground import Ground

KEYS = {"a": "a", "alias": "a", "b": "b"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {}),
        ("a=1,b=2", {"a": "1", "b": "2"}),
        ("alias=1", {"a": "1"}),
        ("a=1,alias=2", {"a": "2"}),
        ("a=", {"a": ""}),
        ("a=x=y", {"a": "x=y"}),
        (r"a=x\,y,b=\\", {"a": "x,y", "b": "\\"}),
    ],
)
def test_pairs(text: str, found: dict[str, str]) -> None:
    said: list[str] = []
    assert keyed(text, KEYS, Tools(warn=lambda key, line: said.append(line))) == found
    assert said == []


@pytest.mark.parametrize(("text", "item"), [("a=1,c=2", "c=2"), ("b", "b"), ("/x", "/x")])
def test_what_nothing_is_done_with_is_said(text: str, item: str) -> None:
    said: list[str] = []
    keyed(text, KEYS, Tools(warn=lambda key, line: said.append(line)))
    assert said == [f"{text!r}: nothing is done with {item!r}; the keys are a, b, each with ="]


@pytest.mark.parametrize(
    ("text", "number"),
    [("12", 12), ("-3x", -3), ("+4", 4), (" 5", 5), ("", 0), ("x", 0), ("9" * 30, int("9" * 18))],
)
def test_numbers_as_c_reads_them(text: str, number: int) -> None:
    assert number_of(text) == number


@pytest.mark.parametrize(
    ("text", "folder"),
    [("/a/b/$1", "/a/b/"), ("/a/b-$1", "/a/"), ("/a/b", ""), ("$1", ""), ("/$1", "/"), ("/a/${X}/b", "/a/")],
)
def test_the_folder_before_a_request(text: str, folder: str) -> None:
    assert folder_of(text) == folder


@pytest.mark.parametrize(
    ("path", "down"),
    [("a/b", True), ("a/../b", False), ("..", False), ("a..b", True), ("a\0", False), ("", True)],
)
def test_what_leads_down(path: str, down: bool) -> None:
    assert stays(path) is down


def test_paths_from_the_top(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert absolute("a/b") == f"{tmp_path}/a/b"
    assert absolute("/a") == "/a"
    assert absolute("${X}/a") == "${X}/a"


def test_the_operator_may_go_up_and_the_client_not() -> None:
    ground = Ground("route-run = log:x").walk("/../x")
    turn = Turn(ground.call, ground.environ)
    assert place_of("/a/../b", Tools())(turn) == "/a/../b"
    assert place_of("/a/../b/${REQUEST_METHOD}", Tools())(turn) == "/a/../b/GET"
    assert place_of("/a${PATH_INFO}", Tools())(turn) is None
