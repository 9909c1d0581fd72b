"""HTTP/1 requests by a grammar: legal ones, each with the facts that the decoder has to find in it.

Written from the RFCs and not from the decoder, whose tables it does not read. One message is a start line,
field lines and a body as octets, so that ``faults`` can spoil any of them.
"""

from collections.abc import Callable
from typing import Any

from tests.fuzz.oracle import BASE_AS_IT_WAS

Draw = Callable[[], float]  # Random.random: every choice is made of it

_METHODS = (
    "GET GET GET HEAD POST POST PUT DELETE OPTIONS TRACE PATCH QUERY COPY LOCK MKCOL MOVE PROPFIND PROPPATCH "
    "SEARCH UNLOCK BIND REBIND UNBIND ACL REPORT MKACTIVITY CHECKOUT MERGE M-SEARCH NOTIFY SUBSCRIBE "
    "UNSUBSCRIBE PURGE MKCALENDAR LINK UNLINK"
)
METHODS = _METHODS.split()
_SEGMENTS = "a bc .. . ~u x;p=1 a:b @ a,b $&'()*+,;= -._~ ! | index.html"
# As sent, and as PATH_INFO carries it.
SEGMENTS = [
    *((text, text) for text in _SEGMENTS.split()),
    ("", ""),
    ("%41", "A"),
    ("%2F", "/"),
    ("%2f%2e", "/."),
    ("a%20b", "a b"),
    ("%C3%A9", "\xc3\xa9"),
    ("%25", "%"),
    ("%3F%23", "?#"),
    ("%ff%0d%0A", "\xff\r\n"),
]
QUERIES = ["", "a", "a=b&c=d", "?", "/", "%zz", "%", "a=%20", "b/c?d", "%00", "x=" + "y" * 40, "a=b;c"]
_HOSTS = [
    "a a.b localhost 127.0.0.1 127.0.0.1:8000 [::1] [::1]:80 [::ffff:1.2.3.4] a:80 a: a:0 a:65535 A.B a_b.c",
    "xn--bcher-kva.example a%20b [v1.x] a~b 1 example.org www.example.org:8080 0x7f.1 a.b. [2001:db8::1]",
]
HOSTS = " ".join(_HOSTS).split()
_NAMES = (
    "Accept Accept-Encoding Accept-Language User-Agent Cookie Cookie Referer X-A X-B X-Forwarded-For Range "
    "DNT If-None-Match Authorization Origin TE Via X.Y X!#$%&'*+^`|~ 1 Keep-Alive Trailer Sec-Fetch-Mode"
)
NAMES = _NAMES.split()
DROPPED = ["X_Forwarded_For", "Proxy", "PROXY", "_", "Content_Length", "Transfer_Encoding", "X_-a", "Host_"]
VALUES = [
    "",
    "a",
    "*/*",
    "a, b;q=0.5",
    "a=1; b=2",
    "a\tb",
    '"q\\"',
    "\xe9\xff\x80",
    "a: b",
    "{}",
    "a  b",
    "gzip",
]
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"
BLANKS = ["", " ", " ", " ", " ", "\t", "  ", " \t"]
AFTER = ["", "", "", "", "", " ", "\t", "  \t"]
BODIES = [
    b"hello",
    b"x",
    b"\r\n",
    b"\r\n\r\n",
    b"0\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    bytes(range(20)),
    b"\xff\x00\xfe",
    b"5\r\nhello\r\n0\r\n\r\n",
    b"a=b&c=d",
]
EXTENSIONS = [
    "",
    "",
    "",
    "",
    ";a",
    ";a=b",
    ';a="b c"',
    " ;a",
    "; a",
    " ; a = b",
    ";a;b=c",
    '\t;\ta="\\""',
    ';a="\xe9"',
]
TRAILERS = [
    "X-T: 1",
    "X-T:",
    "Content-Length: 99",
    "Host: evil",
    "X_T: a b",
    "Z: \xe9",
    "Transfer-Encoding: x",
]


def pick(r: Draw, table: Any) -> Any:
    return table[int(r() * len(table))]


class Message:
    """One request: its octets in parts, and the oracle's facts of it."""

    __slots__ = ("body", "facts", "http11", "keep", "lines", "start")

    def __init__(self, start: bytes, lines: list[bytes], body: bytes, facts: list[Any]) -> None:
        self.start = start
        self.lines = lines
        self.body = body
        self.facts = facts
        self.keep: bool = facts[2]
        self.http11: bool = facts[4]

    def octets(self) -> bytes:
        return b"\r\n".join((self.start, *self.lines, b"", self.body))


def join(variables: dict[str, Any], key: str, text: str) -> None:
    if key in variables:
        text = f"{variables[key]}{'; ' if key == 'HTTP_COOKIE' else ', '}{text}"
    variables[key] = text


def target(r: Draw, method: str, variables: dict[str, Any]) -> tuple[str, str]:
    """A target in one of its forms, and the authority in it."""
    if method == "OPTIONS" and r() < 0.5:
        variables |= {"REQUEST_URI": "*", "PATH_INFO": "*", "QUERY_STRING": ""}
        return "*", ""
    sent = decoded = ""
    for _ in range(int(r() * 4)):
        segment = pick(r, SEGMENTS)
        sent += "/" + segment[0]
        decoded += "/" + segment[1]
    authority = ""
    front = ""
    if r() < 0.12:
        authority = pick(r, HOSTS)
        front = pick(r, ("http://", "https://", "HTTP://", "hTTps://")) + authority
    elif not sent:
        sent = "/"
    query = ""
    if r() < 0.3:
        query = pick(r, QUERIES)
        sent += "?" + query
    uri = front + sent
    variables |= {"REQUEST_URI": uri, "PATH_INFO": decoded or "/", "QUERY_STRING": query}
    return uri, authority


