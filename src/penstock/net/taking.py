"""How a connection takes in the bodies of its requests: at once, in memory, in a file, or as they come.

Runs on the loop. What becomes of a request that is ready, or refused, is the connection's to say.
"""

from time import monotonic

from penstock.core.request import Request
from penstock.handoff.exchange import Body
from penstock.net.body import Gathering, Leading, Streaming
from penstock.net.client import Client
from penstock.net.life import OPEN

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Taking(Client):
    """``unread``: the client sends, or sent, something of a body that nobody will read."""

    unread = False

    # ---- What a connection makes of it --------------------------------------------------------------

    def dispatch(self, request: Request, body: Body) -> None:
        """Give the request to the pool."""

    # ---- Heads and bodies ---------------------------------------------------------------------------

    def on_head(self, request: Request) -> None:
        """A head is complete: decide how its body is taken."""
        self.forward(request)
        self.request = request
        length = request.content_length
        if length == 0:
            return
        if not self.began_at:
            self.began_at = monotonic()
        intake = self.door.intake
        if length < 0 and not intake.chunked_stream:
            self.gather(request, max(intake.post_buffering, intake.gather))
        elif intake.post_buffering:
            self.gather(request, intake.post_buffering)
        elif length < 0 or request.expect:
            self.stream(request, [])
        else:
            self.gather(request, intake.gather)

    def stream(self, request: Request, pieces: list[bytes]) -> None:
        """Give the body to a thread as it comes; ``pieces`` came already."""
        self.intake = streaming = Streaming(self.door.doorway, self.resume)
        for piece in pieces:
            streaming.feed(piece)
        self.dispatch(request, streaming.inbox)
        if not streaming.waiting:
            self.read_off()

    def gather(self, request: Request, memory: int) -> None:
        """Take the body before a thread is: in memory, then in a temporary file; or only its beginning."""
        if request.content_length > memory and not self.door.intake.post_buffering:
            self.intake = Leading(memory)
        else:
            self.intake = Gathering(self.door.files, memory, self.door.intake.spool_dir, self.resume)
        self.watch_body()
        if request.expect and self.listener.interim:
            # After the checks of head and size, since nobody else will read (RFC 9110 §10.1.1).
            self.outbox.say(CONTINUE)
            if self.outbox.left:
                self.flush()
        self.read_on()

    def on_body(self, piece: bytes) -> None:
        intake = self.intake
        if intake is not None and not intake.feed(piece):
            if isinstance(intake, Leading) and self.request is not None:
                self.stream(self.request, intake.pieces)
            else:
                self.read_off()

    def resume(self) -> None:
        """There is room again for the body (called on the loop)."""
        if self.life is not OPEN or self.closed or self.intake is None:
            return
        if isinstance(self.intake, Gathering) and self.intake.settled:
            self.gathered()
        else:
            self.read_on()

    def body_complete(self) -> None:
        """All of the request is here."""
        intake = self.intake
        if isinstance(intake, Streaming):
            intake.finish()
            self.intake = self.pace = None
        elif isinstance(intake, Gathering):
            if intake.finish():
                self.gathered()
        elif self.request is not None:
            self.dispatch(self.request, None)

    def gathered(self) -> None:
        """A gathered body is complete and in its place."""
        request, intake = self.request, self.intake
        if request is None or not isinstance(intake, Gathering):
            return
        if intake.error:
            self.door.report(f"{self.who}: an upload could not be stored: {intake.error}")
            self.refuse(507, "the upload could not be stored", request)
            return
        body = intake.body()
        if request.content_length < 0:
            # RFC 9112 §7.1.3: once the coding is removed the message has a length and no coding, and
            # applications that trust CONTENT_LENGTH see the upload.
            request.vars["CONTENT_LENGTH"] = str(intake.total)
            request.vars.pop("HTTP_TRANSFER_ENCODING", None)
        self.intake = self.pace = None
        self.dispatch(request, body)

    def drop_body(self) -> None:
        """What is still to come of the body is nobody's."""
        self.unread = self.unread or self.intake is not None
        self.intake = self.pace = None
