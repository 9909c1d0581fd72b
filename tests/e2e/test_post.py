"""Replies that go out together, on a real server: a reply never waits for the next request to end."""

import signal
import time
from pathlib import Path

import pytest

from tests.cases import turns
from tests.e2e.server import LOOPS, Client, serving

APPLICATION = """
import time

def application(environ, start_response):
    seconds = float(environ["PATH_INFO"][1:])
    if seconds:
        time.sleep(seconds)
    body = environ["PATH_INFO"].encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""


@pytest.mark.parametrize("loop", turns(LOOPS, "uvloop"))
def test_quick_replies_do_not_wait_for_the_slow_request_behind_them(tmp_path: Path, loop: str) -> None:
    (tmp_path / "app.py").write_text(APPLICATION)
    options = ("--chdir", str(tmp_path), "--threads", "1", "--loop", loop)
    with serving(tmp_path, *options, app="app") as server:
        clients = [server.client() for _ in range(9)]
        for number, client in enumerate(clients):  # the loop has them all in its poll, the pool is warm
            assert client.get("/0").body == b"/0", number
        # All at once: the loop queues them in one turn, and replies may wait for each other.
        server.process.send_signal(signal.SIGSTOP)
        for client, path in zip(clients, [*["/0"] * 7, "/1.5", "/0"], strict=True):
            client.send(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        server.process.send_signal(signal.SIGCONT)
        begun = time.monotonic()
        for client in clients[:7]:
            assert client.reply().body == b"/0"
        assert time.monotonic() - begun < 0.7, "they waited for the slow one"
        assert clients[7].reply().body == b"/1.5"
        assert clients[8].reply().body == b"/0"
        for client in clients:
            client.close()


@pytest.mark.parametrize("loop", turns(LOOPS, "asyncio"))
def test_a_burst_is_answered_whole_and_each_client_has_its_own(tmp_path: Path, loop: str) -> None:
    (tmp_path / "app.py").write_text(APPLICATION.replace("seconds = float(", "seconds = 0 * len("))
    options = ("--chdir", str(tmp_path), "--threads", "2", "--loop", loop)
    with serving(tmp_path, *options, app="app") as server:
        clients: list[Client] = [server.client() for _ in range(40)]
        for turn in range(25):
            for number, client in enumerate(clients):
                client.send(f"GET /{turn}-{number} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            for number, client in enumerate(clients):
                assert client.reply().body == f"/{turn}-{number}".encode()
        for client in clients:
            client.close()
