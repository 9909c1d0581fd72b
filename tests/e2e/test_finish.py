"""Replies that are touched up, off the wire: streams, deadlines, kept connections, clients that leave."""

import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.server import Server, serving

APP = """
import time

def application(environ, start_response):
    path = environ["PATH_INFO"]
    kind = ("Content-Type", "text/plain")
    if path == "/large":
        start_response("200 OK", [kind, ("Content-Length", "3000000"), ("ETag", '"x"')])
        return [b"0123456789" * 300000]
    if path == "/short":
        start_response("200 OK", [kind, ("Content-Length", "5000")])
        return [b"x" * 4000]
    if path == "/stream":
        start_response("200 OK", [kind, ("X-Gone", "1")])
        return stream()
    if path == "/stuck":
        start_response("200 OK", [kind])
        return stuck(b"begun")
    if path == "/late":
        wait()
    if path == "/lost":
        start_response("404 Not Found", [kind, ("Content-Length", "3")])
        return [b"own"]
    if path == "/file":
        start_response("200 OK", [kind])
        return environ["wsgi.file_wrapper"](open(__file__, "rb"))
    raise LookupError(path)

def stream():
    for word in (b"first", b"second"):
        yield word
        time.sleep(0.3)

def stuck(word):
    yield word
    wait()

def wait():
    for _ in range(600):  # an exception is noticed between two of them
        time.sleep(0.1)
"""
GZIP = "Accept-Encoding: gzip"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    tmp = tmp_path_factory.mktemp("finish")
    (tmp / "touched.py").write_text(APP)
    (tmp / "404.html").write_text("<h1>lost</h1>")
    (tmp / "500.html").write_text("<h1>sorry</h1>")
    options = (
        "--compress=gzip", "--security-headers", "--rem-header=X-Gone", "--error-page-404=404.html",
        "--error-page-500=500.html", "--error-page-intercept", "--threads=4", "--harakiri=1.5",
    )  # fmt: skip
    with serving(tmp, *options, app="touched") as running:
        yield running


def test_replies_on_one_connection(server: Server) -> None:
    with server.client() as client:
        large = client.get("/large", GZIP)
        assert zlib.decompress(large.body, 31) == b"0123456789" * 300000
        assert (large.headers["etag"], large.headers["vary"]) == ('W/"x"', "Accept-Encoding")
        assert large.headers["x-content-type-options"] == "nosniff"
        head = client.get("/large", GZIP, method="HEAD")
        assert head.headers["content-encoding"] == "gzip" and "content-length" not in head.headers
        plain = client.get("/large")
        assert len(plain.body) == 3000000 and plain.headers["etag"] == '"x"'
        file = client.get("/file", GZIP)
        assert zlib.decompress(file.body, 31) == APP.encode()
        lost = client.get("/lost", GZIP)
        assert (lost.status, lost.body, lost.headers["content-type"]) == (404, b"<h1>lost</h1>", "text/html")
        failed = client.get("/nothing")
        assert (failed.status, failed.body) == (500, b"<h1>sorry</h1>")
        assert client.get("/file").body == APP.encode()


def test_a_stream_is_a_stream(server: Server) -> None:
    with server.client() as client:
        client.send(f"GET /stream HTTP/1.1\r\nHost: h\r\n{GZIP}\r\n\r\n".encode())
        head = client.head()
        assert head.headers["transfer-encoding"] == "chunked" and "x-gone" not in head.headers
        decoder = zlib.decompressobj(31)
        began = time.monotonic()
        assert decoder.decompress(client.exactly(int(client.until(b"\r\n"), 16))) == b"first"
        assert time.monotonic() - began < 0.2, "it waited for the second"
        client.exactly(2)
        rest = b""
        while size := int(client.until(b"\r\n"), 16):
            rest += client.exactly(size)
            client.exactly(2)
        assert decoder.decompress(rest) == b"second" and decoder.eof
        client.until(b"\r\n")
        assert client.get("/lost").status == 404


def test_a_body_that_is_too_short_does_not_look_complete(server: Server) -> None:
    for accept in (GZIP, "X: y"):
        with server.client() as client, pytest.raises(EOFError):
            client.get("/short", accept)
    server.wait_for("1000 bytes before its Content-Length")


def test_deadlines_end_them_as_any_other(server: Server) -> None:
    with server.client() as late, server.client() as stuck:
        late.send(f"GET /late HTTP/1.1\r\nHost: h\r\n{GZIP}\r\n\r\n".encode())
        stuck.send(f"GET /stuck HTTP/1.1\r\nHost: h\r\n{GZIP}\r\n\r\n".encode())
        assert late.reply().status == 504
        with pytest.raises(EOFError):
            stuck.reply()
    with server.client() as client:
        assert client.get("/lost").status == 404


def test_a_client_that_leaves_holds_nobody(server: Server) -> None:
    for _ in range(8):
        with server.client() as client:
            client.send(f"GET /large HTTP/1.1\r\nHost: h\r\n{GZIP}\r\n\r\n".encode())
    with server.client() as client:
        assert client.get("/lost").status == 404


def test_security_headers_by_https(tmp_path: Path) -> None:
    (tmp_path / "touched.py").write_text(APP)
    options = ("--security-headers", "--trusted-proxies=127.0.0.1", "--add-header=X-Frame-Options: DENY")
    with serving(tmp_path, *options, app="touched") as server, server.client() as client:
        found = client.get("/lost", "X-Forwarded-Proto: https")
        assert found.headers["strict-transport-security"] == "max-age=31536000"
        assert [line for line in found.lines if line.startswith("X-Frame")] == ["X-Frame-Options: DENY"]
        assert "strict-transport-security" not in client.get("/lost").headers
