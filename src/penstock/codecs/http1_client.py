"""HTTP/1.1 as a client speaks it, sans-IO: the head of a request out, a server's reply in (RFC 9112).

For replies that are passed on to somebody else, so nothing is guessed: what two readers could take for two
different replies is refused. Used by pool threads; knows neither sockets nor who the reply is for.
"""

import re
from collections.abc import Iterable

from penstock.codecs.cgi import TOKEN
from penstock.codecs.chunked import ChunkedBody
from penstock.codecs.decoder import Limits
from penstock.codecs.http1_reply import BODILESS, KINDS, PLAIN, VALUE
from penstock.codecs.http1_reply import LENGTH as COUNTED
from penstock.core.errors import ProtocolError

VERSION_LINE = re.compile(r"HTTP/1\.([01]) ([1-9][0-9]{2})(?: ([\t\x20-\x7e\x80-\xff]*))?")
CGI_STATUS = re.compile(r"([1-9][0-9]{2})(?: ([\t\x20-\x7e\x80-\xff]*))?")
NUMBER = re.compile(r"[0-9]{1,18}")
TARGET = re.compile(r"[\x21\x22\x24-\x7e]+")  # visible, and no fragment (RFC 9112 §3.2)

HEAD_BYTES = 64 * 1024
"""Octets of a reply's head that are taken; uWSGI takes as many."""
INTERIM = 16
"""Interim replies (1xx) that are skipped before a final one."""

UNTIL_END, CHUNKED = -1, -2
"""Words of ``ReplyHead.length``: the body ends with the connection; with its last chunk."""

HOP_BY_HOP = frozenset(name for name, kind in KINDS.items() if kind not in (PLAIN, COUNTED)) - {"date"}
"""Fields between two neighbours, lower-case (RFC 9110 §7.6.1)."""

# A sender must not nominate what is for the recipient (RFC 9110 §7.6.1); those who do want something that a
# front server has set to be lost on its way.
END_TO_END = """
    accept accept-encoding authorization cache-control content-encoding content-length content-range
    content-type cookie date etag expires forwarded host last-modified location origin range set-cookie vary
    www-authenticate x-forwarded-for x-forwarded-host x-forwarded-port x-forwarded-proto x-forwarded-ssl
    x-real-ip
"""
LASTING = frozenset(END_TO_END.split())


class ReplyHead:
    """A final reply's status and fields.

    ``status``   int, 200 to 999
    ``reason``   str, may be empty
    ``headers``  (name, value) pairs of str, latin-1 carried, without hop-by-hop fields
    ``length``   int, octets of the body, or ``UNTIL_END`` or ``CHUNKED``
    ``lasts``    bool, the server keeps the connection
    """

    __slots__ = ("headers", "lasts", "length", "reason", "status")

    def __init__(self, status: int, reason: str, headers: list[tuple[str, str]], lasts: bool) -> None:
        self.status = status
        self.reason = reason
        self.headers = headers
        self.length = 0
        self.lasts = lasts


def request_head(method: str, target: str, fields: Iterable[tuple[str, str]]) -> bytes:
    """The head of an HTTP/1.1 request. Raises ProtocolError(400) for what would not be one field, or one
    request, to its reader."""
    if TOKEN.fullmatch(method) is None or method == "CONNECT":
        raise ProtocolError(400, f"not a method that is passed on: {method[:40]!r}")
    if TARGET.fullmatch(target) is None:
        raise ProtocolError(400, f"not a request target: {target[:80]!r}")
    lines = [f"{method} {target} HTTP/1.1"]
    for name, value in fields:
        if TOKEN.fullmatch(name) is None:
            raise ProtocolError(400, f"not a header name: {name[:80]!r}")
        if VALUE.fullmatch(value) is None:
            raise ProtocolError(400, f"the header {name} has a character that must not be sent")
        lines.append(f"{name}: {value}")
    lines.append("\r\n")
    return "\r\n".join(lines).encode("latin-1")


def nominated(connection: str) -> set[str]:
    """The lower-case names that a Connection field says are for the next neighbour alone."""
    names = {token.strip(" \t").lower() for token in connection.split(",")}
    return names - LASTING


