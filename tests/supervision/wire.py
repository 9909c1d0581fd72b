"""What the counting client says and hears: a request with its own number, and the one reply that is right.

Run in the client's process. The reply's body is ``<number> <pid> <generation> `` and dots up to the length
that was asked for, so that a reply to another request, a short one and a foreign byte are all seen.
"""

import socket
import struct
from dataclasses import dataclass
from enum import IntEnum

Address = tuple[str, int] | str


class Kind(IntEnum):
    """What became of a request."""

    OK = 0
    REFUSED = 1  # no connection was to be had
    RESET = 2  # the connection was reset before a byte of the reply
    CLOSED = 3  # it was closed before a byte of the reply
    CUT = 4  # it ended in the middle of the reply
    WRONG = 5  # a reply to something else, or bytes that nobody asked for
    LENGTH = 6  # its own reply, but not of the length that was asked for
    STATUS = 7  # an answer that is not 200
    LATE = 8  # nothing within the client's patience
    NOISE = 9  # not a reply at all


VISIBLE = (Kind.REFUSED, Kind.RESET, Kind.CLOSED, Kind.CUT)
"""How a client sees that its server has died: nothing that could be taken for an answer."""


@dataclass(frozen=True)
class Lane:
    """One way to the application.

    ``protocol`` is http or uwsgi; ``kept`` connections serve many requests; ``share`` is this lane's part of
    the rate beside the others'; ``path`` is what stands before the request's number, ``query`` behind it.
    """

    name: str
    address: Address
    protocol: str = "http"
    kept: bool = False
    share: float = 1.0
    path: str = "/id/"
    query: str = ""
    connections: int = 8


def size_of(number: int) -> int:
    """Length of the body that is asked for: it differs from one request to the next."""
    return 100 + number % 397


def request(lane: Lane, number: int) -> bytes:
    """The bytes of one request."""
    query = f"size={size_of(number)}{'&' if lane.query else ''}{lane.query}"
    path = f"{lane.path}{number}"
    if lane.protocol == "uwsgi":
        return packet(path, query)
    close = "" if lane.kept else "Connection: close\r\n"
    return f"GET {path}?{query} HTTP/1.1\r\nHost: site\r\n{close}\r\n".encode()


def packet(path: str, query: str) -> bytes:
    """A uwsgi packet as a front server sends it."""
    words = {
        "REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": query, "REQUEST_URI": f"{path}?{query}",
        "SERVER_PROTOCOL": "HTTP/1.1", "SERVER_NAME": "site", "SERVER_PORT": "80", "HTTP_HOST": "site",
        "SCRIPT_NAME": "", "REMOTE_ADDR": "127.0.0.1", "CONTENT_LENGTH": "", "CONTENT_TYPE": "",
    }  # fmt: skip
    data = b"".join(
        struct.pack("<H", len(part)) + part for pair in words.items() for part in map(str.encode, pair)
    )
    return struct.pack("<BHB", 0, len(data), 0) + data


class Incoming:
    """One reply as it comes in; ``rest`` is what came behind its end."""

    def __init__(self) -> None:
        self.data = b""
        self.status = 0
        self.length = -1  # of the body; -1: up to the end of the connection
        self.keeps = True
        self.at = -1  # where the body begins

    def feed(self, piece: bytes) -> bool:
        """Whether it is complete; ValueError when it is no reply."""
        self.data += piece
        if self.at < 0 and not self._head():
            return False
        return self.length >= 0 and len(self.data) >= self.at + self.length

    def _head(self) -> bool:
        end = self.data.find(b"\r\n\r\n")
        if end < 0:
            if len(self.data) > 65536 or not b"HTTP/1.".startswith(self.data[:7]):
                raise ValueError("not a reply")
            return False
        first, *lines = self.data[:end].decode("latin-1").split("\r\n")
        words = first.split(" ", 2)
        if len(words) < 2 or words[0] not in ("HTTP/1.1", "HTTP/1.0") or not words[1].isdigit():
            raise ValueError("not a reply")
        self.status, self.at = int(words[1]), end + 4
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        self.keeps = words[0] == "HTTP/1.1" and fields.get("connection", "").lower() != "close"
        if "content-length" in fields:
            self.length = int(fields["content-length"])
        else:
            self.keeps = False
        return True

    @property
    def whole(self) -> bool:
        """Whether the connection may end here: all is there, or its end is the reply's."""
        return self.at >= 0 and (self.length < 0 or len(self.data) >= self.at + self.length)

    @property
    def body(self) -> bytes:
        """What there is of it."""
        return self.data[self.at : None if self.length < 0 else self.at + self.length]

    @property
    def rest(self) -> bytes:
        """Bytes behind the end of the reply."""
        return b"" if self.length < 0 else self.data[self.at + self.length :]


@dataclass(frozen=True)
class Verdict:
    """What a reply was, who gave it, and what was seen where it was not right."""

    kind: Kind
    pid: int = 0
    generation: int = 0
    seen: str = ""


def judge(number: int, reply: Incoming) -> Verdict:
    """Hold a complete reply against the request with that number."""
    if reply.status != 200:
        return Verdict(Kind.STATUS, seen=f"{reply.status} {reply.body[:120]!r}")
    words = reply.body.split(b" ", 3)
    if len(words) != 4 or words[0] != b"%d" % number or not (words[1] + words[2]).isdigit():
        return Verdict(Kind.WRONG, seen=f"asked as {number}: {reply.body[:120]!r}")
    pid, generation = int(words[1]), int(words[2])
    if len(reply.body) != size_of(number) or words[3].strip(b".") or reply.rest:
        return Verdict(Kind.LENGTH, pid, generation, f"{len(reply.body)} bytes for {size_of(number)}")
    return Verdict(Kind.OK, pid, generation)


def family(address: Address) -> int:
    """The kind of socket for it."""
    return socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
