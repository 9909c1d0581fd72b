"""Two thousand clients that leave in mid-reply; and that a foreign byte would be found."""

import random
import socket
import threading
from pathlib import Path

import pytest

from tests.e2e.server import LOOPS
from tests.soak.leavers import SIZES, TOKEN, Leaver, Tally, leavers
from tests.soak.wire import Place

pytestmark = pytest.mark.slow  # `make slow`: many servers, and `make test` has six minutes


@pytest.mark.parametrize("loop", LOOPS)
def test_no_byte_of_one_reply_is_in_anothers(tmp_path: Path, loop: str) -> None:
    counts, wrongs = leavers(tmp_path, loop, clients=2000, threads=8, seed=5)
    assert (counts["clients"], counts["foreign"], wrongs) == (2000, 0, [])
    assert all(counts[kind] > 300 for kind in SIZES)


def mix_up(listener: socket.socket) -> None:
    """Answers as a server would that writes the end of one reply into another."""
    sock, _ = listener.accept()
    with sock:
        asked = sock.recv(65536).split(b" ")[1].partition(b"?")[0]
        kind, token = asked.decode().strip("/").split("/")
        size = SIZES[kind]
        body = token.encode() * ((size - 32) // TOKEN) + b"f" * 32
        head = f"HTTP/1.1 200 OK\r\nX-Token: {token}\r\nContent-Length: {size}\r\n\r\n".encode()
        try:
            sock.sendall(head + body)
        except OSError:
            pass  # the client has seen enough


def test_a_foreign_byte_would_be_found() -> None:
    tally = Tally()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        for number in range(40):
            thread = threading.Thread(target=mix_up, args=(listener,))
            thread.start()
            client = Leaver(Place("http", listener.getsockname()), random.Random(number), tally)
            client.kind = "small"
            client.run()
            thread.join()
    assert tally.counts["foreign"] >= 40 * 25
    assert tally.counts["clients"] == 40
