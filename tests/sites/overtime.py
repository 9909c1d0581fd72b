"""An application whose requests take too long, each in a way of its own."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from penstock.core.errors import Deadline

STUCK = 2.5  # seconds of what cannot be interrupted
gate = threading.Lock()
gate.acquire()
came: list[str] = []
"""The requests in which Deadline was seen."""


def spin(start_response: Any) -> list[bytes]:
    while True:
        pass


def sleep(start_response: Any) -> list[bytes]:
    time.sleep(STUCK)
    return late(start_response)


def lock(start_response: Any) -> list[bytes]:
    gate.acquire(timeout=STUCK)
    return late(start_response)


def held(start_response: Any) -> list[bytes]:
    """In C, with the interpreter's lock: nothing of this process runs meanwhile."""
    re.match(r"(a+)+$", "a" * 26 + "b")
    return late(start_response)


def head(start_response: Any) -> Iterator[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"first"
    spin(start_response)


def between(start_response: Any) -> Iterator[bytes]:
    """Nothing of the reply is out when it hangs."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b""
    spin(start_response)


def swallows(start_response: Any) -> list[bytes]:
    try:
        spin(start_response)
    except BaseException:
        pass
    return late(start_response)


def late(start_response: Any) -> list[bytes]:
    start_response("200 OK", [])
    return [b"too late"]


WAYS: dict[str, Callable[[Any], Any]] = {
    f"/{call.__name__}": call for call in (spin, sleep, lock, held, head, between, swallows)
}


def application(environ: dict[str, Any], start_response: Any) -> Any:
    """``/nap?1.5`` takes so many seconds in short steps; ``/read`` reads its body; ``/came`` tells; any other
    is answered at once."""
    path = environ["PATH_INFO"]
    try:
        if path in WAYS:
            return WAYS[path](start_response)
        if path == "/nap":
            until = time.monotonic() + float(environ["QUERY_STRING"])
            while time.monotonic() < until:
                time.sleep(0.01)
        body = environ["wsgi.input"].read() if path == "/read" else b""
    except Deadline:
        came.append(path)
        raise
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [" ".join(came).encode() if path == "/came" else b"%d" % len(body)]
