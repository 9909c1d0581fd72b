"""Redirects: status, address and body are uWSGI's, and no client writes a header of ours."""

import pytest

from penstock.serve.routing.flow import BREAK
from tests.serve.routing.ground import Ground


@pytest.mark.parametrize(
    ("name", "status", "body"),
    [
        ("redirect", b"302 Found", b"Moved"),
        ("redirect-302", b"302 Found", b"Moved"),
        ("redirect-permanent", b"301 Moved Permanently", b"Moved Permanently"),
        ("redirect-301", b"301 Moved Permanently", b"Moved Permanently"),
    ],
)
def test_the_client_is_sent_elsewhere(name: str, status: bytes, body: bytes) -> None:
    ground = Ground(f"route = ^/a/(.*) {name}:https://${{HTTP_HOST}}/n/$1").walk("/a/b")
    assert ground.flow == BREAK
    length = b"Content-Length: %d" % len(body)
    head = b"HTTP/1.1 " + status + b"\r\nLocation: https://h.example/n/b\r\n" + length + b"\r\n\r\n"
    assert ground.sent == head + body


@pytest.mark.parametrize(
    ("path", "address"),
    [
        ("/a\r\nX-Evil: 1", b"/a%0D%0AX-Evil:%201"),
        ("/caf\xc3\xa9", b"/caf%C3%A9"),
        ("/a b\x00\x7f", b"/a%20b%00%7F"),
        ("/%2e", b"/%2e"),
    ],
)
def test_what_comes_of_the_client_is_escaped(path: str, address: bytes) -> None:
    sent = Ground("route-run = redirect:${PATH_INFO}").walk(path).sent
    assert b"\r\nLocation: " + address + b"\r\n" in sent
    assert sent.count(b"\r\n") == 4


def test_an_address_is_needed() -> None:
    with pytest.raises(ValueError, match="takes the address"):
        Ground("route-run = redirect:")
