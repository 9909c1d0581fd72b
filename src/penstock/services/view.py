"""What there is to see of a server, as one document: for ``penstock top`` and for the page in the browser.

Pure; run by whoever answers (the supervisor, or a single process). It adds up what workers tell of their
paths (``services.paths``), none of whom is believed further than its own figures go. It asks nobody.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from math import inf
from typing import Any, NamedTuple

from penstock.services.paths import PHASES, ROWS, SECONDS, STRIDE, Sums
from penstock.services.quantiles import Histogram, percentiles

KEPT = 300  # seconds of history
SMOOTH = 10  # seconds of which a point's times are: of one alone they leap where requests are few
WINDOW = 60  # seconds that the figures of all paths together are of
SHOWN = 100  # paths
REQUESTS = 50  # requests that run, the oldest
STACKS = 20  # of them with a stack
STACK = 4000  # characters of one, the innermost
TEXT = 300  # characters of a request's words
MOST = 1 << 53  # of whatever is counted
LONGEST = 3600.0  # seconds that a worker's table is of
KEYS = STRIDE * len(PHASES)

STATUS = (
    *("version", "pid", "state", "since", "generation", "reloading", "last_reload", "wanted", "deaths"),
    *("totals", "workers"),
)
"""What of ``figures.status_of`` is in the document; commands of daemons are nobody's business here."""
WORDS = ("method", "uri", "remote", "phase", "thread")


class Told(NamedTuple):
    """What one worker told: ``rows`` by path, of ``window`` seconds, with the number of ``requests`` in them;
    the ``history`` by second, up to ``second``, which is not over."""

    window: float
    requests: int
    rows: dict[str, Sums]
    history: dict[int, Sums]
    second: int


class Merged:
    """What all workers told at one time: ``rows`` by path, ``window`` seconds that they are of, ``rates`` by
    process number in requests per second."""

    def __init__(self) -> None:
        self.rates: dict[int, float] = {}
        self.rows: dict[str, Sums] = {}
        self.window = 0.0

    def take(self, pid: int, told: Told) -> None:
        """What one of them told."""
        self.rates[pid] = round(told.requests / max(1.0, told.window), 3)
        for path, row in told.rows.items():
            sums = self.rows.get(path)
            if sums is None:
                sums = self.rows[path] = Sums()
            sums.add(row)
        self.window = max(self.window, told.window)


class History:
    """The seconds that were, of all workers together, each worker's taken once.

    Seconds are time.monotonic's, which all processes share; ``complete`` is the last one of which everybody
    who answered has told.
    """

    def __init__(self) -> None:
        self.seconds: dict[int, Sums] = {}
        self.drawn: dict[int, list[float]] = {}
        self.taken: dict[int, int] = {}
        self.complete = 0

    def since(self, pids: Iterable[int]) -> int:
        """The last second that is known of all of these workers."""
        return min((self.taken.get(pid, 0) for pid in pids), default=0)

    def take(self, pid: int, told: Told) -> int:
        """What one worker told; the last second that it has told of."""
        last, upto = self.taken.get(pid, 0), told.second - 1
        for second, row in told.history.items():
            if last < second <= upto:
                sums = self.seconds.get(second)
                if sums is None:
                    sums = self.seconds[second] = Sums()
                sums.add(row)
        self.taken[pid] = upto
        return upto

    def end(self, last: Collection[int], pids: Collection[int]) -> None:
        """All have told, up to ``last``; forget what is too old, and workers that are gone."""
        self.complete = max(self.complete, min(last, default=0))
        for old in [second for second in self.seconds if second <= self.complete - KEPT]:
            del self.seconds[old]
        for old in [second for second in self.drawn if second <= self.complete - KEPT]:
            del self.drawn[old]
        for gone in self.taken.keys() - set(pids):
            del self.taken[gone]

    def points(self, since: int) -> list[list[float]]:
        """A list for each second after ``since``, ``KEPT`` at most: the second, requests, errors, and for
        each phase the times in seconds below which 50, 95 and 99 % lie, of the ``SMOOTH`` seconds up to then.
        Seconds without a request are there, too, but none before the first with one."""
        first = max(since, self.complete - KEPT, min(self.seconds, default=self.complete + 1) - 1) + 1
        found: list[list[float]] = []
        for second in range(first, self.complete + 1):
            point = self.drawn.get(second)
            if point is None:
                sums, recent = self.seconds.get(second, NONE), self.between(second - SMOOTH, second)
                point = self.drawn[second] = [second, sums.count, sums.errors, *all_phases(recent)]
            found.append(point)
        return found

    def between(self, after: int, last: int) -> Sums:
        """All seconds after one, up to another."""
        sums = Sums()
        for second in range(after + 1, last + 1):
            one = self.seconds.get(second)
            if one is not None:
                sums.add(one)
        return sums

    def recent(self) -> Sums:
        """The last minute."""
        return self.between(self.complete - WINDOW, self.complete)


