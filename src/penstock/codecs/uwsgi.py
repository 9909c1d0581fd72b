"""The uwsgi protocol, both directions, sans-IO: packets of CGI variables in, and for tests and later
features, packets out and replies in.

One packet a connection: modifier1 (u8), size (u16 LE), modifier2 (u8), then pairs of length-prefixed
strings; the body follows bare. Nothing is translated: the packet speaks CGI already.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from penstock.codecs.chunked import ChunkedBody
from penstock.codecs.decoder import END, Decoder, Event, Limits
from penstock.codecs.habit import Habit, Plan
from penstock.core.errors import ProtocolError
from penstock.core.request import Request

SERVED: Final = (0, 30)  # modifier1: WSGI, and WSGI with the mountpoint in SCRIPT_NAME
LENGTH = re.compile(r"[0-9]{1,18}")
STATUS = re.compile(r"[1-9][0-9]{2}")
NAME = re.compile(r"[\x21-\x3c\x3e-\x7e]+")
CONTROL = re.compile(r"[\x00\r\n]")
OWN = ("wsgi.", "penstock.")
ON: Final = ("on", "1")
REMEMBER = 2048


NAMES: Final[set[str]] = set()
"""Variable names that are known to be good; bounded."""

HABIT = Habit()
"""What packets of this process usually look like."""


def check_name(name: str) -> bool:
    """Look at a name that has not been seen, and know it from then on. Raises ProtocolError.

    False for one that is left out: what the environ says of the server itself is not the packet's to say.
    """
    if not name:
        raise ProtocolError(400, "an empty key")
    if NAME.fullmatch(name) is None:
        raise ProtocolError(400, f"not a variable's name: {name[:80]!r}")
    if name.startswith(OWN):
        return False
    if len(NAMES) >= REMEMBER:
        NAMES.clear()
    if len(name) <= 64:
        NAMES.add(name)
    return True


class UwsgiDecoder(Decoder):
    """One connection's request. See ``Decoder``.

    A variable that comes again is joined to the first when it is a header (nginx before 1.23 sends
    repeated header lines so; uWSGI keeps the last and loses the others), else the last wins. HTTP_PROXY is
    dropped (httpoxy).
    """

    __slots__ = ("body", "end", "left", "over", "request")

    def __init__(self, base: dict[str, Any], limits: Limits | None = None) -> None:
        super().__init__(base, limits)
        self.end = 0
        self.request: Request | None = None
        self.body: ChunkedBody | None = None
        self.left = 0
        self.over = False

    def anew(self, base: dict[str, Any]) -> "UwsgiDecoder":
        return UwsgiDecoder(base, self.limits)

    @property
    def buffered(self) -> int:
        """Always 0 after the one request: what follows it is nobody's."""
        return 0 if self.over else len(self.held)

    @property
    def idle(self) -> bool:
        """True before the first byte."""
        return not self.held and self.request is None

    def receive(self, data: bytes) -> list[Event]:
        """Take bytes, give the events of the one request. Raises ProtocolError."""
        if self.over:
            return []
        if self.request is not None:
            return self.receive_body(data)
        if self.held:
            self.held += data
            if len(self.held) < self.end:
                return []
            data = bytes(self.held)
        end = self.end or self.begin(data)
        if not end or len(data) < end:
            self.held = bytearray(data)
            return []
        if self.held:
            self.held = bytearray()
        return self.receive_packet(data[4:end], data[end:] if len(data) > end else b"")

    def begin(self, data: bytes) -> int:
        """The first bytes: where the packet ends, 0 before that can be told. Raises ProtocolError."""
        if data:
            self.check_modifier(data)
        if len(data) < 4:
            return 0
        size = data[1] | data[2] << 8
        if size > self.limits.packet:
            raise ProtocolError(
                400, f"invalid request block size: {size} (max {self.limits.packet}): see buffer-size"
            )
        self.end = size + 4
        return self.end

    def check_modifier(self, data: bytes) -> None:
        if data[0] in SERVED:
            return
        text = f"modifier {data[0]} is not served"
        if 0x41 <= data[0] <= 0x5A:
            text += "; this looks like HTTP, but the listener speaks uwsgi"
        raise ProtocolError(400, text)

    def receive_packet(self, block: bytes, rest: bytes) -> list[Event]:
        """One complete block of variables, and what came after it."""
        variables, count = self.variables(block)
        if not variables.get("REQUEST_METHOD"):
            raise ProtocolError(400, "a packet without REQUEST_METHOD")
        request = Request(variables, count, len(block))
        request.ordinary = request.http11 and not request.is_head
        self.set_scheme(variables)
        request.content_length = self.length(variables)
        if request.content_length == 0:
            self.over = True
            return [request, END]
        self.request = request
        self.left = request.content_length
        if self.left < 0:
            self.body = ChunkedBody(self.limits)
        return [request, *self.receive_body(rest)] if rest else [request]

    def variables(self, block: bytes) -> tuple[dict[str, Any], int]:
        """The environ that the block's pairs make of the base, and how many pairs there are. Raises
        ProtocolError."""
        plan = HABIT.plan
        usual = self.as_usual(block, plan)
        if usual is not None:
            return usual, plan.count
        given = read_pairs(block)
        HABIT.missed(given)
        count = len(given)
        if "HTTP_PROXY" in given:
            del given["HTTP_PROXY"]
        return self.base | given, count

    def as_usual(self, block: bytes, plan: Plan) -> dict[str, Any] | None:
        """The same of a block that follows ``plan`` from its beginning to its end; None for any other one,
        and for one that has a fault."""
        variables: dict[str, Any] | None = None
        values: list[str] = []
        at, end = 0, len(block)
        for lead, name, size in plan.steps:
            start = at + size
            if start > end or block[at : start - 2] != lead:  # a slice costs less than ``startswith``
                return None
            if variables is None:
                variables = plan.on(self.base)
            at = start + block[start - 2] + (block[start - 1] << 8)
            value = block[start:at].decode("latin-1")
            variables[name] = value
            values.append(value)
        if at != end or bad("".join(values)):
            return None
        return variables

    def set_scheme(self, variables: dict[str, Any]) -> None:
        """``wsgi.url_scheme`` from the front server's own words (not from the client's headers)."""
        scheme = variables.get("UWSGI_SCHEME") or variables.get("REQUEST_SCHEME")
        secure = variables.get("HTTPS")
        if (secure and secure.lower() in ON) or (scheme and scheme != "http" and scheme.lower() == "https"):
            variables["wsgi.url_scheme"] = "https"

    def length(self, variables: dict[str, Any]) -> int:
        """The body's length: 0 without one, -1 when it is chunk-framed.

        CONTENT_LENGTH is the front server's word about what follows the packet; it wins over the client's
        Transfer-Encoding, which nginx passes on although it has gathered and decoded the body.
        """
        text = variables.get("CONTENT_LENGTH", "")
        coding = variables.get("HTTP_TRANSFER_ENCODING", "")
        if text:
            if LENGTH.fullmatch(text) is None:
                raise ProtocolError(400, f"not a CONTENT_LENGTH: {text[:80]!r}")
            number = int(text)
            if self.limits.body and number > self.limits.body:
                raise ProtocolError(413, f"the body is larger than {self.limits.body} bytes")
            return number
        if not coding:
            return 0
        if coding.lower() != "chunked":
            raise ProtocolError(501, f"not a transfer coding that is served: {coding[:80]!r}")
        return -1

    def receive_body(self, data: bytes) -> list[Event]:
        """Pieces of the body."""
        request = self.request
        assert request is not None
        events: list[Event] = []
        if self.body is not None:
            events += self.body.receive(data)
            ended = self.body.done
            if ended:
                request.trailers = self.body.trailers
        else:
            piece = data if len(data) <= self.left else data[: self.left]
            if piece:
                self.left -= len(piece)
                events.append(piece)
            ended = not self.left
        if ended:
            self.over = True
            self.request = None
            events.append(END)
        return events


