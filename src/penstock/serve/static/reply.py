"""The reply to GET or HEAD for a file that was found: what is said of it, how much of it goes out.

Runs on pool threads; what the options say was decided at boot. A small file that is asked for in the usual
way goes out as it did before within the same second: one look at the entry and one send. How a file is
found and opened it does not know.

Where uWSGI sends fields, they are uWSGI's, in its order. Beyond them there are ETag and every condition of
RFC 9110 §13, Vary where a file has twins, several ranges, and a 304 that says what §15.4.5 wants.
"""

import os
import re
from collections.abc import Callable
from math import inf
from time import monotonic, time
from typing import Any, NamedTuple

from penstock.config.settings import Settings
from penstock.config.site.files import mode
from penstock.core.errors import Disconnected
from penstock.handoff.lease import KEEP
from penstock.serve.send import LENGTH, date_line
from penstock.serve.static.conditional import FAILED, GO_ON, NOT_MODIFIED, judge, ranges_apply, unmodified
from penstock.serve.static.entry import Entry
from penstock.serve.static.expires import IMMUTABLE, Compile, Delay, Expiry
from penstock.serve.static.heads import Heads, Kept, Ready, Saying, sayable
from penstock.serve.static.mime import make_table, type_of
from penstock.serve.static.ranges import Parts, Span, Unsatisfiable, content_range, spans_of
from penstock.serve.static.sending import send_parts, send_span
from penstock.serve.static.twins import SUFFIXES, Choice, codings_of, make_choice
from penstock.serve.wsgi.call import Call, Environ

Twin = Callable[[Entry, str], Entry | None]
Warn = Callable[[str, str], None]

CONDITIONS = ("HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_IF_MATCH", "HTTP_IF_UNMODIFIED_SINCE")
PECULIAR = (*CONDITIONS, "HTTP_RANGE")
LOOK = 0.05  # seconds for which it is remembered which twins a file has


class Forms(NamedTuple):
    """What is kept with an entry: the file itself, and its twins by coding, as found for the time being."""

    plain: Heads
    twins: dict[str, Heads]
    until: float


def plain_regex(text: str) -> re.Pattern[str]:
    """Python's own engine. Raises ValueError."""
    try:
        return re.compile(text, re.ASCII)
    except re.error as error:
        raise ValueError(f"{text!r} is no regular expression: {error}") from error


def no_twin(entry: Entry, suffix: str) -> Entry | None:
    """Nobody looks for twins."""
    return None


def make_mime(settings: Settings, warn: Warn) -> Callable[[str], str]:
    """The type of a file's name, "" for an unknown one (``mimefile``)."""
    table = make_table(settings.mimefile, warn)
    return lambda name: type_of(table, name)


def make_sender(
    settings: Settings,
    warn: Warn,
    twin: Twin = no_twin,
    regex: Compile = plain_regex,
    mime: Callable[[str], str] | None = None,
) -> "Sender":
    """What answers with files, as ``settings`` say.

    ``twin`` finds the file with a suffix behind the name of an entry's; ``regex`` compiles the options'
    regexes; ``mime`` is ``make_mime``'s where there is one already. Raises ValueError for a text of theirs
    that is none.
    """
    expiry = Expiry(settings, settings.static_immutable, regex)
    choice = make_choice(
        settings.static_gzip_all,
        settings.static_gzip_dir,
        settings.static_gzip_ext,
        settings.static_gzip,
        regex,
    )
    ways = Ways(settings.honour_range, not settings.disable_sendfile, mode(settings.file_serve_mode).header)
    return Sender(expiry, choice, ways, mime or make_mime(settings, warn), twin)


class Ways(NamedTuple):
    """``ranges``: Range is heeded; ``sendfile``: it is used; ``handed``: the header in which a front server
    is told what to send (``file-serve-mode``), "" where it is sent from here."""

    ranges: bool
    sendfile: bool
    handed: str


