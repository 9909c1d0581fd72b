"""What a pool thread does with an exchange: complete the environ, call the application, answer for it.

Everything that can be decided at boot is: ``make_answer`` closes over it. Where a site has rules, files or
several applications, its requests pass them first (``site.py``); where it has none, nothing is asked.
"""

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from penstock.core.errors import BodyError, Disconnected
from penstock.handoff.deadline import Aim
from penstock.handoff.exchange import Exchange
from penstock.handoff.inbox import Inbox
from penstock.serve.record import Record, line_of, note
from penstock.serve.send import Manner
from penstock.serve.site import Site
from penstock.serve.wsgi.armed import Armed
from penstock.serve.wsgi.call import Application, Call, Environ
from penstock.serve.wsgi.input import NO_BODY, make_input

Answer = Callable[[Exchange, int], None]


@dataclass(frozen=True, slots=True)
class Kitchen:
    """What answering needs, decided at boot.

    ``record``      called with the raw fields of each request's log line; None without an access log
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
    record: Callable[[Record], None] | None = None
    early_hints: bool = False
    log_forwarded: bool = False
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
    early_hints = kitchen.early_hints

    def answer(x: Exchange, index: int) -> None:
        call = Call(x, manner)
        # What ``dress`` does, written out: a call of it is a fiftieth of a small request.
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
        noted = note(environ, kitchen.log_forwarded) if record is not None else None
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


def answer_behind(site: Site, kitchen: Kitchen) -> Answer:
    """The same where requests pass a site's mount points, files and rules before the application."""
    manner, record, log_forwarded = kitchen.manner, kitchen.record, kitchen.log_forwarded

    def answer(x: Exchange, index: int) -> None:
        call = site.begin(x, manner)
        noted: list[tuple[str, ...]] = []
        try:
            pass_through(site, kitchen, call, noted)
        except BaseException as error:
            failed(call, error, kitchen)
        finally:
            body = x.body
            if body is not None and not isinstance(body, bytes | Inbox):
                body.close()
        site.over(call)
        if record is not None and not x.reclaimed and site.logs(call):
            record(line_of(call, noted[0] if noted else note(x.request.vars, log_forwarded), index))

    return answer


def pass_through(site: Site, kitchen: Kitchen, call: Call, noted: list[tuple[str, ...]]) -> None:
    """One request through its site; ``noted`` gets what the access log is to say of it, as rules have made
    it and before the application may change it."""
    environ = call.x.request.vars
    if site.answered(call, environ):
        return
    entry = site.entry(environ)
    dressed = entry is None or site.rules is not None
    if dressed:
        dress(environ, call, kitchen.early_hints)
    ended = site.ended(call, environ)
    if kitchen.record is not None:
        noted.append(note(environ, kitchen.log_forwarded))
    if ended or (entry is not None and site.send(call, environ, entry)):
        return
    if not dressed:
        dress(environ, call, kitchen.early_hints)
    call.run(kitchen.application, environ)


def dress(environ: Environ, call: Call, early_hints: bool) -> None:
    """Put into the environ what is made for one request."""
    x = call.x
    body = x.body
    environ["penstock.disconnected"] = x.outbox.disconnected
    if body is None:
        environ["wsgi.input"] = NO_BODY
    else:
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
    try:
        call.apologise("400 Bad Request" if isinstance(error, BodyError) else "500 Internal Server Error")
    except OSError:
        call.fail()