class ReplyDecoder:
    """One reply, for the request with ``method``.

    ``receive(data)`` gives the pieces of the body that are there, none of them empty; from the final head on
    ``head`` is not None, and ``done`` at the end of the body. ``touched``: something came. ``eof()`` says
    that the server has closed. Both raise ProtocolError(502), after which the decoder is dead.
    ``cgi``: of a uwsgi server, which may begin with a field ``Status`` (RFC 3875 §6.3.3) and never lasts.
    """

    __slots__ = ("body", "cgi", "done", "head", "held", "interim", "left", "method", "searched", "surplus",
                 "touched")  # fmt: skip

    def __init__(self, method: str, cgi: bool = False) -> None:
        self.method = method
        self.cgi = cgi
        self.head: ReplyHead | None = None
        self.done = False
        self.touched = False
        self.surplus = False
        self.held = bytearray()
        self.searched = 0
        self.interim = 0
        self.left = 0
        self.body: ChunkedBody | None = None

    @property
    def reusable(self) -> bool:
        """Whether the connection is good for another request: this reply is over, and nothing came after."""
        head = self.head
        return self.done and not self.surplus and head is not None and head.lasts

    def receive(self, data: bytes) -> list[bytes]:
        """Take octets, give pieces of the body."""
        self.touched = True
        if self.head is not None:
            return self.receive_body(data)
        self.held += data
        head = self.find_head()
        if head is None:
            return []
        self.head = head
        rest = bytes(self.held)
        self.held.clear()
        return self.receive_body(rest)

    def eof(self) -> None:
        """The server has closed."""
        if self.head is None:
            raise ProtocolError(502, "the server closed the connection before its reply")
        if self.head.length == UNTIL_END:
            self.done = True
        elif not self.done:
            raise ProtocolError(502, "the server closed the connection in the middle of its reply")

    # ---- The head -----------------------------------------------------------------------------------

    def find_head(self) -> ReplyHead | None:
        """The final head once it is there; interim ones before it are skipped."""
        held = self.held
        while True:
            end = held.find(b"\r\n\r\n", self.searched)
            if (len(held) if end < 0 else end) > HEAD_BYTES:
                raise ProtocolError(502, f"the reply's head is larger than {HEAD_BYTES} bytes")
            if end < 0:
                self.searched = max(0, len(held) - 3)
                return None
            text = bytes(held[:end]).decode("latin-1")
            del held[: end + 4]
            self.searched = 0
            head = self.read_head(text)
            if head is not None:
                return head

    def read_head(self, text: str) -> ReplyHead | None:
        """One head without its empty line; None for an interim one."""
        lines = text.split("\r\n")
        version, status, reason = self.status_line(lines)
        fields = [split_field(line) for line in lines[1:]]
        if status < 200:
            self.skip(status)
            return None
        options = nominated(",".join(values_of(fields, "connection")))
        lasts = version == 1 and not self.cgi and "close" not in options
        length = self.framing(fields, version, status)
        dropped = HOP_BY_HOP | options
        if self.cgi:
            dropped |= {"status"}
        headers = [pair for pair in fields if pair[0].lower() not in dropped]
        head = ReplyHead(status, reason, headers, lasts and length != UNTIL_END)
        head.length = length
        self.left = length
        if length == CHUNKED:
            self.body = ChunkedBody(Limits())
        self.done = length == 0
        return head

    def skip(self, status: int) -> None:
        """An interim reply."""
        if status == 101:
            raise ProtocolError(502, "the server switches to a protocol that nobody asked for")
        self.interim += 1
        if self.interim > INTERIM:
            raise ProtocolError(502, f"more than {INTERIM} interim replies")

    def status_line(self, lines: list[str]) -> tuple[int, int, str]:
        """HTTP's minor version, status and reason."""
        match = VERSION_LINE.fullmatch(lines[0])
        if match is not None:
            return int(match[1]), int(match[2]), match[3] or ""
        if self.cgi:
            for line in lines:
                name, _, value = line.partition(":")
                if name.lower() == "status":
                    match = CGI_STATUS.fullmatch(value.strip(" \t"))
                    break
        if match is None:
            raise ProtocolError(502, f"not a status line: {lines[0][:80]!r}")
        # What stands first is a field like the others.
        lines.insert(0, "")
        return 1, int(match[1]), match[2] or ""

    def framing(self, fields: list[tuple[str, str]], version: int, status: int) -> int:
        """Where the body ends (RFC 9112 §6.3), by exactly one word or none."""
        lengths = values_of(fields, "content-length")
        codings = values_of(fields, "transfer-encoding")
        if len(lengths) + len(codings) > 1:
            raise ProtocolError(502, "the reply says more than once where it ends")
        length = UNTIL_END
        if lengths:
            if NUMBER.fullmatch(lengths[0]) is None:
                raise ProtocolError(502, f"not a Content-Length: {lengths[0][:80]!r}")
            length = int(lengths[0])
        elif codings:
            if version == 0 or codings[0].lower() != "chunked":
                raise ProtocolError(502, f"not a transfer coding that is taken: {codings[0][:80]!r}")
            length = CHUNKED
        return 0 if self.method == "HEAD" or status in BODILESS else length

    # ---- The body -----------------------------------------------------------------------------------

    def receive_body(self, data: bytes) -> list[bytes]:
        """What is there of it; what stands behind it belongs to nobody."""
        if self.done:
            self.surplus = self.surplus or bool(data)
            return []
        if self.body is not None:
            return self.receive_chunks(data)
        if self.left == UNTIL_END:
            return [data] if data else []
        piece = data if len(data) <= self.left else data[: self.left]
        self.left -= len(piece)
        self.done = not self.left
        self.surplus = len(piece) < len(data)
        return [piece] if piece else []

    def receive_chunks(self, data: bytes) -> list[bytes]:
        body = self.body
        assert body is not None
        try:
            pieces = body.receive(data)
        except ProtocolError as error:
            raise ProtocolError(502, error.reason) from None
        self.done = body.done
        self.surplus = bool(body.rest)
        return pieces


def values_of(fields: list[tuple[str, str]], wanted: str) -> list[str]:
    """The values of the fields with that lower-case name."""
    return [value for name, value in fields if name.lower() == wanted]


def split_field(line: str) -> tuple[str, str]:
    """A field line as name and value; a bare CR or LF, a fold or a control is refused (RFC 9112 §5)."""
    name, colon, value = line.partition(":")
    if not colon or TOKEN.fullmatch(name) is None or VALUE.fullmatch(value) is None:
        raise ProtocolError(502, f"not a header line: {line[:80]!r}")
    return name, value.strip(" \t")
