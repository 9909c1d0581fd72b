"""A request's record (``core.record.Record``) as the request path makes it: one plain tuple, raw fields.

Made by pool threads, and by the loop for what it refuses. Nothing here formats or writes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic, time
from typing import Any, Final

from penstock.core.record import APPLICATION, NO_THREAD, REFUSED, WRITE_ERROR
from penstock.core.request import Request
from penstock.handoff.exchange import Exchange
from penstock.handoff.inbox import Inbox
from penstock.handoff.trail import when_written
from penstock.serve.wsgi.call import Call, Environ

Made = tuple[Any, ...]
"""A record's fields in the order of ``Record``; making the named tuple itself takes as long as all else."""

Noted = tuple[Any, ...]
"""user, address, method, URI, protocol, seconds before its thread, id, mount point, what the log asks for."""

QUEUE_TIME: Final = "penstock.queue_time"
"""The environ's word for the seconds that a request waited before its thread had it."""
RUN_TIME: Final = "penstock.run_time"
"""The same, of a request that the loop took from its thread, for those that the thread had it."""
REQUEST_ID: Final = "penstock.request_id"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Noting:
    """What of the environ a record is to have, decided at boot.

    ``forwarded``  the address that a proxy names (uWSGI's ``log-x-forwarded-for``)
    ``mounts``     gives the mount point; without it there is one application
    ``wanted``     names that the log's format asks for
    """

    forwarded: bool = False
    mounts: Callable[[Environ], str] | None = None
    wanted: tuple[str, ...] = ()

    def of(self, environ: Environ) -> Noted:
        """What is noted, before the application may change it. It may have anything in it: rules, too."""
        try:
            address, method, uri = environ["REMOTE_ADDR"], environ["REQUEST_METHOD"], environ["REQUEST_URI"]
            protocol, queue = environ["SERVER_PROTOCOL"], environ[QUEUE_TIME]
        except KeyError:
            address, method, uri, protocol = (
                environ.get(name, "")
                for name in ("REMOTE_ADDR", "REQUEST_METHOD", "REQUEST_URI", "SERVER_PROTOCOL")
            )
            queue = environ.get(QUEUE_TIME, 0.0)
        if self.forwarded and "HTTP_X_FORWARDED_FOR" in environ:
            address = environ["HTTP_X_FORWARDED_FOR"]
        elif "penstock.client" in environ:
            address = environ["penstock.client"]
        mount = "" if self.mounts is None else self.mounts(environ)
        said: tuple[str, ...] = ()
        if self.wanted:
            said = tuple([str(environ.get(name) or "") for name in self.wanted])
        user, number = environ.get("REMOTE_USER", ""), environ.get(REQUEST_ID, "")
        return user, address, method, uri, protocol, queue, number, mount, said


USUAL = Noting()


def record_of_refusal(request: Request, status: int, size: int, noting: Noting, kind: int = REFUSED) -> Made:
    """The record of a request that the loop answered by itself, with ``size`` bytes: no thread, and no time
    but what it had waited for one, or had one."""
    user, address, method, uri, protocol, queue, number, mount, said = noting.of(request.vars)
    run = request.vars.get(RUN_TIME, 0.0)
    seconds = queue + run
    head = (time() - seconds, seconds, address, user, method, uri, protocol, status)
    sizes = (0, size, 0, request.count, request.size, 0, NO_THREAD, "", -1)
    return (*head, *sizes, 0.0, queue, run, 0.0, mount, kind, 0, number, said, None, True)


def record_of(call: Call, noted: Noted, index: int, kind: int, faults: int) -> Made:
    """The record of a request that thread ``index`` is done with."""
    x = call.x
    request, fields = x.request, call.fields
    user, address, method, uri, protocol, queue, number, mount, said = noted
    now = monotonic()
    seconds = now - x.began_at
    waited = x.body.waited if x.body is not None and isinstance(x.body, Inbox) else 0.0
    receive, write = x.received_at - x.began_at + waited, x.waited
    run = now - x.started_at - write - waited
    return (
        x.outbox.doorway.epoch + x.began_at,
        seconds,
        address,
        user,
        method,
        uri,
        protocol,
        call.code,
        fields.count if fields is not None else 0,
        call.head_size,
        call.body_sent,
        request.count,
        request.size,
        call.switches,
        index,
        call.via,
        0 if kind == APPLICATION else -1,
        receive,
        queue,
        run,
        write,
        mount,
        kind,
        faults,
        number,
        said,
        None,
        True,
    )


def hand_over(x: Exchange, made: Made, record: Callable[[Made], None]) -> None:
    """Give the record of a request that its thread is done with to ``record``, once the kernel has all of its
    reply: how long the client takes for that belongs to it."""
    if x.trailing:
        since = monotonic()

        def written(whole: bool) -> None:
            record(completed(made, monotonic() - since, whole))

        if when_written(x.outbox, x, written):
            return
    record(made)


SECONDS, WRITE, FAULTS, LOGVARS = 1, 20, 23, 26
"""Where these fields are; ``logged`` is the last, behind ``logvars``."""


def completed(made: Made, more: float, whole: bool) -> Made:
    """The same with the time that its last bytes took; not ``whole``: they never went."""
    fields = list(made)
    fields[SECONDS] += more
    fields[WRITE] += more
    if not whole:
        fields[FAULTS] |= WRITE_ERROR
    return tuple(fields)