class Sender:
    """Answers with files; one per worker, shared by its threads. What it keeps is kept with the entries."""

    __slots__ = ("choice", "expiry", "mime", "twin", "ways")

    def __init__(
        self, expiry: Expiry, choice: Choice, ways: Ways, mime: Callable[[str], str], twin: Twin
    ) -> None:
        self.expiry = expiry
        self.choice = choice
        self.ways = ways
        self.mime = mime
        self.twin = twin

    def __call__(self, call: Call, environ: Environ, entry: Entry, /, **how: Any) -> None:
        """The whole reply. ``how``: see ``send_as``.

        Raises OSError (``Changed`` among them) before anything of it was begun where the file is not there
        any more as it was found, and Disconnected when the client is gone.
        """
        if how:
            self.send_as(call, entry, **how)
            return
        forms: Forms | None = entry.prepared
        if forms is None or forms.until < monotonic():
            forms = self.look(entry, forms)
        heads = forms.plain
        if forms.twins:
            heads = chosen(forms, environ)
        if heads.quick and environ.keys().isdisjoint(PECULIAR):
            x = call.x
            if x.request.ordinary and x.http and x.body is None and as_before(call, heads):
                return
        self.anew(call, environ, forms, heads)

    def anew(self, call: Call, environ: Environ, forms: Forms, heads: Heads) -> None:
        """A reply that is not as one before."""
        try:
            self.fully(call, environ, heads)
        except Disconnected:
            raise
        except OSError:
            if heads is forms.plain or call.fields is not None:
                raise
            self.fully(call, environ, forms.plain)  # the twin went away just now, the file did not

    # ---- What is kept with an entry -------------------------------------------------------------------

    def look(self, entry: Entry, before: Forms | None) -> Forms:
        """Make what is kept with ``entry``, from what was kept ``before`` where that still holds."""
        if not self.choice(entry.path):
            entry.prepared = forms = Forms(self.heads_of(entry, entry, "", False), {}, inf)
            return forms
        twins: dict[str, Heads] = {}
        for coding, suffix in SUFFIXES.items():
            found = self.twin(entry, suffix)
            if found is not None:
                known = before.twins.get(coding) if before is not None else None
                same = known is not None and known.entry is found
                twins[coding] = known if same and known else self.heads_of(found, entry, coding, True)
        varies = bool(twins)
        if before is not None and before.plain.saying.varies == varies:
            plain = before.plain
        else:
            plain = self.heads_of(entry, entry, "", varies)
        entry.prepared = forms = Forms(plain, twins, monotonic() + LOOK)
        return forms

    def heads_of(self, entry: Entry, original: Entry, coding: str, varies: bool) -> Heads:
        """The head of ``entry``, a form of ``original``."""
        kind = self.mime(original.name)
        keep = self.expiry.of_file(original.path, original.name, kind)
        if keep is None and entry is not original:
            keep = self.expiry.by_file(entry.path)  # uWSGI's regexes are shown the twin's name
        heads = Heads(entry, Saying(kind, coding, keep, varies, self.ways.ranges))
        heads.quick = not (self.expiry.by_request or self.ways.handed) and entry.small is not None
        return heads

    # ---- A reply that has something peculiar about it ---------------------------------------------------

    def fully(self, call: Call, environ: Environ, heads: Heads) -> None:
        """A reply by all the rules."""
        now = int(time())
        keep = self.keep(environ, heads)
        if self.ways.handed and sayable(heads.entry.path):
            self.hand_over(call, environ, heads, heads.kept(keep, now))
            return
        verdict = GO_ON
        if not environ.keys().isdisjoint(CONDITIONS):
            verdict = judge(environ, heads.etag, heads.entry.mtime)
        if verdict == NOT_MODIFIED:
            call.begin("304 Not Modified", [*heads.kept(keep, now).pairs, *heads.about()])
            call.whole(b"")
        elif verdict == FAILED:
            call.begin("412 Precondition Failed", [("Content-Type", "text/plain")])
            call.whole(b"Precondition Failed")
        elif self.ways.ranges and "HTTP_RANGE" in environ and not call.x.request.is_head:
            self.ranged(call, environ, heads, keep)
        else:
            self.all_of(call, heads, keep, now)

    def keep(self, environ: Environ, heads: Heads) -> Delay | str | None:
        """For how long this request's reply may be kept."""
        saying = heads.saying
        if not self.expiry.by_request or saying.keep is IMMUTABLE:
            return saying.keep
        path, uri = environ.get("PATH_INFO", ""), environ.get("REQUEST_URI", "")
        return self.expiry.of_request(heads.entry.path, saying.kind, path, uri)

    def all_of(self, call: Call, heads: Heads, keep: Delay | str | None, now: int) -> None:
        """The file as a whole, or its head alone."""
        entry = heads.entry
        alone = call.x.request.is_head or not entry.size
        fd = -1 if alone or entry.small is not None else entry.open()
        try:
            if type(call) is Call and keep is heads.saying.keep:
                call.code, call.status, call.fields = 200, b"200 OK", heads.fields(now)
            else:
                call.begin("200 OK", heads.pairs(heads.kept(keep, now), entry.size))
            if alone:
                call.whole(b"")
            else:
                send_span(call, entry, fd, (0, entry.size), self.ways.sendfile)
        finally:
            close(fd)

    def ranged(self, call: Call, environ: Environ, heads: Heads, keep: Delay | str | None) -> None:
        """What Range asks for, the whole file where it does not apply (RFC 9110 §14.2)."""
        entry, now = heads.entry, time()
        spans: list[Span] = []
        if ranges_apply(environ, heads.etag, entry.mtime, now):
            try:
                spans = spans_of(environ["HTTP_RANGE"], entry.size)
            except Unsatisfiable:
                call.begin(
                    "416 Requested Range Not Satisfiable", [("Content-Range", f"bytes */{entry.size}")]
                )
                call.whole(b"")
                return
        if not spans:
            self.all_of(call, heads, keep, int(now))
            return
        fd = -1 if entry.small is not None else entry.open()
        try:
            self.part_of(call, heads, spans, heads.kept(keep, int(now)), fd)
        finally:
            close(fd)

    def part_of(self, call: Call, heads: Heads, spans: list[Span], kept: Kept, fd: int) -> None:
        """One range, or several in one body."""
        entry = heads.entry
        if len(spans) == 1:
            start, stop = spans[0]
            said = content_range(spans[0], entry.size)
            call.begin("206 Partial Content", heads.pairs(kept, stop - start, span=said))
            send_span(call, entry, fd, spans[0], self.ways.sendfile)
            return
        parts = Parts(spans, entry.size, heads.saying.kind)
        call.begin("206 Partial Content", heads.pairs(kept, parts.length, kind=parts.content_type))
        send_parts(call, entry, fd, parts, self.ways.sendfile)

    def hand_over(self, call: Call, environ: Environ, heads: Heads, kept: Kept) -> None:
        """Tell the front server what to send. It does the ranges and the tags by its own idea of the file, so
        that If-Modified-Since alone is looked at, and only where no tag is asked for."""
        entry = heads.entry
        if "HTTP_IF_NONE_MATCH" not in environ and unmodified(environ, entry.mtime):
            call.begin("304 Not Modified", kept.pairs)
        else:
            call.begin("200 OK", heads.handed(kept, (self.ways.handed, entry.path)))
        call.whole(b"")

    def send_as(
        self, call: Call, entry: Entry, *, status: str = "200 OK", content_type: str = "text/html"
    ) -> None:
        """A file as the action ``file:`` sends it: with this status and this type and no conditions.

        Raises OSError before anything was begun where the file has changed, and Disconnected.
        """
        fd = -1 if entry.small is not None else entry.open()
        try:
            call.begin(status, [("Content-Length", str(entry.size)), ("Content-Type", content_type)])
            send_span(call, entry, fd, (0, entry.size), self.ways.sendfile)
        finally:
            close(fd)


