"""The head of an HTTP/1.x reply: from what the application said to the bytes that go out, checked.

Sans-IO, called by pool threads, no clock of its own. What was checked once is remembered: applications
say the same status lines and mostly the same header fields again and again.
"""

import re
from dataclasses import dataclass, field
from typing import Any, Final

BODILESS = frozenset((204, 304))
"""Statuses whose replies have no body (RFC 9110 §6.4.1); 1xx are refused."""

CR_LF_NUL = re.compile("[\r\n\0]")
TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
STATUS = re.compile(r"([1-9][0-9]{2})(?: ([\t\x20-\x7e\x80-\xff]*))?")
# RFC 9110 §5.5: visible characters, blanks and obs-text.
VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")

PLAIN, LENGTH, CONNECTION, DATE, HOP = 0, 1, 2, 3, 4
"""What a field is to the framing: nothing, Content-Length, Connection, Date, or a hop-by-hop field."""

KINDS = {
    "content-length": LENGTH,
    "connection": CONNECTION,
    "date": DATE,
    "keep-alive": HOP,
    "proxy-authenticate": HOP,
    "proxy-authorization": HOP,
    "proxy-connection": HOP,
    "te": HOP,
    "trailer": HOP,
    "transfer-encoding": HOP,
    "upgrade": HOP,
}
FLEETING = {"set-cookie", "etag", "last-modified", "content-disposition", "location", "x-request-id"}
REMEMBER = 2048  # fields or status lines that are remembered; then all are forgotten at once
LISTS = 512  # whole header lists that are remembered
STARTS = 16  # status lines that are remembered for one of them
LONG = 200  # characters of a value above which it is not remembered


Said = Any
"""What an application said and nobody has checked. With the type that it should have, the compiled build
would refuse it where it is passed on, with a TypeError of its own, before it is checked here."""


class BadReply(ValueError):
    """The application's status or headers cannot be sent; nothing of them goes out."""


@dataclass(slots=True)
class Fields:
    """Checked header fields.

    ``lines``      the field lines as bytes, each with its CRLF
    ``length``     the declared Content-Length, -1 without one (its line is among ``lines``)
    ``close``      the application wants the connection closed
    ``dated``      it sent a Date of its own
    ``dropped``    names of hop-by-hop fields that were left out (PEP 3333 forbids them)
    ``count``      fields in ``lines``
    ``starts``     by status line, what ``start`` gave
    """

    lines: bytes
    length: int
    close: bool
    dated: bool
    dropped: tuple[str, ...]
    count: int
    starts: dict[bytes, bytes] = field(default_factory=dict)

    def start(self, code: int, status: bytes) -> bytes:
        """The beginning of an ordinary HTTP/1.1 head with these fields, as ``starts`` has it from now on; b""
        where it is not one: they close the connection, bring a Date, or the status has no body."""
        start = b""
        if not (self.close or self.dated or code in BODILESS):
            start = b"HTTP/1.1 %b\r\n%b" % (status, self.lines)
        if len(self.starts) < STARTS:
            self.starts[status] = start
        return start


_statuses: Final[dict[str, tuple[int, bytes]]] = {}
_fields: dict[tuple[str, str], tuple[int, bytes]] = {}
_lists: Final[dict[tuple[tuple[str, str], ...], "Fields"]] = {}


def status_line(status: Said) -> tuple[int, bytes]:
    """The code, and ``200 OK`` as bytes; a bare code is completed. Raises BadReply.

    1xx is refused: an interim reply is not the application's final one (PEP 3333).
    """
    known = _statuses.get(status)
    if known is not None:
        return known
    if not isinstance(status, str):
        raise BadReply(f"the status must be a str, not {type(status).__name__}")
    match = STATUS.fullmatch(status)
    if match is None or not 200 <= int(match[1]) <= 999:
        raise BadReply(f"not a status line: {status!r}")
    code = int(match[1])
    text = f"{code} {match[2] or REASONS.get(code, 'Unknown')}".encode("latin-1")
    if len(_statuses) >= REMEMBER:
        _statuses.clear()
    _statuses[status] = known = (code, text)
    return known


