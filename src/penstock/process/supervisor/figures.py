"""What a server does now, as figures for programs and as lines for people.

``status_of`` runs in the supervisor and reads what is at hand: the scoreboard and /proc, no worker is
asked. ``lines_of`` runs wherever somebody reads it. Neither knows who asked.
"""

import os
from collections.abc import Callable, Sequence
from time import localtime, monotonic, strftime, time
from typing import Any, Protocol

from penstock import __version__
from penstock.process.household import telling
from penstock.process.memory import resident

STARTING, SERVING, PAUSED, STOPPING = "starting", "serving", "paused", "stopping"
TOLD = 6  # lines of a traceback
SILENT = 5.0  # seconds without a sign of life, from a loop that gives four a second
PROGRAM = time()  # when this program began; an upgrade by exec begins another in the same process
GAUGES = ("connections", "queued", "busy", "threads")
COUNTERS = ("requests", "exceptions", "refused", "deadlines", "sent")


class Serving(Protocol):
    """What is read of a supervisor for its state."""

    @property
    def wanted(self) -> int:
        """Workers that are to run."""

    @property
    def paused(self) -> bool:
        """Whether the workers take nothing."""

    @property
    def ending(self) -> Any:
        """The end that is under way, or None."""

    @property
    def lame(self) -> bool:
        """Whether the end is about to begin."""

    def handles(self) -> Sequence[Any]:
        """Every worker that is not gone."""


class Watched(Serving, Protocol):
    """What is read of a supervisor for all else."""

    @property
    def current(self) -> Any:
        """The generation that serves, or None."""

    @property
    def build(self) -> Any:
        """The generation that is built, or None."""

    @property
    def last(self) -> dict[str, Any]:
        """How the last reload ended: ok, text, at; empty before the first."""

    @property
    def since(self) -> float:
        """time.time of the start."""

    @property
    def board(self) -> Any:
        """The scoreboard."""

    @property
    def herd(self) -> Any:
        """The places of the workers."""

    def household(self) -> dict[str, Any]:
        """What runs beside the workers, by its kind."""


# ---- Figures --------------------------------------------------------------------------------------------


def status_of(supervisor: Watched) -> dict[str, Any]:
    """Everything, as docs/control.md names it."""
    workers = [worker_of(handle, supervisor) for handle in supervisor.handles()]
    totals = {name: supervisor.board.totals[name] + sum(w[name] for w in workers) for name in COUNTERS}
    current = supervisor.current
    return {
        "version": __version__,
        "pid": os.getpid(),
        "state": state_of(supervisor),
        "since": supervisor.since,
        "program_since": PROGRAM,
        "generation": 0 if current is None else current.number,
        "reloading": supervisor.build is not None,
        "last_reload": supervisor.last or None,
        "wanted": supervisor.wanted,
        "deaths": supervisor.herd.deaths,
        "totals": totals,
        "workers": workers,
        "household": supervisor.household(),
    }


def state_of(supervisor: Serving) -> str:
    """The server's state in a word. One that waits for its first connection (``cheap``) serves: whoever kept
    requests away from it would keep it asleep."""
    if supervisor.ending is not None or supervisor.lame:
        return STOPPING
    if supervisor.paused:
        return PAUSED
    serving = any(handle.state.name == "SERVING" for handle in supervisor.handles())
    return SERVING if serving or supervisor.wanted == 0 else STARTING


def worker_of(handle: Any, supervisor: Watched) -> dict[str, Any]:
    """One worker. ``age`` in seconds, ``silent`` those since its loop last ticked, ``rss`` in bytes (0 where
    the system does not say)."""
    cell = handle.cell.read()
    place = supervisor.herd.places.get(handle.wid)
    return {
        "wid": handle.wid,
        "pid": handle.pid,
        "state": handle.state.name.lower(),
        "generation": handle.generation,
        "age": round(monotonic() - handle.born, 1),
        "why": handle.why,
        "silent": round(max(0.0, monotonic() - cell["beat"] / 1e9), 1) if cell["beat"] else 0.0,
        "rss": resident(handle.pid),
        "failure": place.failure if place is not None else "",
        **{name: cell[name] for name in (*GAUGES, *COUNTERS)},
    }


def health_of(status: dict[str, Any]) -> tuple[bool, str]:
    """Whether a server takes requests and gets to them, and what of it is so, for people."""
    serving = [worker for worker in status["workers"] if worker["state"] == SERVING]
    alive = sum(worker["silent"] <= SILENT for worker in serving)
    state = status["state"]
    if state != SERVING:
        return False, state
    if not alive and status["wanted"]:
        return False, f"none of {len(serving)} workers has shown a sign of life for {SILENT:g} s"
    return True, f"serving: {alive} of {status['wanted']} workers"


# ---- For people -----------------------------------------------------------------------------------------


