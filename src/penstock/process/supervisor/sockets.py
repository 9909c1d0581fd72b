"""The listening sockets, which live through every worker, reload and exec: opened, kept and dropped here.

Runs in the supervisor, which alone holds them from the first to the last. It never accepts.
"""

import os
import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from penstock.config.settings import ListenerSpec, Settings
from penstock.net.listening import adopt, inode_of, refuse_new, socket_name
from penstock.process import binding

Key = tuple[str, str, str]


@dataclass(eq=False)
class Listening:
    """One socket, the address that asked for it, and its path where it has one that is ours to remove."""

    spec: ListenerSpec
    sock: Any
    path: str
    inode: tuple[int, int]

    @property
    def name(self) -> str:
        """As the operator names it: ``http://127.0.0.1:8000``."""
        return f"{self.spec.protocol}://{socket_name(self.sock)}"

    @property
    def inherited(self) -> bool:
        """Whether somebody else holds it too (systemd), so that its queue outlives us."""
        return self.spec.parsed.kind == "fd"

    def refuse_new(self) -> None:
        """Let no new connection in; those that wait are still somebody's to take."""
        if not self.inherited:
            refuse_new(self.sock)

    def shut(self) -> None:
        """The end: nobody listens there any more, a process that the application forked and left behind
        neither. Else the address would be taken, and who connects would wait for ever."""
        if not self.inherited:
            with suppress(OSError):
                self.sock.shutdown(socket.SHUT_RDWR)

    def close(self, unlink: bool) -> None:
        """Hold it no more; ``unlink``: remove its path, if it still is this socket's."""
        self.sock.close()
        if unlink and self.path and inode_of(self.path) == self.inode:
            with suppress(OSError):  # somebody else was faster, or the folder is not ours any more
                os.unlink(self.path)


def opened(bound: Sequence[binding.Bound]) -> list[Listening]:
    """What ``binding.bind`` has opened."""
    return [Listening(spec, sock, path, inode_of(path) if path else (0, 0)) for spec, sock, path in bound]


def key(spec: ListenerSpec, folder: str) -> Key:
    """What makes two listeners the same over a reload: what they speak and where, paths made whole."""
    address = spec.parsed
    path = os.path.join(folder, address.path) if address.kind == "unix" else address.path
    return spec.protocol, address.kind, f"{path}|{address.host}|{address.port}|{address.fd}"


def renewed(
    old: Sequence[Listening], settings: Settings, folders: tuple[str, str], owner: str
) -> list[Listening]:
    """The sockets for new settings: the same where an address stays, new ones where it is new.

    ``folders``: what paths were relative to before, and are now. Raises StartError; then none that is new
    stays open. What is in ``old`` and not in the answer is the caller's to close, later.
    """
    before = grouped(old, folders[0])
    found: list[Listening] = []
    fresh: list[Listening] = []
    try:
        for spec in settings.listeners:
            kept = taken(before, key(spec, folders[1]))
            if not kept:
                made = opened([(spec, *one) for one in binding.bind_one(spec.parsed, settings, owner)])
                fresh += made
                found += made
            else:
                found += [Listening(spec, one.sock, one.path, one.inode) for one in kept]
    except BaseException:
        for listening in fresh:
            listening.close(unlink=True)
        raise
    return found


def taken(before: dict[Key, list[list[Listening]]], wanted: Key) -> list[Listening]:
    """The sockets of an address, which from now on may speak something else; none is given out twice."""
    others = [known for known in before if known[1:] == wanted[1:] and known != wanted]
    for known in (wanted, *others):
        if before.get(known):
            return before[known].pop(0)
    return []


def beyond(these: Sequence[Listening], others: Sequence[Listening]) -> list[Listening]:
    """Those whose socket none of ``others`` has."""
    kept = {id(one.sock) for one in others}
    return [one for one in these if id(one.sock) not in kept]


def grouped(old: Sequence[Listening], folder: str) -> dict[Key, list[list[Listening]]]:
    """By what they listen on, each time that was asked for its sockets: a name may have several addresses,
    and port 0 may be asked for twice."""
    found: dict[Key, list[list[Listening]]] = {}
    last: ListenerSpec | None = None
    for listening in old:
        groups = found.setdefault(key(listening.spec, folder), [])
        if listening.spec is not last or not groups:
            groups.append([])
        groups[-1].append(listening)
        last = listening.spec
    return found


def regained(spec: ListenerSpec, fd: int, path: str) -> Listening:
    """One that came through an exec under its number. Raises StartError."""
    return Listening(spec, adopt(fd), path, inode_of(path) if path else (0, 0))
