"""Fakes that are lists: a loop that only remembers what it was asked, a socket that takes what it is told.

No mocks: each is a small honest object with the behaviour that the code under test relies on.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import Any


class FakeLoop:
    """Remembers calls; ``turn()`` makes those that are due, as one turn of a loop would."""

    def __init__(self) -> None:
        self.soon: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []
        self.later: list[tuple[float, Callable[..., Any]]] = []
        self.readers: dict[Any, Callable[[], Any]] = {}
        self.writers: dict[Any, Callable[[], Any]] = {}
        self.wakes = 0
        self.closed = False

    def call_soon(self, call: Callable[..., Any], *args: Any) -> None:
        self.soon.append((call, args))

    def call_soon_threadsafe(self, call: Callable[..., Any], *args: Any) -> None:
        if self.closed:
            raise RuntimeError("Event loop is closed")
        self.wakes += 1
        self.soon.append((call, args))

    def call_later(self, delay: float, call: Callable[..., Any]) -> None:
        self.later.append((delay, call))

    def add_reader(self, sock: Any, call: Callable[[], Any]) -> None:
        self.readers[sock] = call

    def remove_reader(self, sock: Any) -> None:
        self.readers.pop(sock, None)

    def add_writer(self, sock: Any, call: Callable[[], Any]) -> None:
        self.writers[sock] = call

    def remove_writer(self, sock: Any) -> None:
        self.writers.pop(sock, None)

    def turn(self) -> int:
        """Make every call that is due now; how many there were."""
        due, self.soon = self.soon, []
        for call, args in due:
            call(*args)
        return len(due)

    def __call__(self) -> asyncio.AbstractEventLoop:
        """The same object, under the type that the code asks for."""
        loop: Any = self
        return loop  # type: ignore[no-any-return]  # the fake offers the methods that are used


class FakeSocket:
    """Takes at most ``room`` bytes before it says EAGAIN; ``sent`` is what it took."""

    def __init__(self, room: int = 1 << 30) -> None:
        self.room = room
        self.sent = bytearray()
        self.incoming: list[bytes | OSError] = []
        self.error: OSError | None = None
        self.calls: list[str] = []
        self.family = socket.AF_INET
        self.options: list[tuple[Any, ...]] = []

    def setblocking(self, on: bool) -> None:
        assert not on

    def send(self, data: bytes | memoryview, flags: int = 0) -> int:
        self.calls.append("send")
        if self.error is not None:
            raise self.error
        if not self.room:
            raise BlockingIOError
        piece = bytes(data[: self.room])
        self.sent += piece
        self.room -= len(piece)
        return len(piece)

    def sendmsg(self, pieces: list[memoryview]) -> int:
        return self.send(b"".join(pieces))

    def recv(self, size: int, flags: int = 0) -> bytes:
        self.calls.append("recv")
        if not self.incoming:
            raise BlockingIOError
        first = self.incoming[0]
        if isinstance(first, OSError):
            raise first
        if not flags & socket.MSG_PEEK:
            self.incoming.pop(0)
        return first[:size]

    def fileno(self) -> int:
        return -1

    def getsockname(self) -> tuple[str, int]:
        return ("127.0.0.1", 80)

    def setsockopt(self, *option: Any) -> None:
        self.options.append(option)

    def getsockopt(self, *option: Any) -> int:
        return 0 if self.error is None else self.error.errno or 0

    def shutdown(self, how: int) -> None:
        self.calls.append(f"shutdown {how}")

    def close(self) -> None:
        self.calls.append("close")

    def __call__(self) -> socket.socket:
        """The same object, under the type that the code asks for."""
        sock: Any = self
        return sock  # type: ignore[no-any-return]  # the fake offers the methods that are used
