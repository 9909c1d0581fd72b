"""``check-cache``: a GET is answered from a shared cache that has its URI, before anything else is asked.

Arranged at boot, called by pool threads. What keeps replies there (the application, or a ``cachestore:``)
it does not know.
"""

import re
from collections.abc import Callable
from typing import Any, Protocol

from penstock.codecs.http1_reply import BadReply
from penstock.serve.wsgi.call import Call

HEAD = re.compile(rb"HTTP/1\.[01] ([2-9][0-9]{2}[^\r\n\0]*)\r\n((?:[^\r\n\0]+\r\n)*)\r\n")
OURS = ("content-length", "connection", "keep-alive", "transfer-encoding", "date")
"""Fields that are made anew for each connection."""
USUAL = [("Content-Type", "text/html")]

Stored = Callable[[Call, dict[str, Any]], bool]
"""Answers a request if it can; whether it has."""


class Values(Protocol):
    """A cache."""

    def get(self, key: bytes) -> bytes | None: ...


def make_stored(store: Values) -> Stored:
    """What answers from ``store``.

    As in uWSGI the key is the URI with its query, and a value is a whole reply with its head; a value without
    one is a page of HTML, where uWSGI sends what is no HTTP.
    """

    def answer(call: Call, environ: dict[str, Any]) -> bool:
        if environ.get("REQUEST_METHOD") != "GET":
            return False
        value = store.get(str(environ.get("REQUEST_URI", "")).encode("latin-1", "backslashreplace"))
        if value is None:
            return False
        status, headers, body = taken_apart(value)
        try:
            call.begin(status, headers)
        except BadReply as error:
            call.manner.warn("check-cache", f"check-cache: what is kept is no reply: {error}")
            return False
        call.whole(body)
        return True

    return answer


def taken_apart(value: bytes) -> tuple[str, list[tuple[str, str]], bytes]:
    """Status, fields and body of what is kept."""
    head = HEAD.match(value)
    if head is None:
        return "200 OK", list(USUAL), value
    headers = []
    for line in head[2].decode("latin-1").splitlines():
        name, _, text = line.partition(":")
        if name.strip().lower() not in OURS:
            headers.append((name.strip(), text.strip()))
    return head[1].decode("latin-1"), headers, value[head.end() :]
