"""One connection on a FakeLoop and a FakeSocket, with everything real between them."""

import socket
from time import monotonic
from typing import Any

from penstock.codecs.http1 import Http1Decoder
from penstock.codecs.uwsgi import UwsgiDecoder
from penstock.handoff.doorway import Doorway, Marks
from penstock.handoff.exchange import Exchange
from penstock.handoff.lease import CLOSE, KEEP
from penstock.handoff.pool import Pool
from penstock.net.connection import Connection
from penstock.net.door import Door, Intake, Patience
from penstock.net.listener import Listener
from penstock.net.trust import Forwarding, Peers
from penstock.serve.refusal import refusal
from tests.fakes import FakeLoop, FakeSocket

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def request(target: str = "/", *lines: str, body: bytes = b"") -> bytes:
    """One HTTP/1.1 request."""
    head = "\r\n".join([f"{'POST' if body else 'GET'} {target} HTTP/1.1", "Host: x", *lines])
    return f"{head}\r\n\r\n".encode() + body


class Case:
    """A door with one connection that was just accepted."""

    def __init__(
        self,
        *first: bytes,
        patience: Patience | None = None,
        intake: Intake | None = None,
        queue: int = 10,
        protocol: str = "http",
        allow: Peers | None = None,
    ) -> None:
        self.loop = FakeLoop()
        self.reports: list[str] = []
        doorway = Doorway(self.loop(), Marks(reply_buffer=1000, reply_spool=0))
        self.pool = Pool(self.loop(), doorway, threads=0, queue=queue)
        self.door = Door(self.loop(), doorway, self.pool, patience or Patience(), intake or Intake())
        self.door.refusal = refusal
        self.door.report = self.reports.append
        self.sock = FakeSocket()
        self.sock.incoming += first
        decoder: Any = UwsgiDecoder if protocol == "uwsgi" else Http1Decoder
        listener = Listener(
            FakeSocket()(), protocol, decoder({}), {}, Forwarding(Peers(["127.0.0.1"])), allow=allow
        )
        self.connection = Connection(self.door, listener, self.sock(), ("127.0.0.1", 4000))
        self.connection.open()

    # ---- The client -------------------------------------------------------------------------------

    def says(self, *pieces: bytes | OSError) -> None:
        """Bytes, an error, or b"" for the end arrive; the loop tells of them while it is asked to."""
        self.sock.incoming += pieces
        while self.sock.incoming and self.connection.reading:
            before = list(self.sock.incoming)
            self.loop.readers[self.sock]()
            if self.sock.incoming == before and isinstance(before[0], OSError):
                break  # an error stays on the socket
        self.turns()

    @property
    def heard(self) -> bytes:
        """What the client received."""
        return bytes(self.sock.sent)

    @property
    def shut(self) -> bool:
        """Whether our side of the stream was ended."""
        return f"shutdown {socket.SHUT_WR}" in self.sock.calls or "close" in self.sock.calls

    @property
    def closed(self) -> bool:
        return "close" in self.sock.calls

    # ---- The worker -------------------------------------------------------------------------------

    def turns(self) -> None:
        """Let the loop do all it was asked to."""
        while self.loop.turn():
            pass

    def taken(self) -> Exchange:
        """What a thread would take from the queue now."""
        x = self.pool.work.popleft()
        assert x is not None
        return x

    def answer(self, data: bytes = OK, close: bool = False) -> None:
        """A thread takes the next request and answers it."""
        x = self.taken()
        x.outbox.put(x, data, CLOSE if close else KEEP)
        self.turns()

    def later(self, seconds: float) -> None:
        """The tick, so much later than now."""
        now = monotonic() + seconds
        self.door.strike_gone()
        self.door.hasten(now)
        self.door.buckets.tick(now)
        self.turns()
