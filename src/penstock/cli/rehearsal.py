"""One request put through a configuration's rules without a server: a stage of paper around the real rules.

Runs in the command alone. Files are read and passwords checked as in service; what would reach further (other
servers, shared stores, files that are written, the process itself) is noted and not done.
"""

import os
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from time import monotonic
from typing import Any

from penstock.codecs.http1 import Http1Decoder
from penstock.codecs.http1_reply import REASONS, fields
from penstock.config.settings import Settings
from penstock.config.site.mounts import parse
from penstock.core.errors import ProtocolError
from penstock.core.request import Request
from penstock.handoff.doorway import Doorway
from penstock.handoff.exchange import Exchange
from penstock.handoff.outbox import Outbox
from penstock.process.site import Around, asks_for_files, files_of, mime_of, rules_of
from penstock.serve.finish.call import FinishedCall
from penstock.serve.finish.finish import Finish
from penstock.serve.finish.make import make_finish
from penstock.serve.routing.flow import BREAK, NEXT
from penstock.serve.routing.table import Rules, Table
from penstock.serve.routing.trace import Trace
from penstock.serve.routing.turn import Turn
from penstock.serve.send import Manner
from penstock.serve.site import Site
from penstock.serve.wsgi.input import NO_BODY
from penstock.serve.wsgi.mounts import Mounts

PASSING = ("http", "httpdumb", "proxyhttp", "uwsgi", "proxyuwsgi")
REACHING = ("chdir", "setprocname", "harakiri", "tofile", "to-file")
CACHES = "cache"  # how the names of actions on shared stores begin
HEADERS_END = b"\r\n\r\n"

Environ = dict[str, Any]


class Paper:
    """A socket that keeps what is sent, the connection that it belongs to, and a loop that is not there. The
    outbox above them is the real one, since the compiled build takes no other."""

    family = socket.AF_UNIX

    def __init__(self) -> None:
        self.kept = bytearray()

    def outbox(self) -> Outbox:
        """The way here."""
        paper: Any = self
        return Outbox(paper, Doorway(paper), paper)

    def send(self, data: bytes, flags: int = 0) -> int:
        """Something is sent."""
        self.kept += data
        return len(data)

    def send_slice(self, fd: int, offset: int, end: int) -> int:
        """A piece of a file is sent, whole."""
        before = len(self.kept)
        while offset < end and (data := os.pread(fd, end - offset, offset)):
            self.kept += data
            offset += len(data)
        return len(self.kept) - before

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Paper stays, and says nothing."""
        raise BlockingIOError

    def call_soon_threadsafe(self, call: Callable[..., Any], *args: Any) -> None:
        """Nobody is told."""
        raise RuntimeError("there is no loop")

    def nothing(self, *args: Any) -> None:
        """What ends, or comes back, does so without anybody's help."""

    shutdown = close = returned = flush = struck = nothing


@dataclass(slots=True)
class Rehearsal:
    """What became of a request.

    ``by``     who answered: "rules", "file", "other server", "application"; "refused" before all of them
    ``steps``  each rule's turn
    ``notes``  lines of the log, and what was not done
    ``status``, ``headers``, ``body``  the reply; that of an application is a supposed one, as rules and
                 options made it
    ``environ``  the request's variables as they were last
    ``supposed`` the status of the application's reply
    """

    by: str = ""
    steps: Trace = field(default_factory=Trace)
    notes: list[str] = field(default_factory=list)
    status: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    environ: Environ = field(default_factory=dict)
    supposed: int = 200


def request_of(line: str, headers: Iterable[str], variables: Iterable[str]) -> Request:
    """The request as the HTTP decoder reads it. ``line``: ``GET /x``, or with the version; ``headers``:
    ``Name: value``; ``variables``: ``NAME=value``, set over what it says. Raises ProtocolError."""
    lines = list(headers)
    if not any(text.lower().startswith("host:") for text in lines):
        lines.append("Host: localhost")
    words = line.split(" ")
    said = line if words[-1].startswith("HTTP/") else f"{line} HTTP/1.1"
    head = "".join(f"{text}\r\n" for text in (said, *lines, ""))
    base: Environ = {"SCRIPT_NAME": "", "SERVER_NAME": "localhost", "SERVER_PORT": "80"}
    base |= {"REMOTE_ADDR": "127.0.0.1", "wsgi.url_scheme": "http"}
    events = Http1Decoder(base).receive(head.encode("utf-8", "surrogateescape"))
    if not events or not isinstance(events[0], Request):
        raise ProtocolError(400, "it is no whole request")
    for text in variables:
        name, _, value = text.partition("=")
        events[0].vars[name] = value.encode("utf-8", "surrogateescape").decode("latin-1")
    events[0].vars["wsgi.input"] = NO_BODY
    return events[0]


