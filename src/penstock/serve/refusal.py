"""The replies that penstock gives itself: plain, short, and the same whoever gives them.

Used by the loop (what is refused before a thread is taken) and by pool threads (a failed application).
"""

from penstock.codecs.http1_reply import REASONS
from penstock.core.request import Request
from penstock.serve.send import date_line

RETRY_AFTER = 1  # seconds that a client of an overloaded server is asked to wait


def refusal(status: int, reason: str, request: Request | None, keep: bool) -> bytes:
    """A whole reply: ``status`` (int) with ``reason`` in its body; ``keep`` the connection or close it.

    ``request`` is None when it could not be read. A reply to HEAD has no body.
    """
    name = REASONS.get(status, "Error")
    body = f"{status} {name}: {reason}\n".encode("utf-8", "replace")
    old = request is not None and not request.http11
    lines = [
        b"HTTP/1.0 " if old else b"HTTP/1.1 ",
        f"{status} {name}\r\n".encode("ascii"),
        b"Content-Type: text/plain; charset=utf-8\r\n",
        b"Content-Length: %d\r\n" % len(body),
    ]
    if status == 503:
        lines.append(b"Retry-After: %d\r\n" % RETRY_AFTER)
    lines.append(date_line())
    if not keep:
        lines.append(b"Connection: close\r\n")
    elif old:
        lines.append(b"Connection: keep-alive\r\n")
    lines.append(b"\r\n")
    if request is None or not request.is_head:
        lines.append(body)
    return b"".join(lines)
