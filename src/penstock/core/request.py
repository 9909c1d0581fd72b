"""A request in CGI words: what every decoder makes, and what everything after it reads.

Made on the loop, given to one pool thread with its exchange, and never shared.
"""

from collections.abc import Sequence
from typing import Any


class Request:
    """One request's head, as CGI variables that become the application's environ.

    ``vars``            dict, CGI names to str (latin-1 carried, PEP 3333), begun as a copy of the
                        connection's base; it *is* the environ of the application later
    ``content_length``  int, bytes of the body; 0 without one, -1 when only its end will tell (chunked)
    ``http11``          bool, the client speaks HTTP/1.1 (chunked replies, 100 and 103 may be sent)
    ``keep_alive``      bool, the client is willing to send another request on this connection
    ``expect``          bool, the client waits for ``100 Continue`` before it sends the body
    ``ordinary``        bool, set by the decoder: HTTP/1.1, not HEAD; by HTTP also kept alive, without a body
    ``is_head``         bool, the method is HEAD: the reply has no body
    ``size``            int, bytes of the variables as a uwsgi packet would carry them (for the log)
    ``count``           int, how many variables that packet would carry (for the log)
    ``trailers``        (name, value) pairs of str that followed a chunked body; kept apart from
                        the headers, never merged (RFC 9110 §6.5.1)
    """

    __slots__ = (
        "content_length",
        "count",
        "expect",
        "http11",
        "is_head",
        "keep_alive",
        "ordinary",
        "size",
        "trailers",
        "vars",
    )

    def __init__(self, variables: dict[str, Any], count: int = 0, size: int = 0) -> None:
        self.vars = variables
        self.content_length = 0
        self.http11 = variables.get("SERVER_PROTOCOL") == "HTTP/1.1"
        self.keep_alive = False
        self.expect = False
        self.ordinary = False
        self.is_head = variables.get("REQUEST_METHOD") == "HEAD"
        self.size = size
        self.count = count
        self.trailers: Sequence[tuple[str, str]] = ()
