"""Chunked transfer coding, received: RFC 9112 §7.1, strictly. Sans-IO; shared by HTTP and uwsgi."""

from penstock.codecs.decoder import Limits


class ChunkedBody:
    """Takes a chunked body apart, and stops exactly behind its end.

    ``receive(data)`` returns the decoded pieces (no empty ones); when ``done`` is True, ``rest`` holds
    the bytes that came after the body and ``trailers`` the (name, value) pairs. Raises ProtocolError.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.done = False
        self.rest = b""
        self.trailers: list[tuple[str, str]] = []

    def receive(self, data: bytes) -> list[bytes]:
        raise NotImplementedError
