"""A server's figures as uWSGI tells them, gathered from the scoreboard, the ledger and /proc.

Runs in a supervisor, or on the loop of a single process. No worker is asked. What a worker's number has
counted is kept when the worker goes, because uWSGI counts by the number. It does not know who reads it.
"""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from time import monotonic, time
from typing import Any

from penstock import __version__
from penstock.config.settings import Settings
from penstock.config.site.mounts import parse
from penstock.interprocess.ledger import LedgerCell
from penstock.interprocess.scoreboard import ACCEPTING, PAUSED
from penstock.net.listening import socket_name
from penstock.process.memory import sizes
from penstock.process.supervisor.backlog import backlog_of
from penstock.process.supervisor.sizing import processes_of
from penstock.services.stats.figures import (
    BUSY,
    IDLE,
    PAUSE,
    AppFigures,
    CoreFigures,
    ServerFigures,
    SocketFigures,
    WorkerFigures,
)

UNIQUE = ("unique-cron",)
CACHE = {"hash": "djb33x", "hashsize": 65536}
CACHE_KEYS = ("keysize", "max_items", "blocks", "blocksize", "items", "hits", "miss", "full")
CORE = {
    "requests": "requests",
    "static": "static",
    "routed": "routed",
    "offloaded": "offloaded",
    "exceptions": "exceptions",
    "write_errors": "write_errors",
    "read_errors": "read_errors",
}
"""Fields of a thread's figures by the ledger's words."""


@dataclass(slots=True)
class Past:
    """What those had counted that had a worker's number before the present one, and how many had it."""

    requests: int = 0
    exceptions: int = 0
    harakiri: int = 0
    running: int = 0
    tx: int = 0
    spawns: int = 0
    spawned: int = 0
    cores: list[dict[str, int]] = field(default_factory=list)

    def add(self, board: Mapping[str, int], cell: LedgerCell) -> None:
        """One goes; what it has counted stays."""
        counters = cell.counters()
        self.requests += counters["requests"]
        self.exceptions += counters["exceptions"]
        self.running += counters["running"]
        self.tx += counters["sent"]
        self.harakiri += board["deadlines"]
        for at, core in enumerate(cell.cores()):
            if at == len(self.cores):
                self.cores.append({})
            for name, count in core.items():
                self.cores[at][name] = self.cores[at].get(name, 0) + count


class Facts:
    """Those of one server, which must have a ledger by the time that it is asked. ``parted`` is to be called
    before a worker's figures are given up."""

    def __init__(self, supervisor: Any) -> None:
        self.supervisor = supervisor
        self.past: dict[int, Past] = {}
        self.most: tuple[Settings | None, int] = (None, 0)
        self.overloaded = 0
        supervisor.on_message.append(self.heard)

    def heard(self, handle: Any, message: Mapping[str, Any]) -> None:
        """A worker says something; with its first word it has its number."""
        if message.get("is") == "hello":
            past = self.past.setdefault(handle.wid, Past())
            past.spawns += 1
            past.spawned = int(time() - (monotonic() - handle.born))

    def parted(self, handle: Any) -> None:
        """A worker is gone, and its figures are about to be."""
        self.past.setdefault(handle.wid, Past()).add(handle.cell.read(), self.cell(handle))

    def cell(self, handle: Any) -> LedgerCell:
        """A worker's place in the ledger."""
        found: LedgerCell = self.supervisor.ledger.cell(handle.slot)
        return found

    # ---- Carried over an upgrade --------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """What the next program needs."""
        return {"past": {str(wid): asdict(past) for wid, past in self.past.items()}, "fds": []}

    def resume(self, data: Mapping[str, Any]) -> None:
        """What the program before had; of another version's what fits."""
        for wid, past in data["past"].items():
            with suppress(TypeError, ValueError):
                self.past[int(wid)] = Past(**past)

    # ---- All of it ----------------------------------------------------------------------------------

    def server(self) -> ServerFigures:
        """As it is now."""
        supervisor = self.supervisor
        settings: Settings = supervisor.settings
        handles: dict[int, Any] = {}
        for handle in supervisor.handles():  # those that serve before those that leave
            handles.setdefault(handle.wid, handle)
        wids = range(1, max([*handles, *self.past, supervisor.wanted, self.processes(settings)]) + 1)
        household = supervisor.household()
        return ServerFigures(
            version=__version__,
            pid=os.getpid(),
            uid=os.getuid(),
            gid=os.getgid(),
            folder=folder(),
            workers=[self.worker(wid, handles.get(wid), settings) for wid in wids],
            sockets=[socket_of(one, settings.backlog) for one in self.listening()],
            daemons=[daemon_of(one) for one in household.get("daemons", ())],
            crons=[cron_of(one) for one in household.get("cron", ())],
            caches=caches_of(getattr(self.generation, "caches", None)),
            overloaded=self.overloaded,
            metered=settings.enable_metrics,
        )

    def processes(self, settings: Settings) -> int:
        """What ``processes`` comes to: so many workers there are, even if some of them rest."""
        if self.most[0] is not settings:
            self.most = (settings, processes_of(settings)[0])
        return self.most[1]

    @property
    def generation(self) -> Any:
        """The one that serves, or else the first, while it is built."""
        current = self.supervisor.current
        return getattr(self.supervisor.build, "generation", None) if current is None else current

    @property
    def startup(self) -> int:
        """Whole seconds in which the applications were loaded, all together; 0 where workers load them."""
        prototype = getattr(self.generation, "prototype", None)
        seconds = getattr(prototype, "facts", {}).get("seconds")
        return int(seconds) if isinstance(seconds, int | float) else 0

    def listening(self) -> Sequence[Any]:
        """What is listened on."""
        generation = self.generation
        if generation is not None and generation.listening:
            return tuple(generation.listening)
        worker = getattr(self.supervisor, "worker", None)  # of a single process
        return () if worker is None else tuple(worker.listeners)

    # ---- A worker -----------------------------------------------------------------------------------

    def worker(self, wid: int, handle: Any, settings: Settings) -> WorkerFigures:
        """One number, with whoever has it."""
        past = self.past.get(wid) or Past()
        found = WorkerFigures(
            wid,
            requests=past.requests,
            exceptions=past.exceptions,
            harakiri=past.harakiri,
            running=past.running,
            tx=past.tx,
            spawned=past.spawned,
            spawns=past.spawns,
        )
        threads = 0
        if handle is not None:
            threads = self.present(found, handle, settings)
        now = [] if handle is None else self.cell(handle).cores(threads)
        rests = settings.thread_count if handle is None else 0  # uWSGI has its threads in the document, too
        many = max(len(now), len(past.cores), 1 if threads else 0, rests)
        found.cores = [core_of(at, (now, past.cores)) for at in range(many)]
        return found

    def present(self, found: WorkerFigures, handle: Any, settings: Settings) -> int:
        """What the one that has the number now adds; how many threads it has."""
        board, cell = handle.cell.read(), self.cell(handle)
        counters = cell.counters()
        found.pid = handle.pid
        found.delta = counters["requests"]
        found.requests += counters["requests"]
        found.exceptions += counters["exceptions"]
        found.running += counters["running"]
        found.tx += counters["sent"]
        found.harakiri += board["deadlines"]
        found.average = cell.average
        found.accepting = board["state"] == ACCEPTING
        found.status = PAUSE if board["state"] == PAUSED else BUSY if board["busy"] else IDLE
        if not found.spawns:  # it was there before us
            found.spawns, found.spawned = 1, int(time() - (monotonic() - handle.born))
        found.vsz, found.rss = sizes(handle.pid)
        found.apps = apps_of(settings, cell, counters)
        if found.apps:
            found.apps[0].startup = self.startup
        return int(board["threads"])


