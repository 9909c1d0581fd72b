"""Django and Flask, straight on HTTP and behind a real nginx by each of its ways."""

import hashlib
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import httpx
import pytest

from tests.e2e.nginx import MISSING, PROGRAM, configuration, free_port, nginx
from tests.e2e.server import Server, serving
from tests.e2e.surroundings import environment
from tests.waiting import until

SITES = {"django": "tests.sites.django_site.wsgi", "flask": "tests.sites.flask_site"}
WAYS = ("direct", "uwsgi-unix", "uwsgi-tcp", "uwsgi-tcp-unbuffered", "http")
TCP, UNIX = 1, 2  # the listeners behind the one for HTTP


@dataclass
class Site:
    """A site that runs: its URL, its penstock, its name and the way there."""

    url: str
    server: Server
    name: str
    way: str


def behind(stack: ExitStack, tmp: Path, way: str, server: Server) -> str:
    """The URL of an nginx in front of ``server``, or the server's own."""
    if way == "direct":
        return server.url
    port = free_port()
    listen = {"listen 80;": f"listen 127.0.0.1:{port};"}
    if way == "uwsgi-unix":
        path = configuration(
            "nginx-uwsgi-unix.conf", tmp, **listen, **{"/run/penstock/app.sock": str(server.address(UNIX))}
        )
    elif way == "http":
        path = configuration(
            "nginx-http.conf", tmp, **listen, **{"127.0.0.1:8000": f"127.0.0.1:{server.port}"}
        )
    else:
        path = configuration(
            "nginx-uwsgi-tcp.conf", tmp, **listen, **{"127.0.0.1:3031": server.listening[TCP][1]}
        )
    if way.endswith("unbuffered"):
        text = path.read_text()
        path.write_text(text.replace("# uwsgi_request_buffering off", "uwsgi_request_buffering off"))
    return stack.enter_context(nginx(tmp, path, port))


def open_to_nginx(tmp: Path) -> None:
    """Its worker is another user."""
    tmp.chmod(0o755)
    for folder in tmp.parents:
        if folder.owner() == "root" and folder.is_relative_to("/tmp/pytest-of-root"):
            folder.chmod(0o755)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Server]]:
    """The penstock of a site, which listens for all ways: it is started once."""
    with ExitStack() as stack:

        @cache
        def start(name: str) -> Server:
            tmp = tmp_path_factory.mktemp(name)
            open_to_nginx(tmp)
            sockets = ("--http-socket", "127.0.0.1:0", "--uwsgi-socket", "127.0.0.1:0")
            words = (*sockets, "--uwsgi-socket", f"{tmp}/app.sock", "--chmod-socket=666", "--threads", "4")
            env = environment(DATA_DIR=str(tmp))
            return stack.enter_context(serving(tmp, *words, app=SITES[name], listeners=3, env=env))

        yield start


@pytest.fixture(scope="module", params=[(name, way) for name in SITES for way in WAYS], ids="-".join)
def site(
    request: pytest.FixtureRequest,
    running: Callable[[str], Server],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    name, way = request.param
    if way != "direct" and PROGRAM is None:
        pytest.skip(MISSING)
    server = running(name)
    tmp = tmp_path_factory.mktemp(f"{name}-{way}")
    open_to_nginx(tmp)
    with ExitStack() as stack:
        yield Site(behind(stack, tmp, way, server), server, name, way)


@pytest.fixture
def http(site: Site) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=site.url, timeout=20) as client:
        yield client


def test_sessions_are_kept(http: httpx.Client) -> None:
    assert [http.get("/").json()["visits"] for _ in range(3)] == [1, 2, 3]
    found = http.get("/").json()
    assert found["scheme"] == "http"
    # Debian's uwsgi_params set HTTP_HOST to nginx's $host, which has no port.
    assert found["host"] in (f"127.0.0.1:{http.base_url.port}", "127.0.0.1")


@pytest.mark.parametrize("size", [0, 1000, 200_000, 3_000_000])
def test_a_file_upload(http: httpx.Client, size: int) -> None:
    data = os.urandom(size)
    found = http.post("/upload", files={"file": ("a.bin", data)}).json()
    assert found == {"name": "a.bin", "size": size, "sha256": hashlib.sha256(data).hexdigest()}


