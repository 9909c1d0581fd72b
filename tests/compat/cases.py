"""The requests that both servers are asked: raw bytes, and the ways they go.

Read by the fixture that runs them and by the tests that are named after them; knows no server. Every view
of the application is asked on every way.
"""

from dataclasses import dataclass

from tests.compat.app import REPLIES, VIEWS

NGINX = ("unix", "tcp")
DIRECT = ("http", "http10")
EVERYWHERE = NGINX + DIRECT
UPLOADS = (*NGINX, "stream", "http", "http10")
CHUNKED = (*NGINX, "stream")
"""``unix`` and ``tcp`` are uwsgi behind nginx; ``stream`` is ``tcp`` with uwsgi_request_buffering off;
``underscores`` is ``unix`` with underscores_in_headers on; ``http`` and ``http10`` are --http-socket
without nginx, in HTTP/1.1 and HTTP/1.0."""

COOKIES = ("Cookie: a=1; b=2", "Cookie: c=3")
MANY = tuple(f"X-Many-{number}: {'v' * number}" for number in range(40))


@dataclass(frozen=True)
class Case:
    """A request. ``close``: the client says that it wants the connection closed."""

    name: str
    target: str = "/"
    headers: tuple[str, ...] = ()
    method: str = "GET"
    body: bytes = b""
    view: str = "plain"
    ways: tuple[str, ...] = EVERYWHERE
    close: bool = True

    def data(self, way: str) -> bytes:
        """The bytes on the wire."""
        version = "HTTP/1.0" if way == "http10" else "HTTP/1.1"
        lines = [f"{self.method} {self.target} {version}", "Host: compat.example", f"X-View: {self.view}"]
        lines += ["Connection: close"] if self.close else []
        return "\r\n".join([*lines, *self.headers, "", ""]).encode("latin-1") + self.body


def post(name: str, body: bytes, view: str = "echo", *headers: str) -> Case:
    """A body with its length."""
    return Case(name, "/post", (f"Content-Length: {len(body)}", *headers), "POST", body, view, UPLOADS)


def chunked(name: str, sizes: tuple[int, ...], view: str = "echo", *more: str) -> Case:
    """A body in chunks of these sizes; by nginx, and ``more`` ways."""
    body = b"".join(b"%x\r\n%b\r\n" % (size, b"c" * size) for size in (*sizes, 0))
    ways = (*CHUNKED, *more)
    return Case(name, "/chunked", ("Transfer-Encoding: chunked",), "POST", body, view, ways)


REQUESTS = (
    Case("get"),
    Case("query", "/a/b?x=1&y=%20z&&=&q=a+b"),
    Case("empty-query", "/a?"),
    Case("percent", "/caf%C3%A9/%2F/a%20b/%41+c?d=%2F"),
    Case("latin-1-path", "/%E9%FF"),
    Case("double-slash", "//a///b"),
    Case("dots", "/a/../b/./c"),
    Case("fragment", "/a#b", ways=NGINX),
    Case("many-headers", headers=MANY),
    Case("latin-1-header", headers=("X-Name: caf\xe9", "User-Agent: compat/1 (x; y)")),
    Case("blanks", headers=("X-Padded:   \t padded", "X-Empty:")),
    Case("lower-case", headers=("x-lower: 1", "ACCEPT: */*", "accept-Language: en")),
    Case("authorization", headers=("Authorization: Basic YTpi", 'If-None-Match: "1", W/"2"')),
    Case("cookie", headers=("Cookie: a=1; b=2",)),
    Case("cookie-twice", headers=COOKIES),
    Case("header-twice", headers=("X-Twice: 1", "X-Other: 0", "X-Twice: 2")),
    Case("underscore", headers=("X_Under: spoofed",), ways=(*NGINX, "underscores", *DIRECT)),
    Case("underscore-twin", headers=("X-Twin: real", "X_Twin: spoofed"), ways=("underscores", *DIRECT)),
    Case("proxy", headers=("Proxy: http://evil.example",)),
    Case("forwarded", headers=("X-Forwarded-Proto: https", "X-Forwarded-For: 203.0.113.7")),
    Case("forwarded-nonsense", headers=("X-Forwarded-Proto: gopher",)),
    Case("content-type", headers=("Content-Type: text/x-odd; a=b",)),
    Case("keep-alive", close=False, ways=NGINX),
    Case("options", "/o", method="OPTIONS"),
    Case("put", "/p", ("Content-Length: 3",), "PUT", b"put", "echo", UPLOADS),
    Case("delete", "/d", method="DELETE"),
    Case("unknown-verb", "/v", method="PROPFIND"),
    post("post", b"a=1&b=2", "echo", "Content-Type: application/x-www-form-urlencoded"),
    post("post-empty", b""),
    post("post-lines", b"one\ntwo and more\nthree\nfour\r\nfive", "read-ways"),
    post("post-large", b"0123456789abcdef" * 20000),
    post("post-unread", b"hello", "plain"),
    post("post-by-length", b"z" * 5000, "read-length"),
    chunked("chunked", (5, 6, 1), "echo", "http"),
    # Not straight to uWSGI: it resets with a large body unread, and how the client sees that is chance.
    chunked("chunked-large", (70000, 1, 50000)),
    chunked("chunked-by-length", (2500, 2500), "read-length", "http"),
    Case("two-lengths", "/post", ("Content-Length: 3", "Content-Length: 3"), "POST", b"two", ways=DIRECT),
    Case("both-framings", "/", ("Content-Length: 3", "Transfer-Encoding: chunked"), ways=DIRECT),
    Case("folded", headers=("X-Folded: a\r\n b",), ways=DIRECT),
    Case("blank-before-colon", headers=("X-Blank : a",), ways=DIRECT),
    Case("absolute-form", "http://compat.example/a?b=c", ways=NGINX),
)

HEADS = ("plain", "one-block", "generator", "204", "file", "redirect")

CASES = (
    *REQUESTS,
    *(Case(f"view-{view}", f"/view/{view}", view=view) for view in (*REPLIES, *VIEWS)),
    *(Case(f"head-{view}", f"/head/{view}", method="HEAD", view=view) for view in HEADS),
)
