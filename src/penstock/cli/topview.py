"""What ``penstock top`` shows, as tables of words: of a document (``services.view``), for a window.

Pure; it knows neither the terminal nor where the document comes from.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from time import time
from typing import Any, NamedTuple

from penstock.config.finding import visible
from penstock.process.supervisor.figures import ago, size

GOOD, WARN, BAD, DIM = "good", "warn", "bad", "dim"
BLOCKS = "▁▂▃▄▅▆▇█"
LINE = 60  # seconds of the little plots
LONGEST = 60  # characters of a path
LEAST = 1  # rows of a table, however small the window
REQUESTS, ERRORS, P95 = 1, 2, 3 + 4 * 3 + 1
"""Where a point of the document has what the plots show: the last is of a request's whole time."""

View = Mapping[str, Any]


class Cell(NamedTuple):
    """A word, and what it means: GOOD, WARN, BAD, DIM or nothing."""

    text: str
    tone: str = ""


class Column(NamedTuple):
    """A heading, what stands below it, whether to the ``left``, and whether it is left out where there is no
    room (``spare``)."""

    name: str
    of: Callable[[View], Cell | str]
    left: bool = False
    spare: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """``title``, ``columns`` and as many ``rows`` as there is room for; ``empty`` is said without any;
    ``chosen`` is the row that is marked, -1 for none."""

    title: str
    columns: Sequence[Column]
    rows: list[list[Cell]]
    empty: str
    chosen: int = -1


@dataclass(slots=True)
class Wish:
    """How it is to be shown: the ``sort`` of the paths, the ``worker`` that is chosen (its number, 0 for
    none), ``width`` and ``height`` of the window in characters."""

    sort: str = "p95"
    worker: int = 0
    width: int = 100
    height: int = 40
    notes: list[str] = field(default_factory=list)


SORTS: dict[str, tuple[str, Callable[[View], float]]] = {
    "p95": ("slowest", lambda row: float(row["run"][1])),
    "share": ("most thread time", lambda row: float(row["share"])),
    "rate": ("most requests", lambda row: float(row["rate"])),
    "errors": ("most errors", lambda row: float(row["errors"])),
    "queue": ("longest in the queue", lambda row: float(row["queue"][1])),
}
"""Orders of the paths: what they are called, and by what they sort."""

PATHS = (
    Column("PATH", lambda row: short(row["path"]), left=True),
    Column("RUN 50%", lambda row: span(row["run"][0]), spare=True),
    Column("RUN 95%", lambda row: span(row["run"][1])),
    Column("RUN 99%", lambda row: span(row["run"][2])),
    Column("THREAD TIME", lambda row: f"{row['share'] * 100:.1f}%"),
    Column("REQ/S", lambda row: rate(row["rate"])),
    Column("ERRORS", lambda row: Cell(str(row["errors"]), BAD if row["errors"] else "")),
    Column("QUEUE 95%", lambda row: span(row["queue"][1]), spare=True),
    Column("WRITE 95%", lambda row: span(row["write"][1]), spare=True),
)
NOW = (
    Column("FOR", lambda row: ago(row["age"])),
    Column("WORKER", lambda row: str(row["wid"])),
    Column("METHOD", lambda row: visible(row["method"]), left=True, spare=True),
    Column("REQUEST", lambda row: short(row["uri"]), left=True),
    Column("DOING", lambda row: visible(row["phase"]), left=True),
    Column("CLIENT", lambda row: visible(row["remote"]), left=True, spare=True),
)
WORKERS = (
    Column("WORKER", lambda row: str(row["wid"])),
    Column("PID", lambda row: str(row["pid"])),
    Column("STATE", lambda row: state(row), left=True),
    Column("BUSY", lambda row: Cell(f"{row['busy']}/{row['threads']}", full(row))),
    Column("WAITING", lambda row: Cell(str(row["queued"]), WARN if row["queued"] else "")),
    Column("REQ/S", lambda row: rate(row["rate"])),
    Column("OLDEST", lambda row: ago(row["oldest"]) if row["oldest"] else "-", spare=True),
    Column("CONNECTIONS", lambda row: str(row["connections"]), spare=True),
    Column("RSS", lambda row: size(row["rss"])),
    Column("REQUESTS", lambda row: str(row["requests"]), spare=True),
    Column("AGE", lambda row: ago(row["age"]), spare=True),
    Column("LAST FAILURE", lambda row: visible(row["failure"]), left=True, spare=True),
)


# ---- The parts ------------------------------------------------------------------------------------------


def head(view: View) -> list[list[Cell]]:
    """The lines above the tables."""
    whole, running = view["phases"]["seconds"], f"{view['busy']}/{view['threads']}"
    lines = [
        [
            Cell(visible(f"penstock {view['version']}, process {view['pid']}: ")),
            Cell(visible(view["state"]), GOOD if view["state"] == "serving" else WARN),
            Cell(f", generation {view['generation']}, up {ago(time() - view['since'])}"),
        ],
        [
            Cell(f"requests {rate(view['rate'])}/s   errors "),
            Cell(f"{rate(view['errors'])}/s", BAD if view["errors"] else ""),
            Cell(f"   time 50% {span(whole[0])}  95% {span(whole[1])}  99% {span(whole[2])}"),
            Cell("   busy threads "),
            Cell(running, full(view)),
            Cell("   waiting "),
            Cell(str(view["queued"]), WARN if view["queued"] else ""),
            Cell(f"   connections {view['connections']}"),
        ],
    ]
    points = [point for point in view["points"] if point[0] > view["at"] - LINE - 2]
    if points:
        lines.append([Cell("requests/s ", DIM), Cell(plot([point[REQUESTS] for point in points]))])
        lines.append([Cell("time 95%   ", DIM), Cell(plot([point[P95] for point in points]))])
    return lines


