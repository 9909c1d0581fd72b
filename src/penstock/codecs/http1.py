"""HTTP/1.1 and 1.0 requests: bytes in, events out (RFC 9112). Sans-IO; one decoder per connection.

The decoder finds the end of a head itself, so limits, pipelining and "the same verdict however the bytes
are split" follow from the shape. A head is a text of lines, and a field line is a name, a colon and a value
(RFC 9112 §5): ``str.split`` and ``str.partition`` take it apart in less time than a parser in C needs to
call back for each field, and nothing is let pass that stands not here.
"""

import re
from typing import Any, Final

from penstock.codecs.cgi import NAMES, SINGLE, join_repeated, remember_name
from penstock.codecs.chunked import ChunkedBody
from penstock.codecs.decoder import END, Decoder, Event, Limits
from penstock.codecs.request_line import request_line
from penstock.codecs.target import split_target, valid_authority
from penstock.core.errors import ProtocolError
from penstock.core.request import Request

VISIBLE = bytes(x for x in range(256) if x >= 0x20 and x != 0x7F) + b"\t"
TEXT = VISIBLE + b"\r\n"
LENGTH = re.compile(r"[0-9]{1,18}")
# What uWSGI's packet would carry beside the header fields, whatever the request.
OWN_VARIABLES: Final = 9

REMEMBER: Final = 1024  # request lines that are remembered; then all are forgotten at once
REMEMBER_LINE: Final = 256  # bytes of a line above which it is not


def remember_line(line: str) -> dict[str, str]:
    """What a request line says, as CGI variables: method, version and target; known from then on.

    Clients ask for the same things again and again; what was refused is not remembered. Bounded. Raises
    ProtocolError.
    """
    check_line(line)
    method, target, version = request_line(line)
    variables = {"REQUEST_METHOD": method, "SERVER_PROTOCOL": version}
    authority = split_target(target, method, variables)
    if authority:
        if not valid_authority(authority):
            raise ProtocolError(400, f"not a host: {authority[:80]!r}")
        variables["HTTP_HOST"] = authority  # RFC 9112 §3.2.2: the target's wins
    if len(LINES) >= REMEMBER:
        LINES.clear()
    if len(line) <= REMEMBER_LINE:
        LINES[line] = variables
    return variables


LINES: Final[dict[str, dict[str, str]]] = {}


def field(line: str) -> tuple[str, str]:
    """A field line as CGI variable and value; a line that clients say again and again is known from then on.

    Raises ProtocolError.
    """
    check_line(line)
    name, colon, value = line.partition(":")
    key = NAMES.get(name)
    if key is None:
        key = remember_name(name)
    if not colon:
        raise ProtocolError(400, f"a header line without a colon: {line[:80]!r}")
    pair = (key, value.strip(" \t"))
    if key and key not in FLEETING and len(line) <= REMEMBER_LINE:
        if len(FIELDS) >= REMEMBER:
            FIELDS.clear()
        FIELDS[line] = pair
    return pair


FIELDS: Final[dict[str, tuple[str, str]]] = {}
# Secrets do not outlive their request, and what is another thing each time is not worth remembering. (A page
# is the Referer of all that it loads.)
SELDOM_SAME = """
    HTTP_AUTHORIZATION HTTP_COOKIE HTTP_IF_MATCH HTTP_IF_MODIFIED_SINCE HTTP_IF_NONE_MATCH HTTP_IF_RANGE
    HTTP_PROXY_AUTHORIZATION HTTP_RANGE HTTP_TRACEPARENT HTTP_TRACESTATE HTTP_X_API_KEY HTTP_X_CSRFTOKEN
    HTTP_X_CSRF_TOKEN HTTP_X_FORWARDED_FOR HTTP_X_REAL_IP HTTP_X_REQUEST_ID HTTP_X_REQUEST_START
    CONTENT_LENGTH
"""
FLEETING: Final = frozenset(SELDOM_SAME.split())


