"""uwsgi packets, uwsgi replies, chunked bodies and applications' heads by a grammar, legal or spoilt.

Written from the protocol's description and not from the decoders, whose tables it does not read.
"""

from typing import Any

from tests.fuzz.case import Case
from tests.fuzz.grammar import BODIES, HOSTS, METHODS, VALUES, Draw, chunked, pick
from tests.fuzz.oracle import BASE_AS_IT_WAS
from tests.fuzz.said import FIELD, PAIR

Pairs = list[tuple[str, str]]

_PLAIN = (
    "QUERY_STRING CONTENT_TYPE REQUEST_URI PATH_INFO DOCUMENT_ROOT REMOTE_ADDR REMOTE_PORT SERVER_PORT "
    "SERVER_NAME SCRIPT_NAME HTTP_ACCEPT HTTP_X HTTP_COOKIE HTTP_COOKIE HTTP_X HTTP_X_FORWARDED_PROTO "
    "UWSGI_FILE UWSGI_SETENV HTTP_CONNECTION HTTP_EXPECT"
)
PLAIN = _PLAIN.split()
TEXTS = [
    *VALUES,
    "/",
    "/a b",
    "/\xc3\xa9",
    "80",
    "127.0.0.1",
    "example.org",
    "x" * 300,
    "\x01\x7f\t",
    "https",
    "on",
]
BAD_NAMES = ["", "A B", "A\x00", "A\nB", "A=B", "\xe9", "A\x7f", "\t", " ", "A" * 70 + "="]
BAD_VALUES = ["\x00", "a\nb", "a\rb", "\r\n", "a\x00"]
BAD_LENGTHS = ["+5", "-5", "5 ", " 5", "0x5", "5,5", "five", "5.0", "1" * 19, "\xb2", "0_5"]
BAD_CODINGS = ["gzip", "gzip, chunked", "identity", "xchunked", "chunked, chunked"]
BAD_BODIES = [
    b"g\r\n",
    b"5\r\nhelloX\r\n",
    b"5\nhello\r\n",
    b"5 \r\nhello\r\n",
    b"0\r\nX Y: z\r\n\r\n",
    b"5\r\nhello\n",
    b"\r\n",
]


def block(pairs: Pairs) -> bytes:
    pieces = []
    for key, value in pairs:
        name, text = key.encode("latin-1"), value.encode("latin-1")
        pieces += [len(name).to_bytes(2, "little"), name, len(text).to_bytes(2, "little"), text]
    return b"".join(pieces)


def packet(content: bytes, modifier: int = 0) -> bytes:
    return bytes((modifier, len(content) & 255, len(content) >> 8 & 255, 0)) + content


def words(r: Draw) -> Pairs:
    """Variables that mean nothing to the framing."""
    pairs: Pairs = []
    for _ in range(int(r() * r() * 8)):
        name = pick(r, PLAIN)
        if r() < 0.2:
            count = 1 + int(r() * 8)
            name = "X" + "".join([pick(r, "ABCDEFabcd_-.:/[]~!0129") for _ in range(count)])
        pairs.append((name, pick(r, TEXTS)))
    return pairs


def read(pairs: Pairs) -> dict[str, Any]:
    """What a packet's pairs are to the application."""
    variables: dict[str, Any] = {}
    for name, value in pairs:
        if name in variables and name.startswith("HTTP_"):
            value = f"{variables[name]}{'; ' if name == 'HTTP_COOKIE' else ', '}{value}"
        variables[name] = value
    variables.pop("HTTP_PROXY", None)
    scheme = variables.get("UWSGI_SCHEME") or variables.get("REQUEST_SCHEME") or ""
    if scheme.lower() == "https" or variables.get("HTTPS", "").lower() in ("on", "1"):
        variables["wsgi.url_scheme"] = "https"
    return {**BASE_AS_IT_WAS, **variables}


