"""Connections that speak TLS: how they are accepted, and what is different about them.

Runs on the loop, and nowhere else: a thread at the door takes none of these. All that is said between TLS and
the socket is ``handoff.tls``'s. Imported only where something listens for TLS.
"""

import ssl
from collections.abc import Sequence
from functools import partial
from time import monotonic
from typing import Any

from penstock.core.request import Request
from penstock.handoff.tls import TlsSocket, secured
from penstock.net.acceptor import Acceptor
from penstock.net.connection import LINGER_LONG, Connection
from penstock.net.door import Door
from penstock.net.life import Life
from penstock.net.listener import Listener

SOON = 0.02  # seconds after which a handshake is looked at again for which the socket had no room
SHORT = {
    "countryName": "C", "stateOrProvinceName": "ST", "localityName": "L", "organizationName": "O",
    "organizationalUnitName": "OU", "commonName": "CN", "surname": "SN", "givenName": "GN",
    "domainComponent": "DC", "userId": "UID",
}  # fmt: skip
"""Names in a certificate's subject by OpenSSL's short ones (those that are missing have none)."""


class TlsAcceptor(Acceptor):
    """Takes the connections of one listener that has a ``context``."""

    def __init__(self, door: Door, listener: Listener) -> None:
        super().__init__(door, listener)
        self.apology = partial(door.refusal, 400, "this port speaks https", None, False)

    def let_in(self, fd: int, address: Any) -> None:
        """Begin with a connection that was accepted."""
        listener, context = self.listener, self.listener.context
        assert context is not None
        plain = self.socket(fd)
        try:
            plain.setblocking(False)
            told = partial(self.tell, address)
            sock = secured(plain, context, told, self.apology)
        except OSError as error:
            plain.close()
            self.tell(address, f"a connection could not be opened: {error}")
            return
        try:
            TlsConnection(self.door, listener, sock, address).open()
        except OSError as error:
            sock.close()
            self.tell(address, f"a connection could not be opened: {error}")

    def tell(self, address: Any, text: str) -> None:
        """What is to be said of a client."""
        peer = "unix:" if self.listener.local else address[0]
        self.door.report(f"{self.listener.name}: {peer}: {text}")


class TlsConnection(Connection):
    """A client that speaks TLS. ``known``: what the environ has of its certificate, None before the first
    request."""

    def __init__(self, door: Door, listener: Listener, sock: TlsSocket, address: Any) -> None:
        super().__init__(door, listener, sock, address)
        self.tls = sock
        self.known: dict[str, str] | None = None

    def on_readable(self) -> None:
        """As ever; and no event of the loop's comes when there is room for the rest of our handshake."""
        super().on_readable()
        if self.tls.wants_write and not self.closed:
            self.tls.wants_write = False
            self.loop.call_later(SOON, self.read_more)

    def forward(self, request: Request) -> None:
        """Who the client is goes into the environ beside what is believed of a front server."""
        super().forward(request)
        if self.known is None:
            self.known = certified(self.tls, self.listener.export_cert)
        request.vars.update(self.known)

    def close(self) -> None:
        """As ever; one that was cut ends without a word."""
        if not (self.outbox.broken or self.outbox.left):
            self.tls.goodbye()
        super().close()

    def sent_last(self) -> None:
        """First the client is told by TLS, which may have to wait for room as everything else."""
        if self.life is Life.LINGERING or self.tls.goodbye():
            super().sent_last()
            return
        if self.life is Life.OPEN:
            self.move("last")
        if self.intake is not None:
            self.intake.fail("the request was answered before its body was complete")
            self.drop_body()
        self.linger_until = monotonic() + LINGER_LONG
        self.outbox.ended = True  # so that ``flush`` comes back here
        self.write_on()


def certified(sock: TlsSocket, export: bool) -> dict[str, str]:
    """uWSGI's variables of a client's certificate, its subject and, with ``export``, all of it; none where
    the client has shown none."""
    words, whole = sock.peer()
    if not words:
        return {}
    made = {"HTTPS_DN": one_line(words.get("subject", ()))}
    if export:
        made["HTTPS_CC"] = ssl.DER_cert_to_PEM_cert(whole)
    return made


def one_line(subject: Sequence[Sequence[Sequence[str]]]) -> str:
    """A subject as OpenSSL writes it: ``/C=IT/O=Example/CN=client``."""
    return "".join(f"/{SHORT.get(name, name)}={value}" for part in subject for name, value in part)
