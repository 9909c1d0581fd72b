"""An application for races: it says what it was called for, holds what is scarce, and forks at a bad time."""

import os
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Iterable
from typing import Any

Environ = dict[str, Any]
FILE = 30 << 20  # bytes of /file


class Thing:
    """What is put into an environ."""


things: list[weakref.ref[Thing]] = []


def plain(start_response: Any, body: bytes) -> list[bytes]:
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


def read(environ: Environ, start_response: Any) -> Iterable[bytes]:
    """Says which path it was called for, and how long the body was."""
    if environ["PATH_INFO"] == "/smuggled":
        environ["wsgi.errors"].write("SMUGGLED\n")
    size = 0
    while block := environ["wsgi.input"].read(1000):
        size += len(block)
    return plain(start_response, f"{environ['PATH_INFO']} {size}".encode())


def early(environ: Environ, start_response: Any) -> Iterable[bytes]:
    return plain(start_response, b"early")


def note(environ: Environ, start_response: Any) -> Iterable[bytes]:
    thing = environ["my.thing"] = Thing()
    things.append(weakref.ref(thing))
    environ["wsgi.input"].read()
    return plain(start_response, b"noted")


def alive(environ: Environ, start_response: Any) -> Iterable[bytes]:
    return plain(start_response, b"%d" % sum(thing() is not None for thing in things))


def room(environ: Environ, start_response: Any) -> Iterable[bytes]:
    """Writes until its client is gone."""
    out = start_response("200 OK", [("Content-Type", "text/plain")])
    until = time.monotonic() + 30
    while time.monotonic() < until:
        out(b"x" * 65536)
    return []


def file(environ: Environ, start_response: Any) -> Iterable[bytes]:
    """A file, while there is no descriptor left for a second."""
    big = tempfile.TemporaryFile()
    big.truncate(FILE)
    held = []
    try:
        while True:
            held.append(os.open(os.devnull, os.O_RDONLY))
    except OSError:
        pass
    threading.Timer(1.0, lambda: give_back(held)).start()
    start_response("200 OK", [("Content-Length", str(FILE))])
    wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](big)
    return wrapped


def give_back(held: list[int]) -> None:
    for fd in held:
        os.close(fd)


def fork(environ: Environ, start_response: Any) -> Iterable[bytes]:
    """Forks after the head went out; the child fails, and the parent goes on."""
    out = start_response("200 OK", [("Content-Length", "15")])
    out(b"parent")
    child = os.fork()
    if child == 0:
        raise ValueError("in the child")
    until = time.monotonic() + 3
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        if time.monotonic() > until:
            os.kill(child, 9)
        time.sleep(0.01)
    return [b" goes on."]


def clean(environ: Environ, start_response: Any) -> Iterable[bytes]:
    """Which exception is being handled around an application: none, it is to be hoped."""
    return plain(start_response, repr(sys.exc_info()[1]).encode())


VIEWS = {
    "clean": clean,
    "early": early,
    "note": note,
    "alive": alive,
    "room": room,
    "file": file,
    "fork": fork,
}


def application(environ: Environ, start_response: Any) -> Iterable[bytes]:
    """The path's first word names the view; any other path is read."""
    return VIEWS.get(environ["PATH_INFO"].strip("/"), read)(environ, start_response)
