"""Namespaces that are lent: ``setns`` joins those of another server, ``setns-socket`` lends our own.

``join`` runs on the main thread at a start, by root; ``Lender`` attends a supervisor. Both speak as uWSGI
does, so that either end may be one: a connection is answered with one message and descriptors of the files
in /proc/self/ns, all but the user's.
"""

import os
import socket
import struct
import time
from collections.abc import Collection
from contextlib import suppress
from typing import Any, Protocol

from penstock.core.errors import StartError
from penstock.process.isolation import kernel
from penstock.process.isolation.jail import Say
from penstock.process.root import needed
from penstock.process.supervisor.watch import Watch

WORD = b"uwsgi-setns"
FOLDER = "/proc/self/ns"
MOST = 64  # descriptors of one message
PATIENCE, PAUSE = 30.0, 1.0  # seconds that an answer may take, and until the next try


def join(path: str, say: Say) -> bool:
    """Be in the namespaces that the server at ``path`` lends; waits until it does, as uWSGI. Whether what we
    start from now on lives in another PID namespace than we do.

    Raises StartError.
    """
    say(f"setns {path}: joining the namespaces that are lent there")
    fds = asked(path)
    while not fds:
        time.sleep(PAUSE)
        fds = asked(path)
    try:
        for fd in fds:
            kernel.setns(fd)
    except OSError as error:
        raise StartError(f"setns {path}: the kernel does not allow it: {error.strerror}") from error
    finally:
        for fd in fds:
            os.close(fd)
    missing = [one for one in needed() if not os.path.lexists(one)]
    if missing:
        raise StartError(f"setns {path}: {', '.join(missing)} is not in there, and is needed to go on")
    return os.readlink(f"{FOLDER}/pid") != os.readlink(f"{FOLDER}/pid_for_children")


def asked(path: str) -> list[int]:
    """The descriptors that are lent at ``path``; none while nobody answers there."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock, suppress(OSError):
        sock.settimeout(PATIENCE)
        sock.connect(f"\0{path[1:]}" if path.startswith("@") else path)
        data, fds, _, _ = socket.recv_fds(sock, len(WORD) + 4, MOST, socket.MSG_CMSG_CLOEXEC)
        if data.startswith(WORD):
            return list(fds)
        for fd in fds:
            os.close(fd)
    return []


def opened(skip: Collection[str]) -> list[int]:
    """Descriptors of our namespaces but those that are named. Raises StartError."""
    names = [name for name in sorted(os.listdir(FOLDER)) if name != "user" and name not in skip]
    try:
        return [os.open(f"{FOLDER}/{name}", os.O_RDONLY | os.O_CLOEXEC) for name in names]
    except OSError as error:
        raise StartError(f"{error.filename}: {error.strerror}") from error


class House(Protocol):
    """A supervisor, as far as it is known here."""

    watch: Watch
    diary: Any

    @property
    def settings(self) -> Any: ...


class Lender:
    """``setns-socket`` of a supervisor: ``lent`` are the namespaces that were opened before the jail
    (``setns-preopen``), none to lend those that we are in when somebody asks."""

    def __init__(self, house: "House", lent: Collection[int] = ()) -> None:
        self.house = house
        self.lent = list(lent)
        self.sock: socket.socket | None = None

    def start(self) -> None:
        """Lend from now on, where it is asked for. Raises StartError."""
        path = self.house.settings.setns_socket
        if not path or self.sock is not None:
            return
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)  # only root can join, and it is nobody else's affair
        try:
            if not path.startswith("@"):
                with suppress(FileNotFoundError):
                    os.unlink(path)
            sock.bind(f"\0{path[1:]}" if path.startswith("@") else path)
            sock.listen()
            sock.setblocking(False)
        except OSError as error:
            sock.close()
            raise StartError(f"setns-socket {path}: {error.strerror}") from error
        finally:
            os.umask(before)
        self.attend(sock)

    def attend(self, sock: socket.socket) -> None:
        """Lend at a socket that listens."""
        self.sock = sock
        self.house.watch.add(sock.fileno(), self.lend)

    def state(self) -> dict[str, Any]:
        """For a penstock that takes over by exec: the socket, where there is one, and what is lent there."""
        sock = [] if self.sock is None else [self.sock.fileno()]
        return {"fds": [*sock, *self.lent], "sock": sock}

    def resume(self, data: dict[str, Any]) -> None:
        """What ``state`` gave, after the exec."""
        self.lent = [fd for fd in data.get("fds", ()) if fd not in data.get("sock", ())]
        for fd in data.get("sock", ()):
            self.attend(socket.socket(fileno=fd))

    def lend(self) -> None:
        """Somebody asks."""
        if self.sock is None:
            return
        try:
            peer, _ = self.sock.accept()
        except OSError:
            return  # it went again
        fds = self.lent or opened(self.house.settings.setns_socket_skip)
        try:
            with peer:
                peer.setblocking(False)
                socket.send_fds(peer, [WORD, struct.pack("i", len(fds))], fds)
        except OSError as error:
            self.house.diary.warning(f"setns-socket: {error.strerror}")
        finally:
            if not self.lent:
                for fd in fds:
                    os.close(fd)

    def close(self) -> None:
        """Lend no more."""
        if self.sock is not None:
            self.house.watch.remove(self.sock.fileno())
            self.sock.close()
            self.sock = None
