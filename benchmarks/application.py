"""What every server of a comparison serves: the smallest honest WSGI reply."""

from collections.abc import Callable, Iterable
from typing import Any

BODY = b"Hello, World!"
HEADERS = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(BODY)))]


def hello(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    """Always the same 13 bytes."""
    start_response("200 OK", HEADERS)
    return [BODY]
