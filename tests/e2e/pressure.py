"""More requests than a server can serve, at a rate that does not wait for it, from one thread.

Each request names itself, so that an answer can be told from another's.
"""

import selectors
import socket
import time
from dataclasses import dataclass

from tests.e2e.server import Server


@dataclass
class Outcome:
    """What became of one request: seconds from its sending to its reply, and whether that was its own."""

    status: int
    waited: float
    came_at: float
    right: bool
    retry_after: str


class Caller:
    """One kept connection, one request at a time."""

    def __init__(self, address: tuple[str, int] | str) -> None:
        self.sock = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
        self.sock.settimeout(10)
        self.sock.connect(address)
        self.sock.setblocking(False)
        self.data = b""
        self.name = ""
        self.sent_at = 0.0

    def ask(self, number: int, wait: float) -> None:
        self.name = f"/identify/{number}?wait={wait}"
        self.data = b""
        self.sent_at = time.monotonic()
        self.sock.send(f"GET {self.name} HTTP/1.1\r\nHost: a\r\n\r\n".encode())

    def read(self) -> Outcome | None:
        """The outcome, once the reply is complete."""
        piece = self.sock.recv(65536)
        self.data += piece
        head, found, body = self.data.partition(b"\r\n\r\n")
        if not piece:
            return Outcome(0, time.monotonic() - self.sent_at, time.monotonic(), False, "")
        lines = head.decode().split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
        if not found or len(body) < int(fields["content-length"]):
            return None
        status = int(lines[0].split()[1])
        right = status == 503 or body == self.name.encode()
        now = time.monotonic()
        return Outcome(status, now - self.sent_at, now, right, fields.get("retry-after", ""))


class Pressure:
    """Requests of ``wait`` seconds each for one server."""

    def __init__(self, server: Server, wait: float) -> None:
        self.address = server.address()
        self.wait = wait
        self.selector = selectors.DefaultSelector()
        self.free: list[Caller] = []
        self.busy = 0
        self.number = 0
        self.outcomes: list[Outcome] = []

    def ask(self) -> None:
        """One more, on a connection that is free or new."""
        if self.free:
            caller = self.free.pop()
        else:
            caller = Caller(self.address)
            self.selector.register(caller.sock, selectors.EVENT_READ, caller)
        self.number += 1
        self.busy += 1
        caller.ask(self.number, self.wait)

    def hear(self) -> int:
        """Take what has come, waiting a moment for it; how many replies there were."""
        before = len(self.outcomes)
        for key, _ in self.selector.select(0.002):
            outcome = key.data.read()
            if outcome is None:
                continue
            self.outcomes.append(outcome)
            self.busy -= 1
            if outcome.status:
                self.free.append(key.data)
            else:
                self.selector.unregister(key.data.sock)
                key.data.sock.close()
        return len(self.outcomes) - before

    def saturate(self, callers: int, seconds: float) -> float:
        """As many at once, each asking again when it was answered: the best there is, in replies a second."""
        for _ in range(callers):
            self.ask()
        begun = time.monotonic()
        while time.monotonic() - begun < seconds:
            for _ in range(self.hear()):
                self.ask()
        served = sum(outcome.status == 200 for outcome in self.outcomes)
        rate = served / (time.monotonic() - begun)
        self.wind_down()
        return rate

    def push(self, rate: float, seconds: float) -> list[Outcome]:
        """``rate`` new requests a second, whatever becomes of the earlier ones; the outcomes."""
        self.outcomes = []
        begun, asked = time.monotonic(), 0
        while (now := time.monotonic() - begun) < seconds:
            while asked < now * rate:
                asked += 1
                self.ask()
            self.hear()
        return self.outcomes

    def wind_down(self, seconds: float = 10.0) -> None:
        """Hear what is still to come."""
        until = time.monotonic() + seconds
        while self.busy and time.monotonic() < until:
            self.hear()
        assert not self.busy, f"{self.busy} requests were never answered"

    def close(self) -> None:
        for key in list(self.selector.get_map().values()):
            key.data.sock.close()
        self.selector.close()

    def __enter__(self) -> "Pressure":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
