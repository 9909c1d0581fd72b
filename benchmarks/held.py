"""What the servers serve while health is asked for: pages that keep their thread, each in its own way.

Runs in the servers' processes. It does not know who asks, nor that anybody asks for health beside it.
"""

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

LONG = 120.0  # seconds that a page keeps its thread; no measurement takes as long
PIECE = 200_000  # numbers that are added up between two looks at the clock
_never = threading.Event()


def lock() -> None:
    """Wait for what nobody gives."""
    _never.wait(LONG)


def sleep() -> None:
    """Sleep."""
    time.sleep(LONG)


def burn() -> None:
    """Compute, which also keeps the interpreter's lock."""
    until = time.monotonic() + LONG
    while time.monotonic() < until:
        sum(range(PIECE))


PAGES: dict[str, Callable[[], None]] = {"/lock": lock, "/sleep": sleep, "/burn": burn}


def application(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    """A page that keeps its thread, or an answer at once."""
    page = PAGES.get(environ["PATH_INFO"])
    if page is not None:
        page()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"ok"]