PAST = "a length that runs past the block"


def read_pairs(block: bytes) -> dict[str, Any]:
    """A block's pairs, in order. Raises ProtocolError.

    Nearly every packet has names that are known, each once: of that one look at them all is enough.
    """
    given: dict[str, Any] = {}
    text = block.decode("latin-1")  # once: slices of it are the names and values
    at, pairs, end = 0, 0, len(block)
    try:
        while at < end:
            start = at + 4 + block[at] + (block[at + 1] << 8)
            name = text[at + 2 : start - 2]
            at = start + block[start - 2] + (block[start - 1] << 8)
            given[name] = text[start:at]
            pairs += 1
    except IndexError:
        raise ProtocolError(400, PAST) from None
    if at > end:
        raise ProtocolError(400, PAST)
    if len(given) < pairs or not NAMES.issuperset(given):
        given = read_with_care(block, text)
    if bad("".join(given.values())):
        refuse_values(given)
    return given


def bad(values: str) -> bool:
    """Whether NUL, CR or LF is among them. A regex for the three takes far longer."""
    return "\0" in values or "\r" in values or "\n" in values


def read_with_care(block: bytes, text: str) -> dict[str, Any]:
    """The pairs of a block whose lengths are right, where a name is new or comes again.

    Raises ProtocolError.
    """
    given: dict[str, Any] = {}
    at, end = 0, len(block)
    while at < end:
        start = at + 4 + block[at] + (block[at + 1] << 8)
        name = text[at + 2 : start - 2]
        at = start + block[start - 2] + (block[start - 1] << 8)
        if name not in NAMES and not check_name(name):
            continue
        value = text[start:at]
        given[name] = repeated(name, given[name], value) if name in given else value
    return given


