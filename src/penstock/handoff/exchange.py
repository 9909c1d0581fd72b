"""One request on its way through a pool thread, and the reply on its way back.

Made by the loop, owned by whoever popped it from the pool's queue, dropped when the reply has ended.
"""

from math import inf
from time import monotonic
from typing import BinaryIO, Final

from penstock.core.request import Request
from penstock.handoff.inbox import Inbox
from penstock.handoff.outbox import Outbox

Body = bytes | BinaryIO | Inbox | None

CONFIGURED: Final = 0.0
PASSED: Final = -1.0
"""Words of ``Exchange.deadline``: what the worker was told for all requests; it has passed."""


class Exchange:
    """A request, where its reply goes, and where its body comes from.

    ``request``      the head, whose ``vars`` become the application's environ
    ``outbox``       the connection's way out; every send passes its lease
    ``body``         None without a body, bytes when it was gathered, an open binary file when it was
                     spooled to disk, an ``Inbox`` when it streams
    ``began_at``     float, time.monotonic() seconds when its first byte was here
    ``received_at``  float, the same clock, when head, and a body that is gathered, were complete
    ``started_at``   float, the same clock, when a thread took it; 0.0 before
    ``waited``       float, seconds that its thread waited for the client to take the reply
    ``trailing``     bool, its reply was complete before the kernel had all of it (see ``trail``)
    ``http``         bool, it came by HTTP (1xx, chunked and kept connections exist); False for uwsgi
    ``begun``        bool, something of its reply was handed to the connection (set under the lock)
    ``reclaimed``    bool, the loop took the lease back before that and answers itself (under the lock)
    ``deadline``     float, the same clock, when the request is ended; ``CONFIGURED`` for as long after
                     ``received_at`` as the worker was told, inf for never, ``PASSED`` when it has been
    """

    __slots__ = (
        "began_at",
        "begun",
        "body",
        "deadline",
        "http",
        "outbox",
        "received_at",
        "reclaimed",
        "request",
        "started_at",
        "trailing",
        "waited",
    )

    def __init__(
        self, request: Request, outbox: Outbox, body: Body, received_at: float, http: bool = True
    ) -> None:
        self.request = request
        self.outbox = outbox
        self.body = body
        self.began_at = received_at
        self.received_at = received_at
        self.started_at = 0.0
        self.waited = 0.0
        self.trailing = False
        self.begun = False
        self.reclaimed = False
        self.deadline = CONFIGURED
        self.http = http

    def set_deadline(self, seconds: float) -> None:
        """End this request so many seconds from now, whatever the worker was told; 0: never.

        Called by the thread that serves it. Without effect once its deadline has passed, and in a worker
        that was built to know no deadlines.
        """
        if self.deadline != PASSED:
            self.deadline = monotonic() + seconds if seconds > 0 else inf

    @property
    def overdue(self) -> bool:
        """Whether its deadline has passed and was acted on."""
        return self.deadline == PASSED
