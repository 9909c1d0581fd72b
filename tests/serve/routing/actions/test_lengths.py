"""Transformations that see to a reply's length."""

from typing import Any

import pytest

from penstock.serve.routing.actions.lengths import MOST
from tests.serve.routing.ground import Ground


def stream(*blocks: bytes, length: int = -1) -> Any:
    def run(environ: dict[str, Any], start_response: Any) -> Any:
        headers = [] if length < 0 else [("Content-Length", str(length))]
        start_response("200 OK", headers)
        yield from blocks

    return run


def sent(ground: Ground, application: Any, http11: bool = True) -> bytes:
    ground.call = ground.fresh({}, http11)
    ground.rules.request(ground.call, ground.environ)
    ground.call.run(application, ground.environ)
    return ground.sent


@pytest.mark.parametrize("action", ["fixcl", "forcecl"])
@pytest.mark.parametrize("http11", [True, False])
def test_a_body_in_pieces_gets_its_length(action: str, http11: bool) -> None:
    reply = sent(Ground(f"route-run = {action}:"), stream(b"one", b"", b"two"), http11)
    assert b"Content-Length: 6\r\n" in reply and reply.endswith(b"\r\n\r\nonetwo")
    assert b"chunked" not in reply


@pytest.mark.parametrize("action", ["fixcl", "forcecl"])
def test_a_length_that_is_declared_stays(action: str) -> None:
    ground = Ground(f"route-run = {action}:")
    reply = sent(ground, stream(b"one", b"two", length=6))
    assert reply.count(b"Content-Length: 6\r\n") == 1 and reply.endswith(b"\r\n\r\nonetwo")
    assert len(ground.box.puts) == 2  # nothing was kept back for it


def test_nothing_has_a_length_too() -> None:
    assert b"Content-Length: 0\r\n" in sent(Ground("route-run = fixcl:"), stream())


def test_a_body_that_is_too_long_to_keep_goes_out_in_pieces() -> None:
    block = bytes(1 << 20)
    reply = sent(Ground("route-run = fixcl:"), stream(*[block] * ((MOST >> 20) + 2)))
    assert b"Transfer-Encoding: chunked\r\n" in reply and b"Content-Length" not in reply
    assert reply.count(b"\0") == MOST + (2 << 20)


def test_flush_keeps_nothing_back() -> None:
    ground = Ground("route-run = flush:")
    reply = sent(ground, stream(b"one", b"two"))
    assert reply.endswith(b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")
    assert len(ground.box.puts) == 3


def test_a_body_that_fails_lets_go_of_what_was_kept() -> None:
    def failing(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [])
        yield b"one"
        raise LookupError

    ground = Ground("route-run = fixcl:")
    with pytest.raises(LookupError):
        sent(ground, failing)
    gathered: Any = ground.call.touches.transformations[0]
    assert gathered.blocks == [b"one"] and ground.box.puts == []
    ground.call.page(500)
    assert gathered.blocks == [] and ground.sent.startswith(b"HTTP/1.1 500 ")
