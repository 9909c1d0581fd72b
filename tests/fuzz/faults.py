"""Faults that spoil a legal HTTP request, each with the statuses of which one must be the answer.

Each takes a message apart in place and returns those statuses, or None where it has nothing to spoil.
"""

from collections.abc import Callable

from tests.fuzz.grammar import Draw, Message, pick

Fault = Callable[[Draw, Message], tuple[int, ...] | None]
BAD = (400,)

VERSIONS = [b"HTTP/2.0", b"HTTP/1.2", b"HTTP/0.9", b"HTTP/3.0"]
NO_VERSIONS = [b"HTTP/1", b"http/1.1", b"HTTP/1.1a", b"RTSP/1.0", b"HTTP/+1.1", b"HTTP/1,1", b"", b"HTTP/11"]
UNKNOWN = [b"FOO", b"get", b"Get", b"CONNECT", b"GETT", b"G", b"PRI", b"DESCRIBE", b"GE-T"]
NO_METHODS = [b"G@T", b"GE:T", b"(GET)", b'GE"T', b"G\xe9T", b"", b"G/T", b"\x00GET"]
TARGETS = [
    b"a",
    b"?x",
    b"ftp://a/",
    b"http:/a",
    b"http:///a",
    b"http://",
    b"http://u@a/",
    b"\\",
    b"**",
    b"/%",
]
TARGETS += [
    b"/a#b",
    b"/\xe9",
    b"/%zz",
    b"/%00",
    b"/a\tb",
    b"/?\t",
    b"/a%0",
    b"http://a b/",
    b"http://a:b/",
    b"http://[::1/",
    b"/\x7f",
]
LINES = [
    b" X: y",
    b"\tX: y",
    b": y",
    b"X",
    b"X : y",
    b"X\t: y",
    b"X Y: z",
    b"X@: z",
    b"\xe9: z",
    b"X\x00: z",
    b"=:",
]
LINES += [
    b"X: a\x00b",
    b"X: a\x0bb",
    b"X: \x1b[m",
    b"X: \x7f",
    b"X: a\rb",
    b"X: a\nb",
    b"X: a\n",
    b"X: a\r",
    b"X: \x01",
]
HOSTS = ["a b", "a/b", "http://a", "a@b", "a:b", "a:80:90", "a:-1", "a:65536", "[::1", "::1", "[]", "[g::1]"]
HOSTS += ["a\\b", "<a>", "a?b", "a#b", "a%zz", "a\xe9", "a\tb", ":80", "{a}", "[::1]x", "[1:2]", "[::1%eth0]"]
LENGTHS = [
    b"+5",
    b"-5",
    b"0x5",
    b"0_5",
    b"5,5",
    b"5 5",
    b"5.0",
    b"five",
    b"",
    b"\xb2",
    b"5a",
    b"99999999999999999999",
]
CODINGS = [
    b"gzip, chunked",
    b"identity",
    b"gzip",
    b"chunked, chunked",
    b"xchunked",
    b"chunked;q=1",
    b"",
    b"chunked,",
]
SIZES = [
    b"+5",
    b"-5",
    b"0x5",
    b" 5",
    b"5 ",
    b"g",
    b"",
    b"5,",
    b"00000000000000005",
    b"5;",
    b"5;=",
    b"5;a=",
    b"5\x00",
]
SIZES += [b'5;a="', b"5;a\x00", b"5:", b"5_0", b"\xb5", b'5;a="\x01"', b"5;a=b c"]
TRAILERS = [
    b"X T: 1",
    b"X-T : 1",
    b": 1",
    b"X-T",
    b" X: 1",
    b"X: a\x00",
    b"\tX: 1",
    b"X: \x7f",
    b"X: a\rb",
    b"X: a\nb",
]


def start(message: Message, part: int, new: bytes) -> None:
    words = message.start.split(b" ")
    words[part] = new
    message.start = b" ".join(words)


def insert(r: Draw, message: Message, line: bytes) -> None:
    message.lines.insert(int(r() * (len(message.lines) + 1)), line)


def drop(message: Message, name: bytes) -> bool:
    """Take a field out; whether it was there."""
    kept = [line for line in message.lines if not line.lower().startswith(name + b":")]
    found = len(kept) < len(message.lines)
    message.lines = kept
    return found


def version(r: Draw, message: Message) -> tuple[int, ...] | None:
    start(message, 2, pick(r, VERSIONS))
    return (505,)


def no_version(r: Draw, message: Message) -> tuple[int, ...] | None:
    start(message, 2, pick(r, NO_VERSIONS))
    return BAD


def unknown_method(r: Draw, message: Message) -> tuple[int, ...] | None:
    start(message, 0, pick(r, UNKNOWN))
    return (501,)


def no_method(r: Draw, message: Message) -> tuple[int, ...] | None:
    start(message, 0, pick(r, NO_METHODS))
    return BAD


def bad_target(r: Draw, message: Message) -> tuple[int, ...] | None:
    start(message, 1, pick(r, TARGETS))
    return BAD


def star(r: Draw, message: Message) -> tuple[int, ...] | None:
    if message.start.startswith(b"OPTIONS"):
        return None
    start(message, 1, b"*")
    return BAD


