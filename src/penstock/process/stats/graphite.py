"""uWSGI's ``carbon``: figures for Graphite over TCP, every minute, and again where that has failed.

Runs in a supervisor, or on the loop of a single process, and never waits for the other side. Names of hosts
are looked up at the start and at a reload, nowhere else. It does not know what the figures are.
"""

import os
import select
import socket
from collections.abc import Callable, Iterable
from typing import Any

from penstock.config.observing.figures import Server, carbon
from penstock.config.settings import Settings
from penstock.process.pages.visitors import Clock
from penstock.services.stats.figures import ServerFigures
from penstock.services.stats.lines import LAST, Carbon
from penstock.services.stats.metrics import Metrics

PIECE = 1 << 16  # bytes of one turn


class Delivery:
    """``data`` on its way to one address; ``ended(text)`` once, with "" or what went wrong."""

    def __init__(
        self, watch: Clock, place: Any, data: bytes, seconds: float, ended: Callable[[str], None]
    ) -> None:
        self.watch = watch
        self.rest = memoryview(data)
        self.ended = ended
        self.sock = socket.socket(socket.AF_INET6 if len(place) == 4 else socket.AF_INET)
        self.sock.setblocking(False)
        self.poll = select.epoll()
        self.over = False
        self.timer = watch.later(seconds, lambda: self.end("it does not take what it is sent in time"))
        self.sock.connect_ex(place)  # how it went is said by the first send
        self.poll.register(self.sock, select.EPOLLOUT)
        watch.add(self.poll.fileno(), self.turn)

    def turn(self) -> None:
        """It can take something, or cannot be reached."""
        error = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            self.end(os.strerror(error))
            return
        try:
            while self.rest:
                self.rest = self.rest[self.sock.send(self.rest[:PIECE]) :]
        except BlockingIOError:
            return
        except OSError as failed:
            self.end(failed.strerror or str(failed))
            return
        self.end("")

    def end(self, text: str) -> None:
        """Whichever way."""
        if self.over:
            return
        self.over = True
        self.timer.cancel()
        self.watch.remove(self.poll.fileno())
        self.poll.close()
        self.sock.close()
        self.ended(text)


class Target:
    """One of Graphite's servers; ``failures`` in a row of what is sent now; ``said_so``: the log has it that
    it cannot be reached."""

    def __init__(self, said: Server, place: Any) -> None:
        self.said = said
        self.place = place
        self.failures = 0
        self.said_so = False
        self.delivery: Delivery | None = None

    @property
    def name(self) -> str:
        """For the log."""
        return f"{self.said.host}:{self.said.port}"


class Graphite:
    """All of them."""

    def __init__(self, watch: Clock, settings: Settings, warn: Callable[[str], None]) -> None:
        self.watch = watch
        self.settings = settings
        self.warn = warn
        self.carbon = wording(settings)
        self.targets = targets_of(settings, warn)
        self.freq = self.carbon.freq
        self.due = 0.0
        self.closed = False

    def push(self, server: ServerFigures, metrics: Metrics | None, now: int) -> None:
        """Send what there is; ``now`` in seconds since the epoch. To one that has not taken the last yet
        nothing is sent."""
        if not self.carbon.id and server.sockets:  # not known before the first generation listens
            self.carbon.id = server.sockets[0].name.replace(".", "_")
        self.carbon.look(server)
        if metrics is not None and self.settings.carbon_use_metrics:
            lines: Iterable[bytes] = self.carbon.metric_lines(metrics, now)
        else:
            lines = self.carbon.lines(server, now)
        data = b"".join(lines)
        for target in self.targets:
            target.failures = 0
            self.send(target, data)
        self.carbon.sent(server)
        if metrics is not None and self.settings.carbon_use_metrics:
            metrics.sent()

    def send(self, target: Target, data: bytes) -> None:
        """Try."""
        if target.delivery is not None or self.closed:
            return

        def ended(text: str) -> None:
            target.delivery = None
            if text:
                self.failed(target, data, text)
            else:
                target.said_so = False

        seconds = max(1.0, self.settings.carbon_timeout)
        target.delivery = Delivery(self.watch, target.place, data, seconds, ended)

    def failed(self, target: Target, data: bytes, text: str) -> None:
        """Try again in a while, if that is wanted."""
        target.failures += 1
        again = target.failures <= self.settings.carbon_max_retry and not self.closed
        if not target.said_so:
            target.said_so = True
            self.warn(f"carbon {target.name}: {text}; nothing more is said of it until that has changed")
        if again:
            self.watch.later(max(1.0, self.settings.carbon_retry_delay), lambda: self.send(target, data))

    @property
    def busy(self) -> bool:
        """Whether something is on its way."""
        return any(target.delivery is not None for target in self.targets)

    def close(self) -> None:
        """Send nothing more."""
        self.closed = True
        for target in self.targets:
            if target.delivery is not None:
                target.delivery.end("")


def wording(settings: Settings) -> Carbon:
    """How the lines begin, and what they tell of; ``id`` is "" without ``carbon-id``."""
    host = socket.gethostname()
    if settings.carbon_hostname_dots:
        host = host.replace(".", settings.carbon_hostname_dots[0])
    root = settings.carbon_root or "uwsgi."
    return Carbon(
        root=root if root.endswith(".") else f"{root}.",
        host=host,
        id=settings.carbon_id,
        freq=max(1, int(settings.carbon_freq)),
        workers=not settings.carbon_no_workers,
        idle=settings.carbon_idle_avg or LAST,
        memory=settings.memory_report > 0,
        cheaper=bool(settings.cheaper),
    )


def targets_of(settings: Settings, warn: Callable[[str], None]) -> list[Target]:
    """Those of Graphite's servers whose addresses are known."""
    found = []
    flags = 0 if settings.carbon_name_resolve else socket.AI_NUMERICHOST
    for text in settings.carbon:
        said = carbon(text)
        if not said.host:
            continue  # the configuration's reader has said so
        try:
            infos = socket.getaddrinfo(said.host, said.port, type=socket.SOCK_STREAM, flags=flags)
        except OSError as error:
            hint = "" if flags == 0 else " (carbon-name-resolve has names looked up)"
            warn(f"carbon {text}: {error.strerror}{hint}; nothing is sent there")
            continue
        found.append(Target(said, infos[0][4]))
    return found