def framing(r: Draw, pairs: Pairs) -> tuple[Any, ...]:
    """CONTENT_LENGTH, a chunk-framed body, or none: length, decoded body, octets, trailers."""
    chance = r()
    if chance < 0.4:
        pairs += [("CONTENT_LENGTH", pick(r, ("", "0", "000")))] * (r() < 0.5)
        return 0, b"", b"", []
    if chance < 0.8:
        body = pick(r, BODIES)
        pairs.append(("CONTENT_LENGTH", str(len(body))))
        if r() < 0.2:
            pairs.append(("HTTP_TRANSFER_ENCODING", "chunked"))  # taken off by the front server
        return len(body), body, body, []
    pairs += [("HTTP_TRANSFER_ENCODING", pick(r, ("chunked", "Chunked")))]
    pairs += [("CONTENT_LENGTH", "")] * (r() < 0.5)
    return -1, *chunked(r)


def request(r: Draw) -> tuple[Pairs, bytes, list[Any]]:
    """A legal packet: its pairs, the octets of its body, and the oracle's facts."""
    method = pick(r, METHODS) if r() < 0.95 else "ANYTHING"
    pairs = words(r)
    pairs.insert(int(r() * (len(pairs) + 1)), ("REQUEST_METHOD", method))
    protocol = pick(r, ("HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/2.0", ""))
    if protocol:
        pairs.append(("SERVER_PROTOCOL", protocol))
    if r() < 0.6:
        pairs.append(("HTTP_HOST", pick(r, HOSTS)))
    if r() < 0.15:
        pairs.append(
            pick(r, (("HTTPS", "on"), ("HTTPS", "1"), ("REQUEST_SCHEME", "https"), ("UWSGI_SCHEME", "HTTPS")))
        )
    if r() < 0.05:
        pairs.append(("HTTP_PROXY", "http://evil"))
    length, body, octets, trailers = framing(r, pairs)
    variables = read(pairs)
    facts = [variables, length, False, False, protocol == "HTTP/1.1", method == "HEAD", trailers, body, True]
    return pairs, octets, facts


def uwsgi(r: Draw) -> Case:
    """A legal packet, its body, and at times bytes that are nobody's."""
    pairs, octets, facts = request(r)
    raw = packet(block(pairs), 30 if r() < 0.1 else 0) + octets
    if r() < 0.1:
        raw += pick(r, (b"x", b"\0\0\0\0", b"GET / HTTP/1.1\r\n\r\n"))
    return Case("uwsgi", raw, expected=[facts], origin="packet")


def spoilt_pairs(r: Draw, pairs: Pairs) -> tuple[int, ...]:
    """Put a fault into the variables; the statuses for it."""
    at = int(r() * (len(pairs) + 1))
    chance = r()
    if chance < 0.2:
        pairs.insert(at, (pick(r, BAD_NAMES), "x"))
    elif chance < 0.4:
        pairs.insert(at, ("X", pick(r, BAD_VALUES)))
    elif chance < 0.6:
        pairs[:] = [pair for pair in pairs if pair[0] != "CONTENT_LENGTH"]
        pairs.append(("CONTENT_LENGTH", pick(r, BAD_LENGTHS)))
    elif chance < 0.7:
        pairs[:] = [pair for pair in pairs if pair[0] not in ("CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING")]
        pairs.append(("HTTP_TRANSFER_ENCODING", pick(r, BAD_CODINGS)))
        return (501,)
    elif chance < 0.8:
        pairs[:] = [pair for pair in pairs if pair[0] != "REQUEST_METHOD"]
    else:
        name = pick(r, ("HTTP_HOST", "CONTENT_LENGTH"))
        pairs[:] = [pair for pair in pairs if pair[0] != name] + [(name, "5"), (name, "5")]
    return (400,)


