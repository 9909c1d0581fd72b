"""What a server says of itself in uWSGI's words: plain figures, of all of it, of a worker, of a thread.

Filled in by whoever can see them; read by the document, the metrics and those who send them on. Nothing here
looks anywhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

IDLE, BUSY, CHEAP, PAUSE = "idle", "busy", "cheap", "pause"
"""What a worker does."""


@dataclass(slots=True)
class CoreFigures:
    """A thread. The counts are of requests; ``variables`` of the one that runs, as ``K=V``; ``since`` when
    that began, seconds since the epoch."""

    requests: int = 0
    static: int = 0
    routed: int = 0
    offloaded: int = 0
    exceptions: int = 0
    write_errors: int = 0
    read_errors: int = 0
    busy: bool = False
    variables: Sequence[str] = ()
    since: int = 0


@dataclass(slots=True)
class AppFigures:
    """An application in a worker: its mount point, the seconds that it took to load, its requests, and how
    often it raised."""

    mount: str
    startup: int = 0
    requests: int = 0
    exceptions: int = 0
    folder: str = ""


@dataclass(slots=True)
class WorkerFigures:
    """A worker's number, with whoever has it now. ``requests``, ``tx`` (bytes), ``exceptions``, ``harakiri``
    and ``running`` (microseconds) are of all that had it; ``delta`` requests and ``average`` (microseconds)
    of the present one; ``spawned`` seconds since the epoch; ``spawns`` how many had it; ``rss`` and ``vsz``
    bytes; ``pid`` 0 for nobody."""

    wid: int
    pid: int = 0
    status: str = CHEAP
    accepting: bool = False
    requests: int = 0
    delta: int = 0
    exceptions: int = 0
    harakiri: int = 0
    running: int = 0
    tx: int = 0
    average: int = 0
    spawned: int = 0
    spawns: int = 0
    rss: int = 0
    vsz: int = 0
    apps: list[AppFigures] = field(default_factory=list)
    cores: list[CoreFigures] = field(default_factory=list)


@dataclass(slots=True)
class SocketFigures:
    """A listener: its address, ``http`` or ``uwsgi``, how many connections wait, and how many may."""

    name: str
    protocol: str
    queue: int
    most: int


@dataclass(slots=True)
class ServerFigures:
    """All of it. ``queue`` connections that wait for somebody to accept them; ``overloaded`` how often
    nobody was idle when that was looked at; ``daemons``, ``crons`` and ``caches`` as the document has
    them."""

    version: str
    pid: int
    uid: int
    gid: int
    folder: str
    workers: list[WorkerFigures]
    sockets: list[SocketFigures] = field(default_factory=list)
    daemons: list[dict[str, Any]] = field(default_factory=list)
    crons: list[dict[str, Any]] = field(default_factory=list)
    caches: list[dict[str, Any]] = field(default_factory=list)
    overloaded: int = 0
    metered: bool = False

    @property
    def queue(self) -> int:
        """Connections that wait for somebody to accept them."""
        return sum(one.queue for one in self.sockets)

    @property
    def requests(self) -> int:
        """Of all workers that there are and have been."""
        return sum(worker.requests for worker in self.workers)