class Http1Decoder(Decoder):
    """One connection's requests. See ``Decoder``.

    Documented choices: an unknown method is 501 and so is CONNECT; a target with a fragment, a control,
    a blank or an 8-bit octet is 400; so is a bad percent-escape and an escaped NUL, which no file or
    database behind us takes well.
    """

    __slots__ = (
        "body",
        "checked",
        "host",
        "left",
        "over",
        "request",
        "searched",
    )

    def __init__(self, base: dict[str, Any], limits: Limits | None = None) -> None:
        super().__init__(base, limits)
        self.host: str | None = None
        self.request: Request | None = None
        self.body: ChunkedBody | None = None
        self.left = 0
        self.over = False
        self.searched = self.checked = 0

    def anew(self, base: dict[str, Any]) -> "Http1Decoder":
        return Http1Decoder(base, self.limits)

    @property
    def idle(self) -> bool:
        """True between requests."""
        return not self.held and self.request is None

    def receive(self, data: bytes) -> list[Event]:
        """Take bytes, give the events of at most one request. Raises ProtocolError."""
        if self.over:
            return []  # bytes after the last request of a connection are nobody's
        if self.request is not None:
            return self.receive_body(data)
        if self.held:
            return self.receive_more(data)
        while data.startswith(b"\r\n"):  # empty lines before a request (RFC 9112 §2.2)
            data = data[2:]
        if data.endswith(b"\r\n\r\n"):
            events = self.receive_whole(data)
            if events is not None:
                return events
        end = data.find(b"\r\n\r\n")
        if end < 0:
            self.held = bytearray(data)
            self.searched = self.checked = 0
            return self.incomplete()
        return self.receive_head(data[: end + 4], data[end + 4 :])

    def receive_more(self, data: bytes) -> list[Event]:
        """More of a head that did not come in one piece."""
        held = self.held
        held += data
        while held.startswith(b"\r\n"):
            del held[:2]
            self.searched = self.checked = 0
        end = held.find(b"\r\n\r\n", self.searched)
        if end < 0:
            return self.incomplete()
        self.held = bytearray()
        return self.receive_head(bytes(held[: end + 4]), bytes(held[end + 4 :]))

    # ---- Finding the head ---------------------------------------------------------------------------

    def incomplete(self) -> list[Event]:
        """Refuse at once what can no longer become a head; else wait for more."""
        held = self.held
        line = held.find(b"\r\n")
        cut, status = self.beyond(len(held), line)
        # Each octet is looked at once, and those beyond a limit never: so the verdict does not depend on
        # how the bytes were split.
        fresh = bytes(held[self.checked : cut])
        whole = fresh.removesuffix(b"\r")  # its LF may be on its way
        check_octets(whole)
        if status:
            self.refuse_size(status)
        self.checked += len(whole)
        self.searched = max(0, len(held) - 3)
        return []

    def beyond(self, size: int, line: int) -> tuple[int, int]:
        """Where the first octet beyond a limit stands in ``size`` octets, and the status for it."""
        limits = self.limits
        if line < 0 or line > limits.request_line:
            cut = limits.request_line + 2
            return (cut, 414) if size >= cut else (size, 0)
        cut = line + 2 + limits.header_bytes + 3
        return (cut, 431) if size >= cut else (size, 0)

    def check_size(self, head: bytes, line: int) -> None:
        """A head that may be too large: its first fault is the one that counts."""
        cut, status = self.beyond(len(head), line)
        check_octets(head[:cut].removesuffix(b"\r") if status else head)
        if status:
            self.refuse_size(status)

    def refuse_size(self, status: int) -> None:
        if status == 414:
            raise ProtocolError(414, f"the request line is longer than {self.limits.request_line} bytes")
        raise ProtocolError(431, f"the headers are larger than {self.limits.header_bytes} bytes")

    # ---- The head -----------------------------------------------------------------------------------

    def receive_whole(self, data: bytes) -> list[Event] | None:
        """What is one head and nothing else, as most reads are: its end need not be looked for. None where
        there is an end within, or a fault, or too much of it: nothing was changed then."""
        lines = data.decode("latin-1").split("\r\n")
        size, limits = len(lines[0]), self.limits
        if size > limits.request_line or len(data) - size > limits.header_bytes:
            return None
        try:
            return self.receive_lines(lines, len(data), b"")
        except ProtocolError:
            return None

    def receive_head(self, head: bytes, rest: bytes) -> list[Event]:
        """One complete head, empty line included, and what came after it."""
        lines = head.decode("latin-1").split("\r\n")
        line, size, limits = lines[0], len(head), self.limits
        if len(line) > limits.request_line or size - len(line) > limits.header_bytes:
            self.check_size(head, len(line))
        try:
            return self.receive_lines(lines, size, rest)
        except ProtocolError:
            check_octets(head)  # where octets come one by one, what is wrong with one of them is found first
            raise

    def receive_lines(self, lines: list[str], size: int, rest: bytes) -> list[Event]:
        """The same by its lines. Those that are known were looked at when they were new."""
        line, limits = lines[0], self.limits
        first = LINES.get(line) or remember_line(line)
        count = len(lines) - 3  # the request line is before them, the empty line and nothing behind
        if count > limits.header_count:
            raise ProtocolError(431, f"more than {limits.header_count} header fields")
        variables = self.base.copy()
        if not self.usual_fields(lines[1:-2], variables):
            variables = self.base.copy()
            self.fields(lines[1:-2], variables)
        host = variables.get("HTTP_HOST")  # the field's, which an absolute target does not stand in for
        # After the fields, as nothing of them may stand in for it; an absolute target's authority among it.
        variables.update(first)
        request = Request(variables, count + OWN_VARIABLES, size + 5 * count + 140)
        self.guard(request, host)
        return self.begin_body(request, rest)

    def usual_fields(self, lines: list[str], variables: dict[str, Any]) -> bool:
        """Field lines, each of another name that is not dropped; else False, and what is in ``variables`` is
        worth nothing. To look for each name whether it has come before is a fifth of all this."""
        known, size = FIELDS, len(variables) + len(lines)
        for line in lines:
            pair = known.get(line)
            if pair is None:
                pair = field(line)
                if not pair[0]:
                    return False
            variables[pair[0]] = pair[1]
        return len(variables) == size

    def fields(self, lines: list[str], variables: dict[str, Any]) -> None:
        """Field lines: name, colon, and a value between optional white space (RFC 9112 §5).

        A line that begins with white space (a fold, RFC 9112 §5.2) or has it before its colon has no name
        that is one, and neither has a line without a colon.
        """
        known = FIELDS
        for line in lines:
            pair = known.get(line)
            if pair is None:
                pair = field(line)
            key, value = pair
            variables[key] = repeated(key, variables[key], value) if key in variables else value
        variables.pop("", None)  # what those said that are dropped

    # ---- Guards at the end of the head --------------------------------------------------------------

    def guard(self, request: Request, host: str | None) -> None:
        """What must hold of the whole head; sets the framing and the fate of the connection."""
        variables = request.vars
        if host is None:
            if request.http11:
                raise ProtocolError(400, "an HTTP/1.1 request without Host (RFC 9112 §3.2)")
        elif host != self.host:
            if not valid_authority(host):
                raise ProtocolError(400, f"not a host: {host[:80]!r}")
            self.host = host  # a client rarely changes it on one connection
        connection = variables.get("HTTP_CONNECTION")
        request.keep_alive = request.http11
        if connection is not None and (connection != "keep-alive" or not request.http11):
            request.keep_alive = lasting(connection, request.http11)
        coding = variables.get("HTTP_TRANSFER_ENCODING")
        length = variables.get("CONTENT_LENGTH")
        if coding is not None:
            self.guard_coding(request, coding, length)
        elif length is not None:
            request.content_length = self.guard_length(length)
        expect = variables.get("HTTP_EXPECT")
        if expect is not None and request.http11:
            if expect.lower() != "100-continue":
                raise ProtocolError(417, f"not an expectation that can be met: {expect[:80]!r}")
            request.expect = request.content_length != 0

    def guard_coding(self, request: Request, coding: str, length: str | None) -> None:
        """Transfer-Encoding is exactly ``chunked``, on HTTP/1.1, without Content-Length (RFC 9112 §6.1)."""
        if not request.http11:
            raise ProtocolError(400, "Transfer-Encoding in an HTTP/1.0 request")
        if length is not None:
            raise ProtocolError(400, "Transfer-Encoding together with Content-Length")
        if coding.lower() != "chunked":
            raise ProtocolError(501, f"not a transfer coding that is served: {coding[:80]!r}")
        request.content_length = -1

    def guard_length(self, length: str) -> int:
        """1*DIGIT and nothing else (RFC 9112 §6.2)."""
        if LENGTH.fullmatch(length) is None:
            raise ProtocolError(400, f"not a Content-Length: {length[:80]!r}")
        number = int(length)
        if self.limits.body and number > self.limits.body:
            raise ProtocolError(413, f"the body is larger than {self.limits.body} bytes")
        return number

    # ---- Bodies -------------------------------------------------------------------------------------

    def begin_body(self, request: Request, rest: bytes) -> list[Event]:
        """The request, and what is here of its body."""
        length = request.content_length
        if length == 0:
            request.ordinary = request.keep_alive and request.http11 and not request.is_head
            if rest or not request.keep_alive:
                self.end(request, rest)
            return [request, END]
        self.request = request
        self.left = length
        if length < 0:
            self.body = ChunkedBody(self.limits)
        return [request, *self.receive_body(rest)] if rest else [request]

    def receive_body(self, data: bytes) -> list[Event]:
        """Pieces of the body, counted by us."""
        request = self.request
        assert request is not None
        events: list[Event] = []
        if self.body is not None:
            events += self.body.receive(data)
            if self.body.done:
                request.trailers = self.body.trailers
                rest, self.body = self.body.rest, None
                self.end(request, rest)
                events.append(END)
        elif data:
            piece = data if len(data) <= self.left else data[: self.left]
            self.left -= len(piece)
            events.append(piece)
            if not self.left:
                self.end(request, data[len(piece) :])
                events.append(END)
        return events

    def end(self, request: Request, rest: bytes) -> None:
        """The request is complete; ``rest`` belongs to the next one, if there will be one."""
        self.request = None
        if not request.keep_alive:
            self.over = True
            return
        while rest.startswith(b"\r\n"):
            rest = rest[2:]
        if rest:
            self.held = bytearray(rest)
            self.searched = self.checked = 0


