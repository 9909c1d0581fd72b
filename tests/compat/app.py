"""The application that both servers run as a file: it writes down what it saw and answers as X-View says.

Runs inside uWSGI and inside penstock, so it knows nothing but the standard library. Each environ goes as
one line of JSON to the file that COMPAT_SEEN names, before the first word of the reply.
"""

import io
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from typing import Any

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
TEXT = ("Content-Type", "text/plain")
DATE = "Fri, 01 Jan 1999 00:00:00 GMT"
PLAIN = (str, bytes, bool, int, float, tuple)


def described(value: object) -> str:
    """Type and value of what is a value; of an object only its type."""
    name = type(value).__name__
    return f"{name} {value!r}" if isinstance(value, PLAIN) else name


def remember(environ: Environ) -> None:
    line = json.dumps({key: described(value) for key, value in environ.items()})
    with open(os.environ["COMPAT_SEEN"], "a", encoding="ascii") as seen:
        seen.write(line + "\n")


# ---- Plain replies: a status, headers, blocks -------------------------------------------------------

REPLIES: dict[str, tuple[str, list[tuple[str, str]], list[bytes]]] = {
    "plain": ("200 OK", [TEXT, ("Content-Length", "5")], [b"plain"]),
    "one-block": ("200 OK", [TEXT], [b"one block"]),
    "blocks": ("200 OK", [TEXT], [b"one,", b"", b"two,", b"three"]),
    "nothing": ("200 OK", [TEXT], []),
    "big": ("200 OK", [TEXT, ("Content-Length", "300000")], [b"x" * 100000] * 3),
    "reason": ("299 Rather Fine", [TEXT, ("Content-Length", "2")], [b"ok"]),
    "bare-status": ("404", [TEXT, ("Content-Length", "4")], [b"gone"]),
    "redirect": ("302 Found", [("Location", "/there"), ("Content-Length", "0")], []),
    "204": ("204 No Content", [("X-A", "b")], []),
    "204-body": ("204 No Content", [("X-A", "b")], [b"body"]),
    "304": ("304 Not Modified", [("ETag", '"1"')], []),
    "304-body": ("304 Not Modified", [("ETag", '"1"')], [b"body"]),
    "cookies": ("200 OK", [TEXT, ("Set-Cookie", "a=1"), ("X-Between", ""), ("Set-Cookie", "b=2")], [b"c"]),
    "lower": ("200 OK", [("content-type", "text/plain"), ("x-lower", "1"), ("content-length", "1")], [b"l"]),
    "latin-1": ("200 OK", [TEXT, ("X-Name", "caf\xe9"), ("Content-Length", "1")], [b"l"]),
    "date": ("200 OK", [TEXT, ("Date", DATE), ("Server", "own/1"), ("Content-Length", "1")], [b"d"]),
    "close": ("200 OK", [TEXT, ("Connection", "close"), ("Content-Length", "1")], [b"c"]),
    "hop": ("200 OK", [TEXT, ("Keep-Alive", "timeout=9"), ("Content-Length", "1")], [b"h"]),
    "inject-value": ("200 OK", [TEXT, ("X-A", "b\r\nX-Injected: 1"), ("Content-Length", "1")], [b"i"]),
    "inject-name": ("200 OK", [TEXT, ("X-Injected: 1\r\nX-A", "b"), ("Content-Length", "1")], [b"i"]),
    "inject-status": ("200 OK\r\nX-Injected: 1", [TEXT, ("Content-Length", "1")], [b"i"]),
    "too-long": ("200 OK", [TEXT, ("Content-Length", "3")], [b"abc", b"defghi"]),
    "too-short": ("200 OK", [TEXT, ("Content-Length", "30")], [b"abc"]),
}


# ---- Views that do more than that -------------------------------------------------------------------


def echo(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    body = environ["wsgi.input"].read()
    start_response("200 OK", [TEXT, ("Content-Length", str(len(body)))])
    return [body]


def read_ways(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    source = environ["wsgi.input"]
    parts = [source.readline(), source.read(2), source.read(3), next(iter(source), b""), *source.readlines()]
    parts += [source.read(), source.read(7), source.readline()]
    start_response("200 OK", [TEXT])
    return [repr(parts).encode()]


def read_length(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """As frameworks read: no further than CONTENT_LENGTH says."""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response("200 OK", [TEXT])
    return [b"%d bytes" % len(body)]


def generator(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
    start_response("200 OK", [TEXT])
    for number in range(5):
        yield b"%d;" % number


def late_head(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
    yield b""
    start_response("200 OK", [TEXT])
    yield b"late head"


def write(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    out = start_response("200 OK", [TEXT])
    out(b"one,")
    out(b"two,")
    return [b"three"]


def fail(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    raise ValueError("on purpose, before start_response")


def fail_announced(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [TEXT, ("X-Announced", "1")])
    raise ValueError("on purpose, before the first byte")


def fail_middle(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
    start_response("200 OK", [TEXT])
    yield b"half of it"
    raise ValueError("on purpose, in mid-body")


def fail_middle_length(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
    start_response("200 OK", [TEXT, ("Content-Length", "20")])
    yield b"half of it"
    raise ValueError("on purpose, in mid-body")


def replaced(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [TEXT, ("X-First", "1")])
    try:
        raise ValueError("replaced")
    except ValueError:
        start_response("503 Replaced", [TEXT, ("X-Second", "2")], sys.exc_info())
    return [b"replaced"]


def twice(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [TEXT])
    start_response("201 Created", [TEXT])
    return [b"twice"]


def never(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    return [b"no head"]


def text(environ: Environ, start_response: StartResponse) -> Iterable[Any]:
    start_response("200 OK", [TEXT])
    return [b"bytes, ", "text"]


def none(environ: Environ, start_response: StartResponse) -> Any:
    start_response("200 OK", [TEXT])


def whole_bytes(environ: Environ, start_response: StartResponse) -> Iterable[Any]:
    start_response("200 OK", [TEXT, ("Content-Length", "5")])
    return b"whole"


def wrapped(environ: Environ, start_response: StartResponse, at: int) -> Iterable[bytes]:
    handle = tempfile.TemporaryFile()
    handle.write(b"0123456789" * 1000)
    handle.flush()
    handle.seek(at)
    start_response("200 OK", [TEXT, ("Content-Length", str(10000 - at))])
    result: Iterable[bytes] = environ["wsgi.file_wrapper"](handle, 4096)
    return result


def file(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    return wrapped(environ, start_response, 0)


def file_offset(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    return wrapped(environ, start_response, 9003)


def file_memory(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [TEXT])
    result: Iterable[bytes] = environ["wsgi.file_wrapper"](io.BytesIO(b"0123456789" * 1000), 4096)
    return result


VIEWS = {
    name.replace("_", "-"): view
    for name, view in list(globals().items())
    if callable(view) and getattr(view, "__code__", None) is not None and view.__code__.co_argcount == 2
}


def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    remember(environ)
    view = environ.get("HTTP_X_VIEW", "plain")
    if view in VIEWS:
        result: Iterable[bytes] = VIEWS[view](environ, start_response)
        return result
    status, headers, blocks = REPLIES[view]
    start_response(status, list(headers))
    return list(blocks)
