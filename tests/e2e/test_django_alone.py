"""A whole Django site from one ini, ``configs/django-alone.ini``: with nothing in front, and behind nginx."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.e2e.alone import USER, alone
from tests.e2e.nginx import MISSING, PROGRAM, configuration, free_port, nginx
from tests.e2e.server import Server

WAYS = ("direct", "uwsgi")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """It listens for both ways."""
    sockets = ("--http-socket", "127.0.0.1:0", "--uwsgi-socket", "127.0.0.1:0")
    with alone(tmp_path_factory.mktemp("alone"), *sockets, listeners=2) as running:
        yield running


@pytest.fixture(scope="module", params=WAYS)
def http(
    request: pytest.FixtureRequest, server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    if request.param == "uwsgi" and PROGRAM is None:
        pytest.skip(MISSING)
    tmp = tmp_path_factory.mktemp(request.param)
    with ExitStack() as stack:
        if request.param == "direct":
            url = server.url
        else:
            port = free_port()
            places = {"listen 80;": f"listen 127.0.0.1:{port};", "127.0.0.1:3031": server.listening[1][1]}
            path = configuration("nginx-uwsgi-tcp.conf", tmp, **places)
            url = stack.enter_context(nginx(tmp, path, port))
        yield stack.enter_context(httpx.Client(base_url=url, timeout=20))


def secured(reply: httpx.Response) -> bool:
    return reply.headers["x-content-type-options"] == "nosniff" and "x-frame-options" in reply.headers


def test_who_comes_by_http_goes_to_https(http: httpx.Client) -> None:
    reply = http.get("/admin/?next=a%20b", headers={"X-Forwarded-Proto": "http", "Host": "shop.example"})
    assert (reply.status_code, reply.headers["location"]) == (301, "https://shop.example/admin/?next=a%20b")
    assert secured(reply)


def test_the_admin_is_behind_a_password_and_knows_the_user(http: httpx.Client) -> None:
    reply = http.get("/admin/")
    assert (reply.status_code, reply.headers["www-authenticate"]) == (401, 'Basic realm="Shop"')
    assert http.get("/admin/", auth=("admin", "wrong")).status_code == 401
    reply = http.get("/admin/", auth=USER)
    assert reply.status_code == 200 and "Site administration" in reply.text
    assert secured(reply)


def test_its_files_are_served_by_their_hashed_names_for_ever(http: httpx.Client) -> None:
    page = http.get("/admin/", auth=USER).text
    names = re.findall(r'(?:href|src)="(/static/[^"]+\.[0-9a-f]{12}\.(?:css|js))"', page)
    assert len(names) >= 5
    for name in names:
        reply = http.get(name)
        assert reply.status_code == 200 and reply.content
        assert reply.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert reply.headers["content-type"] in ("text/css", "text/javascript", "application/javascript")
        assert secured(reply)
        again = http.get(name, headers={"If-None-Match": reply.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
    plain = http.get("/static/admin/css/base.css")
    assert plain.status_code == 200 and "cache-control" not in plain.headers


@pytest.mark.parametrize("path", ["/nowhere", "/static/nowhere.css"])
def test_what_is_not_there_has_the_page(http: httpx.Client, path: str) -> None:
    reply = http.get(path)
    assert (reply.status_code, reply.headers["content-type"]) == (404, "text/html")
    assert "<h1>Not here</h1>" in reply.text
    assert secured(reply)


def test_its_own_folder_is_nobodys(http: httpx.Client, tmp_path: Path) -> None:
    for path in ("/static/../htpasswd", "/static/%2e%2e/htpasswd", "/static/..%2fhtpasswd"):
        reply = http.get(path)
        assert reply.status_code in (400, 404) and "SHA" not in reply.text
