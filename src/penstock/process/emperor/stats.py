"""``emperor-stats``: whoever connects is told all about the vassals, as JSON, and the connection ends.

Runs in the emperor. A reader that is slow holds up nobody: it is written to again and again, for a while.
"""

import os
import socket
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from penstock import __version__
from penstock.config.address import parse_address
from penstock.config.settings import Settings
from penstock.core.errors import ConfigError, StartError
from penstock.logs.setup import Diary
from penstock.process import binding
from penstock.process.supervisor.watch import Watch

AGAIN = 0.05  # seconds until a reader whose socket is full is written to again
TRIES = 200
MOST = 32  # readers at a time; those beyond wait in the kernel's queue

Figures = Callable[[], dict[str, object]]


class Stats:
    """``figures`` are asked at each connection."""

    def __init__(self, watch: Watch, diary: Diary, settings: Settings, figures: Figures) -> None:
        self.watch = watch
        self.diary = diary
        self.settings = settings
        self.figures = figures
        self.bound: list[tuple[socket.socket, str]] = []
        self.readers: set[socket.socket] = set()

    def open(self) -> None:
        """Listen, where an address is given. Raises StartError."""
        text = self.settings.emperor_stats
        if not text:
            return
        try:
            self.bound = binding.bind_one(parse_address(text), self.settings)
        except ConfigError as error:
            raise StartError(f"emperor-stats: {error}") from None
        self.listen()

    def listen(self) -> None:
        """Hear of whoever connects."""
        for sock, _ in self.bound:
            self.watch.add(sock.fileno(), partial(self.take, sock))

    def take(self, listening: socket.socket) -> None:
        """Somebody has connected."""
        if len(self.readers) >= MOST:
            self.watch.remove(listening.fileno())
            return
        try:
            reader, _ = listening.accept()
        except OSError:
            return
        reader.setblocking(False)
        self.readers.add(reader)
        self.write(reader, memoryview(self.text()), TRIES)

    def text(self) -> bytes:
        """What there is to say."""
        import json  # not before somebody asks

        head = {"version": __version__, "pid": os.getpid(), "uid": os.getuid(), "gid": os.getgid()}
        return json.dumps({**head, "cwd": folder(), **self.figures()}, indent="\t").encode() + b"\n"

    def write(self, reader: socket.socket, rest: memoryview, tries: int) -> None:
        """As much as goes; the rest later."""
        try:
            while rest:
                rest = rest[reader.send(rest) :]
        except BlockingIOError:
            if tries:
                self.watch.later(AGAIN, lambda: self.write(reader, rest, tries - 1))
                return
        except OSError:
            pass  # it is gone
        reader.close()
        self.readers.discard(reader)
        if len(self.readers) == MOST - 1:
            self.listen()

    def close(self) -> None:
        """Nobody is told any more."""
        for sock, path in self.bound:
            self.watch.remove(sock.fileno())
            sock.close()
            if path:
                with suppress(OSError):  # it is gone
                    os.unlink(path)
        for reader in self.readers:
            reader.close()
        self.readers.clear()


def folder() -> str:
    """The one that we are in, "" where somebody has removed it."""
    try:
        return os.getcwd()
    except OSError:
        return ""
