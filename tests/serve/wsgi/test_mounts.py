"""Several applications: whose request it is, and what it is told of its place, as uWSGI 2.0.31 has it."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from penstock.core.errors import StartError
from penstock.serve.wsgi.loader import Source, load, mount_source
from penstock.serve.wsgi.mounts import NOWHERE, Mounts, assemble


def named(name: str) -> Callable[[dict[str, Any], Any], Iterable[bytes]]:
    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [f"{name} {environ['SCRIPT_NAME']}|{environ['PATH_INFO']}".encode()]

    return application


MAIN, FOO, BAR = named("main"), named("foo"), named("bar")
BOTH = [("/foo", FOO), ("/foo/bar", BAR)]


def ask(application: Any, path: str, script: str = "") -> str:
    said: list[str] = []
    environ = {"SCRIPT_NAME": script, "PATH_INFO": path}
    body = b"".join(application(environ, lambda status, headers: said.append(status)))
    return body.decode() if said == ["200 OK"] else said[0]


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/", "main |/"),
        ("/x", "main |/x"),
        ("/foo", "foo /foo|"),
        ("/foo/", "foo /foo|/"),
        ("/foo/x", "foo /foo|/x"),
        ("/foobar", "main |/foobar"),
        ("/foo/bar/z", "bar /foo/bar|/z"),
    ],
)
def test_a_managed_script_name_is_split_off_on_the_border_of_a_segment(path: str, answer: str) -> None:
    assert ask(assemble(MAIN, BOTH, manage=True, default=True), path) == answer


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        *(
            ("/foo", "foo /foo|"),
            ("/foo/", "foo /foo|/"),
            ("/foo/x", "foo /foo|/x"),
            ("/foo//x", "foo /foo|//x"),
        ),
        *(("/foobar", "main |/foobar"), ("//foo/x", "main |//foo/x"), ("", "main |")),
    ],
)
def test_a_slash_at_the_end_of_a_mount_point_is_no_part_of_it(path: str, answer: str) -> None:
    points = [("/foo/", FOO), ("/foo", BAR), ("/foo//", BAR)]
    assert ask(assemble(MAIN, points, manage=True, default=True), path) == answer


def test_without_it_the_front_servers_script_name_decides() -> None:
    application = assemble(MAIN, BOTH, manage=False, default=True)
    assert ask(application, "/foo/x") == "main |/foo/x"
    assert ask(application, "/x", "/foo") == "foo /foo|/x"
    assert ask(application, "/x", "/other") == "main /other|/x"


def test_the_first_one_on_a_path_answers_for_all_unless_that_is_forbidden() -> None:
    assert ask(assemble(None, [("/foo", FOO)], manage=True, default=True), "/x") == "foo |/x"
    assert ask(assemble(None, [("/foo", FOO)], manage=True, default=True), "/foo/x") == "foo /foo|/x"
    alone = assemble(None, [("/foo", FOO), ("/", MAIN)], manage=True, default=False)
    assert ask(alone, "/foo/x") == "foo /foo|/x"
    assert ask(alone, "/x") == "404 Not Found"
    assert NOWHERE.startswith(b"404")
    assert ask(assemble(None, [("foo", FOO)], manage=True, default=True), "/x") == "404 Not Found"


def test_one_at_the_root_is_called_straight() -> None:
    assert assemble(None, [("/", MAIN)], manage=True, default=True) is MAIN
    assert assemble(MAIN, [], manage=False, default=True) is MAIN
    assert assemble(None, [], manage=False, default=True) is None


def test_the_first_of_two_on_one_point_counts() -> None:
    found = assemble(MAIN, [("/foo", FOO), ("/foo", BAR)], manage=True, default=True)
    assert isinstance(found, Mounts)
    assert ask(found, "/foo") == "foo /foo|"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/=shop.wsgi:app", ("/", Source(module="shop.wsgi:app", callable="web"))),
        ("/shop=shop.py", ("/shop", Source(file="shop.py", callable="web"))),
        ("/shop=django.wsgi", ("/shop", Source(file="django.wsgi", callable="web"))),
        ("/shop=shop", ("/shop", Source(module="shop", callable="web"))),
    ],
)
def test_what_is_mounted(text: str, expected: tuple[str, Source]) -> None:
    assert mount_source(text, "web") == expected


@pytest.mark.parametrize("text", ["/shop", "/shop=", ""])
def test_a_mount_that_is_none(text: str) -> None:
    with pytest.raises(StartError, match="/path=application is expected"):
        mount_source(text)


def test_code_makes_an_application(tmp_path: Path) -> None:
    application = load(Source(code="def make():\n    return lambda e, s: [b'made']\napplication = make()"))
    assert list(application({}, lambda *words: lambda data: None)) == [b"made"]
    with pytest.raises(StartError, match="eval: running it raised ZeroDivisionError"):
        load(Source(code="1 / 0"))
    with pytest.raises(StartError, match="eval: there is no application or app in it"):
        load(Source(code="x = 1"))