@pytest.mark.parametrize("size", [10, 300_000])
def test_a_chunked_file_upload(http: httpx.Client, size: int) -> None:
    data = os.urandom(size)
    request = http.build_request("POST", "/upload", files={"file": ("a.bin", data)})
    body = request.read()
    pieces = (body[at : at + 7000] for at in range(0, len(body), 7000))
    reply = http.post("/upload", content=pieces, headers={"Content-Type": request.headers["content-type"]})
    assert reply.json() == {"name": "a.bin", "size": size, "sha256": hashlib.sha256(data).hexdigest()}


def test_a_chunked_body_has_a_length(http: httpx.Client) -> None:
    found = http.post("/raw", content=iter([b"abc", b"def"])).json()
    assert found == {"size": 6, "length": "6"}


def test_a_stream(http: httpx.Client) -> None:
    assert http.get("/stream").text == "".join(f"line {number}\n" for number in range(100))


def test_a_download(http: httpx.Client) -> None:
    reply = http.get("/download")
    assert reply.content == b"0123456789" * 50_000
    assert "digits.txt" in reply.headers["content-disposition"]


def test_an_error_is_a_500_and_its_traceback_is_in_the_log(site: Site, http: httpx.Client) -> None:
    before = site.server.text().count("fails on purpose")
    assert http.get("/error").status_code == 500
    until(lambda: site.server.text().count("fails on purpose") > before)
    assert http.get("/").status_code == 200


def test_an_early_answer_to_a_large_upload_is_not_a_502(site: Site) -> None:
    # A connection each: whether nginx keeps one whose upload it did not read to the end is its affair.
    for _ in range(3):
        assert httpx.post(site.url + "/refuse", content=b"x" * 8_000_000, timeout=20).status_code == 403


def test_one_date_and_one_length(http: httpx.Client) -> None:
    reply = http.get("/")
    assert len(reply.headers.get_list("date")) == 1
    assert len(reply.headers.get_list("content-length")) == 1


def test_django_admin_logs_in(site: Site, http: httpx.Client) -> None:
    if site.name != "django":
        assert http.get("/admin/").status_code == 404
        return
    page = http.get("/admin/login/?next=/admin/")
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    assert token is not None
    form = {"username": "admin", "password": "secret", "csrfmiddlewaretoken": token[1], "next": "/admin/"}
    reply = http.post("/admin/login/", data=form)
    assert reply.status_code == 302, reply.text
    page = http.get("/admin/auth/user/")
    assert page.status_code == 200
    assert "admin@example.org" in page.text
    page = http.get("/admin/auth/user/add/")
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    assert token is not None
    form = {"csrfmiddlewaretoken": token[1], "username": f"u{time.monotonic_ns()}", "usable_password": "true"}
    form |= {"password1": "Xy7-long-enough", "password2": "Xy7-long-enough"}
    assert http.post("/admin/auth/user/add/", data=form).status_code == 302


def test_the_address_in_the_log_is_the_clients(site: Site, http: httpx.Client) -> None:
    asked = f"/?who-asks-{site.way}"
    http.get(asked)
    site.server.wait_for(f"{asked} ")
    line = next(line for line in site.server.text().splitlines() if f"{asked} " in line)
    assert "] 127.0.0.1 (" in line


@pytest.mark.skipif(PROGRAM is None, reason=MISSING)
def test_an_upstream_connection_that_was_idle_for_most_of_its_time_is_answered(tmp_path: Path) -> None:
    """59 s of nginx's 60 and our 75, by a clock of a twentieth: 3 s of 3.75."""
    tmp_path.chmod(0o755)
    with ExitStack() as stack:
        options = ("--http-socket", "127.0.0.1:0", "--keepalive-timeout", "3750ms")
        server = stack.enter_context(serving(tmp_path, *options))
        port = free_port()
        path = configuration(
            "nginx-http.conf",
            tmp_path,
            **{"listen 80;": f"listen 127.0.0.1:{port};", "127.0.0.1:8000": f"127.0.0.1:{server.port}"},
            **{"keepalive 32;": "keepalive 32; keepalive_timeout 3s;"},
        )
        url = stack.enter_context(nginx(tmp_path, path, port))
        with httpx.Client(base_url=url) as http:
            for wait in (0.0, 2.9, 2.95, 3.0):
                time.sleep(wait)
                assert http.get("/hello").status_code == 200
