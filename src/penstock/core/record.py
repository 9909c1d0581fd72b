"""The record of one request: what the log, the metrics and the traces are made of.

Made by pool threads (and by the loop for what it answers itself) as a plain tuple in this order, read in
batches by a service thread. Nothing here formats, counts or writes.
"""

from typing import Final, NamedTuple

APPLICATION: Final = 0
FILE: Final = 1
RULE: Final = 2
REFUSED: Final = 3
LANE: Final = 4
"""Who answered (``Record.kind``): the application, a static file, a routing rule, the loop, or the loop on
its own paths (health, metrics)."""

FAILED: Final = 1
READ_ERROR: Final = 2
WRITE_ERROR: Final = 4
"""What went wrong (``Record.faults``, a sum): the application raised, the client's body or the reply could
not be read or written to the end."""

NO_THREAD: Final = -1  # ``core`` of a request that the loop answered


class Record(NamedTuple):
    """One request.

    ``started``       float, seconds since the epoch when its first byte was here
    ``seconds``       float, from then until its reply's last byte was with the kernel
    ``address`` … ``protocol``  str, as the client or a trusted proxy says
    ``status``        int, of the reply; 0 where none was begun
    ``headers``       int, fields of the reply; ``header_bytes`` and ``body_bytes`` its sizes
    ``variables``     int, how many variables the request's uwsgi packet would carry; ``size`` its bytes
    ``switches``      int, blocks that the application gave
    ``core``          int, the thread's index; NO_THREAD for none
    ``via``           str, "" or ``sendfile()``, ``route()``, ``offload()``
    ``app``           int, the application's number; -1 when none answered
    ``receive``       float, seconds from the first byte until head, and a gathered body, were complete
    ``queue``         float, seconds it then waited for a thread, with those that a trusted proxy told of
    ``run``           float, seconds in its thread that were not spent waiting for the client
    ``write``         float, seconds that the client was waited for, until the kernel had the last byte
    ``mount``         str, the mount point that answered, "" for the root or without an application
    ``kind``          int, who answered
    ``faults``        int, what went wrong
    ``id``            str, the request's id, "" where there are none
    ``said``          str for each variable that the log's format asks for
    ``logvars``       dict of what rules and the application set for the log, or None
    ``logged``        bool, whether it has a line at all (``donotlog``)
    """

    started: float
    seconds: float
    address: str
    user: str
    method: str
    uri: str
    protocol: str
    status: int
    headers: int
    header_bytes: int
    body_bytes: int
    variables: int
    size: int
    switches: int
    core: int
    via: str
    app: int
    receive: float
    queue: float
    run: float
    write: float
    mount: str
    kind: int
    faults: int
    id: str
    said: tuple[str, ...]
    logvars: dict[str, str] | None
    logged: bool
