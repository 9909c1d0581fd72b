"""Requests that rules pass on: to a real nginx, and to a second penstock by HTTP and by uwsgi."""

import hashlib
import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e.nginx import MISSING, PROGRAM, free_port, nginx
from tests.e2e.server import Client, Server, serving
from tests.serve.proxy.scripted import OK, Said, server

RULES = """
[uwsgi]
threads = 8
module = tests.sites.zoo:application
route = ^/http(/.*) http:{http},zoo,$1?${{QUERY_STRING}}
route = ^/uwsgi(/.*) setpathinfo:$1
route-uri = ^/uwsgi/ uwsgi:{uwsgi},0,0
route = ^/nginx(/.*) http:{nginx},,$1
route = ^/nobody http:127.0.0.1:1
"""
NGINX = """
pid {tmp}/nginx.pid;
daemon off;
error_log {tmp}/error.log info;
events {{ worker_connections 64; }}
http {{
    access_log {tmp}/access.log;
    log_format links $connection;
    access_log {tmp}/links.log links;
    server {{ listen 127.0.0.1:{port}; root {tmp}/files; }}
}}
"""
LARGE = bytes(range(256)) * 40_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tmp = tmp_path_factory.mktemp("proxy")
    files = tmp / "files"
    files.mkdir()
    (files / "large").write_bytes(LARGE)
    (files / "small.txt").write_text("small")
    for each in (files, *files.parents):  # nginx's worker is another user
        if each.stat().st_uid == tmp.stat().st_uid:
            each.chmod(each.stat().st_mode | 0o055)
    return tmp


@pytest.fixture(scope="module")
def front(folder: Path) -> Iterator[Server]:
    """The server with the rules; behind it another penstock and, where there is one, an nginx."""
    port = free_port()
    with ExitStack() as stack:
        words = ["--http-socket", "127.0.0.1:0", "--uwsgi-socket", f"{folder}/u", "--threads", "8"]
        zoo = stack.enter_context(serving(folder, *words, listeners=2))
        if PROGRAM is not None:
            (folder / "nginx.conf").write_text(NGINX.format(tmp=folder, port=port))
            stack.enter_context(nginx(folder, folder / "nginx.conf", port))
        text = RULES.format(http=f"127.0.0.1:{zoo.port}", uwsgi=f"{folder}/u", nginx=f"127.0.0.1:{port}")
        (folder / "front.ini").write_text(text)
        yield stack.enter_context(serving(folder, "--ini", "front.ini", app=""))


@pytest.fixture
def client(front: Server) -> Iterator[Client]:
    with front.client() as fresh:
        yield fresh


needs_nginx = pytest.mark.skipif(PROGRAM is None, reason=MISSING)

# ---- A second penstock ----------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["/http", "/uwsgi"])
def test_replies_of_every_kind_come_through_and_the_connection_stays(client: Client, way: str) -> None:
    for _ in range(3):
        assert client.get(f"{way}/").body == b"Hello, World!"
        assert client.get(f"{way}/stream?n=4").body == b"0;1;2;3;"
        head = client.get(f"{way}/", method="HEAD")
        assert (head.status, head.headers["content-length"], head.body) == (200, "13", b"")
        assert client.get(f"{way}/fail").status == 500
        assert client.get(f"{way}/early").status == 403


