"""What every server of a comparison serves: small honest WSGI applications, each one thing to measure.

They run in the servers' processes, on whatever thread the server gives them, and know nothing of any server.
``mixed`` holds them all by path, for the scenarios in which normal requests run beside other ones.
"""

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

Environ = dict[str, Any]
StartResponse = Callable[..., object]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

TEXT = ("Content-Type", "text/plain; charset=utf-8")
BINARY = ("Content-Type", "application/octet-stream")
BODY = b"Hello, World!"
HEADERS = [TEXT, ("Content-Length", str(len(BODY)))]
BIG = b"0123456789abcdef" * 6400  # 100 KB
LARGE = b"0123456789abcdef" * 32768  # 512 KB
CHUNK = b"a chunk of sixty-four bytes, as a template engine may yield it.\n"
CHUNKS = 1000
BLOCK = b"\0" * 65536
BLOCKS = 16384  # of BLOCK: 1 GB
SLEEP = 0.01
REST = 0.005
PAUSE = 0.5
PIECE = 65536


def hello(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Always the same 13 bytes."""
    start_response("200 OK", HEADERS)
    return [BODY]


def big(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """100 KB in one piece."""
    start_response("200 OK", [BINARY, ("Content-Length", str(len(BIG)))])
    return [BIG]


def large(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """512 KB in one piece: more than a socket takes from a client that does not read."""
    start_response("200 OK", [BINARY, ("Content-Length", str(len(LARGE)))])
    return [LARGE]


def chunks() -> Iterator[bytes]:
    """The pieces of ``stream``."""
    for _ in range(CHUNKS):
        yield CHUNK


def stream(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """A thousand small pieces whose sum nobody announced."""
    start_response("200 OK", [TEXT])
    return chunks()


def blocks() -> Iterator[bytes]:
    """The pieces of ``endless``."""
    for _ in range(BLOCKS):
        yield BLOCK


def endless(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """A generator of 1 GB."""
    start_response("200 OK", [BINARY, ("Content-Length", str(len(BLOCK) * BLOCKS))])
    return blocks()


def upload(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Reads the whole request body; says its size and its digest."""
    digest, size = hashlib.sha256(), 0
    while piece := environ["wsgi.input"].read(PIECE):
        digest.update(piece)
        size += len(piece)
    reply = f"{size} {digest.hexdigest()}".encode()
    start_response("200 OK", [TEXT, ("Content-Length", str(len(reply)))])
    return [reply]


def sleeping(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Waits 10 ms as for a database."""
    time.sleep(SLEEP)
    return hello(environ, start_response)


def resting(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Waits 5 ms: eight threads of it leave most of a core free."""
    time.sleep(REST)
    return hello(environ, start_response)


def pausing(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Holds its thread for half a second: as many at once as are answered in that time are free threads."""
    time.sleep(PAUSE)
    return hello(environ, start_response)


PATHS: dict[str, Application] = {
    "/": hello,
    "/large": large,
    "/endless": endless,
    "/upload": upload,
    "/pause": pausing,
}


def mixed(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Several of them by path; any other path is a hello."""
    return PATHS.get(environ["PATH_INFO"], hello)(environ, start_response)