# ---- Parts ----------------------------------------------------------------------------------------------


def core_of(at: int, sources: Sequence[Sequence[Mapping[str, int]]]) -> CoreFigures:
    """A thread's figures: what several have counted for it."""
    found = CoreFigures()
    for name, word in CORE.items():
        setattr(found, name, sum(source[at].get(word, 0) for source in sources if at < len(source)))
    return found


def apps_of(settings: Settings, cell: LedgerCell, counters: Mapping[str, int]) -> list[AppFigures]:
    """The applications of a worker: that for everything, and those of mount points. The ledger has no
    exceptions by mount point, so all of them are the first one's."""
    points = []
    for text in settings.mount:
        with suppress(ValueError):  # said by whoever loads it
            mount = parse(text)
            points.append((mount.point, {mount.point, mount.path.rstrip("/")}))
    if settings.module or settings.wsgi_file or settings.eval:
        points.insert(0, ("", {""}))
    counts: dict[str, int] = {}
    for (mount_point, _, phase), histogram in cell.figures().phases.items() if points else ():
        if phase == "whole":
            counts[mount_point] = counts.get(mount_point, 0) + histogram.count
    # Files and rules answer in nobody's name.
    counts[""] = max(0, counts.get("", 0) - counters["static"] - counters["routed"])
    apps = [AppFigures(point, requests=sum(counts.get(name, 0) for name in names)) for point, names in points]
    if apps:
        apps[0].exceptions = counters["exceptions"]
    return apps


def socket_of(one: Any, most: int) -> SocketFigures:
    """A listener, a supervisor's or a worker's."""
    protocol = one.spec.protocol if hasattr(one, "spec") else one.protocol
    name = socket_name(one.sock).removeprefix("unix:")
    return SocketFigures(name, protocol, backlog_of(one.sock), most)


def daemon_of(one: Mapping[str, Any]) -> dict[str, Any]:
    """A daemon of the household."""
    return {"cmd": one["command"], "pid": max(0, one["pid"]), "respawns": max(0, one["starts"] - 1)}


def cron_of(one: Mapping[str, Any]) -> dict[str, Any]:
    """A command at set times."""
    names = ("minute", "hour", "day", "month", "week")
    running = one["running"]
    return {
        **dict(zip(names, one["times"], strict=True)),
        "command": one["command"],
        "unique": int(one["option"] in UNIQUE),
        "legion": "",
        "pid": running[0] if running else -1,
        "started_at": int(one["last"]),
    }


def caches_of(caches: Any) -> list[dict[str, Any]]:
    """The shared caches."""
    if caches is None:
        return []
    return [
        {"name": one["name"], **CACHE, **{key: one[key] for key in CACHE_KEYS}, "last_modified_at": 0}
        for one in caches.figures()
    ]


def folder() -> str:
    """The one that we are in, "" where somebody has removed it."""
    try:
        return os.getcwd()
    except OSError:
        return ""
