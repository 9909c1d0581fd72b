"""Where another server listens, as rules write it: ``127.0.0.1:8000``, ``[::1]:8000``, ``/run/app.sock``.

Parsed at boot, or on a pool thread where a rule has variables in it. Knows no connection.
"""

import os
import socket
from dataclasses import dataclass

from penstock.config.address import parse_address
from penstock.core.errors import ConfigError

Place = tuple[str, int] | tuple[str, int, int, int] | str
"""A socket's address, as the socket module has it."""


@dataclass(frozen=True, slots=True)
class Target:
    """One server.

    ``name``  as written, one line for the log
    ``host``  of TCP, "" for a UNIX socket; ``port`` likewise, 0
    ``path``  of a UNIX socket, with a NUL before an abstract one; "" for TCP
    """

    name: str
    host: str = ""
    port: int = 0
    path: str = ""

    def places(self) -> list[tuple[int, Place]]:
        """Address families and addresses to try in turn. Raises OSError for a name that nobody knows.

        A name is looked up at each connection, by the system's resolver and for as long as that takes.
        """
        if self.path:
            return [(socket.AF_UNIX, self.path)]
        found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        return [(family, place) for family, _, _, _, place in found]  # type: ignore[misc]  # bytes: only without IPv6

    @property
    def authority(self) -> str:
        """For a Host field, where the request has none (RFC 9112 §3.2)."""
        if self.path:
            return "localhost"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def parse_target(text: str) -> Target:
    """A target from a rule's text, latin-1 carried. Raises ValueError in one line.

    No host is this one: uWSGI's 0.0.0.0 comes to the same.
    """
    try:
        address = parse_address(os.fsdecode(text.encode("latin-1", "replace")))
    except ConfigError as error:
        raise ValueError(error.message) from None
    if address.kind == "fd":
        raise ValueError(f"{text!r} is no address to connect to")
    name = text if text.isprintable() else repr(text)
    if address.kind == "tcp":
        if not address.port:
            raise ValueError(f"{text!r} has no port")
        return Target(name, host=address.host or "127.0.0.1", port=address.port)
    if "\0" in address.path:
        raise ValueError(f"{text!r} has a NUL in it")
    return Target(name, path=("\0" if address.kind == "abstract" else "") + address.path)