def repeated(key: str, first: str, second: str) -> str:
    """A field that comes again: joined to the first, where that is allowed."""
    if key in SINGLE:
        raise ProtocolError(400, f"{key.removeprefix('HTTP_')} comes twice")
    return join_repeated(key, first, second)


def lasting(connection: str, http11: bool) -> bool:
    """Whether the connection outlives the reply, by the request's Connection field (RFC 9112 §9.3)."""
    tokens = [token.strip(" \t").lower() for token in connection.split(",")]
    return (http11 or "keep-alive" in tokens) and "close" not in tokens


def check_line(line: str) -> None:
    """The same of a line without its CRLF. ``isprintable`` takes a third of the time, and most lines are."""
    if not (line.isascii() and line.isprintable()) and line.encode("latin-1").translate(None, VISIBLE):
        raise ProtocolError(400, "a control character in the request head")


def check_octets(data: bytes) -> None:
    """Controls, bare CR and bare LF have no place in a head (RFC 9112 §2.2, RFC 9110 §5.5)."""
    pairs = data.count(b"\r\n")
    if data.count(b"\n") != pairs or data.count(b"\r") != pairs:
        raise ProtocolError(400, "a bare CR or LF in the request head")
    if data.translate(None, TEXT):
        raise ProtocolError(400, "a control character in the request head")
