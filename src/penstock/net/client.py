"""Who is at the other end of a connection: whether it is served at all, and what it is believed.

Runs on the loop, and on the thread at the door for a connection that nobody else knows yet.
"""

from typing import Any

from penstock.core.request import Request
from penstock.handoff.sockets import Socket
from penstock.net.door import Door
from penstock.net.listener import Listener
from penstock.net.timed import Timed


class Client(Timed):
    """A peer on one listener; ``peer`` is its address, "" on a UNIX socket."""

    def __init__(self, door: Door, listener: Listener, sock: Socket, address: Any) -> None:
        self.peer = "" if listener.local else address[0]
        base = listener.base
        if listener.interim:  # a uwsgi packet brings its own: our peer is the front server
            base = base.copy()
            base["REMOTE_ADDR"] = self.peer
            if self.peer:
                base["REMOTE_PORT"] = str(address[1])
        super().__init__(door, listener, sock, listener.decoder.anew(base))
        self.trusted = self.peer in listener.forwarding.peers

    @property
    def who(self) -> str:
        """The peer, for the log."""
        return f"{self.listener.name}: {self.peer or 'unix:'}"

    @property
    def allowed(self) -> bool:
        """Whether it is served at all."""
        return self.listener.allow is None or self.peer in self.listener.allow

    def forward(self, request: Request) -> None:
        """Take scheme and address from a front server that is believed."""
        if self.trusted:
            if self.listener.interim or self.vouched(request):
                self.listener.forwarding.apply(request.vars)
            else:
                self.listener.forwarding.packed(request.vars)

    def vouched(self, request: Request) -> bool:
        """Whether the front server that packed this request had it from a trusted proxy itself: nginx's
        stock ``uwsgi_params`` hand on the client's own X-Forwarded-* headers as they came."""
        address = request.vars.get("REMOTE_ADDR")
        if address is None:
            return False
        if address.startswith("unix:"):
            address = address[5:]
        return address in self.listener.forwarding.peers
