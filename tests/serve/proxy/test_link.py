"""Connections to other servers: made in time or not at all, and waited for as long as somebody waits."""

import errno
import socket
import threading
import time
from pathlib import Path

import pytest

from penstock.core.errors import Disconnected
from penstock.serve.proxy.link import Link, LinkError, UpstreamError, connect
from penstock.serve.proxy.target import parse_target
from tests.serve.boxes import ListBox, exchange
from tests.serve.proxy.scripted import server


def test_over_tcp_and_over_a_unix_socket(tmp_path: Path) -> None:
    x = exchange(ListBox())
    for path in ("", str(tmp_path / "s")):
        with server(lambda said: said.say(said.file.read(5)), path=path) as other:
            link = connect(other.target, x, 5)
            assert link.send(memoryview(b"hello")) == 5
            assert link.receive(x, 5) == b"hello"
            assert link.receive(x, 5) == b""
            link.close()


def test_nobody_there_is_502(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        free = f"127.0.0.1:{sock.getsockname()[1]}"
    for address in (free, str(tmp_path / "none"), "name.invalid:80", "." * 300 + ":80"):
        with pytest.raises(UpstreamError) as caught:
            connect(parse_target(address), exchange(ListBox()), 5)
        assert caught.value.status == 502 and caught.value.reason


def full(path: Path) -> tuple[socket.socket, list[socket.socket]]:
    """A UNIX socket whose queue takes nobody any more."""
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(str(path))
    sock.listen(0)
    waiting = []
    while True:
        one = socket.socket(socket.AF_UNIX)
        one.setblocking(False)
        waiting.append(one)
        if one.connect_ex(str(path)) == errno.EAGAIN:
            return sock, waiting


def test_a_queue_that_is_full_is_waited_for(tmp_path: Path) -> None:
    sock, waiting = full(tmp_path / "s")
    target = parse_target(str(tmp_path / "s"))
    started = time.monotonic()
    with pytest.raises(UpstreamError, match=r"no connection within 0\.1 s"):
        connect(target, exchange(ListBox()), 0.1)
    assert time.monotonic() - started < 5
    timer = threading.Timer(0.05, lambda: waiting.append(sock.accept()[0]))
    timer.start()
    connect(target, exchange(ListBox()), 5).close()
    timer.join()
    for one in (sock, *waiting):
        one.close()


def test_nor_longer_than_the_client_waits(tmp_path: Path) -> None:
    sock, waiting = full(tmp_path / "s")
    box = ListBox()
    box.gone = True
    with pytest.raises(Disconnected):
        connect(parse_target(str(tmp_path / "s")), exchange(box), 60)
    for one in (sock, *waiting):
        one.close()


def pair() -> tuple[Link, socket.socket]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    return Link(ours), theirs


def test_waiting_ends_in_time() -> None:
    link, theirs = pair()
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        link.receive(exchange(ListBox()), 0.3)
    assert 0.3 <= time.monotonic() - started < 5
    link.close()
    theirs.close()


def test_silent_is_neither_ended_nor_speaking() -> None:
    link, theirs = pair()
    assert link.silent() and not link.readable(0)
    theirs.send(b"x")
    assert link.readable(0) and not link.silent()
    assert link.receive(exchange(ListBox()), 1) == b"x"
    assert link.silent()
    theirs.close()
    assert not link.silent()
    link.close()


def test_what_fails_is_one_kind_of_error() -> None:
    link, theirs = pair()
    theirs.close()
    with pytest.raises(LinkError):
        link.send(memoryview(b"x"))
    link.close()


def test_sending_takes_what_there_is_room_for() -> None:
    link, theirs = pair()
    data = memoryview(b"x" * (8 << 20))
    assert 0 < link.send(data) < len(data)
    assert link.send(data) == 0
    link.close()
    theirs.close()
