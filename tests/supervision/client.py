"""The counting client: many requests at a set rate that waits for nobody, each held against its own reply.

``python -m tests.supervision.client ORDERS`` is a process and one thread of its own, so that the server's
troubles are not the client's. It never tries a request again: what a browser would hide by a silent second
try is a failure here. It does not know what is done to the server meanwhile.
"""

import errno
import json
import random
import select
import socket
import struct
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.supervision.wire import Address, Incoming, Kind, Lane, Verdict, family, judge, request

RECORD = struct.Struct("<QdddfIIBBH")
"""number; due, sent, done (time.monotonic); seconds its connection had been idle; pid, generation; kind,
lane, status."""
PENDING = (errno.EINPROGRESS, errno.EAGAIN, errno.EALREADY, errno.ENOTCONN)
READ, WRITE = select.EPOLLIN | select.EPOLLRDHUP, select.EPOLLOUT
PATIENCE = 20.0


@dataclass(frozen=True)
class Orders:
    """``rate`` requests a second over all lanes for ``seconds``; or, where ``callers`` is not 0, that many
    that ask again as soon as they are answered. ``first`` is the first number; files go to ``folder``."""

    lanes: list[Lane]
    rate: float
    seconds: float
    folder: str
    seed: int = 1
    callers: int = 0
    first: int = 1
    patience: float = PATIENCE

    def text(self) -> str:
        """For the command line."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, text: str) -> "Orders":
        """What ``text`` was made of."""
        words = json.loads(text)
        for lane in words["lanes"]:
            lane["address"] = lane["address"] if isinstance(lane["address"], str) else tuple(lane["address"])
        return cls(**{**words, "lanes": [Lane(**lane) for lane in words["lanes"]]})


@dataclass(eq=False)
class Line:
    """One connection, and the request that it carries, if it does."""

    sock: socket.socket
    lane: int
    number: int = 0
    due: float = 0.0
    sent: float = 0.0
    idle: float = 0.0  # since when it carries nothing
    waited: float = 0.0  # how long it had carried nothing before this request
    pid: int = 0  # who answered on it before
    out: bytes = b""
    reply: Incoming = field(default_factory=Incoming)


class Client:
    """The life of one client process."""

    def __init__(self, orders: Orders) -> None:
        self.orders = orders
        self.poll = select.epoll()
        self.lines: dict[int, Line] = {}
        self.idle: list[deque[Line]] = [deque() for _ in orders.lanes]
        self.busy = 0
        self.number = orders.first
        self.chance = random.Random(orders.seed)
        self.shares = [lane.share for lane in orders.lanes]
        self.begun = self.next = time.monotonic()
        self.asking = True
        self.heard = 0.0
        folder = Path(orders.folder)
        self.records = (folder / f"records-{orders.first}").open("wb")
        self.failures = (folder / f"failures-{orders.first}").open("w", buffering=1)

    # ---- Asking -----------------------------------------------------------------------------------

    def run(self) -> None:
        """Until the time is over or standard input ends, and what is under way has been answered."""
        self.poll.register(sys.stdin.fileno(), READ | select.EPOLLHUP)
        for _ in range(self.orders.callers):
            self.ask(time.monotonic())
        swept = time.monotonic()
        while self.asking or self.busy:
            self.ask_what_is_due()
            for fd, event in self.poll.poll(self.wait()):
                self.hear(fd, event)
            if (now := time.monotonic()) - swept > 0.2:
                swept = now
                self.give_up(now)
                self.records.flush()
        self.records.close()
        self.failures.close()

    def wait(self) -> float:
        if not self.asking or self.orders.callers:
            return 0.05
        return min(0.05, max(0.0, self.next - time.monotonic()))

    def ask_what_is_due(self) -> None:
        """Requests fall at random times, so that none falls in step with what the server does."""
        now = time.monotonic()
        if now - self.begun >= self.orders.seconds:
            self.asking = False
        while self.asking and not self.orders.callers and self.next <= now:
            self.ask(self.next)
            self.next += self.chance.expovariate(self.orders.rate)

    def ask(self, due: float) -> None:
        """One more request, by a lane of the dice's choice."""
        lane = self.chance.choices(range(len(self.shares)), self.shares)[0]
        number, self.number = self.number, self.number + 1
        line = self.free_line(lane) or self.new_line(lane, number, due)
        if line is None:
            return
        now = time.monotonic()
        line.number, line.due, line.sent = number, due, now
        line.waited = now - line.idle if line.idle else 0.0
        line.reply = Incoming()
        line.out = request(self.orders.lanes[lane], number)
        self.busy += 1
        self.send(line)

    def free_line(self, lane: int) -> Line | None:
        """A kept connection that is still open; one that the server has closed meanwhile is no failure."""
        while self.idle[lane]:
            line = self.idle[lane].popleft()
            try:
                piece = line.sock.recv(64, socket.MSG_PEEK)
            except BlockingIOError:
                return line
            except OSError:
                piece = b""
            if piece:
                self.fail(line, Kind.WRONG, f"bytes that nobody asked for: {piece!r}")
            self.drop(line)
        return None

    def new_line(self, lane: int, number: int, due: float) -> Line | None:
        address = self.orders.lanes[lane].address
        sock = socket.socket(family(address), socket.SOCK_STREAM)
        sock.setblocking(False)
        line = Line(sock, lane, number, due, time.monotonic())
        error = self.connect(sock, address)
        if error:
            self.fail(line, Kind.REFUSED, error)
            sock.close()
            return None
        self.lines[sock.fileno()] = line
        self.poll.register(sock.fileno(), READ)
        return line

    def connect(self, sock: socket.socket, address: Address) -> str:
        """Begin; why it failed at once, or nothing."""
        code = sock.connect_ex(address)
        # EAGAIN of a UNIX socket: its queue is full, and nothing is under way.
        if code == 0 or (code in PENDING and not isinstance(address, str)):
            return ""
        return errno.errorcode.get(code, str(code))

    def send(self, line: Line) -> None:
        try:
            line.out = line.out[line.sock.send(line.out) :]
        except OSError as error:
            if error.errno not in PENDING:
                self.finish(line, Verdict(self.broken(error), seen=f"while sending: {error!r}"))
                return
        if line.out:
            self.poll.modify(line.sock.fileno(), READ | WRITE)

    def broken(self, error: OSError) -> Kind:
        return Kind.REFUSED if error.errno == errno.ECONNREFUSED else Kind.RESET

    # ---- Hearing ----------------------------------------------------------------------------------

    def hear(self, fd: int, event: int) -> None:
        line = self.lines.get(fd)
        if line is None:
            if fd == sys.stdin.fileno():
                self.asking = False
                self.poll.unregister(fd)
            return
        if event & WRITE and line.out:
            self.poll.modify(fd, READ)
            self.send(line)
        elif not line.number:
            self.idle[line.lane].remove(line)
            self.unasked(line)
        elif event & ~WRITE:
            self.receive(line)

    def unasked(self, line: Line) -> None:
        """An idle connection stirs: its end is as it should be, bytes are not."""
        try:
            piece = line.sock.recv(64)
        except OSError:
            piece = b""
        if piece:
            self.fail(line, Kind.WRONG, f"bytes that nobody asked for: {piece!r}")
        self.drop(line)

    def receive(self, line: Line) -> None:
        try:
            piece = line.sock.recv(65536)
        except BlockingIOError:
            return
        except OSError as error:
            kind = Kind.CUT if line.reply.data else self.broken(error)
            self.finish(line, Verdict(kind, seen=repr(error)))
            return
        try:
            complete = line.reply.feed(piece) if piece else line.reply.whole
        except ValueError:
            self.finish(line, Verdict(Kind.NOISE, seen=repr(line.reply.data[:120])))
            return
        if complete:
            self.finish(line, judge(line.number, line.reply))
        elif not piece:
            kind = Kind.CUT if line.reply.data else Kind.CLOSED
            self.finish(line, Verdict(kind, seen=repr(line.reply.data[:120])))

    def finish(self, line: Line, verdict: Verdict) -> None:
        """Write down what became of it; the connection goes on if it may."""
        self.busy -= 1
        self.record(line, verdict)
        keeps = verdict.kind == Kind.OK and line.reply.keeps and self.orders.lanes[line.lane].kept
        line.number, line.pid, line.idle = 0, verdict.pid, time.monotonic()
        if keeps and len(self.idle[line.lane]) < self.orders.lanes[line.lane].connections:
            self.idle[line.lane].append(line)
        else:
            self.drop(line)
        if self.orders.callers and self.asking:
            self.ask(time.monotonic())

    def drop(self, line: Line) -> None:
        if self.lines.pop(line.sock.fileno(), None) is not None:
            self.poll.unregister(line.sock.fileno())
        line.sock.close()

    def give_up(self, now: float) -> None:
        """Requests whose patience is over."""
        for line in list(self.lines.values()):
            if line.number and now - line.sent > self.orders.patience:
                self.finish(line, Verdict(Kind.LATE, seen=repr(line.reply.data[:120])))

    # ---- Writing down -----------------------------------------------------------------------------

    def record(self, line: Line, verdict: Verdict) -> None:
        self.records.write(
            RECORD.pack(
                *(line.number, line.due, line.sent, time.monotonic(), line.waited),
                *(verdict.pid, verdict.generation, verdict.kind, line.lane, line.reply.status),
            )
        )
        if verdict.kind != Kind.OK:
            self.tell(line, verdict)

    def fail(self, line: Line, kind: Kind, seen: str) -> None:
        """A failure outside of an exchange."""
        self.record(line, Verdict(kind, seen=seen))

    def tell(self, line: Line, verdict: Verdict) -> None:
        try:
            port = line.sock.getsockname()[1] if line.sock.family == socket.AF_INET else 0
        except OSError:
            port = 0
        words = {
            "number": line.number, "kind": verdict.kind.name, "lane": self.orders.lanes[line.lane].name,
            "due": line.due, "sent": line.sent, "failed": time.monotonic(), "port": port,
            "connection": f"kept by {line.pid}, idle for {line.waited:.3f} s" if line.pid else "new",
            "pid": verdict.pid, "kept_by": line.pid, "seen": verdict.seen,
        }  # fmt: skip
        self.failures.write(json.dumps(words) + "\n")


def numbers(jobs: int) -> Iterator[int]:
    """The first number of each of several clients, far apart."""
    for job in range(jobs):
        yield (job << 40) + 1


if __name__ == "__main__":
    Client(Orders.read(sys.argv[1])).run()
