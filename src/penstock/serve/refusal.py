"""The replies that penstock gives itself: plain, short, and the same whoever gives them.

Used by the loop (what is refused before a thread is taken, and its own pages) and by pool threads (a failed
application).
"""

from collections.abc import Sequence

from penstock.codecs.http1_reply import REASONS, fields
from penstock.core.request import Request
from penstock.serve.send import date_line

RETRY_AFTER = 1  # seconds that a client of an overloaded server is asked to wait
PLAIN = ("Content-Type", "text/plain; charset=utf-8")
BUSY = ("Retry-After", str(RETRY_AFTER))


def refusal(status: int, reason: str, request: Request | None, keep: bool) -> bytes:
    """A whole reply: ``status`` (int) with ``reason`` in its body; ``keep`` the connection or close it.

    ``request`` is None when it could not be read. A reply to HEAD has no body.
    """
    body = f"{status} {REASONS.get(status, 'Error')}: {reason}\n".encode("utf-8", "replace")
    return page(status, [PLAIN, BUSY] if status == 503 else [PLAIN], body, request, keep)


def page(
    status: int, said: Sequence[tuple[str, str]], body: bytes, request: Request | None, keep: bool
) -> bytes:
    """A whole reply with the header fields ``said``, Content-Type first, and those of its framing. Raises
    BadReply for fields that cannot be sent."""
    counted = [*said[:1], ("Content-Length", str(len(body))), *said[1:]]
    old = request is not None and not request.http11
    lines = [
        b"HTTP/1.0 " if old else b"HTTP/1.1 ",
        f"{status} {REASONS.get(status, 'Error')}\r\n".encode("ascii"),
        fields(counted).lines,
        date_line(),
    ]
    if not keep:
        lines.append(b"Connection: close\r\n")
    elif old:
        lines.append(b"Connection: keep-alive\r\n")
    lines.append(b"\r\n")
    if request is None or not request.is_head:
        lines.append(body)
    return b"".join(lines)
