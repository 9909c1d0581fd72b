"""What is made of lines on their way to a logger: a chain of encoders, made once.

Run by whoever writes the lines: the supervisor, or a thread of a process that is alone. It does not know
where a line goes.
"""

from collections.abc import Callable, Iterable
from time import localtime, strftime, time
from typing import Any

from penstock.config.logs import encoders as words
from penstock.config.logs.encoders import STRFTIME, Encoder

Encode = Callable[[bytes], bytes]
LONGEST_TIME = 63  # bytes that strftime may give, as in uWSGI
BASIC = {9: b"\\t", 10: b"\\n", 13: b"\\r", 34: b'\\"', 92: b"\\\\"}
ESCAPES = [BASIC.get(byte, b"\\u%04x" % byte if byte < 32 else bytes([byte])) for byte in range(256)]


def chain(encoders: Iterable[Encoder], logger: str) -> Encode | None:
    """All that are for the logger with the id ``logger`` ("" for one without), None for none."""
    steps = [made(encoder) for encoder in encoders if encoder.logger in ("", logger)]
    if not steps:
        return None
    if len(steps) == 1:
        return steps[0]

    def encode(line: bytes) -> bytes:
        for step in steps:
            line = step(line)
        return line

    return encode


def made(encoder: Encoder) -> Encode:
    """One of them."""
    argument = encoder.argument.encode()
    if encoder.name == words.PREFIX:
        return lambda line: argument + line
    if encoder.name == words.SUFFIX:
        return lambda line: line + argument
    if encoder.name == words.NL:
        return lambda line: line + b"\n"
    if encoder.name in words.TEMPLATES:
        return template(encoder)
    return packed(encoder.name)


def packed(name: str) -> Encode:
    """Those of bytes; a compressed line is a whole member of its own."""
    if name in (words.BASE64, words.HEX):
        from binascii import b2a_base64, hexlify

        return hexlify if name == words.HEX else (lambda line: b2a_base64(line, newline=False))
    import zlib

    if name == words.COMPRESS:
        return zlib.compress
    import gzip

    return lambda line: gzip.compress(line, mtime=0)


# ---- Templates ----------------------------------------------------------------------------------------


def template(encoder: Encoder) -> Encode:
    """``format`` and ``json``; what ``json`` puts into its text is escaped, the text itself is the
    operator's."""
    escape = escaped if encoder.name == words.JSON else as_it_is
    texts = [part.encode() for part in encoder.parts[::2]]
    values = [value_of(variable, escape) for variable in encoder.parts[1::2]]

    def encode(line: bytes) -> bytes:
        now = time()
        found = [texts[0]]
        for value, text in zip(values, texts[1:], strict=True):
            found += (value(line, now), text)
        return b"".join(found)

    return encode


def value_of(variable: str, escape: Encode) -> Callable[[bytes, float], bytes]:
    """What stands for one ``${variable}``."""
    if variable.startswith(STRFTIME):
        form = variable.removeprefix(STRFTIME)
        return lambda line, now: escape(formatted(form, now))
    known: dict[str, Callable[[bytes, float], Any]] = {
        "msg": lambda line, now: escape(line.removesuffix(b"\n")),
        "msgnl": lambda line, now: escape(line),
        "unix": lambda line, now: b"%d" % now,
        "micros": lambda line, now: b"%d" % (now * 1_000_000),
        "millis": lambda line, now: b"%d" % (now * 1000),
    }
    return known[variable]


def formatted(form: str, now: float) -> bytes:
    """The time in strftime's form; nothing for one that becomes too long."""
    text = strftime(form, localtime(now)).encode()
    return text if len(text) <= LONGEST_TIME else b""


def as_it_is(line: bytes) -> bytes:
    """The same."""
    return line


def escaped(line: bytes) -> bytes:
    """As it stands in a string of JSON: what is no UTF-8 or is a control would make a document that nobody
    reads (RFC 8259 §7)."""
    text = line.decode("utf-8", "backslashreplace").encode()
    return b"".join([ESCAPES[byte] for byte in text])
