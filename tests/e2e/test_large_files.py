"""Files that no socket takes at once, over a real server: who reads slowly, leaves, stops, asks for more."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from tests.cases import turns
from tests.e2e.server import LOOPS, Client, Server, serving

SIZE = 12 << 20
GET = b"GET /s/large HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("files")
    (folder / "large").write_bytes(os.urandom(SIZE))
    (folder / "small").write_bytes(b"small")
    yield folder
    (folder / "large").unlink()


def digest(data: bytes) -> str:
    return sha256(data).hexdigest()


def options(folder: Path, loop: str = "auto", *more: str) -> tuple[str, ...]:
    return (f"--static-map=/s={folder}", "--threads=1", f"--loop={loop}", *more)


def narrow(server: Server) -> Client:
    """A client with a small window, as over a real network."""
    client = Client.__new__(Client)
    client.sock = socket.socket()
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.sock.settimeout(20)
    client.sock.connect(server.address())
    client.rest = b""
    return client


@pytest.mark.parametrize("loop", turns(LOOPS, "uvloop"))
def test_one_thread_serves_ten_slow_readers_and_others_beside_them(
    tmp_path: Path, folder: Path, loop: str
) -> None:
    whole = digest((folder / "large").read_bytes())
    with serving(tmp_path, *options(folder, loop)) as server:
        slow = [narrow(server) for _ in range(10)]
        for client in slow:
            client.send(GET)
        time.sleep(0.2)
        begun = time.monotonic()
        with server.client() as client:
            for _ in range(3):
                assert client.get("/s/small").body == b"small"
                assert digest(client.get("/s/large").body) == whole
        assert time.monotonic() - begun < 5
        for client in slow:
            assert digest(client.reply().body) == whole
            assert client.get("/s/small").body == b"small", "kept"
            client.close()


@pytest.mark.parametrize("loop", turns(LOOPS, "asyncio"))
def test_requests_behind_a_large_file_are_answered_in_order(tmp_path: Path, folder: Path, loop: str) -> None:
    whole = digest((folder / "large").read_bytes())
    with serving(tmp_path, *options(folder, loop)) as server, narrow(server) as client:
        client.send((GET + GET.replace(b"large", b"small")) * 2)
        for _ in range(2):
            assert digest(client.reply().body) == whole
            assert client.reply().body == b"small"
        client.send(GET)
        client.send(GET.replace(b"large", b"small"))
        assert digest(client.reply().body) == whole and client.reply().body == b"small"


def test_an_http_1_0_client_and_one_that_asks_to_close_have_all_of_it(tmp_path: Path, folder: Path) -> None:
    data = (folder / "large").read_bytes()
    with serving(tmp_path, *options(folder)) as server:
        for line in (b"GET /s/large HTTP/1.0\r\n\r\n", GET[:-2] + b"Connection: close\r\n\r\n"):
            with narrow(server) as client:
                client.send(line)
                head, _, body = client.to_end().partition(b"\r\n\r\n")
                assert b"200 OK" in head and body == data


def test_clients_that_leave_in_the_middle_leave_nothing_behind(tmp_path: Path, folder: Path) -> None:
    with serving(tmp_path, *options(folder)) as server:
        with server.client() as client:
            client.get("/s/large")
        descriptors = Path(f"/proc/{server.process.pid}/fd")
        before = len(list(descriptors.iterdir()))
        for _ in range(10):
            with narrow(server) as client:
                client.send(GET)
                client.sock.recv(1000)
        until = time.monotonic() + 5
        while len(list(descriptors.iterdir())) > before and time.monotonic() < until:
            time.sleep(0.05)
        assert len(list(descriptors.iterdir())) <= before
        with server.client() as client:
            assert client.get("/s/small").body == b"small"


def test_a_file_that_is_truncated_meanwhile_is_not_taken_for_whole(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    path = tmp_path / "files" / "large"
    path.write_bytes(bytes(SIZE))
    with serving(tmp_path, *options(path.parent)) as server, narrow(server) as client:
        client.send(GET)
        client.sock.recv(1000)
        os.truncate(path, SIZE // 4)
        assert len(client.to_end()) < SIZE
        server.wait_for("announced length")


@pytest.mark.parametrize("loop", turns(LOOPS, "uvloop"))
def test_a_reader_that_stops_is_cut_and_one_that_reads_is_not(
    tmp_path: Path, folder: Path, loop: str
) -> None:
    words = options(folder, loop, "--write-timeout=1")
    with serving(tmp_path, *words) as server, narrow(server) as still, narrow(server) as moving:
        still.send(GET)
        moving.send(GET)
        until = time.monotonic() + 5
        while "cut: it does not read its reply" not in server.text() and time.monotonic() < until:
            assert moving.sock.recv(20_000)
            time.sleep(0.02)
        assert server.text().count("cut: it does not read its reply") == 1


def test_what_is_on_its_way_is_finished_before_the_server_leaves(tmp_path: Path, folder: Path) -> None:
    whole = digest((folder / "large").read_bytes())
    with serving(tmp_path, *options(folder), expect=None) as server, narrow(server) as client:
        client.send(GET)
        time.sleep(0.2)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        assert server.process.poll() is None
        assert digest(client.reply().body) == whole
        assert server.process.wait(10) == 0


def test_who_does_not_read_does_not_hold_up_the_end_for_longer_than_it_may(
    tmp_path: Path, folder: Path
) -> None:
    words = options(folder, "auto", "--shutdown-timeout=1")
    with serving(tmp_path, *words, expect=None) as server, narrow(server) as client:
        client.send(GET)
        time.sleep(0.2)
        begun = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(10) == 30 and time.monotonic() - begun < 4


def test_a_reply_that_is_read_for_longer_than_the_keepalive_keeps_its_connection(
    tmp_path: Path, folder: Path
) -> None:
    words = options(folder, "auto", "--http-keepalive=1")
    with serving(tmp_path, *words) as server, narrow(server) as client:
        client.send(GET)
        time.sleep(1.5)
        assert len(client.reply().body) == SIZE
        time.sleep(0.4)
        assert client.get("/s/small").body == b"small"
