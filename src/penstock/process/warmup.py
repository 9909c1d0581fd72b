"""The warm-up: a new worker's first request, which it asks itself before it takes any.

Runs on the worker's loop. It goes the whole way that a client's request goes, over a pair of sockets in
place of a network.
"""

import socket
from asyncio import AbstractEventLoop
from collections.abc import Callable
from contextlib import suppress

from penstock.net.connection import Connection
from penstock.net.door import Door
from penstock.net.listener import Listener

HOME = "127.0.0.1"
FAILED = 500  # the first status that says that the application is not well
HEAD = 4096  # bytes in which a status line must have come
Done = Callable[[str], None]


class WarmUp:
    """Asks ``path`` of the worker's own ``door``, as a client on ``listener`` (an HTTP one made for this).

    ``done("")`` is called once when it was answered with less than 500, else ``done(reason)``; ``seconds``
    is the time for it.
    """

    def __init__(self, door: Door, listener: Listener, sock: socket.socket, done: Done) -> None:
        self.loop: AbstractEventLoop = door.loop
        self.door = door
        self.listener = listener
        self.sock = sock
        self.done = done
        self.heard = b""
        self.path = ""
        self.over = False

    def ask(self, path: str, seconds: float) -> None:
        """Begin."""
        self.path = quoted(path)
        self.sock.setblocking(False)
        self.listener.sock.setblocking(False)
        words = f"GET {self.path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: penstock-warmup\r\n"
        self.sock.send(f"{words}Connection: close\r\n\r\n".encode("ascii"))
        self.loop.add_reader(self.sock, self.on_readable)
        self.loop.call_later(seconds, self.end, f"it was not answered within {seconds:g} s")
        Connection(self.door, self.listener, self.listener.sock, (HOME, 0)).open()

    def on_readable(self) -> None:
        """A piece of the reply, or its end."""
        try:
            data = self.sock.recv(1 << 16)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self.end(f"the connection broke: {error.strerror}")
            return
        if len(self.heard) < HEAD:
            self.heard += data
        if not data:
            self.end(self.verdict())

    def verdict(self) -> str:
        """What the reply says; "" when all is well."""
        line = self.heard.partition(b"\r\n")[0].decode("latin-1")
        words = line.split()
        if len(words) < 2 or not words[1].isdecimal():
            return "the connection was closed without an answer"
        return "" if int(words[1]) < FAILED else f"the answer was {' '.join(words[1:])[:80]}"

    def end(self, reason: str) -> None:
        """It is known; again does no harm."""
        if self.over:
            return
        self.over = True
        with suppress(RuntimeError):
            self.loop.remove_reader(self.sock)
        self.sock.close()
        self.done(f"warmup {self.path}: {reason}" if reason else "")


def quoted(path: str) -> str:
    """A path as a request line can carry it (RFC 3986 §2.1); what is quoted already stays."""
    data = path.encode("utf-8", "surrogateescape")
    return "".join(chr(byte) if 0x20 < byte < 0x7F else f"%{byte:02X}" for byte in data)
