"""Requests in the clear are sent to the same address by https."""

import pytest

from penstock.serve.finish.https import TO_HTTPS, location, to_https
from tests.serve.finish.transforming import made, received


@pytest.mark.parametrize(
    ("host", "target", "port", "wanted"),
    [
        ("example.com", "/a?b=1", "", "https://example.com/a?b=1"),
        ("example.com:8080", "/", "", "https://example.com/"),
        ("example.com:8080", "/", "8443", "https://example.com:8443/"),
        ("[::1]:80", "/x", "", "https://[::1]/x"),
        ("[::1]", "/x", "1", "https://[::1]:1/x"),
        ("", "/x", "", "https://own/x"),
        ("a b", "/x", "", "https://own/x"),
        ("evil.com/", "/x", "", "https://own/x"),
        ("good@evil", "/x", "", "https://own/x"),
        ("example.com", "http://example.com/x?y", "", "https://example.com/x?y"),
        ("example.com", "http://example.com", "", "https://example.com/"),
        ("example.com", "http://example.com?q", "", "https://example.com/?q"),
        ("example.com", "*", "", "https://example.com/"),
        ("example.com", "//evil.com/", "", "https://example.com//evil.com/"),
        ("example.com", "", "", "https://example.com/"),
    ],
)
def test_where_to(host: str, target: str, port: str, wanted: str) -> None:
    environ = {"HTTP_HOST": host, "SERVER_NAME": "own", "REQUEST_URI": target}
    assert location(environ, port) == wanted


def test_301_on_such_a_listener_unless_it_came_by_https() -> None:
    environ = {"HTTP_HOST": "h", "REQUEST_URI": "/x", "wsgi.url_scheme": "http", TO_HTTPS: "8443"}
    call, box = made()
    assert to_https(call, environ)
    found = received(box)
    assert (found.status, found.headers["location"]) == (301, "https://h:8443/x")
    assert found.headers["content-length"] == "0"
    call, box = made()
    assert not to_https(call, {**environ, "wsgi.url_scheme": "https"}) and not box.puts
    environ.pop(TO_HTTPS)
    assert not to_https(call, environ) and not box.puts
