"""A look at a server for its metrics: what the ledger, the scoreboard, the kernel and the supervisor know.

Runs in the supervisor, or on a single process's loop; no worker is asked. It does not know how it is
written.
"""

import os
from typing import Any

from penstock import __version__
from penstock.interprocess.ledger import Ledger
from penstock.net.listening import socket_name
from penstock.process.memory import address_and_resident
from penstock.process.sights.health import SERVING, state_of
from penstock.process.supervisor.backlog import backlog_of
from penstock.services.exposition import Process, Seen, Snapshot

TICKS = os.sysconf("SC_CLK_TCK")
USER, SYSTEM = 11, 12  # fields of /proc/PID/stat behind the name


def snapshot_of(server: Any, ledger: Ledger) -> Snapshot:
    """All of it, as it stands; ``server`` is what ``figures`` and ``health`` read."""
    current, workers = server.current, [seen(handle, ledger) for handle in server.handles()]
    figures = ledger.read_all()
    alone = [handle.pid for handle in server.handles()] == [os.getpid()]
    if not alone:  # else it has told of its own already
        figures.counters["lost_lines"] += server.diary.lost
    deadlines = server.board.totals["deadlines"] + sum(h.cell.deadlines for h in server.handles())
    return Snapshot(
        version=__version__,
        figures=figures,
        events=ledger.events(),
        workers=workers,
        listeners=[] if current is None else [queue_of(one.sock) for one in current.listening],
        supervisor=None if alone else process_of(os.getpid()),
        generation=0 if current is None else current.number,
        wanted=server.wanted,
        ready=state_of(server) == SERVING,
        since=server.since,
        deadlines=deadlines,
    )


def seen(handle: Any, ledger: Ledger) -> Seen:
    """A worker."""
    cell, own = handle.cell, ledger.cell(handle.slot)
    return Seen(
        wid=handle.wid,
        process=process_of(handle.pid),
        state=handle.state.name.lower(),
        threads=cell.threads,
        busy=cell.busy,
        queued=cell.queued,
        oldest=own.oldest / 1e6,
        connections=own.connections(),
    )


def process_of(pid: int) -> Process:
    """What the kernel says of a process."""
    try:
        resident = address_and_resident(pid)[1]
    except (OSError, ValueError):
        resident = -1
    return Process(pid, resident, descriptors_of(pid), cpu_of(pid))


def descriptors_of(pid: int) -> int:
    """How many are open; -1 where we may not know."""
    try:
        # Since Linux 6.2 the folder's size is their number (proc(5)), before it is 0.
        return os.stat(f"/proc/{pid}/fd").st_size or len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return -1


def cpu_of(pid: int) -> float:
    """Seconds of processor time; -1.0 where we may not know."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b") ")[2].split()
        return (int(fields[USER]) + int(fields[SYSTEM])) / TICKS
    except (OSError, ValueError, IndexError):
        return -1.0


def queue_of(sock: Any) -> tuple[str, int]:
    """A listener's name, and the connections that wait there."""
    return socket_name(sock), backlog_of(sock)
