"""The logger ``pipe``: a program that reads the log from its standard input.

Used by the supervisor, or by any thread of a process that is alone. It knows the pipe and its own lines, and
not how a program is started. One that ends is started again; it hears of the end by the pipe's.
"""

import os
from collections.abc import Callable
from time import monotonic

from penstock.logs.sinks import Sink

PAUSE = 1.0  # seconds between two starts of one program

Start = Callable[[int], None]


class Piped(Sink):
    """Lines to a program; ``start(fd)`` has one read from ``fd``, and raises OSError where it cannot."""

    def __init__(self, start: Start, fd: int = -1) -> None:
        super().__init__(fd)
        self.start = start
        self.again = 0.0

    def send(self, data: bytes) -> int:
        """As much as there is room for. Raises BlockingIOError for none."""
        if self.fd < 0:
            self.begin()
        try:
            return super().send(data)
        except BrokenPipeError:
            self.lose_program()
            raise BlockingIOError from None

    def begin(self) -> None:
        """Start the program, though not all the time. Raises BlockingIOError."""
        now = monotonic()
        if now < self.again:
            raise BlockingIOError
        self.again = now + PAUSE
        self.full = True  # until it is there, the end of the process does not wait for it
        reading, writing = os.pipe()
        try:
            self.start(reading)
        except OSError:
            os.close(writing)
            raise BlockingIOError from None
        finally:
            os.close(reading)
        self.full = False
        self.fd = writing

    def lose_program(self) -> None:
        """It reads no more."""
        self.let_go()
        os.close(self.fd)
        self.fd = -1

    def reopen(self) -> None:
        """There is no file."""

    def close(self) -> None:
        """Have the program come to the end of its input."""
        self.end()
        if self.fd >= 0:
            self.lose_program()
