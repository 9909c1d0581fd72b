"""A connection to another server, and how a pool thread waits on it: never longer than its request matters.

Non-blocking sockets, waited for in slices; after each the thread looks whether its client is still there and
whether the request has time left. Used by one thread at a time; it does not know what is said over it.
"""

import errno
import os
import select
import socket
from time import monotonic, sleep

from penstock.core.errors import Disconnected
from penstock.handoff.exchange import Exchange
from penstock.serve.proxy.target import Place, Target

SLICE = 0.25  # seconds; about the loop's tick, which is how exact deadlines are
BLOCK = 128 << 10  # bytes of one read
AGAIN = 0.01  # seconds until a UNIX socket whose queue is full is tried again


class UpstreamError(Exception):
    """The other server gives no reply that can be passed on.

    ``status`` is what the client is answered with, 502 or 504; ``reason`` says in one line what was wrong.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(status, reason)
        self.status = status
        self.reason = reason


class LinkError(Exception):
    """The connection has ended or failed; why, in one line."""


def check(x: Exchange) -> None:
    """Raises Disconnected where nobody waits for the reply to ``x`` any more."""
    if x.overdue or x.outbox.disconnected():
        raise Disconnected(errno.ECONNABORTED, "the client is gone")


class Link:
    """One connection. ``served``: replies that came over it; ``since``: when it was last given back, by
    ``time.monotonic``."""

    __slots__ = ("poll", "served", "since", "sock")

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.poll = select.poll()
        self.poll.register(sock, select.POLLIN)
        self.served = 0
        self.since = 0.0

    def wait(self, events: int, x: Exchange, seconds: float) -> int:
        """Wait for one of ``events``; those that came, errors among them. Raises TimeoutError after
        ``seconds``, Disconnected where ``x`` is over."""
        self.poll.modify(self.sock, events)
        until = monotonic() + seconds
        while True:
            left = until - monotonic()
            found = self.poll.poll(max(0.0, min(SLICE, left)) * 1000)
            if found:
                return found[0][1]
            if left <= SLICE:
                raise TimeoutError
            check(x)

    def readable(self, seconds: float) -> bool:
        """Whether something comes, or the end, within so short a time that nobody need look."""
        self.poll.modify(self.sock, select.POLLIN)
        return bool(self.poll.poll(seconds * 1000))

    def send(self, data: memoryview) -> int:
        """Send what the kernel takes at once; 0 when that is nothing. Raises LinkError."""
        try:
            return self.sock.send(data)
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError as error:
            raise LinkError(error.strerror) from None

    def receive(self, x: Exchange, seconds: float) -> bytes:
        """What comes next, b"" at the end. Raises LinkError, TimeoutError after ``seconds``, Disconnected."""
        while True:
            self.wait(select.POLLIN, x, seconds)
            try:
                return self.sock.recv(BLOCK)
            except (BlockingIOError, InterruptedError):
                continue
            except OSError as error:
                raise LinkError(error.strerror) from None

    def silent(self) -> bool:
        """Whether it is open and nothing has come: only then it is good for another request."""
        try:
            self.sock.recv(1, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            return True
        except OSError:
            pass
        return False

    def close(self) -> None:
        """End it, also where a child that the application forked has the descriptor, too."""
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()


def connect(target: Target, x: Exchange, seconds: float) -> Link:
    """A new connection within ``seconds``. Raises UpstreamError(502), Disconnected."""
    until = monotonic() + seconds
    reason = "no such host"
    try:
        for family, place in target.places():
            sock = socket.socket(family, socket.SOCK_STREAM)
            try:
                sock.setblocking(False)
                link = Link(sock)
                code = knock(link, place, x, until)
            except BaseException:
                sock.close()
                raise
            if not code:
                if family != socket.AF_UNIX:
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return link
            sock.close()
            reason = os.strerror(code)
    except Disconnected:
        raise
    except TimeoutError:
        reason = f"no connection within {seconds:g} s"
    except OSError as error:
        reason = error.strerror or str(error)
    except UnicodeError:  # a name that is none, to getaddrinfo
        pass
    raise UpstreamError(502, reason)


def knock(link: Link, place: Place, x: Exchange, until: float) -> int:
    """Connect; 0 or what was wrong, as errno. Raises TimeoutError, Disconnected."""
    while True:
        code = link.sock.connect_ex(place)
        if code == errno.EINPROGRESS:
            link.wait(select.POLLOUT, x, max(0.0, until - monotonic()))
            return link.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code not in (errno.EAGAIN, errno.EINTR):
            return code
        if monotonic() >= until:  # a UNIX socket's queue is full (unix(7)), and no event tells when it is not
            raise TimeoutError
        check(x)
        sleep(AGAIN)
