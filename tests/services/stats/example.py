"""A server's figures to try things on."""

from penstock.services.stats.figures import (
    BUSY,
    CHEAP,
    IDLE,
    AppFigures,
    CoreFigures,
    ServerFigures,
    SocketFigures,
    WorkerFigures,
)


def server(**more: object) -> ServerFigures:
    """Two workers, of which one runs a request, and one that rests."""
    busy = WorkerFigures(
        1, 51, BUSY, True, 10, 4, 1, 2, 5_000_000, 900, 300, 1700, 2, 1000, 2000,
        [AppFigures("", 1, 7, 1, "/srv")],
        [CoreFigures(8, 1, 2, 3, 4, 5, 6, True, ("A=b", "C=d"), 1700), CoreFigures(2)],
    )  # fmt: skip
    idle = WorkerFigures(
        2,
        52,
        IDLE,
        True,
        20,
        20,
        running=1_000_000,
        tx=100,
        average=101,
        spawned=1701,
        spawns=1,
        rss=10,
        vsz=20,
    )
    found = ServerFigures("1.0", 50, 1, 2, "/srv", [busy, idle, WorkerFigures(3, 0, CHEAP)])
    found.sockets = [SocketFigures("127.0.0.1:80", "http", 3, 100), SocketFigures("/run/s", "uwsgi", 4, 100)]
    for name, value in more.items():
        setattr(found, name, value)
    return found