def spoilt_uwsgi(r: Draw) -> Case:
    """A packet with one fault."""
    pairs, octets, _ = request(r)
    chance = r()
    statuses: tuple[int, ...] = (400,)
    modifier = 0
    if chance < 0.6:
        statuses = spoilt_pairs(r, pairs)
    elif chance < 0.7:
        modifier = pick(r, (1, 5, 9, 17, 71, 80, 100, 110, 173, 255))
    elif chance < 0.8:
        names = ("CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING")
        pairs = [*(pair for pair in pairs if pair[0] not in names), ("HTTP_TRANSFER_ENCODING", "chunked")]
        octets = pick(r, BAD_BODIES)
    content = block(pairs)
    if chance >= 0.8:
        content = (
            content[: -1 - int(r() * 3)] if chance < 0.9 and len(pairs[-1][1]) > 2 else content + b"\xff\xff"
        )
    return Case("uwsgi", packet(content, modifier) + octets, refusal=statuses, origin="packet, spoilt")


# ---- The smaller ones -------------------------------------------------------------------------------

REPLY_LINES = [
    ("A", "b"),
    ("Content-Type", "text/plain"),
    ("X", ""),
    ("Set-Cookie", "a=b; c"),
    ("Y", "\xe9: z"),
]
REASONS = ["OK", "Not Found", "", "No  Content", "a: b", "\xe9"]


def reply(r: Draw) -> Case:
    """A uwsgi server's reply, legal."""
    status = 100 + int(r() * 900)
    reason = pick(r, REASONS)
    words = f"{status} {reason}" if reason else str(status)
    first = f"{pick(r, ('HTTP/1.1 ', 'HTTP/1.0 ', 'Status: ', 'Status:'))}{words}"
    pairs = [pick(r, REPLY_LINES) for _ in range(int(r() * 4))]
    lines = [first, *(f"{name}:{pick(r, ('', ' ', '  '))}{value}" for name, value in pairs), "", ""]
    body = pick(r, BODIES) if r() < 0.7 else b""
    raw = "\r\n".join(lines).encode("latin-1") + body
    return Case("reply", raw, expected=(status, reason, pairs, body), origin="reply")


def body(r: Draw) -> Case:
    """A chunked body alone, with bytes after it."""
    decoded, octets, trailers = chunked(r)
    rest = pick(r, (b"", b"", b"x", b"\r\n", b"GET / HTTP/1.1\r\n"))
    return Case("chunked", octets + rest, expected=(decoded, True, trailers, rest), origin="chunked body")


STATUSES = ["200 OK", "404 Not Found", "204", "999 x", "302 Found", "200 \xe9", "500 a\tb"]
NO_STATUSES = [
    "2000 OK",
    "100 Continue",
    "99",
    "",
    "OK",
    "200 a\rb",
    "200 a\nb",
    "200\n",
    "200 \xfe",
    " 200 OK",
    "200OK",
]
SAID = [
    ("A", "b"),
    ("Content-Type", "text/html"),
    ("Set-Cookie", "a"),
    ("Date", "x"),
    ("Connection", "close"),
    ("TE", "x"),
]
SAID += [
    ("Connection", "x"),
    ("X", ""),
    ("X", "\xe9"),
    ("ETag", '"x"'),
    ("Keep-Alive", "1"),
    ("X", "y" * 250),
]
NOT_SAID = [
    ("A", "b\r\nC: d"),
    ("A\r\n", "b"),
    ("", "b"),
    ("A B", "c"),
    ("A:", "c"),
    ("A", "\x00"),
    ("A", "\xfe"),
]
NOT_SAID += [("Content-Length", "5x"), ("Content-Length", ""), ("A", "b\n"), ("A", "\x7f"), ("A\xe9", "b")]


def application(r: Draw) -> Case:
    """What an application says, legal or not."""
    status = pick(r, STATUSES)
    pairs = [pick(r, SAID) for _ in range(int(r() * 5))]
    if r() < 0.3:
        pairs.append(("Content-Length", str(int(r() * 100))))
    refusal: tuple[int, ...] = ()
    chance = r()
    if chance < 0.2:
        status, refusal = pick(r, NO_STATUSES), (500,)
    elif chance < 0.4:
        pairs.insert(int(r() * (len(pairs) + 1)), pick(r, NOT_SAID))
        refusal = (500,)
    text = FIELD.join([status, *(name + PAIR + value for name, value in pairs)])
    known = None if refusal else ()
    return Case("said", text.encode("latin-1"), expected=known, refusal=refusal, origin="application")
