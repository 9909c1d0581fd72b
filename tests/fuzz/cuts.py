"""Cuts a real server's connections at every state: after each byte of the request, and of the reply.

Each is ended in three ways: FIN (the client has said all it will say, and reads on), a plain close, and a
reset. Over HTTP on TCP and uwsgi on a UNIX socket, where a close with bytes unread is what a reset is. The
server is a child process; afterwards it answers, holds no descriptor more, and has logged no traceback.
"""

import os
import socket
import struct
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from penstock.codecs.uwsgi import encode_request
from tests.e2e.server import LOOPS, Server, serving

FIN, LEAVE, RESET = "fin", "leave", "reset"
WAYS = (FIN, LEAVE, RESET)
THREADS = 4
HTTP, UWSGI = 0, 1  # which listener
GREETING = b"Hello, World!"
PATIENCE = 10.0  # seconds: more is a connection that the server has forgotten
STORM = 100
EVERY_BYTE = 400  # of a reply; beyond, its last ones and some between


@dataclass(frozen=True)
class Script:
    """A legal exchange: what is sent, and whether one byte less of it may get no 200."""

    name: str
    listener: int
    raw: bytes
    strict: bool = True


def http(line: str, *fields: str, body: bytes = b"") -> bytes:
    return "\r\n".join([line, "Host: a", *fields, "", ""]).encode() + body


def packet(path: str, body: bytes = b"", **more: str) -> bytes:
    length = str(len(body)) if body else ""
    path, _, query = path.partition("?")
    words = {"REQUEST_METHOD": "POST" if body else "GET", "PATH_INFO": path, "QUERY_STRING": query}
    return encode_request({**words, "CONTENT_LENGTH": length, "SERVER_PROTOCOL": "HTTP/1.1", **more}) + body


CHUNKS = b"3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nX-T: 1\r\n\r\n"
SCRIPTS = (
    Script("hello", HTTP, http("GET /hello HTTP/1.1", "Connection: close")),
    Script("kept", HTTP, http("GET /hello HTTP/1.1", "X: y")),
    Script("length", HTTP, http("POST /digest HTTP/1.1", "Content-Length: 5", body=b"hello")),
    Script("chunked", HTTP, http("POST /digest HTTP/1.1", "Transfer-Encoding: chunked", body=CHUNKS)),
    Script(
        "expect",
        HTTP,
        http("POST /digest HTTP/1.1", "Content-Length: 3", "Expect: 100-continue", body=b"abc"),
    ),
    Script("stream", HTTP, http("GET /stream?n=5&wait=0.001 HTTP/1.1")),
    Script("old", HTTP, b"GET /stream HTTP/1.0\r\n\r\n"),
    Script("pipelined", HTTP, http("GET /hello HTTP/1.1") + http("HEAD /hello HTTP/1.1"), strict=False),
    Script("big", HTTP, http("GET /big?size=300000 HTTP/1.1")),
    Script("packet", UWSGI, packet("/hello")),
    Script("packet, length", UWSGI, packet("/digest", b"hello")),
    Script("packet, chunked", UWSGI, packet("/digest", HTTP_TRANSFER_ENCODING="chunked") + CHUNKS),
    Script("packet, big", UWSGI, packet("/big?size=300000")),
)


class Cut:
    """One connection that does not end as it should."""

    def __init__(self, server: Server, listener: int) -> None:
        address = server.address(listener)
        self.sock = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(address)

    def end(self, way: str) -> bytes:
        """End it in one of the three ways; what the server still said."""
        try:
            if way == FIN:
                self.sock.shutdown(socket.SHUT_WR)
                return self.rest()
            if way == RESET:
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        finally:
            self.sock.close()
        return b""

    def rest(self) -> bytes:
        pieces = []
        try:
            while piece := self.sock.recv(1 << 18):
                pieces.append(piece)
        except ConnectionResetError:
            pass
        return b"".join(pieces)

    def take(self, count: int) -> None:
        while count:
            piece = self.sock.recv(count)
            assert piece, f"{count} bytes of the reply are missing"
            count -= len(piece)


def reply_to(server: Server, script: Script, raw: bytes, way: str = FIN) -> bytes:
    """What the server says to some bytes and the end that follows them."""
    cut = Cut(server, script.listener)
    if raw:
        cut.sock.sendall(raw)
    return cut.end(way)


def cut_reply(server: Server, script: Script, read: int, way: str) -> None:
    """Send all, read ``read`` bytes, and go."""
    cut = Cut(server, script.listener)
    cut.sock.sendall(script.raw)
    cut.take(read)
    cut.end(way)