NONE = Sums()


# ---- Reading what workers told --------------------------------------------------------------------------


def taken(value: Any, pid: int, merged: Merged, history: History, now: float = inf) -> int:
    """Take what a worker told; the last second that it told of, 0 where it is nothing that could be read, or
    nothing that can be: of seconds after ``now`` (time.monotonic), or of more than a table holds."""
    try:
        told = told_of(json.loads("".join(value)))
        if told.second > now + 1 or len(told.rows) > ROWS or len(told.history) > SECONDS:
            return 0
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError):
        return 0
    merged.take(pid, told)
    return history.take(pid, told)


def told_of(data: Mapping[str, Any]) -> Told:
    """What ``PathTable.tell`` told. Raises ValueError, TypeError, LookupError and AttributeError."""
    window, count = float(data["window"]), int(data["count"])
    if not (0 <= window <= LONGEST and 0 <= count <= MOST):
        raise ValueError("no such figures")
    return Told(
        window,
        count,
        {str(path)[:TEXT]: sums_of(row) for path, row in data["rows"].items()},
        {int(second): sums_of(row) for second, row in data["history"].items()},
        int(data["second"]),
    )


def sums_of(row: Sequence[Any]) -> Sums:
    """What ``Sums.told`` told. Raises ValueError and TypeError."""
    count, errors, run, flat = row
    sums = Sums()
    sums.count, sums.errors, sums.run = int(count), int(errors), float(run)
    sums.histogram = dict(zip(map(int, flat[::2]), map(float, flat[1::2]), strict=True))
    if not all(0 <= figure <= MOST for figure in (sums.count, sums.errors, sums.run)):
        raise ValueError("no such figures")  # NaN is none, either
    if not all(0 <= key < KEYS and 0 < weight <= MOST for key, weight in sums.histogram.items()):
        raise ValueError("no such histogram")
    return sums


# ---- The document ---------------------------------------------------------------------------------------


def view_of(
    status: Mapping[str, Any], requests: Sequence[Mapping[str, Any]], merged: Merged, history: History
) -> dict[str, Any]:
    """The document without its points; ``status`` as ``figures.status_of`` has it, ``requests`` as an
    inquiry brings them. Times are in seconds."""
    recent = history.recent()
    rows = merged.rows
    whole = sum(sums.run for sums in rows.values()) or 1.0
    found = [path_of(path, sums, merged.window, whole) for path, sums in rows.items()]
    found.sort(key=lambda row: row["run"][1], reverse=True)
    workers = status["workers"]
    return {
        **{name: status[name] for name in STATUS},
        **{
            name: sum(worker[name] for worker in workers)
            for name in ("connections", "queued", "busy", "threads")
        },
        "window": merged.window,
        "rate": round(sum(merged.rates.values()), 3),
        "errors": round(sum(sums.errors for sums in rows.values()) / max(1.0, merged.window), 3),
        "phases": dict(zip(PHASES, phases_of(recent), strict=True)),
        "paths": found[:SHOWN],
        "requests": [request_of(request, at) for at, request in enumerate(oldest(requests))],
        "running": len(requests),
    }


def path_of(path: str, sums: Sums, window: float, whole: float) -> dict[str, Any]:
    """One path. ``share``: of the time of all threads that ran something."""
    return {
        "path": path,
        "count": sums.count,
        "errors": sums.errors,
        "rate": round(sums.count / max(1.0, window), 3),
        "share": round(sums.run / whole, 4),
        **dict(zip(PHASES, phases_of(sums), strict=True)),
    }


def phases_of(sums: Sums) -> list[list[float]]:
    """For each phase its percentiles."""
    phases: list[Histogram] = [{} for _ in PHASES]
    for key, weight in sums.histogram.items():
        phase, index = divmod(key, STRIDE)
        if 0 <= phase < len(phases):
            phases[phase][index] = weight
    return [[round(time, 6) for time in percentiles(histogram)] for histogram in phases]


def all_phases(sums: Sums) -> list[float]:
    """The same in one list."""
    return [time for times in phases_of(sums) for time in times]


def oldest(requests: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The requests that have been there for longest."""
    return sorted(requests, key=lambda one: -number(one.get("age")))[:REQUESTS]


def request_of(request: Mapping[str, Any], at: int) -> dict[str, Any]:
    """One request; the first few have their stack."""
    return {
        **{name: str(request.get(name) or "")[:TEXT] for name in WORDS},
        "age": number(request.get("age")),
        "wid": request.get("wid"),
        "pid": request.get("pid"),
        "stack": str(request.get("stack") or "")[-STACK:] if at < STACKS else "",
    }


def number(value: Any) -> float:
    """A number that somebody said, 0 for anything else."""
    return float(value) if isinstance(value, int | float) and -MOST <= value <= MOST else 0.0
