"""WSGI applications by path: everything an application may do, right and wrong. Raw WSGI, no framework."""

import hashlib
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import parse_qs
from wsgiref.validate import validator

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
View = Callable[[Environ, StartResponse], Iterable[bytes]]
TEXT = [("Content-Type", "text/plain")]
closed: list[str] = []
running = 0
lock = threading.Lock()


def argument(environ: Environ, name: str, default: str = "") -> str:
    found: str = parse_qs(environ.get("QUERY_STRING", "")).get(name, [default])[0]
    return found


def plain(start_response: StartResponse, body: bytes, status: str = "200 OK") -> list[bytes]:
    start_response(status, [*TEXT, ("Content-Length", str(len(body)))])
    return [body]


def hello(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    return plain(start_response, b"Hello, World!")


def show(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    kinds = {key: [type(value).__name__, str(value)] for key, value in environ.items()}
    return plain(start_response, json.dumps(kinds, sort_keys=True).encode())


def digest(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    found, size = hashlib.sha256(), 0
    try:
        while block := environ["wsgi.input"].read(1 << 16):
            found.update(block)
            size += len(block)
    except OSError as error:
        print(f"zoo: read failed: {error}", file=environ["wsgi.errors"])
        raise
    return plain(start_response, f"{size} {found.hexdigest()}".encode())


def read_ways(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    source = environ["wsgi.input"]
    parts = [source.readline(), source.readline(3), source.read(2), *source.readlines(4)]
    parts += list(source)
    parts.append(source.read())
    return plain(start_response, json.dumps([part.decode("latin-1") for part in parts]).encode())


def early(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    return plain(start_response, b"no thanks", "403 Forbidden")


def write(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    out = start_response("200 OK", TEXT)
    out(b"one,")
    out(b"two,")
    return [b"three"]


def stream(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
    start_response("200 OK", TEXT)
    for number in range(int(argument(environ, "n", "3"))):
        yield f"{number};".encode()
        time.sleep(float(argument(environ, "wait", "0")))


def lazy(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
    yield b""
    start_response("200 OK", TEXT)
    yield b""
    yield b"late head"


class Closing:
    def __init__(self, name: str, blocks: list[Any]) -> None:
        self.name, self.blocks = name, blocks

    def __iter__(self) -> Iterator[Any]:
        for block in self.blocks:
            if isinstance(block, BaseException):
                raise block
            yield block

    def close(self) -> None:
        closed.append(self.name)


def closing(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    name = argument(environ, "name", "x")
    blocks: dict[str, list[Any]] = {
        "fine": [b"fine"],
        "raises": [b"some", ValueError("in mid-body")],
        "at-once": [ValueError("before the body")],
    }
    start_response("200 OK", TEXT)
    return Closing(name, blocks[argument(environ, "kind", "fine")])


def was_closed(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    return plain(start_response, str(closed.count(argument(environ, "name"))).encode())


def file(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    size, at = int(argument(environ, "size", "100000")), int(argument(environ, "at", "0"))
    handle = tempfile.TemporaryFile()
    handle.write(pattern(size))
    handle.flush()
    handle.seek(at)
    headers = TEXT if argument(environ, "bare") else [*TEXT, ("Content-Length", str(size - at))]
    start_response("200 OK", headers)
    wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](handle, 4096)
    return wrapped


def pattern(size: int) -> bytes:
    return bytes(range(256)) * (size // 256) + bytes(range(size % 256))


def short(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [*TEXT, ("Content-Length", "100")])
    return [b"only this"]


def long(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [*TEXT, ("Content-Length", "4")])
    return [b"only", b" and more"] if argument(environ, "split") else [b"only and more"]


def fail(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    raise ValueError("before start_response")


def fail_after(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", TEXT)
    raise ValueError("after start_response")


def fail_middle(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
    start_response("200 OK", TEXT)
    yield b"half"
    raise ValueError("in mid-body")


def leave(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    kinds: dict[str, BaseException] = {
        "exit": SystemExit(3),
        "interrupt": KeyboardInterrupt(),
        "generator": GeneratorExit(),
    }
    raise kinds[argument(environ, "kind", "exit")]


def bad_header(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    bad: dict[str, tuple[Any, Any]] = {
        "crlf": ("200 OK", [("X-A", "b\r\nSet-Cookie: evil=1")]),
        "lf": ("200 OK", [("X-A", "b\nc")]),
        "nul": ("200 OK", [("X-A", "b\0c")]),
        "name": ("200 OK", [("X A", "b")]),
        "status": ("200 OK\r\nX-Evil: 1", []),
        "long-status": ("2000 OK", []),
        "int-status": (200, []),
        "tuple": ("200 OK", (("X-A", "b"),)),
        "int-value": ("200 OK", [("X-A", 1)]),
        "two-lengths": ("200 OK", [("Content-Length", "1"), ("Content-Length", "2")]),
        "bad-length": ("200 OK", [("Content-Length", "+5")]),
        "unicode": ("200 OK", [("X-A", "\u20ac")]),
        "interim": ("100 Continue", []),
    }
    status, headers = bad[argument(environ, "kind")]
    start_response(status, headers)
    return [b"never"]


def hops(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    start_response(
        "200 OK",
        [
            ("Keep-Alive", "timeout=5"),
            ("Transfer-Encoding", "chunked"),
            ("Connection", "keep-alive"),
            ("X-A", "b"),
        ],
    )
    return [b"hops"]


def close_me(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [("Connection", "close"), ("Content-Length", "3")])
    return [b"bye"]


def exc_info(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [("X-First", "1"), ("Content-Length", "1000")])
    try:
        raise ValueError("replaced")
    except ValueError:
        start_response("500 Replaced", [("X-Second", "2")], sys.exc_info())
    return [b"replaced"]


def exc_info_of_nothing(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """``sys.exc_info()`` where nothing was raised: frameworks hand it on as it is."""
    start_response("200 OK", TEXT, sys.exc_info())
    return [b"nothing was raised"]


def exc_info_late(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
    start_response("200 OK", TEXT)
    yield b"sent"
    try:
        raise ValueError("too late")
    except ValueError:
        start_response("500 Late", [], sys.exc_info())


def twice(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [])
    start_response("201 Created", [])
    return [b"never"]


def never(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    return [b"no head"]


def text(environ: Environ, start_response: StartResponse) -> Any:
    start_response("200 OK", [])
    results: dict[str, Any] = {
        "str": ["text"],
        "later": [b"a", "text"],
        "lazy": iter(["text"]),
        "array": [bytearray(b"a")],
        "none": None,
        "bytes": b"whole",
        "int": [1],
        "empty": [],
        "list": [b"a", b"b"],
    }
    return results[argument(environ, "kind")]


def status(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    start_response(argument(environ, "is", "204 No Content"), [("X-A", "b")])
    return [b"body"]


def sleep(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    global running
    with lock:
        running += 1
    time.sleep(float(argument(environ, "s", "0.1")))
    with lock:
        running -= 1
    return plain(start_response, b"slept")


def how_many(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    return plain(start_response, f"{running} {threading.active_count()}".encode())


def big(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    size, mark = int(argument(environ, "size", "524288")), argument(environ, "mark", "x").encode()
    body = (mark * (size // len(mark) + 1))[:size]
    return plain(start_response, body)


def endless(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
    global running
    block = b"z" * (1 << 16)
    start_response("200 OK", [*TEXT, ("Content-Length", str(1 << 30))])
    with lock:
        running += 1
    try:
        for _ in range(1 << 14):
            yield block
    finally:
        with lock:
            running -= 1


def hints(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    offered = "wsgi.early_hints" in environ
    if offered:
        links = [("Link", "</a.css>; rel=preload")]
        environ["wsgi.early_hints"](iter(links) if argument(environ, "lazy") else links)
    return plain(start_response, str(offered).encode())


def gone(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    disconnected = environ["penstock.disconnected"]
    until = time.monotonic() + 5
    while time.monotonic() < until and not disconnected():
        time.sleep(0.01)
    print(f"zoo: disconnected={disconnected()}", file=environ["wsgi.errors"])
    return plain(start_response, str(disconnected()).encode())


def fork(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    child = os.fork()
    if child == 0:
        return plain(start_response, b"from the child")  # must not reach the client
    os.waitpid(child, 0)
    return plain(start_response, b"from the parent")


def identify(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    time.sleep(float(argument(environ, "wait", "0")))
    return plain(start_response, environ["PATH_INFO"].encode() + b"?" + environ["QUERY_STRING"].encode())


VIEWS: dict[str, View] = {
    name.replace("_", "-"): view
    for name, view in list(globals().items())
    if callable(view) and getattr(view, "__module__", "") == __name__ and not isinstance(view, type)
}
checked = {name: validator(view) for name, view in VIEWS.items()}


def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """``/view/…`` calls the view; ``/checked/view`` calls it inside wsgiref's validator."""
    words = environ["PATH_INFO"].strip("/").split("/")
    views: dict[str, Any] = VIEWS
    if words[0] == "checked":
        views, words = checked, words[1:]
    view = views.get(words[0] or "hello") if words else hello
    if view is None:
        return plain(start_response, b"no such view", "404 Not Found")
    result: Iterable[bytes] = view(environ, start_response)
    return result
