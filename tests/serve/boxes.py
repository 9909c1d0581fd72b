"""An outbox that is a list, for tests of what is said and not of how it is sent."""

from typing import Any

from penstock.codecs.http1_reply import fields
from penstock.core.errors import Disconnected
from penstock.core.request import Request
from penstock.handoff.doorway import epoch
from penstock.handoff.exchange import Exchange
from penstock.serve.send import Manner
from penstock.serve.wsgi.input import NO_BODY

WARNINGS: list[str] = []


class ListBox:
    """Remembers each ``put`` as (bytes, what follows)."""

    def __init__(self) -> None:
        self.puts: list[tuple[bytes, int]] = []
        self.abandoned: list[bool] = []
        self.gone = False
        self.doorway = self
        self.draining = False
        self.epoch = epoch()

    def put(self, x: Any, data: bytes, then: int = 0) -> None:
        if self.gone:
            raise Disconnected(0, "gone")
        self.puts.append((data, then))

    def put_file(self, x: Any, fd: int, offset: int, count: int, then: int) -> None:
        import os

        self.puts.append((os.pread(fd, count, offset), then))

    def abandon(self, x: Any, reset: bool = False) -> None:
        self.abandoned.append(reset)

    def disconnected(self) -> bool:
        return self.gone

    def __call__(self) -> bool:
        return self.disconnected()

    @property
    def sent(self) -> bytes:
        return b"".join(data for data, _ in self.puts)


def exchange(
    box: ListBox,
    *,
    http11: bool = True,
    head: bool = False,
    keep: bool = True,
    http: bool = True,
    body: Any = None,
) -> Exchange:
    variables = {"REQUEST_METHOD": "HEAD" if head else "GET", "REQUEST_URI": "/x"}
    request = Request({**variables, "wsgi.input": NO_BODY, "penstock.queue_time": 0.0})
    request.http11, request.is_head, request.keep_alive = http11, head, keep
    outbox: Any = box
    return Exchange(request, outbox, body, 0.0, http)


def manner(*extra: tuple[str, str]) -> Manner:
    WARNINGS.clear()
    return Manner(fields(list(extra)), lambda key, text: WARNINGS.append(text))
