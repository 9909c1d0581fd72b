"""Figures sent away: what goes where, and what happens where nobody takes it."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.config.settings import Settings
from penstock.core.errors import StartError
from penstock.process.stats.pushing import Pusher, pushers
from penstock.services.stats.metrics import Metrics
from tests.services.stats.example import server


def collected() -> Metrics:
    metrics = Metrics(server())
    metrics.collect(server(), 0.0)
    return metrics


def nobody(done: Callable[[bytes], None]) -> None:
    raise AssertionError("nobody asked for the document")


def one(text: str, said: list[str], **options: object) -> Pusher:
    (pusher,) = pushers(Settings(stats_push=(text,), **options), said.append)
    pusher.open()
    return pusher


def heard(sock: socket.socket) -> list[bytes]:
    found = []
    sock.setblocking(False)
    try:
        while True:
            found.append(sock.recv(1 << 16))
    except BlockingIOError:
        return found


@pytest.mark.parametrize(
    ("kind", "first"), [("socket", b".core.routed_signals 0 0"), ("statsd", b".core.routed_signals:0|c")]
)
@pytest.mark.parametrize("prefix", ["", ",shop"])
def test_by_udp(kind: str, first: bytes, prefix: str) -> None:
    said: list[str] = []
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        pusher = one(f"{kind}:127.0.0.1:{sock.getsockname()[1]}{prefix}", said)
        pusher.push(collected(), nobody)
        lines = heard(sock)
        pusher.close()
    name = prefix.removeprefix(",") or "uwsgi"
    assert lines[0] == name.encode() + first and len(lines) == len(collected().entries)
    assert said == []


def test_to_a_unix_socket_that_comes_and_goes(tmp_path: Path) -> None:
    said: list[str] = []
    path = str(tmp_path / "s")
    pusher = one(f"statsd:{path}", said, statsd_all_gauges=True, statsd_no_workers=True)
    pusher.push(collected(), nobody)
    pusher.push(collected(), nobody)
    assert said == [f"stats-push statsd:{path}: No such file or directory"], "told of once"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(path)
        pusher.push(collected(), nobody)
        lines = heard(sock)
    assert lines and all(line.endswith(b"|g") and b".worker." not in line for line in lines)
    pusher.push(collected(), nobody)
    assert len(said) == 2, "another time, after it was there"
    pusher.close()


def test_what_is_full_is_not_waited_for(tmp_path: Path) -> None:
    said: list[str] = []
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(path)
        pusher = one(f"socket:{path}", said)
        for _ in range(20):
            pusher.push(collected(), nobody)
        assert len(heard(sock)) < 20 * len(collected().entries)
        pusher.close()
    assert said == []


def test_begins_anew_once_it_was_sent() -> None:
    metrics = collected()
    sent: list[str] = []
    metrics.sent = lambda: sent.append("sent")  # type: ignore[method-assign] # seen from outside it is one call
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        pusher = one(f"socket:127.0.0.1:{sock.getsockname()[1]}", [])
        pusher.push(metrics, nobody)
        pusher.close()
    assert sent == ["sent"]


def test_to_a_file(tmp_path: Path) -> None:
    said: list[str] = []
    path = tmp_path / "f"
    pusher = one(f"file:path={path},separator=--,freq=7", said)
    assert pusher.freq == 7
    for _ in range(2):
        pusher.push(collected(), lambda done: done(b"{}"))
    assert path.read_bytes() == b"{}--{}--" and path.stat().st_mode & 0o777 == 0o640
    plain = one(f"file:{path}", said)
    assert plain.freq == 3, "stats-pusher-default-freq"
    plain.push(collected(), lambda done: done(b"[]"))
    assert path.read_bytes() == b"{}--{}--[]\n\n" and said == []


def test_a_file_that_cannot_be_had(tmp_path: Path) -> None:
    said: list[str] = []
    for text in (f"file:{tmp_path}", "file:/nowhere/at/all"):
        pusher = one(text, said)
        for _ in range(2):
            pusher.push(collected(), lambda done: done(b"{}"))
    assert len(said) == 2 and "Is a directory" in said[0] and "No such file" in said[1]


def test_an_address_that_nobody_knows() -> None:
    said: list[str] = []
    pusher = one("statsd:no.such.host.invalid:8125", said)
    pusher.push(collected(), nobody)
    assert len(said) == 1 and said[0].endswith("; nothing is sent there")
    pusher.close()


@pytest.mark.parametrize("text", ["mongodb:x", "statsd:127.0.0.1:99999", "socket:", "file:a=b"])
def test_what_cannot_be(text: str) -> None:
    with pytest.raises(StartError, match="stats-push"):
        pushers(Settings(stats_push=(text,)), lambda said: None)
