"""Addresses become listening sockets, before the rights for that are given up.

Runs at start, and in the supervisor at a reload. It does not know what the sockets will be used for.
"""

import os
import socket
from collections.abc import Sequence
from contextlib import suppress

from penstock.config.address import Address
from penstock.config.settings import ListenerSpec, Settings
from penstock.net import listening as listeners

Bound = tuple[ListenerSpec, socket.socket, str]
"""A listener's specification, its socket, and its path if it has one that is ours."""


def bind(settings: Settings, owner: str = "") -> list[Bound]:
    """Open every listening socket that is asked for; UNIX sockets are ``owner``'s (``33:33``) where
    ``chown-socket`` does not say whose. Raises StartError; then none stays open."""
    bound: list[Bound] = []
    try:
        for spec in settings.listeners:
            bound.extend((spec, sock, path) for sock, path in bind_one(spec.parsed, settings, owner))
    except BaseException:
        unbind(bound)
        raise
    return bound


def bind_one(address: Address, settings: Settings, owner: str = "") -> list[tuple[socket.socket, str]]:
    """The socket or sockets of one address, each with its path."""
    if address.kind == "fd":
        return [(listeners.adopt(address.fd), "")]
    if address.kind in ("unix", "abstract"):
        path = "@" + address.path if address.kind == "abstract" else address.path
        sock = listeners.bind_unix(
            path, settings.backlog, mode=mode_of(settings), owner=settings.chown_socket or owner
        )
        # Absolute, so that it is found at the end even after a change of folder.
        return [(sock, "" if address.kind == "abstract" else os.path.abspath(path))]
    found = listeners.bind_tcp(address.host, address.port, settings.backlog, settings.so_keepalive)
    return [(sock, "") for sock in found]


def mode_of(settings: Settings) -> int | None:
    """Mode of UNIX sockets; None for what the umask gives.

    uWSGI's ``daemonize`` clears the umask, and front servers that run as another user rely on the socket's
    777. Here it is the socket alone: a pidfile and an application's files are not for everybody to write.
    """
    if settings.chmod_socket is None and settings.umask is None and settings.daemonize:
        return 0o777
    return settings.chmod_socket


def unbind(bound: Sequence[Bound]) -> None:
    """Close sockets that no listener has taken over, and remove their paths."""
    for _, sock, path in bound:
        sock.close()
        if path:
            with suppress(OSError):  # it is gone, or in a folder that is closed to who we are by now
                os.unlink(path)