def places(size: int, step: int) -> Iterator[int]:
    """Every ``step``-th place up to ``size``, which is one too; few in what is long."""
    if size <= EVERY_BYTE:
        yield from range(0, size, step)
    else:
        yield from range(0, EVERY_BYTE, step * 4)
        yield from range(EVERY_BYTE, size, max(size // 16, 1))
    yield from {size - 1, size}


def cut_one(server: Server, script: Script, step: int) -> int:
    """One script, cut everywhere; how many connections that were."""
    reply = reply_to(server, script, script.raw)
    assert b" 200 " in reply, (script.name, reply)
    made = 0
    for at in places(len(script.raw), step):
        for way in WAYS:
            said = reply_to(server, script, script.raw[:at], way)
            short = script.strict and at < len(script.raw)
            assert not (short and b" 200 " in said), f"{script.name}: half a request is answered: {said!r}"
            made += 1
    for at in places(len(reply), step):
        for way in WAYS:
            cut_reply(server, script, at, way)
            made += 1
    return made


def storm(server: Server) -> int:
    """A byte and a reset, which come together, before each of some requests that come in pieces: uvloop then
    reads the byte and is silent of the rest. How many connections that were."""
    half = len(SCRIPTS[0].raw) // 2
    for _ in range(STORM):
        reply_to(server, SCRIPTS[0], SCRIPTS[0].raw[:1], RESET)
        cut = Cut(server, HTTP)
        cut.sock.sendall(SCRIPTS[0].raw[:half])
        time.sleep(0.001)
        cut.sock.sendall(SCRIPTS[0].raw[half:])
        assert cut.end(FIN).endswith(GREETING), "an innocent request is not answered"
    return 2 * STORM


def both(server: Server) -> int:
    """Two requests and the client's end in one go: both are answered. How many connections that were."""
    script = Script("both", HTTP, 2 * http("GET /hello HTTP/1.1"))
    for _ in range(STORM):
        said = reply_to(server, script, script.raw)
        assert said.count(GREETING) == 2, f"two requests before the client's end, one reply: {said!r}"
    return STORM


def holdings(server: Server) -> tuple[int, int]:
    """Descriptors and threads of the server."""
    top = Path("/proc") / str(server.process.pid)
    return len(os.listdir(top / "fd")), len(os.listdir(top / "task"))


def settled(server: Server, before: tuple[int, int]) -> None:
    """Nothing is left of the clients that went. Raises AssertionError."""
    until = time.monotonic() + PATIENCE
    while (now := holdings(server))[0] > before[0] or now[1] > before[1]:
        assert time.monotonic() < until, f"descriptors and threads: {before} before, {now} after"
        time.sleep(0.02)


def warm(server: Server) -> None:
    """What is made once (modules, every thread of the pool) is made before the count."""
    for script in SCRIPTS:
        reply_to(server, script, script.raw)
    busy = [Cut(server, HTTP) for _ in range(2 * THREADS)]
    for cut in busy:
        cut.sock.sendall(http("GET /sleep?s=0.1 HTTP/1.1", "Connection: close"))
    for cut in busy:
        assert b" 200 " in cut.rest().partition(b"\r\n")[0]
        cut.sock.close()
    time.sleep(0.1)


def well(server: Server) -> None:
    """It answers on both listeners, and has nothing to complain of. Raises AssertionError."""
    assert reply_to(server, SCRIPTS[0], SCRIPTS[0].raw).endswith(GREETING)
    hello = Script("hello", UWSGI, packet("/hello"))
    assert reply_to(server, hello, hello.raw).endswith(GREETING)
    assert "Traceback" not in server.text(), server.text()[-2000:]


def cut_server(folder: Path, loop: str, step: int, tell: Callable[[str], None] = lambda text: None) -> int:
    """All scripts against a server of its own; how many connections were cut. Raises AssertionError."""
    options = ["--http-socket", "127.0.0.1:0", "--uwsgi-socket", str(folder / "s")]
    options += ["--loop", loop, "--threads", str(THREADS)]
    made = 0
    # Whoever looks for the servers of this machine would leave an epoll in this one.
    with serving(folder, *options, "--control-socket", "off", listeners=2) as server:
        warm(server)
        before = holdings(server)
        for script in SCRIPTS:
            count = cut_one(server, script, step)
            made += count
            well(server)
            settled(server, before)
            tell(f"{loop}: {script.name}: {count:,} cut; descriptors, threads {holdings(server)}")
        made += storm(server) + both(server)
        well(server)
        settled(server, before)
        tell(f"{loop}: {made:,} connections in all")
    return made


def cut_everywhere(tell: Callable[[str], None]) -> int:
    """At every byte, on each loop; the exit status."""
    began = time.monotonic()
    made = 0
    for loop in LOOPS:
        with tempfile.TemporaryDirectory() as folder:
            try:
                made += cut_server(Path(folder), loop, 1, tell)
            except (AssertionError, OSError) as error:
                tell(f"FAILED: {loop}: {error}")
                return 1
    tell(f"PASSED: {made:,} connections cut in {time.monotonic() - began:,.0f} s")
    return 0
