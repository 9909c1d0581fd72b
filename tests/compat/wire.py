"""A client that sends bytes and takes a reply apart without judging it.

Used by the fixture that runs the cases. How the reply ended is told as exactly as its status: the end is
where servers differ most.
"""

import re
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

DATE = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} 2\d{3} \d\d:\d\d:\d\d GMT")
STEP = 10  # seconds to which the distance of a date is told

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Reply:
    """``end``: "complete" by its framing, "close" where only the end of the connection ends it, "cut" in
    mid-body, "reset", "extra" when bytes follow it, "nothing" without one byte, "waiting" after 5 s.
    ``port`` is the client's own."""

    status: str
    headers: Headers
    body: str
    end: str
    port: int


class Reader:
    """A socket read to its end, or until the reply is complete."""

    def __init__(self, sock: socket.socket, head: bool) -> None:
        self.sock = sock
        self.head = head
        self.data = b""
        self.over = ""

    def more(self) -> bool:
        """Read on; False when there is nothing more, and ``over`` says why."""
        try:
            piece = self.sock.recv(1 << 20)
        except ConnectionResetError:
            self.over = "reset"
            return False
        except TimeoutError:
            self.over = "waiting"
            return False
        self.data += piece
        if not piece:
            self.over = "eof"
        return bool(piece)

    def until(self, enough: Callable[[bytes], bool]) -> None:
        """Read on until there is ``enough``, or nothing more comes."""
        while not self.over and not enough(self.data):
            self.more()

    def at_least(self, size: int) -> None:
        self.until(lambda data: len(data) >= size)

    def ended(self, usual: str) -> str:
        return usual if self.over in ("eof", "") else self.over

    def read(self, to_end: bool) -> tuple[str, Headers, bytes, str]:
        """Status line, header fields in order, decoded body, end."""
        self.until((lambda data: False) if to_end else (lambda data: b"\r\n\r\n" in data))
        if not self.data.startswith(b"HTTP/"):
            return "", (), self.data, self.ended("close") if self.data else f"nothing, {self.over}"
        text, _, self.data = self.data.partition(b"\r\n\r\n")
        first, *lines = text.decode("latin-1").split("\r\n")
        headers = tuple(field(line) for line in lines)
        body, end = self.body(first.split(" ")[1], {name.lower(): value for name, value in headers})
        return first, headers, body, end

    def body(self, code: str, fields: dict[str, str]) -> tuple[bytes, str]:
        """The body by its framing (RFC 9112 §6.3)."""
        if self.head or code in ("204", "304"):
            return self.counted(0)
        if "transfer-encoding" in fields:
            return self.chunks()
        if "content-length" in fields:
            return self.counted(int(fields["content-length"]))
        self.until(lambda data: False)
        return self.data, self.ended("close")

    def counted(self, size: int) -> tuple[bytes, str]:
        self.at_least(size)
        if len(self.data) > size:
            return self.data, "extra"
        return self.data, self.ended("complete" if len(self.data) == size else "cut")

    def chunks(self) -> tuple[bytes, str]:
        body = b""
        while True:
            self.until(lambda data: b"\r\n" in data)
            line, mark, self.data = self.data.partition(b"\r\n")
            if not mark:
                return body, self.ended("cut")
            size = int(line, 16)
            self.at_least(size + 2)
            body += self.data[:size]
            self.data = self.data[size + 2 :]
            if not size:
                return body, "extra" if self.data else self.ended("complete")


def field(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name, value.strip()


def from_now(date: str, now: float) -> str:
    """``<now>``, ``<now+3600>``: two servers are asked at two moments. A date that has passed stays."""
    seconds = round((parsedate_to_datetime(date).timestamp() - now) / STEP) * STEP
    return date if seconds < 0 else f"<now+{seconds}>" if seconds else "<now>"


def ask(port: int, data: bytes, *, head: bool, to_end: bool) -> Reply:
    """Send a request to a port of this machine and read its reply. Dates are as in ``from_now``."""
    now = time.time()
    with socket.create_connection(("127.0.0.1", port), timeout=5) as sock:
        own = sock.getsockname()[1]
        try:
            sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused in mid-request; what was answered is still there to read
        status, headers, body, end = Reader(sock, head).read(to_end)
    shown = tuple((name, DATE.sub(lambda date: from_now(date[0], now), value)) for name, value in headers)
    return Reply(status, shown, body.decode("latin-1"), end, own)
