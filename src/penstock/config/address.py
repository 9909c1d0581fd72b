"""Addresses as uWSGI writes them: ``host:port``, ``:port``, ``[v6]:port``, a path, ``@abstract``, ``fd://N``."""

import os
from typing import Literal, NamedTuple

from penstock.core.errors import ConfigError

UNIX_LONGEST = 107  # bytes of sun_path without its NUL (unix(7))


class Address(NamedTuple):
    """Where to listen.

    ``host`` '' is every address; ``port`` 0 any free one; ``path`` for UNIX sockets (without the ``@`` of an
    abstract one).
    """

    kind: Literal["tcp", "unix", "abstract", "fd"]
    host: str = ""
    port: int = 0
    path: str = ""
    fd: int = -1


def parse_address(text: str) -> Address:
    """An address from the operator's text. Raises ConfigError without an origin."""
    if text.startswith("="):
        raise ConfigError(f"{text!r} is the number of a shared-socket, and there are none: name the address")
    if text.startswith("fd://"):
        number = text.removeprefix("fd://")
        if not number.isdecimal():
            raise ConfigError(f"{text!r} is not fd://NUMBER")
        return Address("fd", fd=int(number))
    for prefix in ("http://", "tcp://", "tcp:"):
        text = text.removeprefix(prefix)
    if text.startswith("unix:"):
        text = text.removeprefix("unix:")
        if text.startswith("//"):
            text = text[2:]
        return unix(text)
    if text.startswith(("@", "/")) or ":" not in text:
        return unix(text)
    return tcp(text)


def unix(path: str) -> Address:
    """A UNIX socket's path, or an abstract name behind ``@``."""
    if path in ("", "@"):
        raise ConfigError("an empty address")
    if len(os.fsencode(path)) > UNIX_LONGEST:
        raise ConfigError(f"{path!r} is longer than the {UNIX_LONGEST} bytes a UNIX socket's path may have")
    if path.startswith("@"):
        return Address("abstract", path=path[1:])
    return Address("unix", path=path)


def tcp(text: str) -> Address:
    """``host:port``."""
    host, _, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ConfigError(f"{text!r} is not an address: put brackets round an IPv6 address, [::1]:8000")
    if port and not port.isdecimal():
        raise ConfigError(f"{text!r} is not an address: {port!r} is not a port number")
    number = int(port or "0")
    if number > 65535:
        raise ConfigError(f"{text!r} is not an address: there is no port {number}")
    return Address("tcp", host="" if host == "*" else host, port=number)
