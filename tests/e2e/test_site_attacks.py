"""A site with files and rules, over the wire: what a client or an application might get past or into them."""

from collections.abc import Iterator

import pytest

from tests.e2e.server import Client, Server, serving

APP = """
def application(environ, start_response):
    if environ["PATH_INFO"] == "/spoiled":
        environ.update(REMOTE_USER=None, HTTP_HOST=5, QUERY_STRING="\\u20ac", X="\\u20ac")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [environ["PATH_INFO"].encode("latin-1")]
"""
RULES = """
[uwsgi]
module = touched
threads = 2
check-static = {top}/site
static-index = index.html
route = ^/admin/ basicauth:Staff,user:pass
route = ^/log/(.*)$ log:said $1
route = ^/uri/(.*)$ seturi:$1
route = ^/uri/ http:127.0.0.1:1
route = ^/(?:begun|large) send:begun,
route = ^/by-rule send:begun,
route = ^/by-rule static:{top}/site/begun.txt
route = ^/bare delheader:Content-Length
error-route-run = addheader:X-Asked: once
response-route = ^/cut break:
response-route-remote-user = . addheader:X-User: ${{REMOTE_USER}}
response-route-host = . addheader:X-Host: ${{HTTP_HOST}}
response-route-qs = . addheader:X-Query: ${{upper[X]}}
final-route-qs = . log:at the end ${{X}}
"""
SECRET = b"for the staff alone"
LARGE = 300_000  # bytes: goes out by sendfile


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    top = tmp_path_factory.mktemp("attacked")
    for name, data in {
        "admin/secret.txt": SECRET,
        "admin/index.html": SECRET,
        "begun.txt": b"of a file",
        "large": b"x" * LARGE,
        "bare.txt": b"no length",
    }.items():
        path = top / "site" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (top / "touched.py").write_text(APP)
    (top / "site.ini").write_text(RULES.format(top=top))
    with serving(top, "--ini", str(top / "site.ini"), app="") as running:
        yield running


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with server.client() as connected:
        yield connected


SPELLINGS = [
    "/admin/secret.txt", "//admin/secret.txt", "/./admin/secret.txt", "/%2fadmin/secret.txt",
    "/%2e/admin/secret.txt", "/admin//secret.txt", "/.//admin/./secret.txt", "/%61dmin/secret.txt", "/admin",
    "/admin/", "/admin/.", "//admin", "//admin/", "/./admin", "/.%2fadmin", "http://test//admin/secret.txt",
]  # fmt: skip


@pytest.mark.parametrize("path", SPELLINGS)
def test_a_rule_about_a_folder_is_asked_however_its_files_are_spelt(client: Client, path: str) -> None:
    for _ in range(2):  # and when it is remembered
        refused = client.get(path)
        assert (refused.status, SECRET in refused.body) == (401, False)
    assert client.get(path, "Authorization: Basic dXNlcjpwYXNz").body == SECRET


def test_who_is_asked_for_needs_no_odd_spelling_to_be_let_in_elsewhere(client: Client) -> None:
    assert client.get("//bare.txt").body == b"no length"
    assert client.get("//app//x").body == b"//app//x"  # the application's path is as it was sent


def test_no_path_begins_a_line_of_the_log_or_speaks_to_a_terminal(server: Server, client: Client) -> None:
    for path in ("/log/a%0aforged", "/log/%c2%9b31m", "/log/%e2%80%a8forged", "/uri/%0dforged:%20x"):
        client.get(path)
    server.wait_for("said \\x2028forged")
    text = server.text()
    assert "\\x9b31m" in text and "\x9b" not in text and "\u2028" not in text
    assert not [line for line in text.splitlines() if line.startswith("forged")]
    assert "GET \\x0dforged: x: http:127.0.0.1:1" in text


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", ["/begun.txt", "/large", "/by-rule"])
def test_behind_what_a_rule_has_sent_no_second_head_goes_out(client: Client, path: str, method: str) -> None:
    begun = client.get(path, method=method)
    assert (begun.status, begun.body) == (200, b"begun," if method == "GET" else b"")
    assert client.get("/next").body == b"/next"


def test_a_head_says_no_length_rather_than_a_wrong_one(client: Client) -> None:
    assert client.get("/bare.txt").headers["content-length"] == "9"
    for path in ("/bare.txt", "/app"):
        assert "content-length" not in client.get(path, method="HEAD").headers


def test_error_rules_are_asked_once_about_a_reply(client: Client) -> None:
    for path in ("/app", "/cut"):
        lines = client.get(path).lines
        assert [line for line in lines if line.startswith("X-Asked")] == ["X-Asked: once"]


def test_what_an_application_leaves_in_the_environ_fails_no_rule(server: Server, client: Client) -> None:
    reply = client.get("/spoiled")
    assert (reply.status, reply.body) == (200, b"/spoiled")
    assert not {"x-user", "x-host"} & reply.headers.keys()
    assert reply.headers["x-query"] == "\u20ac".encode().decode("latin-1")
    server.wait_for("at the end \u20ac")
