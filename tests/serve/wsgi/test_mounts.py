"""Several applications: whose request it is, and what it is told of its place, as uWSGI 2.0.31 has it."""

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.core.errors import StartError
from penstock.serve.wsgi.loader import Source, load, mount_source
from penstock.serve.wsgi.mounts import NOWHERE, OWN_PAGE, PREPARED, Mounts, assemble


def named(name: str) -> Callable[[dict[str, Any], Any], Iterable[bytes]]:
    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [f"{name} {environ['SCRIPT_NAME']}|{environ['PATH_INFO']}".encode()]

    return application


MAIN, FOO, BAR = named("main"), named("foo"), named("bar")
BOTH = [("/foo", FOO), ("/foo/bar", BAR)]


def under(main: Any, mounted: list[tuple[str, Any]], manage: bool, default: bool, vhost: bool = False) -> Any:
    """One application out of the main one and those that are mounted."""
    points: dict[str, Any] = {} if main is None else {"": main}
    for point, application in mounted:
        points.setdefault(point, application)
    return assemble(points, manage, default, vhost)


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
    assert ask(under(MAIN, BOTH, manage=True, default=True), path) == answer


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
    assert ask(under(MAIN, points, manage=True, default=True), path) == answer


def test_without_it_the_front_servers_script_name_decides() -> None:
    application = under(MAIN, BOTH, manage=False, default=True)
    assert ask(application, "/foo/x") == "main |/foo/x"
    assert ask(application, "/x", "/foo") == "foo /foo|/x"
    assert ask(application, "/x", "/other") == "main /other|/x"


def test_the_first_one_on_a_path_answers_for_all_unless_that_is_forbidden() -> None:
    assert ask(under(None, [("/foo", FOO)], manage=True, default=True), "/x") == "foo |/x"
    assert ask(under(None, [("/foo", FOO)], manage=True, default=True), "/foo/x") == "foo /foo|/x"
    alone = under(None, [("/foo", FOO), ("/", MAIN)], manage=True, default=False)
    assert ask(alone, "/foo/x") == "foo /foo|/x"
    assert ask(alone, "/x") == "404 Not Found"
    assert NOWHERE.startswith(b"404")
    assert ask(under(None, [("foo", FOO)], manage=True, default=True), "/x") == "404 Not Found"


def test_one_at_the_root_is_called_straight() -> None:
    assert under(None, [("/", MAIN)], manage=True, default=True) is MAIN
    assert under(MAIN, [], manage=False, default=True) is MAIN


def asked(application: Any, **environ: str) -> dict[str, Any]:
    """The environ after a request, with who answered it."""
    environ.setdefault("SCRIPT_NAME", "")
    found: dict[str, Any] = dict(environ)
    found["body"] = b"".join(application(found, lambda status, headers: None)).decode()
    return found


def test_the_path_is_split_once_though_it_is_asked_for_twice() -> None:
    """Files and rules look at the path first, and may change it afterwards."""
    application = under(MAIN, BOTH, manage=True, default=True)
    assert isinstance(application, Mounts)
    environ: dict[str, Any] = {"SCRIPT_NAME": "", "PATH_INFO": "/foo/foo/x"}
    application.prepare(environ)
    assert (environ["SCRIPT_NAME"], environ["PATH_INFO"], environ[PREPARED]) == ("/foo", "/foo/x", "/foo")
    assert asked(application, **environ)["body"] == "foo /foo|/foo/x"
    rewritten = {**environ, "PATH_INFO": "/foo/bar/y"}
    assert asked(application, **rewritten)["body"] == "foo /foo|/foo/bar/y", "whose request it is stays"
    renamed = {**environ, "SCRIPT_NAME": "/foo/bar"}  # the action setscriptname
    assert asked(application, **renamed)["body"] == "bar /foo/bar|/foo/x"
    nowhere: dict[str, Any] = {"PATH_INFO": "/other"}
    application.prepare(nowhere)
    assert asked(application, **nowhere)["body"] == "main |/other"


def test_what_is_at_a_slash_s_end_is_found_again_by_its_script_name() -> None:
    assert ask(under(MAIN, [("/foo/", FOO)], manage=True, default=True), "/foo/x") == "foo /foo|/x"
    assert ask(under(MAIN, [("/foo/", FOO)], manage=False, default=True), "/x", "/foo") == "main /foo|/x"


@pytest.mark.parametrize(
    ("named", "answer"),
    [
        ("/foo", "foo |/x"),
        ("name", "bar |/x"),
        ("nothing", "main |/x"),
        ("", "main |/x"),
        ("/foo/", "main |/x"),
    ],
)
def test_uwsgi_appid_names_an_application(named: str, answer: str) -> None:
    for manage in (True, False):
        application = under(MAIN, [("/foo", FOO), ("name", BAR)], manage=manage, default=True)
        assert asked(application, UWSGI_APPID=named, PATH_INFO="/x")["body"] == answer


def test_nobody_stands_in_for_a_name_where_no_default_is_wanted() -> None:
    found = asked(under(None, [("/foo", FOO)], manage=False, default=False), UWSGI_APPID="x", PATH_INFO="/")
    assert found["body"].encode() == NOWHERE and found[OWN_PAGE] is True


HOSTS = [("x.example|", FOO), ("x.example|/p", BAR), ("/p", named("p")), ("y.example/q", named("q"))]


