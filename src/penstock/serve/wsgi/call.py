"""One call of a WSGI application: start_response, write, the iterable, close (PEP 3333).

Runs on pool threads; one ``Call`` a request. Everything the application can do wrong is that request's
500 and a log line, nothing more.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

from penstock.codecs.http1_reply import Said, fields
from penstock.serve.send import Reply
from penstock.serve.wsgi.filewrapper import FileWrapper

Environ = dict[str, Any]
Write = Callable[[bytes], None]
StartResponse = Callable[..., Write]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]
Result = Iterable[object] | bytes

SEQUENCE: Final = (list, tuple)
EARLY_HINTS = b"HTTP/1.1 103 Early Hints\r\n%b\r\n"


class Call(Reply):
    """A reply that a WSGI application makes."""

    __slots__ = ()

    def start_response(self, status: Said, headers: Said, exc_info: Said = None, /) -> Write:
        """PEP 3333's callable. The head waits for the first non-empty block.

        Raises BadReply for a status or headers that cannot be sent, RuntimeError for a second call
        without ``exc_info``, and ``exc_info`` again when the head is out already.
        """
        if exc_info is not None:
            try:
                if self.sent_head:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None  # no cycle through this frame
        elif self.started:
            raise RuntimeError("start_response was called again without exc_info (PEP 3333)")
        self.begin(status, headers)
        self.started = True
        return self.write

    def write(self, data: object) -> None:
        """PEP 3333's write(): the block is with the kernel, or buffered behind it, when this returns."""
        if not isinstance(data, bytes):
            raise TypeError(f"write() takes bytes, not {type(data).__name__}")
        if not self.started:
            raise RuntimeError("write() before start_response (PEP 3333)")
        self.block(data)

    def run(self, application: Application, environ: Environ) -> None:
        """Call the application and send what it gives; raises whatever it raises."""
        result: Result = application(environ, self.start_response)
        try:
            self.send_result(result)
        finally:
            if type(result) is not list:  # which has none: to find that out is dear where this is compiled
                close = getattr(result, "close", None)
                if close is not None:
                    close()

    def send_result(self, result: Result) -> None:
        """Send what an application returned."""
        if isinstance(result, SEQUENCE):
            self.send_sequence(result)
        elif isinstance(result, bytes):
            # Iterating bytes gives numbers. uWSGI sends them whole, and applications rely on it.
            self.manner.warn(
                "bytes result", "the application returned bytes instead of an iterable of bytes; sent whole"
            )
            self.send_sequence((result,))
        elif not (isinstance(result, FileWrapper) and self.send_file(result)):
            for data in result:
                self.switches += 1
                if data or not isinstance(data, bytes):
                    self.send_block(data)
            self.end_checked()

    def send_file(self, wrapper: FileWrapper) -> bool:
        """Send a wrapped real file by sendfile; False when it must be iterated instead."""
        regular = wrapper.regular() if self.started and not self.sent_head else None
        if regular is None:
            return False
        self.file(*regular)
        if not self.finished:
            self.end_checked()
        self.check_length()
        return True

    def send_sequence(self, blocks: list[object] | tuple[object, ...]) -> None:
        """A list or tuple says how long it is, so its last block can end the reply in one system call."""
        count = len(blocks)
        if count == 1 and not self.sent_head:
            data = blocks[0]
            if not isinstance(data, bytes):
                raise TypeError(f"the application gave {type(data).__name__}, not bytes")
            if not self.started:
                raise RuntimeError("the application gave a body before start_response (PEP 3333)")
            self.switches = 1
            if not self.whole(data):
                self.too_short()
            self.check_length()
            return
        for data in blocks:
            self.switches += 1
            self.send_block(data)
        self.end_checked()

    def send_block(self, data: object) -> None:
        if not isinstance(data, bytes):
            raise TypeError(f"the application gave {type(data).__name__}, not bytes")
        if not self.started:
            raise RuntimeError("the application gave a body before start_response (PEP 3333)")
        self.block(data)

    def end_checked(self) -> None:
        """The iterable is exhausted."""
        if not self.started:
            raise RuntimeError("the application never called start_response (PEP 3333)")
        if not self.end():
            self.too_short()
        self.check_length()

    def too_short(self) -> None:
        self.manner.warn(
            "",
            f"{self.line()}: the body ended {self.remaining} bytes before its Content-Length; "
            "the connection was closed so that the client knows",
        )

    def check_length(self) -> None:
        if self.overrun:
            self.manner.warn(
                "",
                f"{self.line()}: the body was {self.overrun} bytes longer than its Content-Length; "
                "they were not sent",
            )
            self.overrun = 0

    def line(self) -> str:
        """The request line, for the log. Rules may have written it, from a path that was decoded."""
        variables = self.x.request.vars
        return visible(f"{variables.get('REQUEST_METHOD', '-')} {variables.get('REQUEST_URI', '-')}")

    def apologise(self, status: str) -> None:
        """Answer with ``status`` in place of the application, of whose reply nothing was sent."""
        self.begin(status, [("Content-Type", "text/plain; charset=utf-8")])
        self.whole(status[4:].encode("ascii") + b"\n")

    # ---- What the environ offers --------------------------------------------------------------------

    def send_continue(self) -> None:
        """100 Continue before the first read of the body, unless the reply is already on its way."""
        if not self.sent_head:
            self.outbox.put(self.x, b"HTTP/1.1 100 Continue\r\n\r\n")

    def early_hints(self, headers: Iterable[object]) -> None:
        """``environ['wsgi.early_hints'](headers)``: send 103 with them (RFC 8297), HTTP/1.1 only."""
        if not self.sent_head:
            self.outbox.put(self.x, EARLY_HINTS % fields(list(headers)).lines)


def visible(text: str) -> str:
    """``text`` as one line: whatever could begin another or speak to a terminal is spelled out."""
    if text.isprintable():
        return text
    return "".join([each if each.isprintable() else f"\\x{ord(each):02x}" for each in text])