@pytest.mark.parametrize("way", ["/http", "/uwsgi"])
@pytest.mark.parametrize("size", [1, 100_000, 5_000_000])
@pytest.mark.parametrize("chunked", [False, True])
def test_uploads_come_through(client: Client, way: str, size: int, chunked: bool) -> None:
    data = (LARGE * (size // len(LARGE) + 1))[:size]
    framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {size}"
    client.send(f"POST {way}/digest HTTP/1.1\r\nHost: test\r\n{framing}\r\n\r\n".encode())
    client.send(b"%x\r\n%b\r\n0\r\n\r\n" % (size, data) if chunked else data)
    assert client.reply().body == f"{size} {hashlib.sha256(data).hexdigest()}".encode()


@pytest.mark.parametrize("way", ["/http", "/uwsgi"])
def test_the_client_is_told_to_go_on(client: Client, way: str) -> None:
    head = f"POST {way}/digest HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"
    client.send(head.encode())
    assert client.head().status == 100
    client.send(b"abc")
    assert client.reply().body == f"3 {hashlib.sha256(b'abc').hexdigest()}".encode()


def test_what_the_application_behind_is_told(client: Client) -> None:
    said = {}
    for way in ("/http", "/uwsgi"):
        reply = client.get(f"{way}/show?a=%20b", "X-Own: c", "Connection: X-Hop", "X-Hop: d")
        said[way] = {name: value for name, (_, value) in json.loads(reply.body).items()}
    http, uwsgi = said["/http"], said["/uwsgi"]
    assert (http["HTTP_HOST"], http["PATH_INFO"], http["QUERY_STRING"]) == ("zoo", "/show", "a=%20b")
    assert (uwsgi["HTTP_HOST"], uwsgi["PATH_INFO"], uwsgi["QUERY_STRING"]) == ("test", "/show", "a=%20b")
    assert http["HTTP_X_OWN"] == uwsgi["HTTP_X_OWN"] == "c"
    assert http["HTTP_X_FORWARDED_FOR"] == uwsgi["REMOTE_ADDR"] == "127.0.0.1"
    assert "HTTP_X_HOP" not in http
    assert uwsgi["REQUEST_URI"] == "/uwsgi/show?a=%20b"


def test_nobody_there_is_502(front: Server, client: Client) -> None:
    reply = client.get("/nobody")
    assert (reply.status, reply.body) == (502, b"Bad Gateway")
    front.wait_for("GET /nobody: http:127.0.0.1:1: Connection refused: answered 502")
    assert client.get("/http/").status == 200, "the connection stays"


# ---- nginx ----------------------------------------------------------------------------------------------


@needs_nginx
def test_files_of_nginx(client: Client) -> None:
    reply = client.get("/nginx/large")
    assert reply.body == LARGE and reply.headers["server"].startswith("nginx")
    again = client.get("/nginx/large", f"If-None-Match: {reply.headers['etag']}")
    assert (again.status, again.body) == (304, b"")
    part = client.get("/nginx/large", "Range: bytes=5-9")
    assert (part.status, part.body) == (206, LARGE[5:10])
    head = client.get("/nginx/large", method="HEAD")
    assert (head.headers["content-length"], head.body) == (str(len(LARGE)), b"")
    assert client.get("/nginx/none").status == 404
    assert client.get("/nginx/small.txt").body == b"small"


@needs_nginx
def test_its_connections_are_kept(client: Client, folder: Path) -> None:
    for _ in range(30):
        assert client.get("/nginx/small.txt").body == b"small"
    links = (folder / "links.log").read_text().split()
    assert len(set(links[-20:])) <= 2


@needs_nginx
def test_no_path_gets_out_of_the_part_that_is_passed_on(client: Client) -> None:
    for path in ("/nginx/../x", "/nginx/%2e%2e/x", "/nginx/a%2f..%2f..%2fx", "/nginx/..%5cx"):
        assert client.get(path).status == 400


def test_a_path_cannot_make_a_second_request(client: Client, folder: Path) -> None:
    """Decoded, it has the end of a head in it."""
    reply = client.get("/http/show%20HTTP/1.1%0d%0aHost:%20x%0d%0a%0d%0aGET%20/early?")
    assert reply.status == 404
    assert client.get("/http/").body == b"Hello, World!"


# ---- Who leaves -----------------------------------------------------------------------------------------


def silent(said: Said) -> None:
    said.hear()
    assert said.gone()


def rules_to(tmp: Path, address: str, *lines: str) -> str:
    text = ["[uwsgi]", "module = tests.sites.zoo:application", f"route = ^/other http:{address}", *lines]
    (tmp / "front.ini").write_text("\n".join(text) + "\n")
    return "front.ini"


def test_a_client_that_leaves_ends_the_request_behind(tmp_path: Path) -> None:
    with server(silent) as other:
        ini = rules_to(tmp_path, other.address)
        with serving(tmp_path, "--ini", ini, "--threads", "1", app="") as front:
            with front.client() as client:
                client.send(b"GET /other HTTP/1.1\r\nHost: test\r\n\r\n")
                while not other.seen:
                    time.sleep(0.01)
            other.thread.join(5)
            with front.client() as client:
                assert client.get("/").body == b"Hello, World!", "its only thread is free"


def test_a_deadline_ends_it_and_the_thread_comes_back(tmp_path: Path) -> None:
    with server(silent) as other:
        ini = rules_to(tmp_path, other.address, "harakiri = 1", "harakiri-grace = 0.6", "threads = 1")
        with serving(tmp_path, "--ini", ini, app="", expect=None) as front:
            with front.client() as client:
                assert client.get("/other").status == 504
            other.thread.join(5)
            with front.client() as client:
                assert client.get("/").body == b"Hello, World!"
            time.sleep(0.8)
            assert "GET /other" in front.text() and "still holds thread" not in front.text()
            front.stop()


def test_half_a_reply_is_a_cut_reply(tmp_path: Path) -> None:
    def half(said: Said) -> None:
        said.hear()
        said.say(OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")

    with server(half) as other:
        ini = rules_to(tmp_path, other.address)
        with serving(tmp_path, "--ini", ini, app="") as front, front.client() as client:
            client.send(b"GET /other HTTP/1.1\r\nHost: test\r\n\r\n")
            with pytest.raises((EOFError, ConnectionResetError)):
                client.reply()
            front.wait_for("in the middle of its reply: its reply was cut")
