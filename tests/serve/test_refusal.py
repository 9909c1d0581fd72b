"""The replies that penstock gives itself, byte for byte."""

import re

import pytest

from penstock.codecs.http1_reply import REASONS, BadReply
from penstock.core.request import Request
from penstock.serve.refusal import RETRY_AFTER, page, refusal

DATE = re.compile(rb"Date: [A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT\r\n")


def request(*, http11: bool = True, head: bool = False) -> Request:
    made = Request({})
    made.http11, made.is_head = http11, head
    return made


def undated(reply: bytes) -> bytes:
    """The reply without its Date, of which there must be exactly one."""
    rest, count = DATE.subn(b"", reply)
    assert count == 1
    return rest


def test_a_request_that_could_not_be_read() -> None:
    assert undated(refusal(400, "not a request line", None, False)) == (
        b"HTTP/1.1 400 Bad Request\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\n"
        b"Content-Length: 36\r\n"
        b"Connection: close\r\n"
        b"\r\n"
        b"400 Bad Request: not a request line\n"
    )


def test_overload_asks_to_come_again_and_keeps_the_connection() -> None:
    assert undated(refusal(503, "the queue is full", request(), True)) == (
        b"HTTP/1.1 503 Service Unavailable\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\n"
        b"Content-Length: 43\r\n"
        b"Retry-After: %d\r\n"
        b"\r\n"
        b"503 Service Unavailable: the queue is full\n" % RETRY_AFTER
    )


def test_head_has_the_head_of_a_get_and_no_body() -> None:
    get = undated(refusal(503, "full", request(), True))
    head = undated(refusal(503, "full", request(head=True), True))
    assert head == get[: get.index(b"\r\n\r\n") + 4]


@pytest.mark.parametrize(
    ("http11", "keep", "version", "connection"),
    [
        (True, True, b"HTTP/1.1", None),
        (True, False, b"HTTP/1.1", b"Connection: close\r\n"),
        (False, True, b"HTTP/1.0", b"Connection: keep-alive\r\n"),
        (False, False, b"HTTP/1.0", b"Connection: close\r\n"),
    ],
)
def test_version_and_connection(http11: bool, keep: bool, version: bytes, connection: bytes | None) -> None:
    reply = refusal(503, "full", request(http11=http11), keep)
    assert reply.startswith(version + b" 503 ")
    assert reply.count(b"Connection:") == (connection is not None)
    assert connection is None or connection in reply


@pytest.mark.parametrize("status", sorted(status for status in REASONS if status >= 400))
def test_every_status_has_its_words_and_a_true_length(status: int) -> None:
    head, _, body = refusal(status, "because", None, False).partition(b"\r\n\r\n")
    words = f"{status} {REASONS[status]}"
    assert head.startswith(f"HTTP/1.1 {words}\r\n".encode())
    assert body == f"{words}: because\n".encode()
    assert b"Content-Length: %d\r\n" % len(body) in head + b"\r\n"
    assert (b"Retry-After" in head) == (status == 503)


def test_a_status_without_words_is_an_error() -> None:
    assert refusal(599, "odd", None, False).startswith(b"HTTP/1.1 599 Error\r\n")


def test_a_reason_in_any_letters_is_counted_in_bytes() -> None:
    head, _, body = refusal(400, "naïve \u2603", None, False).partition(b"\r\n\r\n")
    assert b"Content-Length: %d\r\n" % len(body) in head + b"\r\n"
    assert body.startswith(b"400 Bad Request: na")


def test_the_body_is_in_the_charset_that_it_names() -> None:
    assert refusal(400, "naïve \u2603", None, False).endswith("naïve \u2603\n".encode())


def test_a_page_has_its_fields_and_those_of_its_framing() -> None:
    fields = [("Content-Type", "text/html"), ("Cache-Control", "no-store")]
    assert undated(page(200, fields, b"<p>", request(), True)) == (
        b"HTTP/1.1 200 OK\r\n"
        b"Content-Type: text/html\r\n"
        b"Content-Length: 3\r\n"
        b"Cache-Control: no-store\r\n"
        b"\r\n"
        b"<p>"
    )


def test_a_page_cannot_say_what_would_end_its_head() -> None:
    with pytest.raises(BadReply):
        page(200, [("Content-Type", "text/html\r\nX: y")], b"", request(), True)
