"""A reply that rules and options have a say in: its head is settled once, its body passes transformations.

Runs on pool threads, one ``FinishedCall`` a request, made instead of a ``Call`` where anything asks for it.
What rules there are and what they do it does not know: it asks them, and sees to the framing afterwards.
"""

import errno
import os
from collections.abc import Iterable

from penstock.codecs import http1_reply
from penstock.codecs.http1_reply import BODILESS, BadReply, Said
from penstock.handoff.exchange import Exchange
from penstock.serve.finish.compression import Compressing
from penstock.serve.finish.finish import HTML, Dress, Finish
from penstock.serve.finish.touches import Touches, Transformation
from penstock.serve.send import NONE, UNTIL_CLOSE, Manner
from penstock.serve.wsgi.call import Call, Environ
from penstock.serve.wsgi.mounts import OWN_PAGE

BLOCK = 64 << 10  # bytes of a file that are read at once where sendfile cannot be
LENGTH_FIELD = "content-length"

Pair = tuple[str, str]


class FinishedCall(Call):
    """A ``Call`` with touches.

    ``environ``   the request's variables
    ``touches``   what its reply is to have
    ``pairs``     the reply's header fields as they stand; may be edited until the head is made
    ``declared``  while transformations start: how long the body before them is; -1 where that is not known
    ``sized``     whether there is a Content-Length, while transformations start
    ``deaf``      another reply went out in place of this one: what still comes is dropped without a word
    """

    __slots__ = (
        "active",
        "changed",
        "deaf",
        "declared",
        "environ",
        "erring",
        "finish",
        "known",
        "mark",
        "owed",
        "pairs",
        "responding",
        "settled",
        "sized",
        "touches",
    )

    def __init__(self, x: Exchange, manner: Manner, finish: Finish) -> None:
        super().__init__(x, manner)
        self.finish = finish
        self.environ: Environ = x.request.vars
        self.touches = Touches()
        self.pairs: list[Pair] = []
        self.declared = -1
        self.sized = False
        self.known = -1  # the length of the body that is to be sent, where all of it is there
        self.owed = -1  # bytes that are still to come of a declared length, before the transformations
        self.active: list[Transformation] = []
        self.changed = False  # one was active: the reply's length is not the application's
        self.settled = self.deaf = self.responding = self.erring = False
        self.mark = (0, 0)

    @property
    def status_code(self) -> int:
        """The reply's status as it stands; 0 before there is one."""
        return self.code

    def begin(self, status: Said, headers: Said) -> None:
        """Set status and headers, in place of those that were set, unless a head is out already."""
        if self.sent_head:
            http1_reply.fields(headers)
            http1_reply.status_line(status)
            # Rules have replied and gone on: what the client has is what is logged.
            self.deaf = self.deaf or self.finished
            return
        super().begin(status, headers)
        self.pairs = list(headers)
        if self.active:
            self.let_go()
        if self.settled and not (self.responding or self.erring):
            added, transformations = self.mark
            del self.touches.added[added:]
            del self.touches.transformations[transformations:]
        self.settled = self.deaf = self.changed = False
        self.owed = self.known = -1

    def page(self, code: int) -> None:
        """Reply with the server's own page for ``code``: its file, else a line of text, unless error rules
        have another reply. Cuts a reply whose head is out."""
        if self.finished:
            return
        if self.sent_head:
            self.fail()
            return
        self.reply(str(code), *self.finish.page(code))

    def reply(self, status: str, kind: str, body: bytes) -> None:
        """Reply in the application's place."""
        self.started = False  # it is not the application's any more, if it was
        self.begin(status, [("Content-Type", kind)])
        self.whole(body)

    def apologise(self, status: str) -> None:
        """As ``Call.apologise``, with the file that is the server's page where there is one."""
        kind, body = self.finish.page(int(status[:3]))
        if kind == HTML:
            self.reply(status, kind, body)
        else:
            super().apologise(status)

    # ---- Head -------------------------------------------------------------------------------------

    def settle(self) -> bool:
        """Ask rules and options, once, before the head is made; False when another reply went out."""
        if self.settled:
            return not self.deaf
        self.settled = True
        self.mark = (len(self.touches.added), len(self.touches.transformations))
        if self.fields is None or self.sent_head:
            return True
        if self.started and self.environ.pop(OWN_PAGE, False):
            self.page(self.code)
            self.deaf = True
            return False
        dress = self.dress()
        if dress is not None:
            self.put_on(self.fields, dress)
            return True
        if self.judged():
            self.deaf = True
            return False
        page = self.finish.instead(self)
        if page is not None:
            self.known = len(page)
        if self.answered():
            self.deaf = True
            return False
        self.edit()
        self.start()
        self.fields = self.sound()
        if page is None:
            return True
        self.send_whole(page)
        self.deaf = True
        return False

    def dress(self) -> Dress | None:
        """What is done to the head, where all with the same fields get the same; None where they do not."""
        finish, touches = self.finish, self.touches
        if not finish.calm or touches.removed or touches.transformations or touches.headers_off:
            return None
        secure = bool(finish.secured_https) and self.environ.get("wsgi.url_scheme") == "https"
        return (finish.token, secure, *touches.added)

    def put_on(self, fields: http1_reply.Fields, dress: Dress) -> None:
        """Settle the head as one with the same ``fields`` was before."""
        sent = self.finish.before(fields, dress)
        if sent is None:
            self.finish.edit(self)
            self.edit()
            sent = self.finish.remember(fields, dress, self.sound())
        self.fields = sent

    def judged(self) -> bool:
        """Ask the error rules; True when they have replied. uWSGI asks them about every reply, whatever its
        status and whoever makes it, but those that they make themselves."""
        if self.finish.erred is None or self.erring:
            return False
        self.erring = True  # and it stays so when they raise: the apology must not meet them again
        if not self.finish.erred(self, self.code) and not self.sent_head:
            self.erring = False
            return False
        if not self.finished:
            self.end() if self.sent_head else self.fail()
        return True

    def answered(self) -> bool:
        """Ask the response rules; True when they have replied."""
        finish = self.finish
        finish.edit(self)
        if finish.respond is None or self.responding:
            return False
        self.responding = True  # as above
        finish.respond(self)
        self.responding = False
        if self.sent_head:
            self.end()  # where they have left that to us
        return self.sent_head

    def edit(self) -> None:
        """What rules and options have said of the head."""
        touches = self.touches
        self.settled = True  # rules may have begun another reply, which is to be sent now
        if touches.removed:
            self.remove(touches.removed)
        self.finish.secure(self)
        self.pairs += [pair for pair in touches.added if self.sendable(pair)]

    def remove(self, names: Iterable[str]) -> None:
        """Take the fields with these lower-case names out of the head."""
        self.pairs[:] = [pair for pair in self.pairs if pair[0].lower() not in names]

    def start(self) -> None:
        """Start the transformations that are for this reply; what is said before the body passes all."""
        compression = self.finish.compression
        wanted = sorted(self.touches.transformations, key=lambda each: not getattr(each, "first", False))
        if self.code in BODILESS:
            if compression is not None:
                compression.revalidated(self)
            return
        if compression is not None:
            wanted.append(Compressing(compression))
        for each in wanted:
            length = self.take_length()
            self.sized = length >= 0
            self.declared = length if length >= 0 or self.active else self.known
            if each.start(self):
                if not self.active:
                    self.owed = self.declared
                self.active.append(each)
            elif length >= 0:
                self.pairs.append(("Content-Length", str(length)))
        self.changed = bool(self.active)
        if self.changed and self.x.request.is_head:
            self.active = []

    def take_length(self) -> int:
        """Take Content-Length out of the pairs; -1 without one that is a number."""
        for index, (name, value) in enumerate(self.pairs):
            if name.lower() == LENGTH_FIELD and value.strip().isdecimal():
                del self.pairs[index]
                return int(value)
        return -1

    def sound(self) -> http1_reply.Fields:
        """The pairs as checked lines; what rules made that cannot be sent is left out, with a warning."""
        if self.code == 204:
            self.remove((LENGTH_FIELD,))
        try:
            return http1_reply.fields(self.pairs)
        except BadReply:
            kept: list[Pair] = []
            lengths = 0
            for pair in self.pairs:
                if self.sendable(pair):
                    lengths += pair[0].lower() == LENGTH_FIELD
                    if lengths < 2 or pair[0].lower() != LENGTH_FIELD:
                        kept.append(pair)
            self.pairs = kept
            return http1_reply.fields(kept)

    def sendable(self, pair: Pair) -> bool:
        """Whether a field that a rule made can be sent: no CR or LF out of a request gets into a head."""
        try:
            http1_reply.fields([pair])
        except BadReply as error:
            self.manner.warn(f"header {pair[0]!r}", f"{self.line()}: a rule's header is not sent: {error}")
            return False
        return True

    def head(self, whole: int) -> bytes:
        """As ``Reply.head``; b"" where headers are off: the body is all that is sent."""
        if self.touches.headers_off:
            self.framing = UNTIL_CLOSE
            self.close = self.sent_head = True
            return b""
        # The length of an untouched body says nothing of the one that a GET would bring.
        return super().head(-1 if self.changed and self.x.request.is_head else whole)

    def ordinary(self, body: bytes) -> bytes:
        """As ``Reply.ordinary``."""
        return b"" if self.touches.headers_off else super().ordinary(body)

    def knows(self, length: int) -> None:
        """All of the body is there and so long; of a HEAD's, which may be left out, only when it is not."""
        if not self.settled:
            self.known = length or (-1 if self.x.request.is_head else 0)

    # ---- Body -------------------------------------------------------------------------------------

    def whole(self, body: bytes) -> bool:
        """As ``Reply.whole``."""
        self.knows(len(body))
        return self.send_whole(body) if self.settle() else True

    def send_whole(self, body: bytes) -> bool:
        """The same, behind a settled head."""
        if not self.active:
            return super().whole(body)
        body = self.within_owed(body)
        if self.owed <= 0:
            return self.give(body, True)
        if body:
            self.give(body, False)
        return self.cut_short()

    def block(self, data: bytes, last: bool = False) -> None:
        """As ``Reply.block``."""
        if not data:
            return
        if last:
            self.knows(len(data))
        if not self.settle():
            return
        if self.finished:
            if self.framing is not NONE:
                self.overrun += len(data)
        elif not self.active:
            super().block(data, last)
        else:
            data = self.within_owed(data)
            self.give(data, self.owed == 0 or (last and self.owed < 0))

    def within_owed(self, data: bytes) -> bytes:
        """No more of a block than the application declared."""
        if self.owed >= 0:
            if self.owed < len(data):
                self.overrun += len(data) - self.owed
                data = data[: self.owed]
            self.owed -= len(data)
        return data

    def give(self, data: bytes, last: bool) -> bool:
        """Send what the transformations make of a block; False when it is less than they declared."""
        for each in self.active:
            if data:
                data = each.feed(data)
            if last:
                data += each.finish()
            elif isinstance(each, Compressing):
                data += each.flush()
        if last:
            self.active = []
            if not self.sent_head:
                return super().whole(data)
        if data:
            self.block_after(b"" if self.sent_head else self.head(-1), data, last)
        return super().end() if last else True

    def cut_short(self) -> bool:
        """The body ended before its declared length; what the client has of it must not look complete."""
        if not self.sent_head:
            super().flush_head()
        self.remaining = self.owed
        self.fail()
        return False

    def flush_head(self) -> None:
        """As ``Reply.flush_head``."""
        if self.settle():
            super().flush_head()

    def end(self) -> bool:
        """As ``Reply.end``."""
        if not self.finished:
            self.knows(0)
            self.settle()
        if self.finished or not self.active:
            return super().end()
        return self.cut_short() if self.owed > 0 else self.give(b"", True)

    def fail(self) -> None:
        """As ``Reply.fail``."""
        self.let_go()
        super().fail()

    def let_go(self) -> None:
        """No more of this body."""
        active, self.active = self.active, []
        for each in active:
            each.failed()

    def file(self, fd: int, offset: int, count: int) -> None:
        """As ``Reply.file``; read in blocks where the body is transformed."""
        self.knows(count)
        if not self.settle():
            return
        if not self.active:
            super().file(fd, offset, count)
            return
        short = self.owed > count
        if 0 <= self.owed < count:
            self.overrun, count = count - self.owed, self.owed
        while count:
            data = os.pread(fd, min(BLOCK, count), offset)
            if not data:
                raise OSError(errno.EIO, "the file became shorter while it was sent")
            offset += len(data)
            count -= len(data)
            self.block(data, last=not count)
        if not (short or self.finished):
            self.end()
