"""The application on one thread, armed while its code runs, so that a deadline can end it there alone.

Used by pool threads, and only where deadlines are configured. Around the call, each ``next()`` and
``close()`` the thread is armed (see ``Aim``); all that the application calls of ours disarms on entry and
arms again on leaving. It does not know what a deadline is measured from, nor who answers then.
"""

import io
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from penstock.handoff.deadline import Aim
from penstock.handoff.exchange import Exchange
from penstock.serve.wsgi.call import SEQUENCE, Application, Environ, StartResponse, Write
from penstock.serve.wsgi.filewrapper import FileWrapper
from penstock.serve.wsgi.input import BodyInput

WHOLE = (*SEQUENCE, bytes)


class Armed:
    """A WSGI application around ``application``, for the one thread whose aim is ``aim``."""

    def __init__(self, application: Application, aim: Aim) -> None:
        self.application = application
        self.aim = aim
        self.errors: Errors | None = None

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        aim = self.aim
        self.dress(environ)
        start = Start(aim, start_response)
        aim.arm()
        try:
            result = self.application(environ, start)
        finally:
            aim.disarm()
        return result if needs_no_code(result) else Blocks(result, aim)

    def dress(self, environ: Environ) -> None:
        """What the environ offers of ours; files and bytes are the interpreter's own."""
        aim = self.aim
        # Without the call in it: environ and call would be a cycle, garbage with each request.
        environ["penstock.disconnected"] = partial(aim.away, environ["penstock.disconnected"])
        errors = self.errors
        if errors is None or errors.stream is not environ["wsgi.errors"]:
            errors = self.errors = Errors(environ["wsgi.errors"], aim)
        environ["wsgi.errors"] = errors
        if type(environ["wsgi.input"]) is BodyInput:
            environ["wsgi.input"] = Input(environ["wsgi.input"], aim)
        if "wsgi.early_hints" in environ:
            environ["wsgi.early_hints"] = partial(aim.away, interim, environ["wsgi.early_hints"], aim.x)


def needs_no_code(result: object) -> bool:
    """Whether a result is sent without running code of the application's."""
    if isinstance(result, WHOLE):
        return True
    return isinstance(result, FileWrapper) and result.regular() is not None


def interim(say: Callable[..., None], x: Exchange, *words: Any) -> None:
    """Have an interim reply sent; where it is out whole, nothing of the reply itself is begun by it, and the
    loop may still answer in its place."""
    before = x.begun
    say(*words)
    if not before:
        x.begun = bool(x.outbox.left)


class Start:
    """``start_response`` for one request, and the ``write`` that it gives."""

    __slots__ = ("aim", "say", "writes")

    def __init__(self, aim: Aim, say: StartResponse) -> None:
        self.aim = aim
        self.say = say
        self.writes: Write | None = None

    def __call__(self, status: Any, headers: Any, exc_info: Any = None, /) -> Write:
        aim = self.aim
        armed = aim.enter()
        try:
            self.writes = self.say(status, headers, exc_info)
        finally:
            exc_info = None  # no cycle through this frame
            if armed:
                aim.arm()
        return self.write

    def write(self, data: bytes) -> None:
        """PEP 3333's write()."""
        if self.writes is not None:
            self.aim.away(self.writes, data)


class Blocks:
    """A result that is iterated: its code runs armed."""

    def __init__(self, result: Iterable[bytes], aim: Aim) -> None:
        self.result = result
        self.aim = aim

    def __iter__(self) -> Iterator[bytes]:
        aim = self.aim
        blocks: Iterator[bytes] | None = None
        while True:
            aim.arm()
            try:
                if blocks is None:
                    blocks = iter(self.result)
                data = next(blocks)
            except StopIteration:
                return
            finally:
                aim.disarm()
            yield data

    def close(self) -> None:
        """The result's own, if it has one."""
        close = getattr(self.result, "close", None)
        if close is not None:
            self.aim.arm()
            try:
                close()
            finally:
                self.aim.disarm()


class Errors(io.TextIOBase):
    """``wsgi.errors``."""

    def __init__(self, stream: Any, aim: Aim) -> None:
        self.stream = stream
        self.aim = aim

    def write(self, text: str, /) -> int:
        """Write text as it is."""
        count: int = self.aim.away(self.stream.write, text)
        return count

    def writable(self) -> bool:
        """True."""
        return True

    def flush(self) -> None:
        """What the stream makes of it."""
        self.aim.away(self.stream.flush)


class Input(io.RawIOBase):
    """``wsgi.input`` over a body that streams (see ``BodyInput``)."""

    def __init__(self, body: BodyInput, aim: Aim) -> None:
        self.body = body
        self.aim = aim
        if body.begin is not None:
            body.begin = partial(interim, body.begin, aim.x)

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # the stubs' Buffer is 3.12's
        """Fill ``buffer`` with what is there, waiting only for the first byte."""
        count: int = self.aim.away(self.body.readinto, buffer)
        return count

    def read(self, size: int | None = -1) -> bytes:
        """``size`` bytes, fewer only at the end of the body."""
        data: bytes = self.aim.away(self.body.read, size)
        return data

    def readall(self) -> bytes:
        """All that is still to come."""
        data: bytes = self.aim.away(self.body.readall)
        return data

    def readline(self, size: int | None = -1) -> bytes:
        """A line with its LF; at most ``size`` bytes when it is not negative."""
        data: bytes = self.aim.away(self.body.readline, size)
        return data