COLUMNS: tuple[tuple[str, Callable[[dict[str, Any]], str]], ...] = (
    ("WID", lambda w: str(w["wid"])),
    ("PID", lambda w: str(w["pid"])),
    ("GEN", lambda w: str(w["generation"])),
    ("AGE", lambda w: ago(w["age"])),
    ("REQUESTS", lambda w: str(w["requests"])),
    ("CONNECTIONS", lambda w: str(w["connections"])),
    ("BUSY", lambda w: f"{w['busy']}/{w['threads']}"),
    ("QUEUED", lambda w: str(w["queued"])),
    ("RSS", lambda w: size(w["rss"])),
    ("STATE", lambda w: w["state"]),
    ("LAST FAILURE", lambda w: w["failure"]),
)
LEFT = ("STATE", "LAST FAILURE")
"""Columns of words; the others are figures, and stand to the right."""


def lines_of(status: dict[str, Any]) -> list[str]:
    """A status as lines, a table of the workers among them."""
    workers = status["workers"]
    serving = sum(worker["state"] == SERVING for worker in workers)
    lines = [
        f"penstock {status['version']}, process {status['pid']}: {status['state']}, "
        f"generation {status['generation']}, up {ago(time() - status['since'])}",
        f"{serving} of {status['wanted']} workers serve, {status['totals']['requests']} requests answered, "
        f"{status['deaths']} workers died",
    ]
    if status["reloading"]:
        lines.append("a reload is under way")
    lines += last_lines(status["last_reload"])
    return lines + (table(workers) if workers else []) + telling.lines_of(status.get("household", {}))


def last_lines(last: dict[str, Any] | None) -> list[str]:
    """How the last reload ended; of a long text, which is a traceback, the end."""
    if not last:
        return []
    first, *more = last["text"].splitlines() or [""]
    when = strftime("%Y-%m-%d %H:%M:%S", localtime(last["at"]))
    lines = [f"last reload at {when}: {'done' if last['ok'] else 'FAILED'}: {first}"]
    if len(more) > TOLD:
        lines.append("  ...")
    return lines + [f"  {line}" for line in more[-TOLD:]]


def table(workers: list[dict[str, Any]]) -> list[str]:
    """The workers, a line each, below their headings."""
    rows = [[name for name, _ in COLUMNS], *([show(worker) for _, show in COLUMNS] for worker in workers)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(COLUMNS))]
    lines = []
    for row in rows:
        cells = (
            cell.ljust(width) if name in LEFT else cell.rjust(width)
            for (name, _), cell, width in zip(COLUMNS, row, widths, strict=True)
        )
        lines.append("  ".join(cells).rstrip())
    return lines


def ago(seconds: float) -> str:
    """A time in its two largest units: ``3h 12m``, ``40s``; ``0.3s`` where it is short."""
    if seconds < 10:
        return f"{max(0.0, seconds):.1f}s"
    left = int(seconds)
    parts: list[str] = []
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, left = divmod(left, length)
        if count or parts:
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2])


def size(count: int) -> str:
    """Bytes in MB, or a dash for none."""
    return f"{count / (1 << 20):.1f}M" if count else "-"


def requests_lines(requests: list[dict[str, Any]]) -> list[str]:
    """What runs, the oldest first, each with its stack indented below."""
    if not requests:
        return ["no request runs"]
    lines = []
    for request in sorted(requests, key=age_of, reverse=True):
        lines.append(request_line(request))
        lines += [f"          {text}" for text in phases_of(request.get("phases"))]
        lines += [f"          {line}" for line in str(request.get("stack", "")).splitlines()]
    return lines


def age_of(request: dict[str, Any]) -> float:
    """A request's age in seconds; 0.0 for what is none, be it an infinity of a worker that lies."""
    age = request.get("age")
    return float(age) if isinstance(age, int | float) and 0 <= age <= 1e9 else 0.0


def request_line(request: dict[str, Any]) -> str:
    """One request; without a method it is a worker that did not answer."""
    where = f"worker {request.get('wid', '?')} (pid {request.get('pid', '?')})"
    if "method" not in request:
        return f"{'?':>8}  {where}: {request.get('phase', '')}"
    thread = request.get("thread", -1)
    if thread not in (-1, ""):
        where += f", thread {thread}"
    what = f"{request['method']} {request.get('uri', '')} from {request.get('remote') or '-'}"
    return f"{ago(age_of(request)):>8}  {what}: {request.get('phase', '')}, {where}"


def phases_of(phases: Any) -> list[str]:
    """Where a request's time has gone so far, in a line; none where nobody says."""
    known = phases.items() if isinstance(phases, dict) else ()
    told = [f"{name} {seconds:.3f} s" for name, seconds in known if isinstance(seconds, int | float)]
    return [", ".join(told)] if told else []


def stacks_lines(stacks: list[dict[str, Any]]) -> list[str]:
    """Every thread, its stack indented below."""
    lines = []
    for one in stacks:
        where = f"worker {one.get('wid', '?')} (pid {one.get('pid', '?')})"
        lines.append(f"{where}, {one['thread']}" if "thread" in one else f"{where}: {one.get('phase', '')}")
        lines += str(one.get("stack", "")).splitlines()
    return lines or ["no worker serves"]