@pytest.mark.parametrize(
    ("host", "path", "answer"),
    [
        ("x.example", "/1", "foo |/1"),
        ("x.example", "/p/1", "bar /p|/1"),
        ("y.example", "/p/1", "p /p|/1"),
        ("y.example", "/q/1", "q /q|/1"),
        ("y.example", "/1", "main |/1"),
        ("z.example", "/q/1", "main |/q/1"),
        ("z.example", "/p/1", "p /p|/1"),
        ("x.example:8080", "/1", "foo |/1"),
        ("X.Example", "/p", "bar /p|"),
        ("", "/1", "main |/1"),
    ],
)
def test_hosts_have_applications_of_their_own(host: str, path: str, answer: str) -> None:
    application = under(MAIN, HOSTS, manage=True, default=True, vhost=True)
    found = asked(application, HTTP_HOST=host, SERVER_NAME="own", PATH_INFO=path)
    assert found["body"] == answer
    assert found["UWSGI_APPID"] == f"{host or 'own'}|{found['SCRIPT_NAME']}", "as uWSGI leaves it"
    assert asked(application, SERVER_NAME=host, PATH_INFO=path)["body"] == answer, "HTTP/1.0 has no Host"


def test_hosts_by_the_front_server_s_script_name() -> None:
    application = under(MAIN, HOSTS, manage=False, default=True, vhost=True)
    for host, script, answer in (
        ("x.example", "", "foo |/1"), ("x.example", "/p", "bar /p|/1"), ("y.example", "/p", "p /p|/1"),
        ("y.example", "/q", "q /q|/1"), ("x.example", "/q", "main /q|/1"),
    ):  # fmt: skip
        assert asked(application, HTTP_HOST=host, SCRIPT_NAME=script, PATH_INFO="/1")["body"] == answer


def test_a_port_may_be_named_and_an_address_has_colons() -> None:
    points = [("h:81|", FOO), ("[::1]|", BAR), ("h", named("h"))]
    application = under(MAIN, points, manage=False, default=True, vhost=True)
    for host, answer in (
        ("h:81", "foo"),
        ("h:80", "h"),
        ("[::1]:80", "bar"),
        ("[::1]", "bar"),
        ("::1", "main"),
    ):
        assert asked(application, HTTP_HOST=host, PATH_INFO="")["body"] == f"{answer} |"


@pytest.mark.parametrize("manage", [True, False])
@pytest.mark.parametrize("point", ["x.example|/", "x.example/", "x.example|", "x.example"])
def test_all_of_a_host_s_is_written_with_a_slash_or_without(point: str, manage: bool) -> None:
    application = under(MAIN, [(point, FOO)], manage, default=True, vhost=True)
    assert asked(application, HTTP_HOST="x.example", PATH_INFO="/p")["body"] == "foo |/p"
    assert asked(application, HTTP_HOST="y.example", PATH_INFO="/p")["body"] == "main |/p"


def test_without_vhost_a_host_is_part_of_a_name() -> None:
    application = under(MAIN, [("x.example/p", FOO)], manage=True, default=True)
    assert asked(application, HTTP_HOST="x.example", PATH_INFO="/p")["body"] == "main |/p"
    assert asked(application, UWSGI_APPID="x.example/p", PATH_INFO="/p")["body"] == "foo |/p"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/=shop.wsgi:app", ("/", Source(module="shop.wsgi:app", callable="web"))),
        ("/shop=shop.py", ("/shop", Source(file="shop.py", callable="web"))),
        ("/shop=django.wsgi", ("/shop", Source(file="django.wsgi", callable="web"))),
        ("/shop=shop", ("/shop", Source(module="shop", callable="web"))),
        ("/shop = shop:make(x=1)", ("/shop", Source(module="shop:make(x=1)", callable="web"))),
    ],
)
def test_what_is_mounted(text: str, expected: tuple[str, Source]) -> None:
    assert mount_source(text, "web") == expected


@pytest.mark.parametrize("name", ["wsgi.py", "app.py", "application.py", "main.py"])
def test_a_folder_is_mounted_by_its_file_and_imports_from_there(
    tmp_path: Path, name: str, fresh_path: None
) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    point, source = mount_source(f"/shop={folder}")
    assert (point, source) == ("/shop", Source(folder=str(folder)))
    with pytest.raises(StartError, match=r"folder .*shop: there is no wsgi.py, app.py"):
        load(source)
    unique = f"beside_{name[:-3]}"
    (folder / f"{unique}.py").write_text("WORD = b'beside'\n")
    (folder / name).write_text(f"import {unique}\ndef app(environ, start):\n    return [{unique}.WORD]\n")
    assert list(load(source)({}, lambda *words: lambda data: None)) == [b"beside"]


@pytest.fixture
def fresh_path() -> Iterator[None]:
    before = list(sys.path)
    yield
    sys.path[:] = before


@pytest.mark.parametrize("text", ["/shop", "/shop=", ""])
def test_a_mount_that_is_none(text: str) -> None:
    with pytest.raises(StartError, match="PATH=APPLICATION is expected"):
        mount_source(text)


def test_code_makes_an_application(tmp_path: Path) -> None:
    application = load(Source(code="def make():\n    return lambda e, s: [b'made']\napplication = make()"))
    assert list(application({}, lambda *words: lambda data: None)) == [b"made"]
    with pytest.raises(StartError, match="eval: running it raised ZeroDivisionError"):
        load(Source(code="1 / 0"))
    with pytest.raises(StartError, match="eval: there is no application or app in it"):
        load(Source(code="x = 1"))
