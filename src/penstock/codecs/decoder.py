"""The contract of a decoder: bytes in, events out; no sockets, no clock, no threads.

A decoder belongs to one connection. Its events are plain objects, so that nothing is made twice:

* a ``Request``: the head is complete and every guard has passed;
* ``bytes`` (never empty): the next piece of the body, de-chunked;
* ``END``: the request is complete.

``receive(data)`` returns the events that ``data`` completes; an empty list is "need more". After
``END`` the decoder stops: bytes of a following (pipelined) request stay inside it, ``buffered`` of
them, until ``receive(b"")`` asks for it. So one call never yields events of two requests, and requests
are answered in order without a queue of parsed ones. Anything wrong raises ``ProtocolError``, which
carries the status to answer with; after that the decoder is dead and is not called again.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from penstock.core.request import Request


class End(Enum):
    """The type of END; an enum of one, so that mypy narrows ``event is END``."""

    END = "end"


END: Final = End.END

Event = Request | bytes | End


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Limits:
    """What a decoder takes before it refuses; every number is an option of the same name.

    ``request_line``   bytes of the request line without its CRLF (414)
    ``header_bytes``   bytes of all header lines together (431)
    ``header_count``   header fields (431)
    ``body``           bytes of the body, 0 for no limit (413); uWSGI's ``limit-post``
    ``chunked_body``   bytes of a chunked body, 0 for no limit (413)
    ``packet``         bytes of a uwsgi packet's block of variables
    ``trailer_bytes``  bytes of all trailer lines together (400)
    ``trailer_count``  trailer fields (400)
    ``chunk_line``     bytes of a chunk-size line with its extensions (400)
    """

    request_line: int = 16 * 1024
    header_bytes: int = 64 * 1024
    header_count: int = 100
    body: int = 0
    chunked_body: int = 0
    packet: int = 64 * 1024 - 1
    trailer_bytes: int = 8 * 1024
    trailer_count: int = 32
    chunk_line: int = 4 * 1024


class Decoder(ABC):
    """One connection's way from bytes to requests. Built as ``XDecoder(base, limits)``.

    ``base`` is the connection's own part of the environ (SERVER_NAME, REMOTE_ADDR, wsgi.version, …);
    each request's ``vars`` starts as a copy of it, and what the client sent is written over it. ``limits``
    are ``Limits()`` where none are given. ``held`` are bytes that no event has reported yet, ``buffered``
    their number.
    """

    __slots__ = ("base", "held", "limits")

    def __init__(self, base: dict[str, Any], limits: Limits | None = None) -> None:
        self.base = base
        self.limits = limits or Limits()
        self.held = bytearray()

    @abstractmethod
    def anew(self, base: dict[str, Any]) -> "Decoder":
        """Another one of its kind and limits, as a connection begins with it."""

    @property
    def buffered(self) -> int:
        """How many bytes of a request are held that no event has reported yet."""
        return len(self.held)

    @property
    @abstractmethod
    def idle(self) -> bool:
        """True between requests, with not one byte of the next one seen."""

    @abstractmethod
    def receive(self, data: bytes) -> list[Event]:
        """Take bytes, give events; raises ProtocolError."""


def base_environ(**keys: Any) -> dict[str, Any]:
    """The smallest base that tests and tools need."""
    return {"SCRIPT_NAME": "", "wsgi.url_scheme": "http", **keys}
