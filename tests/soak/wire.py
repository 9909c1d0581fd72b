"""A client that speaks bytes over HTTP and uwsgi, on TCP and UNIX sockets, and knows how each can end."""

import random
import socket
import struct
import time
from collections import defaultdict
from typing import NamedTuple

RESET = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 s: close() resets


class Wrong(Exception):
    """The server did what it must not do."""


class Gone(Exception):
    """The connection ended where more was expected; whether that is right depends on the client."""


class Place(NamedTuple):
    """Where a server listens, and for what."""

    protocol: str
    address: tuple[str, int] | str


class Reply(NamedTuple):
    status: int
    headers: dict[str, list[str]]
    body: bytes

    @property
    def closes(self) -> bool:
        return self.headers.get("connection") == ["close"]


class Line:
    """One connection. ``pace``: seconds before each read, which is small then."""

    def __init__(self, place: Place, window: int = 0, timeout: float = 30.0) -> None:
        self.uwsgi = place.protocol == "uwsgi"
        self.local = isinstance(place.address, str)
        self.sock = socket.socket(socket.AF_UNIX if self.local else socket.AF_INET)
        self.rest = bytearray()
        self.pace = 0.0
        try:
            if window:
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
            self.sock.settimeout(timeout)
            self.sock.connect(place.address)
        except BaseException:
            self.sock.close()
            raise

    # ---- Out ----------------------------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        try:
            self.sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            raise Gone("while it sends") from None

    def try_send(self, data: bytes) -> None:
        """As much as the server takes."""
        try:
            self.sock.sendall(data)
        except OSError:
            pass

    def end_sending(self) -> None:
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            raise Gone("while it ends its side") from None

    def close(self, reset: bool = False) -> None:
        try:
            if reset and not self.local:
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        except OSError:
            pass
        self.sock.close()

    def __enter__(self) -> "Line":
        return self

    def __exit__(self, *error: object) -> None:
        self.sock.close()

    # ---- In -----------------------------------------------------------------------------------------

    def more(self) -> bool:
        """Read once; False at the end of the stream."""
        if self.pace:
            time.sleep(self.pace)
        try:
            data = self.sock.recv(4096 if self.pace else 65536)
        except ConnectionResetError:
            raise Gone("reset") from None
        except TimeoutError:
            raise Wrong(f"nothing comes any more after {bytes(self.rest[:200])!r}") from None
        self.rest += data
        return bool(data)

    def until(self, mark: bytes) -> bytes:
        while (at := self.rest.find(mark)) < 0:
            if not self.more():
                raise Gone(f"end after {bytes(self.rest[:80])!r}")
        found = bytes(self.rest[:at])
        del self.rest[: at + len(mark)]
        return found

    def exactly(self, count: int) -> bytes:
        while len(self.rest) < count:
            if not self.more():
                raise Gone("end in the body")
        found = bytes(self.rest[:count])
        del self.rest[:count]
        return found

    def nothing_more(self) -> None:
        if self.more() or self.rest:
            raise Wrong(f"bytes behind the reply: {bytes(self.rest[:80])!r}")

    def head(self) -> tuple[int, dict[str, list[str]]]:
        """The next final head."""
        while True:
            lines = self.until(b"\r\n\r\n").decode("latin-1").split("\r\n")
            if not lines[0].startswith("HTTP/1."):
                raise Wrong(f"a status line was expected, not {lines[0][:100]!r}")
            headers: dict[str, list[str]] = defaultdict(list)
            for line in lines[1:]:
                name, _, value = line.partition(":")
                headers[name.strip().lower()].append(value.strip())
            status = int(lines[0].split()[1])
            if status != 100:
                return status, dict(headers)

    def reply(self, method: str = "GET") -> Reply:
        status, headers = self.head()
        if status in (204, 304) or method == "HEAD":
            return Reply(status, headers, b"")
        lengths = headers.get("content-length", [])
        if len(lengths) > 1:
            raise Wrong("two lengths")
        if "transfer-encoding" in headers:
            return Reply(status, headers, self.chunks())
        if lengths:
            return Reply(status, headers, self.exactly(int(lengths[0])))
        while self.more():
            pass
        body = bytes(self.rest)
        self.rest.clear()
        return Reply(status, headers, body)

    def chunks(self) -> bytes:
        found = []
        while True:
            size = int(self.until(b"\r\n"), 16)
            found.append(self.exactly(size))
            if self.exactly(2) != b"\r\n":
                raise Wrong("a chunk does not end where it says")
            if not size:
                return b"".join(found)


# ---- Requests ---------------------------------------------------------------------------------------


def token(chance: random.Random) -> str:
    return f"{chance.getrandbits(64):016x}"


def target(path: str, tok: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}t={tok}"


def request(
    path: str,
    tok: str,
    body: bytes | None = None,
    *headers: str,
    method: str = "",
    version: str = "1.1",
    chunked: bool = False,
) -> bytes:
    """An HTTP request, with its body's head fields but without the body."""
    lines = [f"{method or ('GET' if body is None else 'POST')} {target(path, tok)} HTTP/{version}", "Host: x"]
    lines += headers
    if chunked:
        lines.append("Transfer-Encoding: chunked")
    elif body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode()


def chunks(chance: random.Random, body: bytes) -> list[bytes]:
    """A body in chunks of all sizes, with the last one."""
    found, at = [], 0
    while at < len(body):
        piece = body[at : at + chance.choice((1, 100, 5000, 60000))]
        found.append(b"%x\r\n%s\r\n" % (len(piece), piece))
        at += len(piece)
    return [*found, b"0\r\n\r\n"]


def packet(path: str, tok: str, body: bytes | None = None) -> bytes:
    """A uwsgi packet with its body."""
    where, _, query = target(path, tok).partition("?")
    variables = {
        "REQUEST_METHOD": "GET" if body is None else "POST",
        "REQUEST_URI": f"{where}?{query}",
        "PATH_INFO": where,
        "QUERY_STRING": query,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "x",
        "CONTENT_LENGTH": "" if body is None else str(len(body)),
        "CONTENT_TYPE": "",
        "SERVER_NAME": "x",
        "SERVER_PORT": "80",
        "REMOTE_ADDR": "10.0.0.9",
    }
    block = b"".join(
        struct.pack("<H", len(word)) + word.encode() for pair in variables.items() for word in pair
    )
    return struct.pack("<BHB", 0, len(block), 0) + block + (body or b"")
