"""Where a server's control socket lies: made at start, with a link in the place where it is looked for.

Runs in the supervisor, or in a single process before it serves. It does not know who comes.
"""

import os
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress

from penstock.config.judge import surroundings
from penstock.core.errors import StartError
from penstock.net.listening import bind_unix, inode_of
from penstock.process.supervisor import places

OFF = "off"
BACKLOG = 16


class Berth:
    """Of one server. ``warn(text)`` is told why there is no socket at the default place."""

    def __init__(self, warn: Callable[[str], None]) -> None:
        self.warn = warn
        self.paths: list[tuple[str, tuple[int, int]]] = []

    def open(self, where: str, environ: Mapping[str, str] | None = None) -> socket.socket | None:
        """A socket that listens, None without one. ``where``: "" for the default place, ``off``, or a path;
        raises StartError for a path that cannot be had."""
        if where == OFF:
            return None
        environ = surroundings() if environ is None else environ
        folder = places.own_folder(environ)
        if folder:
            places.sweep(folder)
        if where:
            listener = self.bound(where if where.startswith("@") else os.path.abspath(where))
            self.link(folder)
            return listener
        if folder:
            try:
                return self.bound(places.socket_in(folder, os.getpid()))
            except StartError as error:
                self.warn(f"there is no control socket: {error}")
                return None
        candidates = ", ".join(places.folders(environ, os.geteuid()))
        self.warn(
            f"there is no control socket: none of {candidates} is ours alone to write; name a place with "
            "control-socket, or say off"
        )
        return None

    def bound(self, path: str) -> socket.socket:
        """Listening at ``path``. Raises StartError."""
        before = os.umask(0o177)  # mode 0600 from its birth
        try:
            sock = bind_unix(path, BACKLOG)
        finally:
            os.umask(before)
        self.paths.append((path, inode_of(path)))
        return sock

    def link(self, folder: str) -> None:
        """Leave word in the default place of where the socket is."""
        link = places.socket_in(folder, os.getpid())
        if folder and self.paths[0][0] != link:
            with suppress(OSError):
                os.symlink(self.paths[0][0], link)
                self.paths.append((link, inode_of(link)))

    @property
    def path(self) -> str:
        """Of the socket, "" without one."""
        return self.paths[0][0] if self.paths else ""

    def close(self) -> None:
        """Leave no path behind, save one that is somebody else's by now."""
        for path, inode in self.paths:
            if inode_of(path) == inode:
                with suppress(OSError):
                    os.unlink(path)
        self.paths = []
