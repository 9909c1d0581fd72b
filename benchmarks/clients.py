"""Clients that misbehave or do nothing, by the hundred: ``python -m benchmarks.clients KIND COUNT PORT``.

A process of its own beside wrk, one asyncio loop over plain sockets. It says ``ready`` when all are under
way, waits for a line on standard input, and then says in JSON how many are still connected and what it saw.
It knows no server.
"""

import asyncio
import contextlib
import json
import resource
import socket
import sys
import time
from dataclasses import dataclass, field

HOST = "127.0.0.1"
TRICKLE = 1.0  # seconds between two bytes of one client
UPLOAD = 100_000
GET = b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % UPLOAD
FIRST = {
    "head": b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
    "body": POST,
    "half": POST + b"x" * (UPLOAD // 2),
    "reader": GET % b"/large",
    "endless": GET % b"/endless",
    "idle": GET % b"/",
}
# So many from one source address: an address has about 28,000 ports.
PER_ADDRESS = 10_000
WITHIN = 20.0
SLOWEST = 250  # clients a second, at which a large crowd is still waited for


@dataclass
class Crowd:
    """Clients of one kind: their sockets, by order, and how many could not connect."""

    kind: str
    count: int
    port: int
    sockets: list[socket.socket] = field(default_factory=list)
    failed: int = 0

    async def enter(self, number: int, gate: asyncio.Semaphore) -> None:
        """One client connects and sends what it sends at first; an idle one reads its reply."""
        loop = asyncio.get_running_loop()
        async with gate:
            sock = socket.socket()
            sock.setblocking(False)
            if self.kind in ("reader", "endless"):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            try:
                # The port is chosen at the connect: those that others left in TIME_WAIT are not in the way.
                sock.setsockopt(socket.IPPROTO_IP, socket.IP_BIND_ADDRESS_NO_PORT, 1)
                sock.bind((f"127.0.0.{2 + number // PER_ADDRESS}", 0))
                await asyncio.wait_for(loop.sock_connect(sock, (HOST, self.port)), WITHIN)
                # A server that reads no more than a part leaves the rest with us: that is no failure.
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(loop.sock_sendall(sock, FIRST[self.kind]), 2)
                if self.kind == "idle" and not await asyncio.wait_for(loop.sock_recv(sock, 4096), 3):
                    raise ConnectionError("closed without a reply")
            except OSError:  # TimeoutError is one
                self.failed += 1
                sock.close()
                return
            self.sockets.append(sock)

    async def gather(self) -> None:
        """All of them enter, at most 64 at a time."""
        gate = asyncio.Semaphore(64)
        await asyncio.wait(
            [asyncio.ensure_future(self.enter(number, gate)) for number in range(self.count)],
            timeout=max(WITHIN, self.count / SLOWEST),
        )

    async def trickle(self) -> None:
        """One byte of each client every ``TRICKLE`` seconds, spread over that time: clients that are many do
        not send at the same moment, and what this process sends at once keeps wrk off their core."""
        while True:
            began = time.monotonic()
            for number, sock in enumerate(self.sockets, 1):
                with contextlib.suppress(OSError):
                    sock.send(b"x")
                due = began + TRICKLE * number / len(self.sockets)
                await asyncio.sleep(max(0.0, due - time.monotonic()))

    def connected(self) -> int:
        """How many the server has not closed. Readers that stopped have bytes waiting, and count."""
        stopped = self.kind in ("reader", "endless")
        return sum(standing(sock, not stopped) for sock in self.sockets)

    def leave(self) -> None:
        """All of them go."""
        for sock in self.sockets:
            sock.close()
        self.sockets.clear()


def standing(sock: socket.socket, empty: bool) -> bool:
    """Whether the other side has not closed; ``empty`` takes what came before the end of it."""
    try:
        while sock.recv(65536, 0 if empty else socket.MSG_PEEK):
            if not empty:
                return True
    except BlockingIOError:
        return True
    except OSError:
        pass
    return False


async def probe(port: int, path: bytes, within: float) -> float | None:
    """Seconds until a fresh connection's request to ``path`` is answered with 200; ``None`` if it is not."""
    began = time.monotonic()
    try:
        async with asyncio.timeout(within):
            reader, writer = await asyncio.open_connection(HOST, port)
            try:
                writer.write(GET % path)
                status = await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return None
    return time.monotonic() - began if b" 200 " in status else None


async def freed(port: int, threads: int, hold: float, limit: float) -> dict[str, float | None]:
    """When a normal request was answered, and when ``threads`` that hold one each ran side by side.

    Seconds from now; ``None`` where it did not come about within ``limit``. ``hold`` is how long the
    application at ``/pause`` keeps its thread.
    """
    began = time.monotonic()
    first = await probe(port, b"/", limit)
    while (left := limit - (time.monotonic() - began)) > 0:
        sent = time.monotonic() - began
        answers = await asyncio.gather(*(probe(port, b"/pause", left) for _ in range(threads)))
        if all(answer is not None and answer < 1.8 * hold for answer in answers):
            return {"first": first, "all": sent}
        await asyncio.sleep(0.2)
    return {"first": first, "all": None}


async def serve(kind: str, count: int, port: int) -> None:
    """The clients' whole life, as the module says."""
    crowd = Crowd(kind, count, port)
    await crowd.gather()
    trickling = asyncio.ensure_future(crowd.trickle()) if kind in ("head", "body") else None
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    if trickling:
        trickling.cancel()
    print(json.dumps({"connected": crowd.connected(), "failed": crowd.failed}), flush=True)
    crowd.leave()


def raise_limit(wanted: int) -> int:
    """As many descriptors as ``wanted``, if the machine lets us; what it is now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        for limit in ((wanted, max(hard, wanted)), (min(wanted, hard), hard)):
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(resource.RLIMIT_NOFILE, limit)
                break
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
