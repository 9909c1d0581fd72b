"""One server, real uWSGI or penstock, in a folder of its own, asked and listened to by all means.

Both get the same text and the same requests.
"""

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.compat import pair
from tests.e2e.surroundings import environment

PATIENCE = 15.0  # seconds for a start, an end, and whatever is waited for
APP = """
import time
def application(environ, start_response):
    if environ["PATH_INFO"] == "/slow":
        time.sleep(2)
    if environ["PATH_INFO"] == "/bad":
        raise ValueError("bad")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


@dataclass
class Watched:
    """What a server was seen to tell: datagrams as they came, and each connection to Graphite."""

    folder: Path
    port: int = field(default_factory=free_port)
    stats: int = field(default_factory=free_port)
    pushed: list[bytes] = field(default_factory=list)
    graphite: list[bytes] = field(default_factory=list)

    def ask(self, path: str) -> bytes:
        """One request, by HTTP; all of the reply."""
        return spoken(self.port, f"GET {path} HTTP/1.0\r\nHost: site\r\n\r\n".encode())

    def document(self, request: bytes = b"") -> Any:
        """The stats document."""
        return json.loads(spoken(self.stats, request).rpartition(b"\r\n\r\n")[2])

    def until(self, done: Callable[[], object]) -> None:
        """Wait until something is so."""
        begun = time.monotonic()
        while not done():
            assert time.monotonic() - begun < PATIENCE
            time.sleep(0.05)


def spoken(port: int, request: bytes) -> bytes:
    """All that comes back for a request."""
    data = b""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as sock:
        if request:
            sock.sendall(request)
        while piece := sock.recv(1 << 16):
            data += piece
    return data


@contextmanager
def watched(name: str, folder: Path, text: str, resting: int = 0) -> Iterator[Watched]:
    """The server with this ini, in which PORT, STATS, PUSH and CARBON are ports; of its workers so many are
    not started."""
    folder.mkdir()
    (folder / "app.py").write_text(APP)
    (folder / "file.txt").write_text("a file\n")
    one = Watched(folder)
    with hearing(one) as ports:
        words = {"PORT": one.port, "STATS": one.stats, **ports}
        for word, port in words.items():
            text = text.replace(word, str(port))
        (folder / "site.ini").write_text(f"[uwsgi]\n{text}\n")
        program = [str(pair.UWSGI)] if name == "uwsgi" else [sys.executable, "-m", "penstock"]
        kept = {key: value for key, value in environment().items() if not key.startswith("UWSGI_")}
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [*program, "--ini", "site.ini"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=folder,
                env=kept,
            )
        try:
            one.until(lambda: answers(one, resting))
            yield one
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def answers(one: Watched, resting: int) -> bool:
    """Whether all of its workers are there but those that rest."""
    try:
        workers = one.document(b"GET / HTTP/1.0\r\n\r\n")["workers"]
        return sum(not worker["pid"] for worker in workers) == resting
    except (OSError, ValueError):
        return False


@contextmanager
def hearing(one: Watched) -> Iterator[dict[str, int]]:
    """Somebody listens for what is sent; the ports."""
    udp, tcp = socket.socket(type=socket.SOCK_DGRAM), socket.create_server(("127.0.0.1", 0))
    udp.bind(("127.0.0.1", 0))
    udp.settimeout(0.2)
    tcp.settimeout(0.2)
    over = threading.Event()

    def datagrams() -> None:
        while not over.is_set():
            try:
                one.pushed.append(udp.recv(1 << 16))
            except TimeoutError:
                continue

    def connections() -> None:
        while not over.is_set():
            try:
                connection, _ = tcp.accept()
            except TimeoutError:
                continue
            with connection:
                connection.settimeout(PATIENCE)
                data = b""
                while piece := connection.recv(1 << 16):
                    data += piece
                one.graphite.append(data)

    threads = [threading.Thread(target=datagrams), threading.Thread(target=connections)]
    for thread in threads:
        thread.start()
    try:
        yield {"PUSH": udp.getsockname()[1], "CARBON": tcp.getsockname()[1]}
    finally:
        over.set()
        for thread in threads:
            thread.join(PATIENCE)
        udp.close()
        tcp.close()
