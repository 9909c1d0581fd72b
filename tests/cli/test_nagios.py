"""``--nagios``: what is said of servers of every kind, and the exit status."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from penstock.cli.nagios import judged, nagios
from penstock.config.address import parse_address
from penstock.config.settings import ListenerSpec, Settings


@contextmanager
def answering(path: str, reply: bytes) -> Iterator[list[bytes]]:
    """A server that answers one visitor."""
    heard: list[bytes] = []
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(path)
        sock.listen()

        def serve() -> None:
            connection, _ = sock.accept()
            with connection:
                heard.append(connection.recv(4096))
                connection.sendall(reply)

        thread = threading.Thread(target=serve)
        thread.start()
        yield heard
        thread.join(5)


def settings(address: str, protocol: str = "http", **more: str) -> Settings:
    spec = ListenerSpec(address, protocol, "test", parse_address(address))  # type: ignore[arg-type] # one of two
    return Settings(listeners=(spec,), **more)


@pytest.mark.parametrize(
    ("reply", "code", "text"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\nready\n", 0, "OK: armed and ready"),
        (b"HTTP/1.1 404 Not Found\r\n\r\n", 0, "OK: armed and ready"),
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\nstopping\nmore", 1, "WARNING: 503 stopping"),
        (b"HTTP/1.1 500 X\r\n\r\n", 1, "WARNING: 500"),
        (b"HTTP/1.1 500 X\r\n\r\na\x1b[2J", 1, "WARNING: 500 a\\x1b[2J"),
        (b"220 mail\r\n", 2, "CRITICAL: what answers is no server"),
        (b"", 2, "CRITICAL: what answers is no server"),
    ],
)
def test_what_a_reply_means(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], reply: bytes, code: int, text: str
) -> None:
    path = str(tmp_path / "s")
    with answering(path, reply) as heard:
        assert nagios(settings(path)) == code
    assert capsys.readouterr().out == f"PENSTOCK {text}\n"
    assert heard[0].startswith(b"GET /-/ready HTTP/1.1\r\n")


def test_by_uwsgi_and_on_another_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(tmp_path / "s")
    with answering(path, b"HTTP/1.1 200 OK\r\n\r\n") as heard:
        assert nagios(settings(path, "uwsgi", health_ready="/up")) == 0
    (packet,) = heard
    assert packet[0] == packet[3] == 0 and int.from_bytes(packet[1:3], "little") == len(packet) - 4
    assert b"\x09\x00PATH_INFO\x03\x00/up" in packet


def test_nobody_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert nagios(settings(str(tmp_path / "none"))) == 2
    assert nagios(Settings()) == 3
    assert nagios(settings("fd://7")) == 3
    said = capsys.readouterr().out.splitlines()
    assert said[0] == f"PENSTOCK CRITICAL: {tmp_path}/none: No such file or directory"
    assert said[1] == said[2] == "PENSTOCK UNKNOWN: the configuration names no socket that could be asked"


def test_a_word_that_is_no_number() -> None:
    assert judged(b"HTTP/1.1 abc\r\n")[0] == 2