def blanks(r: Draw, message: Message) -> tuple[int, ...] | None:
    """Anything but one blank between the parts."""
    at = message.start.index(b" ") if r() < 0.5 else message.start.rindex(b" ")
    chance = r()
    if chance < 0.2:
        message.start += b" "
    elif chance < 0.4:
        message.start = b" " + message.start
    else:
        message.start = message.start[:at] + pick(r, (b"  ", b"\t", b" \t", b"")) + message.start[at + 1 :]
    return BAD


def bad_line(r: Draw, message: Message) -> tuple[int, ...] | None:
    insert(r, message, pick(r, LINES))
    return BAD


def bare_lf(r: Draw, message: Message) -> tuple[int, ...] | None:
    """One line of the head ends in LF, or in CR alone."""
    end = pick(r, (b"\n", b"\r", b"\r\r\n", b"\n\r"))
    if message.lines and r() < 0.7:
        first = message.lines.pop(0)
        message.start += end + first
    else:
        message.start += end + b"X: y"
    return BAD


def no_host(r: Draw, message: Message) -> tuple[int, ...] | None:
    return BAD if message.http11 and drop(message, b"host") else None


def two_hosts(r: Draw, message: Message) -> tuple[int, ...] | None:
    if not message.http11:
        return None
    insert(r, message, pick(r, (b"Host: a", b"host: b", b"HOST:")))
    return BAD


def bad_host(r: Draw, message: Message) -> tuple[int, ...] | None:
    drop(message, b"host")
    insert(r, message, b"Host: " + pick(r, HOSTS).encode("latin-1"))
    return BAD


def bad_length(r: Draw, message: Message) -> tuple[int, ...] | None:
    insert(r, message, b"Content-Length: " + pick(r, LENGTHS))
    return BAD


def two_lengths(r: Draw, message: Message) -> tuple[int, ...] | None:
    insert(r, message, b"Content-Length: 5")
    insert(r, message, pick(r, (b"Content-Length: 5", b"content-length: 6", b"CONTENT-LENGTH: 0")))
    return BAD


def length_and_coding(r: Draw, message: Message) -> tuple[int, ...] | None:
    drop(message, b"content-length")
    drop(message, b"transfer-encoding")
    insert(r, message, b"Content-Length: 5")
    insert(r, message, b"Transfer-Encoding: chunked")
    return BAD


def bad_coding(r: Draw, message: Message) -> tuple[int, ...] | None:
    drop(message, b"content-length")
    drop(message, b"transfer-encoding")
    insert(r, message, b"Transfer-Encoding: " + pick(r, CODINGS))
    return (400, 501)


def coding_in_1_0(r: Draw, message: Message) -> tuple[int, ...] | None:
    if message.http11:
        start(message, 2, b"HTTP/1.0")
    insert(r, message, b"Transfer-Encoding: chunked")
    return BAD


def expectation(r: Draw, message: Message) -> tuple[int, ...] | None:
    if not message.http11:
        return None
    insert(r, message, b"Expect: " + pick(r, (b"magic", b"100", b"100-continue, x", b"")))
    return (417,)


def coded(message: Message, body: bytes) -> tuple[int, ...] | None:
    """Give a message a chunked body that is not one."""
    if not message.http11:
        return None
    drop(message, b"content-length")
    drop(message, b"transfer-encoding")
    message.lines.append(b"Transfer-Encoding: chunked")
    message.body = body
    return BAD


def bad_size(r: Draw, message: Message) -> tuple[int, ...] | None:
    return coded(message, pick(r, (b"", b"1\r\nx\r\n")) + pick(r, SIZES) + b"\r\nhello\r\n0\r\n\r\n")


def bad_chunk(r: Draw, message: Message) -> tuple[int, ...] | None:
    ends = (
        b"5\r\nhello\n",
        b"5\r\nhelloX\r\n",
        b"5\r\nhello0\r\n",
        b"5\nhello\r\n",
        b"5\rhello\r\n",
        b"5\r\nhello\r\r\n",
    )
    return coded(message, pick(r, ends) + b"0\r\n\r\n")


def bad_trailer(r: Draw, message: Message) -> tuple[int, ...] | None:
    return coded(message, b"1\r\nx\r\n0\r\n" + pick(r, TRAILERS) + b"\r\n\r\n")


def too_many_fields(r: Draw, message: Message) -> tuple[int, ...] | None:
    if r() < 0.98:  # it is a long one
        return None
    message.lines[0:0] = [b"X: y"] * 101
    return (431,)


def too_long(r: Draw, message: Message) -> tuple[int, ...] | None:
    if r() < 0.999:  # it is a very long one
        return None
    if r() < 0.7:
        start(message, 1, b"/" + b"a" * 16_500)
        return (414,)
    message.lines.insert(0, b"X: " + b"y" * 66_000)
    return (431,)


FAULTS: tuple[Fault, ...] = (
    version,
    no_version,
    unknown_method,
    no_method,
    bad_target,
    star,
    blanks,
    bad_line,
    bare_lf,
    no_host,
    two_hosts,
    bad_host,
    bad_length,
    two_lengths,
    length_and_coding,
    bad_coding,
    coding_in_1_0,
    expectation,
    bad_size,
    bad_chunk,
    bad_trailer,
    too_many_fields,
    too_long,
)


def spoil(r: Draw, message: Message) -> tuple[str, tuple[int, ...]]:
    """Put one fault into a message: its name, and the statuses it must be refused with."""
    while True:
        fault: Fault = pick(r, FAULTS)
        statuses = fault(r, message)
        if statuses is not None:
            return fault.__name__, statuses