def repeated(name: str, first: str, second: str) -> str:
    """A variable that comes a second time."""
    if name == "CONTENT_LENGTH":
        raise ProtocolError(400, "CONTENT_LENGTH comes twice")
    if name.startswith("HTTP_"):
        if name == "HTTP_HOST":
            raise ProtocolError(400, "HTTP_HOST comes twice")
        return f"{first}; {second}" if name == "HTTP_COOKIE" else f"{first}, {second}"
    return second


def refuse_values(variables: dict[str, Any]) -> None:
    """Name the value that carries NUL, CR or LF."""
    bad = [name for name, value in variables.items() if CONTROL.search(value)]
    raise ProtocolError(400, f"a control character in {bad[0]}")


# ---- The client's side ------------------------------------------------------------------------------


def encode_request(variables: Mapping[str, str], modifier1: int = 0, modifier2: int = 0) -> bytes:
    """A packet of ``variables``, latin-1. Raises ValueError when it does not fit 65,535 bytes."""
    pieces = []
    for key, value in variables.items():
        name, text = key.encode("latin-1"), value.encode("latin-1")
        if not name or len(name) > 65535 or len(text) > 65535:
            raise ValueError(f"{key!r} cannot be carried in a uwsgi packet")
        pieces += [len(name).to_bytes(2, "little"), name, len(text).to_bytes(2, "little"), text]
    block = b"".join(pieces)
    if len(block) > 65535:
        raise ValueError(f"{len(block)} bytes do not fit a uwsgi packet")
    return bytes((modifier1, len(block) & 255, len(block) >> 8, modifier2)) + block


class ResponseDecoder:
    """A uwsgi server's reply: a status line or a ``Status:`` header, headers, a body until the end.

    After ``receive`` has returned True the head is there: ``status`` (int), ``reason``, ``headers`` (list
    of pairs); ``body`` grows with every call. ``eof()`` raises ProtocolError when the head never came.
    """

    def __init__(self) -> None:
        self.held = bytearray()
        self.body = bytearray()
        self.status = 0
        self.reason = ""
        self.headers: list[tuple[str, str]] = []

    def receive(self, data: bytes) -> bool:
        """Take bytes; whether the head is complete. Raises ProtocolError."""
        if self.status:
            self.body += data
            return True
        self.held += data
        end = self.held.find(b"\r\n\r\n")
        if end < 0:
            return False
        lines = bytes(self.held[:end]).decode("latin-1").split("\r\n")
        self.body += self.held[end + 4 :]
        self.headers = [(name, value.strip()) for name, _, value in (x.partition(":") for x in lines[1:])]
        first = lines[0]
        if first.startswith("Status:"):
            first = "HTTP/1.1 " + first.removeprefix("Status:").strip()
        words = first.split(" ", 2)
        if len(words) < 2 or not words[0].startswith("HTTP/") or STATUS.fullmatch(words[1]) is None:
            raise ProtocolError(502, f"not a status line: {lines[0][:80]!r}")
        self.status = int(words[1])
        self.reason = words[2] if len(words) > 2 else ""
        return True

    def eof(self) -> None:
        """The server has closed. Raises ProtocolError when no head had come."""
        if not self.status:
            raise ProtocolError(502, "the server closed before its reply")
