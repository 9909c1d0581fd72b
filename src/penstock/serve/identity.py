"""What a reply says of its own request: its id, and how long its parts took.

Arranged at boot, called by pool threads. Without the options nothing of it is.
"""

import re
from collections.abc import Callable
from random import Random
from time import monotonic

from penstock.core import running
from penstock.handoff.exchange import Exchange
from penstock.serve.record import REQUEST_ID
from penstock.serve.wsgi.call import Environ

SAFE = re.compile(r"[\x21-\x7e]{1,200}")
TIMING = b"Server-Timing: receive;dur=%.1f, queue;dur=%.1f, run;dur=%.1f\r\n"  # milliseconds

Own = Callable[[Exchange, bytes], bytes]
"""The field lines that one reply has of its own, from its exchange and the application's field lines."""


def variable(header: str) -> str:
    """The environ's name of a header."""
    return f"HTTP_{header.upper().replace('-', '_')}"


def make_identify(header: str) -> Callable[[Environ], None]:
    """What gives each request an id: that which a trusted peer sent in ``header``, or a new one, in
    ``penstock.request_id`` and as if the client had sent it so."""
    name = variable(header)
    # Of its own, so that an application that seeds the usual one does not make ids come twice.
    some = Random().getrandbits

    def identify(environ: Environ) -> None:
        given = environ.get(REQUEST_ID)
        if given is None:
            given = environ[REQUEST_ID] = f"{some(128):032x}"
        environ[name] = given
        running.begin(given, environ.get("HTTP_TRACEPARENT", ""))

    return identify


def make_own(header: str, timing: bool) -> Own | None:
    """The lines of ``header`` (the id, "" for none) and of Server-Timing; None where neither is asked for."""
    if not header and not timing:
        return None
    start = header.encode("latin-1") + b": "
    sought = start[:-1].lower()

    def own(x: Exchange, lines: bytes) -> bytes:
        line = b""
        if header and sought not in lines.lower():
            given = x.request.vars.get(REQUEST_ID)
            # The environ is the application's by now, with anything in it.
            if isinstance(given, str) and SAFE.fullmatch(given):
                line = start + given.encode("ascii") + b"\r\n"
        return line + timing_line(x) if timing else line

    return own


def timing_line(x: Exchange) -> bytes:
    """The phases of a request whose head is about to go out."""
    receive, queue = x.received_at - x.began_at, x.started_at - x.received_at
    return TIMING % (receive * 1000, queue * 1000, (monotonic() - x.started_at) * 1000)
