"""What a pool thread does with an exchange: complete the environ, call the application, answer for it.

Everything that can be decided at boot is: ``make_answer`` closes over it. Later the routes and static
files come before the application here.
"""

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from time import monotonic, time

from penstock.core.errors import BodyError, Disconnected
from penstock.core.request import Request
from penstock.handoff.deadline import Aim
from penstock.handoff.exchange import Exchange
from penstock.handoff.inbox import Inbox
from penstock.serve.send import Manner
from penstock.serve.wsgi.armed import Armed
from penstock.serve.wsgi.call import Application, Call, Environ
from penstock.serve.wsgi.input import NO_BODY, make_input

NO_THREAD = -1  # the thread's number in the record of a request that the loop answered

Answer = Callable[[Exchange, int], None]

Record = tuple[float, float, str, str, str, str, str, int, int, int, int, int, int, int, int, str, int]
"""An access record's raw fields, as ``logs.access.AccessRecord`` names them."""


@dataclass(frozen=True, slots=True)
class Kitchen:
    """What answering needs, decided at boot.

    ``record``      called with the raw fields of each request's log line; None without an access log
    ``error``       called with a text for the error log, tracebacks included
    ``warning``     called with a line for it
    ``on_error``    called, on any thread, with what an application raised that was its own fault; None for
                    nobody
    ``early_hints`` whether ``wsgi.early_hints`` is offered
    """

    application: Application
    manner: Manner
    error: Callable[[str], None]
    warning: Callable[[str], None]
    record: Callable[[Record], None] | None = None
    early_hints: bool = False
    log_forwarded: bool = False
    on_error: Callable[[BaseException], None] | None = None


def make_answer(kitchen: Kitchen, aims: Sequence[Aim] = ()) -> Answer:
    """The function that the pool calls with each exchange and its thread's index. ``aims``: those of the
    pool's threads, where requests have deadlines; without them nothing is asked about them."""
    if not aims:
        return answer_of(kitchen)
    answers = [answer_of(replace(kitchen, application=Armed(kitchen.application, aim))) for aim in aims]

    def answer(x: Exchange, index: int) -> None:
        aim = aims[index]
        aim.begin(x)
        try:
            answers[index](x, index)
        finally:
            aim.end()

    return answer


def answer_of(kitchen: Kitchen) -> Answer:
    """The same for one thread, or for all where they need not be told apart."""
    application, manner, record = kitchen.application, kitchen.manner, kitchen.record
    early_hints = kitchen.early_hints

    def answer(x: Exchange, index: int) -> None:
        call = Call(x, manner)
        environ = x.request.vars
        # The outbox's own method: the call's would make a cycle, garbage with each request.
        environ["penstock.disconnected"] = x.outbox.disconnected
        body = x.body
        if body is None:
            environ["wsgi.input"] = NO_BODY
        else:
            environ["wsgi.input"] = make_input(body, call.send_continue if x.request.expect else None)
        if early_hints or x.request.trailers:
            complete(environ, call, early_hints)
        noted = note(environ, kitchen) if record is not None else None
        try:
            call.run(application, environ)
        except BaseException as error:
            failed(call, error, kitchen)
        finally:
            if body is not None and not isinstance(body, bytes | Inbox):
                body.close()
        if record is not None and noted is not None and not x.reclaimed:
            record(line_of(call, noted, index))

    return answer


def complete(environ: Environ, call: Call, early_hints: bool) -> None:
    """Put into the environ what few requests have."""
    x = call.x
    if early_hints and x.http and x.request.http11:
        environ["wsgi.early_hints"] = call.early_hints
    if x.request.trailers:
        environ["penstock.trailers"] = list(x.request.trailers)


def failed(call: Call, error: BaseException, kitchen: Kitchen) -> None:
    """The application raised: 500 if nothing went out, else a reply that the client sees is cut."""
    if isinstance(error, Disconnected) or call.x.overdue:  # a deadline has its record already
        call.fail()
        return
    if isinstance(error, BodyError):
        kitchen.warning(f"{call.line()}: {error}")  # the client's fault, and no use in a traceback
    else:
        text = "".join(traceback.format_exception(error)).rstrip()
        kitchen.error(f"{call.line()}: {type(error).__name__} from the application\n{text}")
        if kitchen.on_error is not None:
            kitchen.on_error(error)
    if call.finished:
        return  # the client has its whole reply: the error is the log's alone
    if call.sent_head:
        call.fail()
        return
    status = "400 Bad Request" if isinstance(error, BodyError) else "500 Internal Server Error"
    body = status[4:].encode("ascii") + b"\n"
    try:
        call.begin(status, [("Content-Type", "text/plain; charset=utf-8")])
        call.whole(body)
    except OSError:
        call.fail()


# ---- The access log's raw fields --------------------------------------------------------------------


def note(environ: Environ, kitchen: Kitchen) -> tuple[str, ...]:
    """What the log line needs of the environ, before the application may change it."""
    try:
        noted: tuple[str, ...] = NOTED(environ)
    except KeyError:
        noted = tuple(environ.get(name, "") for name in NAMES)
    if kitchen.log_forwarded and "HTTP_X_FORWARDED_FOR" in environ:
        noted = (environ["HTTP_X_FORWARDED_FOR"], *noted[1:])
    elif "penstock.client" in environ:
        noted = (environ["penstock.client"], *noted[1:])
    return (environ.get("REMOTE_USER", ""), *noted)


NAMES = ("REMOTE_ADDR", "REQUEST_METHOD", "REQUEST_URI", "SERVER_PROTOCOL")
NOTED = itemgetter(*NAMES)


def line_of_refusal(kitchen: Kitchen, request: Request, status: int, size: int) -> Record:
    """The record of a request that the loop answered by itself: no thread, no time, ``size`` bytes."""
    user, address, method, uri, protocol = note(request.vars, kitchen)
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
