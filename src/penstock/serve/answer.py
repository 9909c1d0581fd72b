"""What a pool thread does with an exchange: complete the environ, call the application, answer for it.

Everything that can be decided at boot is: ``make_answer`` closes over it. Where a site has rules, files or
several applications, its requests pass them first (``site.py``); where it has none, nothing is asked.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from penstock.core.errors import BodyError, Disconnected
from penstock.core.record import APPLICATION, FAILED, FILE, READ_ERROR, RULE, WRITE_ERROR
from penstock.core.tracebacks import traceback_of
from penstock.handoff.deadline import Aim
from penstock.handoff.exchange import Exchange
from penstock.handoff.inbox import Inbox
from penstock.serve.record import QUEUE_TIME, USUAL, Made, Noted, Noting, hand_over, record_of
from penstock.serve.send import Manner
from penstock.serve.site import Site
from penstock.serve.wsgi.armed import Armed
from penstock.serve.wsgi.call import Application, Call, Environ
from penstock.serve.wsgi.input import make_input

Answer = Callable[[Exchange, int], None]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Kitchen:
    """What answering needs, decided at boot.

    ``record``      called with the record of each request; None where nobody wants them
    ``noting``      what they are to have of the environ
    ``identify``    gives each request an id, in its environ; None for none
    ``error``       called with a text for the error log, tracebacks included
    ``warning``     called with a line for it
    ``on_error``    called, on any thread, with what an application raised that was its own fault; None for
                    nobody
    ``early_hints`` whether ``wsgi.early_hints`` is offered
    ``site``        what requests pass before the application; None for nothing
    """

    application: Application
    manner: Manner
    error: Callable[[str], None]
    warning: Callable[[str], None]
    record: Callable[[Made], None] | None = None
    noting: Noting = USUAL
    identify: Callable[[Environ], None] | None = None
    early_hints: bool = False
    on_error: Callable[[BaseException], None] | None = None
    site: Site | None = None


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
    if kitchen.site is not None:
        return answer_behind(kitchen.site, kitchen)
    application, manner, record = kitchen.application, kitchen.manner, kitchen.record
    identify, note = kitchen.identify, kitchen.noting.of
    more = kitchen.early_hints or identify is not None

    def answer(x: Exchange, index: int) -> None:
        call = Call(x, manner)
        # What ``dress`` does, written out: a call of it is a fiftieth of a small request.
        environ = x.request.vars
        environ["penstock.queue_time"] += x.started_at - x.received_at
        # The outbox, which can be asked: the call would make a cycle, garbage with each request.
        environ["penstock.disconnected"] = x.outbox
        body = x.body
        if body is not None:
            environ["wsgi.input"] = make_input(body, call.send_continue if x.request.expect else None)
        if more or x.request.trailers:
            complete(environ, call, kitchen.early_hints)
            if identify is not None:
                identify(environ)
        noted, faults = note(environ) if record is not None else None, 0
        try:
            call.run(application, environ)
        except BaseException as error:
            faults = failed(call, error, kitchen)
        finally:
            if body is not None and not isinstance(body, bytes | Inbox):
                body.close()
        if record is not None and noted is not None and not x.reclaimed:
            made = record_of(call, noted, index, APPLICATION, faults)
            if x.trailing:
                hand_over(x, made, record)
            else:
                record(made)

    return answer


def answer_behind(site: Site, kitchen: Kitchen) -> Answer:
    """The same where requests pass a site's mount points, files and rules before the application."""
    manner, record = kitchen.manner, kitchen.record

    def answer(x: Exchange, index: int) -> None:
        environ = x.request.vars
        environ[QUEUE_TIME] = x.started_at - x.received_at + environ.get(QUEUE_TIME, 0.0)
        if kitchen.identify is not None:
            kitchen.identify(environ)
        call = site.begin(x, manner)
        faults, noted, kind = 0, list[Noted](), RULE
        try:
            kind = pass_through(site, kitchen, call, noted)
        except BaseException as error:
            faults = failed(call, error, kitchen)
            kind = APPLICATION if noted else RULE
        finally:
            body = x.body
            if body is not None and not isinstance(body, bytes | Inbox):
                body.close()
        site.over(call)
        if record is not None and not x.reclaimed:
            made = record_of(call, noted[0] if noted else kitchen.noting.of(environ), index, kind, faults)
            hand_over(x, site.touched(call, made), record)

    return answer


def pass_through(site: Site, kitchen: Kitchen, call: Call, noted: list[Noted]) -> int:
    """One request through its site; who answered it. ``noted`` gets what its record is to say of it, as rules
    have made it and before the application may change it."""
    environ = call.x.request.vars
    if site.answered(call, environ):
        return RULE
    entry = site.entry(environ)
    dressed = entry is None or site.rules is not None
    if dressed:
        dress(environ, call, kitchen.early_hints)
    ended = site.ended(call, environ)
    if kitchen.record is not None:
        noted.append(kitchen.noting.of(environ))
    if ended:
        return RULE
    if entry is not None and site.send(call, environ, entry):
        return FILE
    if not dressed:
        dress(environ, call, kitchen.early_hints)
    call.run(kitchen.application, environ)
    return APPLICATION


def dress(environ: Environ, call: Call, early_hints: bool) -> None:
    """Put into the environ what is made for one request."""
    x = call.x
    body = x.body
    environ["penstock.disconnected"] = x.outbox
    if body is not None:
        environ["wsgi.input"] = make_input(body, call.send_continue if x.request.expect else None)
    if early_hints or x.request.trailers:
        complete(environ, call, early_hints)


def complete(environ: Environ, call: Call, early_hints: bool) -> None:
    """Put into the environ what few requests have."""
    x = call.x
    if early_hints and x.http and x.request.http11:
        environ["wsgi.early_hints"] = call.early_hints
    if x.request.trailers:
        environ["penstock.trailers"] = list(x.request.trailers)


def failed(call: Call, error: BaseException, kitchen: Kitchen) -> int:
    """The application raised: 500 if nothing went out, else a reply that the client sees is cut. What went
    wrong, as ``Record.faults`` has it."""
    if isinstance(error, Disconnected) or call.x.overdue:  # a deadline has its record already
        call.fail()
        return WRITE_ERROR
    tell_of(call, error, kitchen)
    faults = READ_ERROR if isinstance(error, BodyError) else FAILED
    if call.finished:
        return faults  # the client has its whole reply: the error is the log's alone
    if call.sent_head:
        call.fail()
        return faults
    try:
        call.apologise("400 Bad Request" if isinstance(error, BodyError) else "500 Internal Server Error")
    except OSError:
        call.fail()
        return faults | WRITE_ERROR
    return faults


def tell_of(call: Call, error: BaseException, kitchen: Kitchen) -> None:
    """Have the log say what the application raised."""
    if isinstance(error, BodyError):
        kitchen.warning(f"{call.line()}: {error}")  # the client's fault, and no use in a traceback
    else:
        text = traceback_of(error)
        kitchen.error(f"{call.line()}: {type(error).__name__} from the application\n{text}")
        if kitchen.on_error is not None:
            kitchen.on_error(error)
