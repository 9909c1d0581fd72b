"""``check-cache``: replies that are kept with their heads, pages without, and what is neither."""

from typing import Any

import pytest

from penstock.serve.stored import make_stored
from penstock.serve.wsgi.call import Call
from tests.interprocess.cache.stores import store_of
from tests.serve.boxes import ListBox, exchange, manner


def asked(value: bytes, method: str = "GET", uri: str = "/x") -> tuple[bool, bytes]:
    """Whether that answers, and with what."""
    box = ListBox()
    x = exchange(box)
    environ: dict[str, Any] = {"REQUEST_METHOD": method, "REQUEST_URI": uri}
    with store_of("name=a,items=2") as store:
        assert store.set(b"/x", value)
        answered = make_stored(store)(Call(x, manner()), environ)
    lines = box.sent.split(b"\r\n")
    return answered, b"\r\n".join(line for line in lines if not line.startswith(b"Date: "))


def test_a_reply_is_given_as_it_was_kept() -> None:
    kept = (
        b"HTTP/1.0 404 Nothing here\r\nX: 1\r\nContent-Length: 77\r\nConnection: close\r\nY:2\r\n\r\nhi\r\n"
    )
    sent = b"HTTP/1.1 404 Nothing here\r\nX: 1\r\nY: 2\r\nContent-Length: 4\r\n\r\nhi\r\n"
    assert asked(kept) == (True, sent)


def test_a_page_is_html() -> None:
    sent = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\nHTTP/"
    assert asked(b"HTTP/") == (True, sent)


@pytest.mark.parametrize("kept", [b"HTTP/1.1 999999\r\n\r\n", b"HTTP/1.1 200 OK\r\nno field\r\n\r\nbody"])
def test_what_cannot_be_sent_is_not_sent_as_it_is(kept: bytes) -> None:
    answered, sent = asked(kept)
    assert (not answered and sent == b"") or sent.startswith(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
    )


@pytest.mark.parametrize(
    ("method", "uri"), [("POST", "/x"), ("HEAD", "/x"), ("GET", "/x?a=1"), ("GET", "/y")]
)
def test_only_a_get_of_that_very_uri(method: str, uri: str) -> None:
    assert asked(b"value", method, uri) == (False, b"")
