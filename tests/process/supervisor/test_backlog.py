"""What waits in a listener's queue, asked of the kernel itself."""

import socket
import struct
import sys
from pathlib import Path

import pytest

from penstock.process.supervisor.backlog import ATTRIBUTE, HEAD, REPLY, backlog_of, waiting_in

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")


@LINUX
@pytest.mark.parametrize("kind", ["tcp", "tcp6", "unix", "abstract"])
def test_connections_that_nobody_has_accepted(tmp_path: Path, kind: str) -> None:
    family = {"tcp": socket.AF_INET, "tcp6": socket.AF_INET6}.get(kind, socket.AF_UNIX)
    address: tuple[str, int] | str = ("::1" if kind == "tcp6" else "127.0.0.1", 0)
    if family == socket.AF_UNIX:
        address = f"\0penstock-test-{tmp_path.name}" if kind == "abstract" else str(tmp_path / "app.sock")
    with socket.socket(family) as listener:
        try:
            listener.bind(address)
        except OSError as error:
            pytest.skip(f"{kind}: {error}")
        listener.listen(20)
        assert backlog_of(listener) == 0
        clients = [socket.socket(family) for _ in range(7)]
        for client in clients:
            client.connect(listener.getsockname())
        assert backlog_of(listener) == 7
        accepted = [listener.accept()[0] for _ in range(3)]
        assert backlog_of(listener) == 4
        for sock in (*clients, *accepted):
            sock.close()


def test_what_cannot_be_asked_counts_as_none() -> None:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    assert backlog_of(sock) == 0
    sock.close()
    assert backlog_of(sock) == 0


def answer(kind: int, *attributes: tuple[int, bytes]) -> bytes:
    body = bytes(REPLY.size)
    for name, data in attributes:
        size = ATTRIBUTE.size + len(data)
        body += ATTRIBUTE.pack(size, name) + data + bytes(-size % 4)
    return HEAD.pack(HEAD.size + len(body), kind, 0, 1, 0) + body


@pytest.mark.parametrize(
    ("data", "waiting"),
    [
        (answer(20, (4, struct.pack("=II", 9, 128))), 9),
        (answer(20, (0, b"name!"), (3, bytes(4)), (4, struct.pack("=II", 5, 128))), 5),
        (answer(20, (0, b"name!")), 0),
        (answer(20), 0),
        (answer(2, (4, struct.pack("=II", 9, 128))), 0),  # NLMSG_ERROR
        (answer(20, (0, b""))[:-4] + ATTRIBUTE.pack(0, 0), 0),  # an attribute without a size
    ],
)
def test_the_kernels_answer(data: bytes, waiting: int) -> None:
    assert waiting_in(data) == waiting


@pytest.mark.parametrize("data", [b"", bytes(8), answer(20, (4, b""))])
def test_what_is_no_answer(data: bytes) -> None:
    with pytest.raises(struct.error):
        waiting_in(data)
