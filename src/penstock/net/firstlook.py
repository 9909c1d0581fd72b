"""The first look at a connection by the thread at the door: its request, if the first read has all of it.

Runs on a pool thread, which alone knows the connection until then. Everything that is not whole at once,
not allowed, or not a request goes to the loop as if it had been accepted there.
"""

import select
from time import monotonic

from penstock.codecs.decoder import END
from penstock.core.errors import ProtocolError
from penstock.core.request import Request
from penstock.handoff.exchange import Exchange
from penstock.handoff.sockets import NOW
from penstock.net.connection import RECEIVE, Connection

MOMENT = 1  # millisecond that a first word is waited for: a thread at the door is awake at the handshake


def first_request(connection: Connection, wait: bool = False) -> Exchange | None:
    """The exchange, whose lease the thread has; None when the loop has the connection. ``wait``: a moment."""
    data = b""
    if connection.allowed:
        try:
            data = connection.sock.recv(RECEIVE, NOW)
        except BlockingIOError:
            data = soon(connection) if wait else b""
        except OSError:
            pass  # an end that the loop will find too
    x = whole(connection, data) if data else None
    if x is None:
        connection.door.doorway.bell.ring(connection.open, data)
    return x


def soon(connection: Connection) -> bytes:
    """What comes within a moment."""
    poll = select.poll()
    poll.register(connection.sock.fileno(), select.POLLIN)
    try:
        return connection.sock.recv(RECEIVE, NOW) if poll.poll(MOMENT) else b""
    except OSError:
        return b""  # the loop will find it too


def whole(connection: Connection, data: bytes) -> Exchange | None:
    """The exchange of a request that ``data`` has all of."""
    decoder, listener = connection.decoder, connection.listener
    try:
        events = decoder.receive(data)
    except ProtocolError:
        events = []
    request = events[0] if events and events[-1] is END else None
    if not isinstance(request, Request) or not for_a_thread(request, connection):
        connection.decoder = decoder.anew(decoder.base)  # the loop begins with the same bytes
        return None
    body = b"".join(event for event in events if isinstance(event, bytes)) if len(events) > 2 else None
    connection.forward(request)
    outbox = connection.outbox
    x = Exchange(request, outbox, body, monotonic(), listener.interim)
    connection.away = True
    # What ``lend`` does, without the lock: nobody else knows of this connection.
    outbox.exchange, outbox.news = x, request.keep_alive or decoder.buffered > 0
    return x


def for_a_thread(request: Request, connection: Connection) -> bool:
    """Whether it is not the loop's to answer, or to take in."""
    if request.content_length < 0 or request.expect:
        return False
    return request.vars.get("PATH_INFO") not in connection.door.pages