def field(r: Draw, variables: dict[str, Any], name: str, value: str) -> bytes:
    """A field line for a name that becomes a variable, with white space and case as they come."""
    special = name == "Content-Length" or name == "Content-Type"
    key = name.upper().replace("-", "_")
    join(variables, key if special else "HTTP_" + key, value)
    chance = r()
    if chance < 0.2:
        name = name.lower() if chance < 0.1 else name.upper()
    return f"{name}:{pick(r, BLANKS)}{value}{pick(r, AFTER)}".encode("latin-1")


def ordinary(r: Draw, variables: dict[str, Any]) -> bytes:
    """A field that means nothing to the framing."""
    chance = r()
    if chance < 0.08:
        return f"{pick(r, DROPPED)}: evil".encode()
    value = pick(r, VALUES)
    if chance < 0.3:
        count = 1 + int(r() * 6)
        name = "X-" + "".join([pick(r, LETTERS) for _ in range(count)])
        value = value + "".join([chr(0x21 + int(r() * 94)) for _ in range(count)])
        return field(r, variables, name, value)
    if chance < 0.34 and "CONTENT_TYPE" not in variables:
        return field(r, variables, "Content-Type", "text/plain")
    return field(r, variables, pick(r, NAMES), value)


def chunked(r: Draw) -> tuple[bytes, bytes, list[tuple[str, str]]]:
    """A chunked body: decoded, as sent, and its trailers."""
    body, pieces = b"", []
    for _ in range(int(r() * 4)):
        part = pick(r, BODIES)
        size = f"{len(part):{pick(r, ('x', 'X', '03x', '016x'))}}{pick(r, EXTENSIONS)}"
        pieces.append(b"%b\r\n%b\r\n" % (size.encode("latin-1"), part))
        body += part
    pieces.append(f"{pick(r, ('0', '0', '0', '000'))}{pick(r, EXTENSIONS)}\r\n".encode("latin-1"))
    trailers = []
    if r() < 0.25:
        for _ in range(1 + int(r() * 2)):
            line = pick(r, TRAILERS)
            name, _, value = line.partition(":")
            trailers.append((name, value.strip(" ")))
            pieces.append(line.encode("latin-1") + b"\r\n")
    pieces.append(b"\r\n")
    return body, b"".join(pieces), trailers


def framing(r: Draw, http11: bool, variables: dict[str, Any], lines: list[bytes]) -> tuple[Any, ...]:
    """Content-Length, chunked, or no body: length, decoded body, octets, trailers."""
    chance = r()
    if chance < 0.55:
        return 0, b"", b"", []
    if chance < 0.78 or not http11:
        body = pick(r, BODIES) if r() < 0.9 else b""
        lines.append(
            field(r, variables, "Content-Length", pick(r, ("", "", "", "0", "000")) + str(len(body)))
        )
        return len(body), body, body, []
    lines.append(
        field(r, variables, "Transfer-Encoding", pick(r, ("chunked", "chunked", "Chunked", "CHUNKED")))
    )
    return -1, *chunked(r)


def lasting(r: Draw, http11: bool, variables: dict[str, Any], lines: list[bytes]) -> bool:
    """A Connection field, or none; whether another request may follow."""
    chance = r()
    if chance < 0.7:
        return http11
    if chance < 0.8:
        lines.append(
            field(r, variables, "Connection", pick(r, ("close", "Close", "x, close", "close,keep-alive")))
        )
        return False
    if chance < 0.9:
        lines.append(field(r, variables, "Connection", pick(r, ("keep-alive", "Keep-Alive", "x,keep-alive"))))
        return True
    lines.append(field(r, variables, "Connection", pick(r, ("Upgrade", "upgrade", "x, Upgrade"))))
    lines.append(field(r, variables, "Upgrade", pick(r, ("websocket", "h2c", "TLS/1.0, x"))))
    return http11


def message(r: Draw) -> Message:
    """A legal request."""
    http11 = r() < 0.88
    version = "HTTP/1.1" if http11 else "HTTP/1.0"
    method = pick(r, METHODS)
    variables: dict[str, Any] = {**BASE_AS_IT_WAS, "REQUEST_METHOD": method, "SERVER_PROTOCOL": version}
    uri, authority = target(r, method, variables)
    lines: list[bytes] = []
    if http11 or r() < 0.5:
        host = pick(r, HOSTS) if r() < 0.97 else ""
        lines.append(field(r, variables, "Host", host))
    for _ in range(int(r() * r() * 5)):
        lines.append(ordinary(r, variables))
    keep = lasting(r, http11, variables, lines)
    length, body, octets, trailers = framing(r, http11, variables, lines)
    expect = False
    if r() < 0.06:
        text = pick(r, ("100-continue", "100-Continue")) if http11 else pick(r, ("100-continue", "magic"))
        lines.append(field(r, variables, "Expect", text))
        expect = http11 and length != 0
    if authority:
        variables["HTTP_HOST"] = authority  # RFC 9112 §3.2.2
    start = f"{method} {uri} {version}".encode()
    facts = [variables, length, keep, expect, http11, method == "HEAD", trailers, body, True]
    return Message(start, lines, octets, facts)