def notes(view: View) -> list[str]:
    """What somebody who looks should know at once."""
    found = []
    if view["reloading"]:
        found.append("a reload is under way; what ran before serves on")
    last = view["last_reload"]
    if last and not last["ok"]:
        found.append("the last reload failed, so the code of before serves on; penstock ctl status says why")
    if full(view) and view["queued"]:
        found.append(f"all {view['threads']} threads are busy and {view['queued']} requests wait for one")
    serving = sum(worker["state"] == "serving" for worker in view["workers"])
    if serving < view["wanted"]:
        found.append(f"{serving} of {view['wanted']} workers serve")
    found += [f"worker {one['wid']}: {visible(one['silent'])}" for one in view["workers"] if one["silent"]]
    return found


def tables(view: View, wish: Wish) -> list[Table]:
    """The paths, the requests that run, the workers: as much of each as there is room for."""
    name, by = SORTS[wish.sort]
    room = wish.height - 16 - len(wish.notes)  # headings, titles, the lines above and below
    workers = sorted(view["workers"], key=lambda row: (row["wid"], row["pid"]))
    for_workers = max(LEAST, min(len(workers), room // 3))
    for_requests = max(LEAST, min(len(view["requests"]), room // 3))
    paths = sorted(view["paths"], key=by, reverse=True)[: max(LEAST, room - for_workers - for_requests)]
    chosen = next((at for at, row in enumerate(workers) if row["wid"] == wish.worker), -1)
    first = max(0, chosen - for_workers + 1)
    return [
        table(
            f"Paths of the last {view['window']:.0f} s, {name} first", PATHS, paths, wish, "no request yet"
        ),
        table(
            f"Requests now: {view['running']}", NOW, view["requests"][:for_requests], wish, "no request runs"
        ),
        replace(
            table("Workers", WORKERS, workers[first : first + for_workers], wish, "no worker runs"),
            chosen=chosen - first,
        ),
    ]


def table(title: str, columns: Sequence[Column], rows: Sequence[View], wish: Wish, empty: str) -> Table:
    """One of them; what can be left out is, from the right, where the window is narrow."""
    cells = [[cell_of(column.of(row)) for column in columns] for row in rows]
    kept = list(range(len(columns)))
    while width_of(columns, cells, kept) > wish.width:
        spare = [at for at in kept if columns[at].spare]
        if not spare:
            break
        kept.remove(spare[-1])
    return Table(title, [columns[at] for at in kept], [[row[at] for at in kept] for row in cells], empty)


def width_of(columns: Sequence[Column], cells: Sequence[Sequence[Cell]], kept: Sequence[int]) -> int:
    """How wide a table of these columns is."""
    widths = (max([len(columns[at].name), *(len(row[at].text) for row in cells)]) for at in kept)
    return sum(widths) + 2 * len(kept)


# ---- As lines -------------------------------------------------------------------------------------------


def lines_of(view: View, wish: Wish) -> list[str]:
    """All of it as plain text."""
    lines = ["".join(cell.text for cell in line) for line in head(view)]
    lines += [f"! {note}" for note in (*notes(view), *wish.notes)]
    for one in tables(view, wish):
        lines += ["", one.title, *lines_of_table(one)]
    return lines


def lines_of_table(one: Table) -> list[str]:
    """A table, its columns aligned."""
    if not one.rows:
        return [f"  {one.empty}"]
    rows = [[column.name for column in one.columns], *([cell.text for cell in row] for row in one.rows)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(one.columns))]
    return [
        "  ".join(
            text.ljust(width) if column.left else text.rjust(width)
            for column, text, width in zip(one.columns, row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]


# ---- Words ----------------------------------------------------------------------------------------------


def cell_of(found: Cell | str) -> Cell:
    """A word as a cell, whatever a page of somebody else's may have said."""
    return Cell(visible(found)) if isinstance(found, str) else Cell(visible(found.text), found.tone)


def full(row: View) -> str:
    """How a number of busy threads is meant."""
    return WARN if row["threads"] and row["busy"] >= row["threads"] else ""


def state(worker: View) -> Cell:
    """A worker's state."""
    if worker["silent"]:
        return Cell("does not answer", BAD)
    return Cell(worker["state"], GOOD if worker["state"] == "serving" else WARN)


def short(path: str) -> str:
    """A path that fits."""
    path = visible(path)
    return path if len(path) <= LONGEST else path[: LONGEST - 1] + "…"


def rate(number: float) -> str:
    """Requests per second."""
    if 0 < number < 0.1:
        return "<0.1"
    return f"{number:.1f}" if number < 100 else f"{number:.0f}"


def span(seconds: float) -> str:
    """A short time, in ms or s."""
    if seconds >= 1:
        return f"{seconds:.1f} s"
    millis = seconds * 1000
    return f"{millis:.2f} ms" if millis < 1 else f"{millis:.1f} ms" if millis < 100 else f"{millis:.0f} ms"


def plot(values: Sequence[float]) -> str:
    """The last minute as little columns."""
    most = max([*values, 0.0])
    if most <= 0:
        return BLOCKS[0] * len(values)
    return "".join(BLOCKS[min(7, int(value / most * 7.999))] for value in values[-LINE:])
