"""Connections that are kept, and requests that may be sent twice because of it."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from penstock.handoff.doorway import Doorway
from penstock.handoff.inbox import Inbox
from penstock.serve.proxy.link import UpstreamError
from penstock.serve.proxy.passing import pass_on
from penstock.serve.proxy.upstreams import Upstreams
from tests.fakes import FakeLoop
from tests.serve.proxy.scripted import HELLO, OK, Said, answers, call_for, errand_of, server


@pytest.fixture
def upstreams() -> Iterator[Upstreams]:
    store = Upstreams(timeout=5.0, connect_timeout=5.0)
    yield store
    store.close()


def pass_some(upstreams: Upstreams, other: Any, *methods: str, body: Any = None) -> list[bytes]:
    said = []
    for method in methods:
        call, box = call_for(body=body)
        pass_on(call, errand_of(call.x, other.target, method), upstreams)
        said.append(box.sent.partition(b"\r\n\r\n")[2])
    return said


def test_a_connection_is_used_again(upstreams: Upstreams) -> None:
    with server(answers(HELLO, HELLO, HELLO)) as other:
        assert pass_some(upstreams, other, "GET", "GET", "PUT") == [b"hello"] * 3
    assert len(other.seen) == 1


def test_a_request_that_must_not_be_sent_twice_has_a_new_connection(upstreams: Upstreams) -> None:
    """It cannot be known whether a kept one that ends without a word has taken the request."""
    with server(answers(HELLO), answers(HELLO)) as other:
        assert pass_some(upstreams, other, "GET", "POST") == [b"hello"] * 2
    assert len(other.seen) == 2


def test_so_has_a_body_that_streams(upstreams: Upstreams) -> None:
    source = Inbox(Doorway(FakeLoop()()), lambda: None)
    source.feed(b"hello")
    source.finish()
    with server(answers(HELLO), answers(HELLO)) as other:
        pass_some(upstreams, other, "GET")
        call, box = call_for(body=source)
        call.x.request.content_length = 5
        pass_on(call, errand_of(call.x, other.target, "PUT"), upstreams)
    assert len(other.seen) == 2 and box.sent.partition(b"\r\n\r\n")[2] == b"hello"


def test_a_kept_connection_that_ends_without_a_word_is_tried_anew_once(upstreams: Upstreams) -> None:
    def twice(said: Said) -> None:
        answers(HELLO)(said)
        said.hear()

    with server(twice, answers(HELLO)) as other:
        assert pass_some(upstreams, other, "GET", "PUT", body=b"x" * 1000) == [b"hello"] * 2
    assert [said.bodies for said in other.seen] == [[b"x" * 1000] * 2, [b"x" * 1000]]


def test_it_is_not_tried_a_third_time(upstreams: Upstreams) -> None:
    def twice(said: Said) -> None:
        answers(HELLO)(said)
        said.hear()

    with server(twice, answers(b"")) as other:
        pass_some(upstreams, other, "GET")
        with pytest.raises(UpstreamError, match="before a reply"):
            pass_some(upstreams, other, "GET")
    assert len(other.seen) == 2


@pytest.mark.parametrize("reply", [
    OK + b"Content-Length: 5\r\nConnection: close\r\n\r\nhello",
    HELLO + b"x",
    b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
])  # fmt: skip
def test_a_connection_that_is_not_clean_is_not_kept(upstreams: Upstreams, reply: bytes) -> None:
    def once(said: Said) -> None:
        answers(reply)(said)
        assert said.gone()

    with server(once, answers(HELLO)) as other:
        assert pass_some(upstreams, other, "GET", "GET") == [b"hello"] * 2


def test_what_a_server_says_unasked_is_nobodys_reply(upstreams: Upstreams) -> None:
    said_it = threading.Event()

    def script(said: Said) -> None:
        answers(HELLO)(said)
        said.say(OK + b"Content-Length: 6\r\n\r\npoison")
        said_it.set()
        assert said.gone()

    with server(script, answers(HELLO)) as other:
        pass_some(upstreams, other, "GET")
        assert said_it.wait(5)
        assert pass_some(upstreams, other, "GET") == [b"hello"]
