"""uWSGI's document of statistics: every key that it has, with values of the same types, in its order.

Runs wherever somebody has figures. It looks at nothing, and knows not who reads it.
"""

import json
from collections.abc import Mapping
from typing import Any

from penstock.services.stats.figures import AppFigures, CoreFigures, ServerFigures, WorkerFigures

LOCKS = ("user 0", "signal", "filemon", "timer", "rbtimer", "cron", "rpc", "snmp")
"""uWSGI's locks, each with the process that holds it. There are none here, so nobody does."""


def document(
    server: ServerFigures, metrics: Mapping[str, Mapping[str, Any]] | None = None, cores: bool = True
) -> dict[str, Any]:
    """The document. Without ``metrics`` or ``cores`` it has none, and some keys are there only where there is
    something to tell, as in uWSGI."""
    locks = [*LOCKS, *(f"cache_{cache['name']}" for cache in server.caches)]
    locks += ["metrics"] if server.metered else []
    found: dict[str, Any] = {
        "version": server.version,
        "listen_queue": server.queue,
        "listen_queue_errors": 0,
        "signal_queue": 0,
        "load": server.queue,
        "pid": server.pid,
        "uid": server.uid,
        "gid": server.gid,
        "cwd": server.folder,
    }
    if server.daemons:
        found["daemons"] = server.daemons
    found["locks"] = [{name: 0} for name in locks]
    if server.caches:
        found["caches"] = server.caches
    if metrics is not None:
        found["metrics"] = metrics
    found["sockets"] = [
        {
            "name": one.name,
            "proto": one.protocol,
            "queue": one.queue,
            "max_queue": one.most,
            "shared": 0,
            "can_offload": 0,
        }
        for one in server.sockets
    ]
    found["workers"] = [of_worker(worker, cores) for worker in server.workers]
    if server.crons:
        found["crons"] = server.crons
    return found


def of_worker(worker: WorkerFigures, cores: bool) -> dict[str, Any]:
    """One of ``workers``."""
    found: dict[str, Any] = {
        "id": worker.wid,
        "pid": worker.pid,
        "accepting": int(worker.accepting),
        "requests": worker.requests,
        "delta_requests": worker.delta,
        "exceptions": worker.exceptions,
        "harakiri_count": worker.harakiri,
        "signals": 0,
        "signal_queue": 0,
        "status": worker.status,
        "rss": worker.rss,
        "vsz": worker.vsz,
        "running_time": worker.running,
        "last_spawn": worker.spawned,
        "respawn_count": worker.spawns,
        "tx": worker.tx,
        "avg_rt": worker.average,
        "apps": [of_app(number, app) for number, app in enumerate(worker.apps)],
    }
    if cores:
        found["cores"] = [of_core(number, core) for number, core in enumerate(worker.cores)]
    return found


def of_app(number: int, app: AppFigures) -> dict[str, Any]:
    """One of ``apps``."""
    return {
        "id": number,
        "modifier1": 0,
        "mountpoint": app.mount,
        "startup_time": app.startup,
        "requests": app.requests,
        "exceptions": app.exceptions,
        "chdir": app.folder,
    }


def of_core(number: int, core: CoreFigures) -> dict[str, Any]:
    """One of ``cores``. Its variables end with an empty text, as uWSGI's do."""
    return {
        "id": number,
        "requests": core.requests,
        "static_requests": core.static,
        "routed_requests": core.routed,
        "offloaded_requests": core.offloaded,
        "write_errors": core.write_errors,
        "read_errors": core.read_errors,
        "in_request": int(core.busy),
        "vars": [*core.variables, ""] if core.variables else [],
        "req_info": {"request_start": core.since} if core.busy else {},
    }


def text_of(found: Mapping[str, Any], minified: bool) -> bytes:
    """As it is sent: by tabs, or on one line."""
    return json.dumps(found, indent=None if minified else "\t", separators=(",", ":")).encode("ascii")
