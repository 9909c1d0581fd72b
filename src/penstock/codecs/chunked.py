"""Chunked transfer coding, received: RFC 9112 §7.1, strictly. Sans-IO; shared by HTTP and uwsgi.

Every octet is looked at once, however the bytes arrive. Trailers are kept apart and never become headers.
"""

import re

from penstock.codecs.cgi import TOKEN
from penstock.codecs.decoder import Limits
from penstock.core.errors import ProtocolError

# RFC 9112 §7.1.1: chunk-size [ chunk-ext ]; at most 16 digits, so no overflow in any language behind us.
_NAME = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_QUOTED = rb'"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*"'
_EXTENSION = rb"[ \t]*;[ \t]*" + _NAME + rb"(?:[ \t]*=[ \t]*(?:" + _NAME + rb"|" + _QUOTED + rb"))?"
SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})(?:" + _EXTENSION + rb")*")
VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")

SIZE, DATA, AFTER_DATA, TRAILER = "size", "data", "after data", "trailer"


class ChunkedBody:
    """Takes a chunked body apart, and stops exactly behind its end.

    ``receive(data)`` returns the decoded pieces (no empty ones); when ``done`` is True, ``rest`` holds
    the bytes that came after the body and ``trailers`` the (name, value) pairs. Raises ProtocolError.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.limit = min((x for x in (limits.body, limits.chunked_body) if x), default=0)
        self.state = SIZE
        self.left = 0
        self.total = 0
        self.line = bytearray()
        self.trailer_bytes = 0
        self.done = False
        self.rest = b""
        self.trailers: list[tuple[str, str]] = []

    def receive(self, data: bytes) -> list[bytes]:
        """Take bytes, give pieces of the body."""
        pieces: list[bytes] = []
        at = 0
        while at < len(data) and not self.done:
            if self.state is DATA:
                piece = data[at : at + self.left]
                at += len(piece)
                self.left -= len(piece)
                pieces.append(piece)
                if not self.left:
                    self.state = AFTER_DATA
                continue
            at, line = self.take_line(data, at)
            if line is not None:
                self.on_line(line)
        if self.done:
            self.rest = data[at:]
        return pieces

    def take_line(self, data: bytes, at: int) -> tuple[int, bytes | None]:
        """A line without its CRLF once it is complete; a bare LF or CR ends the body's credit."""
        end = data.find(b"\n", at)
        stop = len(data) if end < 0 else end + 1
        limit = self.line_limit()
        self.line += data[at : min(stop, at + limit + 3)]
        self.check_line(limit)
        if end < 0:
            return stop, None
        line = bytes(self.line)
        self.line.clear()
        return stop, line[:-2]

    def line_limit(self) -> int:
        if self.state is AFTER_DATA:
            return 0
        if self.state is SIZE:
            return self.limits.chunk_line
        return self.limits.trailer_bytes - self.trailer_bytes

    def check_line(self, limit: int) -> None:
        line = self.line
        cr = line.find(b"\r")
        body = len(line) if cr < 0 else cr
        if body > limit:
            if self.state is AFTER_DATA:
                raise ProtocolError(400, "the chunk's data is not followed by CRLF")
            raise ProtocolError(400, f"the chunked body's {self.state} line is too long")
        if cr >= 0 and len(line) > cr + 1 and (line[cr + 1] != 0x0A or len(line) > cr + 2):
            raise ProtocolError(400, "a bare CR in the chunked body's framing")
        if cr < 0 and line.endswith(b"\n"):
            raise ProtocolError(400, "a bare LF in the chunked body's framing")

    def on_line(self, line: bytes) -> None:
        if self.state is SIZE:
            self.on_size(line)
        elif self.state is AFTER_DATA:
            self.state = SIZE
        else:
            self.on_trailer(line)

    def on_size(self, line: bytes) -> None:
        match = SIZE_LINE.fullmatch(line)
        if match is None:
            raise ProtocolError(400, f"not a chunk size: {line[:40]!r}")
        self.left = int(match[1], 16)
        self.total += self.left
        if self.limit and self.total > self.limit:
            raise ProtocolError(413, f"the body is larger than {self.limit} bytes")
        self.state = DATA if self.left else TRAILER

    def on_trailer(self, line: bytes) -> None:
        if not line:
            self.done = True
            return
        self.trailer_bytes += len(line)
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon or TOKEN.fullmatch(name) is None or VALUE.fullmatch(value) is None:
            raise ProtocolError(400, f"not a trailer field: {line[:80]!r}")
        if len(self.trailers) >= self.limits.trailer_count:
            raise ProtocolError(400, f"more than {self.limits.trailer_count} trailer fields")
        self.trailers.append((name, value.strip(" \t")))