def chosen(forms: Forms, environ: Environ) -> Heads:
    """The form of a file that the client likes best."""
    for coding in codings_of(environ.get("HTTP_ACCEPT_ENCODING")):
        heads = forms.twins.get(coding)
        if heads is not None:
            return heads
    return forms.plain


def as_before(call: Call, heads: Heads) -> bool:
    """An ordinary reply with a small file: the bytes that went out last, while their Date holds. False, and
    nothing was done, where something is done to this reply that is not done to all, or its connection is to
    end."""
    dress: object = None
    if type(call) is not Call:
        touched: Any = call  # a FinishedCall, or one that has no say in it
        dress = touched.dress() if hasattr(call, "dress") else None
        if dress is None:
            return False
    if call.manner.own is not None or call.x.outbox.doorway.draining:
        return False
    date, extra = date_line(), call.manner.extra
    ready = heads.ready
    if ready is None or ready.date is not date or ready.dress != dress or ready.extra is not extra:
        ready = dressed(call, heads, dress, date)
        if ready is None:
            return False
    call.code = 200
    call.fields = ready.fields
    call.sent_head = call.finished = True
    call.framing = LENGTH
    call.head_size = ready.head_size
    call.body_sent = heads.entry.size
    call.outbox.put(call.x, ready.data, KEEP)
    return True


def dressed(call: Call, heads: Heads, dress: object, date: bytes) -> Ready | None:
    """The reply as ``call`` would send it; None where the connection would end with it."""
    now = int(time())
    fields = heads.fields(now)
    if dress is not None:
        touched: Any = call
        touched.begin("200 OK", heads.pairs(heads.kept(heads.saying.keep, now), heads.entry.size))
        touched.settle()
        fields = touched.fields
    extra = call.manner.extra
    return None if fields.close or extra.close else heads.make_ready(date, dress, fields, extra)


def close(fd: int) -> None:
    """Close a descriptor, if it is one."""
    if fd >= 0:
        os.close(fd)