def compiled(settings: Settings, notes: list[str]) -> tuple[Rules | None, Any]:
    """The rules of a configuration, and its files; neither where there is none. Raises StartError."""
    around = Around(warn=lambda key, text: notes.append(text), info=lambda text: notes.append(f"log: {text}"))
    mime = mime_of(settings, around)
    files = files_of(settings, around, mime)
    return (rules_of(settings, files, around, mime) if settings.rules else None), files


def rehearse(settings: Settings, request: Request, reply: int) -> Rehearsal:
    """Put a request through files and rules, and through an application that answers ``reply`` without a
    body. Raises StartError for rules that are wrong."""
    played = Rehearsal(environ=request.vars, supposed=reply)
    rules, files = compiled(settings, played.notes)
    rules = rules or Rules()
    for table in (rules.requests, rules.responses, rules.errors, rules.finals):
        if table is not None:
            tame(table, played)
    paper = Paper()
    outbox = paper.outbox()
    extra = fields([halves(text) for text in settings.add_header])
    manner = Manner(extra, lambda key, text: played.notes.append(text))
    exchange = Exchange(request, outbox, None, monotonic())
    outbox.lend(exchange, False)
    call = FinishedCall(exchange, manner, finish_of(settings, rules, played))
    act(settings, rules, files, call, played)
    rules.final(call, played.steps)
    read(bytes(paper.kept), played)
    return played


def act(settings: Settings, rules: Rules, files: Any, call: FinishedCall, played: Rehearsal) -> None:
    """The request's way, as ``serve/answer`` has it."""
    environ = call.environ
    split_off(settings, environ)
    site = Site(files=files if asks_for_files(settings) else None, rules=rules if settings.rules else None)
    entry = site.entry(environ)
    if entry is not None:
        played.notes.append(f"PATH_INFO names the file {entry.path}")
    if rules.request(call, environ, played.steps) == BREAK:
        played.by = played.by or "rules"
    elif entry is not None and files.send(call, environ, entry):
        played.by = "file"
    else:
        played.by = "application"
        call.run(partial(application, played.supposed), environ)


def split_off(settings: Settings, environ: Environ) -> None:
    """The mount point, where ``manage-script-name`` takes it off the path before files and rules."""
    if not (settings.mount and settings.manage_script_name):
        return
    points = {parse(text).point: supposed for text in settings.mount}
    Mounts(points, None, True, settings.vhost or settings.vhost_host).prepare(environ)


def supposed(environ: Environ, start_response: Any) -> list[bytes]:
    """What stands on a mount point; it is not asked."""
    return []


def application(status: int, environ: Environ, start_response: Any) -> list[bytes]:
    """The application that is supposed."""
    start_response(f"{status} {REASONS.get(status, 'Unknown')}", [])
    return []


def read(sent: bytes, played: Rehearsal) -> None:
    """Take the reply apart that was put on paper."""
    head, end, body = sent.partition(HEADERS_END)
    if not end or not head.startswith(b"HTTP/"):
        played.body = sent  # a rule has sent no head
        return
    lines = head.decode("latin-1").split("\r\n")
    played.status = lines[0].partition(" ")[2]
    played.headers = [halves(line) for line in lines[1:]]
    played.body = body


def halves(line: str) -> tuple[str, str]:
    """Name and value of a field."""
    name, _, value = line.partition(":")
    return name, value.strip()


def finish_of(settings: Settings, rules: Rules, played: Rehearsal) -> Finish:
    """What options and rules do to the reply, with the rules' steps noted."""
    finish = make_finish(settings, lambda key, text: played.notes.append(text)) or Finish()
    trace = played.steps
    return replace(
        finish,
        respond=lambda call: rules.respond(call, trace),
        erred=lambda call, code: rules.erred(call, code, trace),
    )


def tame(table: Table, played: Rehearsal) -> None:
    """Put something harmless in the place of actions that reach beyond the request."""
    for at, rule in enumerate(table.rules):
        if rule.kind == "label":
            continue
        if rule.name in PASSING and not (rule.name.endswith("uwsgi") and rule.argument.startswith(",")):
            table.acts[at] = passed(rule.name, table.tools.template(rule.argument), played)
        elif rule.name in REACHING or rule.name.startswith(CACHES):
            table.acts[at] = left(rule.name, played)


def passed(name: str, said: Callable[[Turn], str], played: Rehearsal) -> Callable[[Turn], int]:
    """In place of an action that asks another server."""

    def act(turn: Turn) -> int:
        played.by = "other server"
        played.notes.append(f"{name}: the request would be passed to {said(turn)}")
        return turn.reply("200 OK", [], b"")

    return act


def left(name: str, played: Rehearsal) -> Callable[[Turn], int]:
    """In place of an action that is not for a rehearsal."""

    def act(turn: Turn) -> int:
        played.notes.append(f"{name}: is not done here")
        return NEXT

    return act