def fields(headers: Said) -> Fields:
    """Check the application's header list (PEP 3333: a list of pairs of str). Raises BadReply."""
    if type(headers) is not list:
        raise BadReply(f"the headers must be a list, not {type(headers).__name__}")
    whole = tuple(headers)
    try:
        known = _lists.get(whole)
    except TypeError:  # a list in it cannot be looked up, and is refused below
        known = None
    return known or _check_all(whole)


def _check_all(headers: tuple[Said, ...]) -> Fields:
    """Check them one by one; a list whose every field is worth remembering is remembered whole."""
    lines = []
    length, close, dated = -1, False, False
    dropped: tuple[str, ...] = ()
    remembered = _fields
    for pair in headers:
        try:
            kind, line = remembered[pair]
        except (KeyError, TypeError):
            kind, line = _check(pair)
        if kind:
            if kind == LENGTH:
                length = _length(line, length)
            elif kind == DATE:
                dated = True
            else:
                if kind == CONNECTION:
                    close = close or b"close" in line.lower().replace(b",", b" ").split()
                    if close:
                        continue
                dropped += (pair[0],)
                continue
        lines.append(line)
    checked = Fields(b"".join(lines), length, close, dated, dropped, len(lines))
    if all(pair in remembered for pair in headers):
        if len(_lists) >= LISTS:
            _lists.clear()
        _lists[headers] = checked
    return checked


def _length(line: bytes, seen: int) -> int:
    text = line[line.index(b":") + 1 :].strip()
    if not text.isdigit() or len(text) > 18:
        raise BadReply(f"Content-Length is not a number: {text!r}")
    if seen >= 0:
        raise BadReply("more than one Content-Length")
    return int(text)


def _check(pair: Said) -> tuple[int, bytes]:
    if type(pair) is not tuple or len(pair) != 2:
        raise BadReply(f"a header must be a tuple of two str, not {pair!r}")
    name, value = pair
    if not isinstance(name, str) or not isinstance(value, str):
        raise BadReply(f"a header's name and value must be str: {pair!r}")
    if TOKEN.fullmatch(name) is None:
        raise BadReply(f"not a header name: {name!r}")
    if CR_LF_NUL.search(value) or VALUE.fullmatch(value) is None:
        raise BadReply(f"the header {name} has a character that must not be sent: {value!r}")
    kind = KINDS.get(name.lower(), PLAIN)
    line = f"{name}: {value}\r\n".encode("latin-1")
    if len(value) <= LONG and name.lower() not in FLEETING:
        if len(_fields) >= REMEMBER:
            _fields.clear()
        _fields[pair] = (kind, line)
    return kind, line


def chunk(data: bytes) -> bytes:
    """One chunk (RFC 9112 §7.1); ``data`` must not be empty."""
    return b"%x\r\n%b\r\n" % (len(data), data)


LAST_CHUNK = b"0\r\n\r\n"

REASONS = {
    200: "OK",
    201: "Created",
    202: "Accepted",
    204: "No Content",
    206: "Partial Content",
    301: "Moved Permanently",
    302: "Found",
    303: "See Other",
    304: "Not Modified",
    307: "Temporary Redirect",
    308: "Permanent Redirect",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    409: "Conflict",
    410: "Gone",
    411: "Length Required",
    413: "Content Too Large",
    414: "URI Too Long",
    415: "Unsupported Media Type",
    416: "Range Not Satisfiable",
    417: "Expectation Failed",
    421: "Misdirected Request",
    422: "Unprocessable Content",
    426: "Upgrade Required",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
    505: "HTTP Version Not Supported",
    507: "Insufficient Storage",
}
"""Reason phrases (RFC 9110 §15) for a bare code, and for replies that penstock gives itself."""
