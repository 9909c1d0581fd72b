"""Figures sent to others every few seconds: datagrams for a socket or statsd, documents for a file.

Runs in a supervisor, or on the loop of a single process, and never waits: what does not go is lost, and told
of once. Names of hosts are looked up at the start and at a reload, nowhere else.
"""

import os
import socket
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from penstock.config.address import parse_address
from penstock.config.observing.figures import Push, push
from penstock.config.settings import Settings
from penstock.core.errors import ConfigError, StartError
from penstock.logs.outlets import datagrams, resolved, socket_address
from penstock.services.stats.lines import Statsd, socket_lines
from penstock.services.stats.metrics import Metrics

PREFIX = "uwsgi"
SEPARATOR = "\n\n"
FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC

Tell = Callable[[Callable[[bytes], None]], None]
"""Is given whom to tell the document, now or a moment later."""


class Pusher:
    """One who is sent figures, every ``freq`` seconds."""

    def __init__(self, text: str, said: Push, settings: Settings, warn: Callable[[str], None]) -> None:
        self.text = text
        self.said = said
        self.warn = warn
        self.freq = said.freq or max(1.0, settings.stats_pusher_default_freq)
        self.due = 0.0
        self.failed = ""
        self.sock: socket.socket | None = None
        self.place: Any = None
        prefix = said.prefix or PREFIX
        self.statsd = Statsd(prefix, settings.statsd_all_gauges, not settings.statsd_no_workers)
        self.prefix = prefix

    def open(self) -> None:
        """Look the address up. One that is not there is told of; nothing goes there until the next reload."""
        if self.said.kind == "file":
            return
        try:
            family, self.place = resolved(socket_address(self.said.target))
            self.sock = datagrams(family)
        except OSError as error:
            self.warn(f"stats-push {self.text}: {error.strerror or error}; nothing is sent there")

    def push(self, metrics: Metrics, tell: Tell) -> None:
        """Send what there is now."""
        if self.said.kind == "file":
            tell(self.append)
        elif self.sock is not None:
            self.send(self.sock, self.lines(metrics))
            metrics.sent()

    def lines(self, metrics: Metrics) -> Iterator[bytes]:
        """One datagram each."""
        if self.said.kind == "statsd":
            return self.statsd.lines(metrics)
        return socket_lines(metrics, self.prefix)

    def send(self, sock: socket.socket, lines: Iterable[bytes]) -> None:
        """As many as go."""
        failed = ""
        for line in lines:
            try:
                sock.sendto(line, self.place)
            except BlockingIOError:
                pass  # the kernel has no room: as on the wire, it is lost
            except OSError as error:
                failed = error.strerror or str(error)
        self.note(failed)

    def append(self, document: bytes) -> None:
        """Write behind what the file has."""
        failed = ""
        try:
            fd = os.open(self.said.target, FLAGS, 0o640)
            try:
                os.write(fd, document + (self.said.separator or SEPARATOR).encode())
            finally:
                os.close(fd)
        except (OSError, ValueError) as error:
            failed = getattr(error, "strerror", None) or str(error)
        self.note(failed)

    def note(self, failed: str) -> None:
        """How it went; what goes wrong again and again is told of once."""
        if failed and failed != self.failed:
            self.warn(f"stats-push {self.text}: {failed}")
        self.failed = failed

    def close(self) -> None:
        """Send nothing more."""
        if self.sock is not None:
            self.sock.close()


def pushers(settings: Settings, warn: Callable[[str], None]) -> list[Pusher]:
    """Those that settings name. Raises StartError for what cannot be."""
    found = []
    for text in settings.stats_push:
        try:
            said = push(text)
            if said.kind != "file":
                parse_address(said.target)
        except (ValueError, ConfigError) as error:
            raise StartError(f"stats-push {text}: {error}") from None
        found.append(Pusher(text, said, settings, warn))
    return found
