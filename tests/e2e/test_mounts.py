"""Several applications in one server: by path, by host, by name; and one of them that does not load."""

import subprocess
import sys
from pathlib import Path

import pytest

from penstock.codecs.uwsgi import encode_request
from tests.e2e.server import Client, Server, serving
from tests.e2e.surroundings import environment

APP = """
import {beside}
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    said = (environ["SCRIPT_NAME"], environ["PATH_INFO"], environ["REQUEST_URI"])
    return ["{name} {{}}|{{}} {{}}".format(*said).encode()]
"""


@pytest.fixture
def apps(tmp_path: Path) -> Path:
    for name in ("one", "two", "three"):
        (tmp_path / f"{name}.py").write_text(APP.format(name=name, beside="sys"))
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "wsgi.py").write_text(APP.format(name="shop", beside="only_in_shop"))
    (tmp_path / "shop" / "only_in_shop.py").write_text("")
    (tmp_path / "bad.py").write_text("1 / 0\n")
    return tmp_path


def asked(server: Server, *requests: tuple[str, str]) -> list[str]:
    """What is answered to paths of hosts, on one connection."""
    with server.client() as client:
        found = []
        for host, path in requests:
            client.send(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            found.append(client.reply().body.decode())
        return found


@pytest.mark.parametrize("more", [(), ("--master", "--processes=2")], ids=["single", "supervised"])
def test_applications_by_path_and_host(apps: Path, more: tuple[str, ...]) -> None:
    mounts = [
        "--mount=/one=one.py", "--mount=/one/deep=two:application", "--mount=/shop=./shop",
        "--mount=x.example|=three.py", "--mount=x.example|/one=three.py",
    ]  # fmt: skip
    with serving(apps, *mounts, "--manage-script-name", "--vhost-host", *more, app="two") as server:
        found = asked(
            server,
            *(("h", "/"), ("h", "/one"), ("h", "/one/a?b"), ("h", "/onetwo"), ("h", "/one/deep/a%20b")),
            *(("h", "/shop/x"), ("x.example", "/y"), ("X.example:80", "/one/y"), ("x.example", "/shop")),
        )
        assert found == [
            *("two |/ /", "one /one| /one", "one /one|/a /one/a?b", "two |/onetwo /onetwo"),
            *("two /one/deep|/a b /one/deep/a%20b", "shop /shop|/x /shop/x", "three |/y /y"),
            *("three /one|/y /one/y", "shop /shop| /shop"),
        ]


def test_one_that_does_not_load_ends_the_start_or_itself_alone(apps: Path) -> None:
    mounts = ["--mount=/one=one.py", "--mount=/bad=bad.py", "--manage-script-name"]
    done = subprocess.run(
        [sys.executable, "-m", "penstock", "--http-socket=127.0.0.1:0", *mounts],
        cwd=apps, env=environment(), capture_output=True, text=True, timeout=20,
    )  # fmt: skip
    assert done.returncode == 22 and "ZeroDivisionError" in done.stderr
    with serving(apps, *mounts, "--need-app=false", app="") as server, server.client() as client:
        assert client.get("/one/x").body == b"one /one|/x /one/x"
        assert client.get("/bad/x").status == 500
        assert client.get("/").body == b"one |/ /"
        assert "serving 500 below /bad" in server.text()


def test_a_front_server_names_the_application(apps: Path) -> None:
    options = ("--socket=127.0.0.1:0", "--mount=/one=one.py", "--mount=name=three.py")
    with serving(apps, *options, app="two") as server:
        for more, answer in (
            ({"UWSGI_APPID": "/one"}, b"one |/x /x"),
            ({"UWSGI_APPID": "name"}, b"three |/x /x"),
            ({"UWSGI_APPID": "nobody"}, b"two |/x /x"),
            ({"SCRIPT_NAME": "/one"}, b"one /one|/x /x"),
            ({}, b"two |/x /x"),
        ):
            with server.client() as client:
                assert answered(client, more) == answer


def answered(client: Client, more: dict[str, str]) -> bytes:
    """The body of the reply to a uwsgi request with these variables besides the usual ones."""
    usual = {"REQUEST_METHOD": "GET", "PATH_INFO": "/x", "REQUEST_URI": "/x", "SERVER_PROTOCOL": "HTTP/1.1"}
    client.send(encode_request({**usual, **more}))
    return client.to_end().partition(b"\r\n\r\n")[2]
