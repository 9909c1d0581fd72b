"""A server on loopback that does exactly what a test wrote down, a function for each connection."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from penstock.handoff.exchange import Exchange
from penstock.serve.proxy.body import Body, body_of
from penstock.serve.proxy.passing import Errand
from penstock.serve.proxy.target import Target, parse_target
from penstock.serve.wsgi.call import Call
from penstock.serve.wsgi.input import make_input
from tests.serve.boxes import ListBox, exchange, manner

PATIENCE = 10.0  # seconds; a test that needs them has failed

Script = Callable[["Said"], None]


class Said:
    """One connection as its server sees it. ``heads`` and ``bodies`` of requests that came."""

    def __init__(self, sock: socket.socket) -> None:
        sock.settimeout(PATIENCE)
        self.sock = sock
        self.file = sock.makefile("rb")
        self.heads: list[bytes] = []
        self.bodies: list[bytes] = []

    def hear_head(self) -> bytes:
        """A request's head, without its empty line; b"" at the end."""
        lines = []
        for line in self.file:
            if line == b"\r\n":
                break
            lines.append(line)
        head = b"".join(lines)
        self.heads.append(head)
        return head

    def hear(self) -> bytes:
        """A whole request; its body where it is counted or chunked."""
        head = self.hear_head().lower()
        body = b""
        if b"transfer-encoding: chunked" in head:
            while size := int(self.file.readline(), 16):
                body += self.file.read(size)
                self.file.readline()
            self.file.readline()
        elif b"content-length: " in head:
            body = self.file.read(int(head.partition(b"content-length: ")[2].split()[0]))
        self.bodies.append(body)
        return body

    def say(self, data: bytes) -> None:
        self.sock.sendall(data)

    def gone(self) -> bool:
        """Wait for the other side to end it."""
        try:
            return self.file.read(1) == b""
        except ConnectionError:
            return True

    def rest(self) -> int:
        """How many bytes still come until the other side ends it."""
        count = 0
        try:
            while piece := self.file.read(1 << 16):
                count += len(piece)
        except ConnectionError:
            pass
        return count


class Server:
    """``address`` for a rule; ``seen``: its connections in order; ``errors`` of scripts."""

    def __init__(self, scripts: tuple[Script, ...], path: str = "") -> None:
        self.scripts = scripts
        self.seen: list[Said] = []
        self.errors: list[BaseException] = []
        if path:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.bind(path)
            self.sock.listen()
            self.address = path
        else:
            self.sock = socket.create_server(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{self.sock.getsockname()[1]}"
        self.sock.settimeout(PATIENCE)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self) -> None:
        """One connection after the other, then none any more."""
        for script in self.scripts:
            try:
                sock, _ = self.sock.accept()
            except TimeoutError as error:
                self.errors.append(error)
                break
            said = Said(sock)
            self.seen.append(said)
            try:
                script(said)
            except BaseException as error:
                self.errors.append(error)
            finally:
                said.file.close()
                sock.close()
        self.sock.close()

    @property
    def target(self) -> Target:
        return parse_target(self.address)


@contextmanager
def server(*scripts: Script, path: str = "") -> Iterator[Server]:
    """A server with these connections: each must have come, and its script have done with it, at the end."""
    running = Server(scripts, path)
    yield running
    running.thread.join(2 * PATIENCE)
    assert not running.thread.is_alive(), "a script still waits"
    assert not running.errors, running.errors


def answers(*replies: bytes) -> Script:
    """Hear a request for each reply, then close."""

    def script(said: Said) -> None:
        for reply in replies:
            said.hear()
            said.say(reply)

    return script


OK = b"HTTP/1.1 200 OK\r\n"
HELLO = OK + b"Content-Length: 5\r\n\r\nhello"


def call_for(box: ListBox | None = None, **request: Any) -> tuple[Call, ListBox]:
    """A call whose reply goes into a list."""
    box = box or ListBox()
    return Call(exchange(box, **request), manner()), box


def errand_of(x: Exchange, target: Target, method: str = "GET", body: Body | None = None) -> Errand:
    """A request for ``target``, framed by what its body is."""
    body = body or body_of(x, make_input(x.body, None))
    framing = (
        b"Transfer-Encoding: chunked\r\n" if body.length < 0 else b"Content-Length: %d\r\n" % body.length
    )
    head = b"%b /x HTTP/1.1\r\nHost: h\r\n%b\r\n" % (method.encode(), framing if body.length else b"")
    return Errand(target, method, head, body)
