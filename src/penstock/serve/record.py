"""A request's line in the access log, as raw fields: what ``logs.access.AccessRecord`` names.

Made by pool threads, and by the loop for what it refuses. Nothing here formats or writes.
"""

from operator import itemgetter
from time import monotonic, time

from penstock.core.request import Request
from penstock.serve.wsgi.call import Call, Environ

NO_THREAD = -1  # the thread's number in the record of a request that the loop answered

Record = tuple[float, float, str, str, str, str, str, int, int, int, int, int, int, int, int, str, int]
"""An access record's raw fields, as ``logs.access.AccessRecord`` names them."""


def note(environ: Environ, log_forwarded: bool) -> tuple[str, ...]:
    """What the log line needs of the environ, before the application may change it; ``log_forwarded``: the
    address that a proxy names (uWSGI's ``log-x-forwarded-for``)."""
    try:
        noted: tuple[str, ...] = NOTED(environ)
    except KeyError:
        noted = tuple(environ.get(name, "") for name in NAMES)
    if log_forwarded and "HTTP_X_FORWARDED_FOR" in environ:
        noted = (environ["HTTP_X_FORWARDED_FOR"], *noted[1:])
    elif "penstock.client" in environ:
        noted = (environ["penstock.client"], *noted[1:])
    return (environ.get("REMOTE_USER", ""), *noted)


NAMES = ("REMOTE_ADDR", "REQUEST_METHOD", "REQUEST_URI", "SERVER_PROTOCOL")
NOTED = itemgetter(*NAMES)


def line_of_refusal(request: Request, status: int, size: int, log_forwarded: bool) -> Record:
    """The record of a request that the loop answered by itself: no thread, no time, ``size`` bytes."""
    user, address, method, uri, protocol = note(request.vars, log_forwarded)
    head = (time(), 0.0, address, user, method, uri, protocol, status)
    return (*head, 0, size, 0, request.count, request.size, 0, NO_THREAD, "", -1)


def line_of(call: Call, noted: tuple[str, ...], index: int) -> Record:
    """The record of a request that is done."""
    request = call.x.request
    seconds = monotonic() - call.x.received_at
    user, address, method, uri, protocol = noted
    fields = call.fields
    return (
        time() - seconds,
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
        0,
    )
