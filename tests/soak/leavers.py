"""``python -m tests.soak.leavers``: clients leave in mid-reply while others connect and take their numbers.

Every block of every reply carries its request's token, and every client looks at all it received: a byte
of another's reply would be found. The exit status is 1 when one was, or when a reply did not come.
"""

import argparse
import random
import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.e2e.server import LOOPS, Server, serving
from tests.soak import wire
from tests.soak.wire import RESET, Place

TOKEN = 16  # bytes: hexadecimal digits
SIZES = {"small": 96, "large": 512 << 10, "blocks": 320 << 10, "file": 2 << 20}
WHOLE = 0.2  # share of the clients that stay until their reply is complete


# ---- The application ----------------------------------------------------------------------------------


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """``/kind/TOKEN``: a body of nothing but its token."""
    _, kind, token = environ["PATH_INFO"].split("/")
    word, size = token.encode(), SIZES[kind]
    start_response("200 OK", [("X-Token", token), ("Content-Length", str(size))])
    if kind == "blocks":
        return blocks(word * 64, size // TOKEN // 64)
    if kind != "file":
        return [word * (size // TOKEN)]
    handle = tempfile.TemporaryFile()
    handle.write(word * (size // TOKEN))
    handle.seek(0)
    wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](handle)
    return wrapped


def blocks(block: bytes, count: int) -> Iterator[bytes]:
    for _ in range(count):
        yield block


# ---- The clients --------------------------------------------------------------------------------------


@dataclass
class Tally:
    """What one thread's clients saw."""

    counts: Counter[str] = field(default_factory=Counter)
    wrongs: list[str] = field(default_factory=list)


class Leaver:
    """One client: asks once or twice, takes some of the reply, and is gone."""

    def __init__(self, place: Place, chance: random.Random, tally: Tally) -> None:
        self.chance, self.tally = chance, tally
        self.kind = chance.choice(list(SIZES))
        self.uwsgi, address = place.protocol == "uwsgi", place.address
        self.sock = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
        if chance.random() < 0.5:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.sock.settimeout(20)
        self.sock.connect(address)

    def run(self) -> None:
        """Its whole life; what a server does to it is counted, never raised."""
        try:
            for _ in range(3 if self.kind == "small" and not self.uwsgi else 1):
                if not self.ask():
                    break
        except TimeoutError:
            self.tally.wrongs.append(f"{self.kind}: nothing came in time")
        except OSError as error:
            self.tally.wrongs.append(f"{self.kind}: {error!r}")
        finally:
            self.leave()

    def ask(self) -> bool:
        """One request; whether it was answered whole, so that there can be another."""
        word = wire.token(self.chance)
        path, token = f"/{self.kind}/{word}", word.encode()
        self.sock.sendall(wire.packet(path, word) if self.uwsgi else wire.request(path, word))
        size = SIZES[self.kind]
        wanted = size if self.chance.random() < WHOLE else self.chance.randrange(size)
        if self.kind == "small":
            wanted = size if self.chance.random() < 0.8 else 0
        head, _, body = self.read_head()
        if b" 200 " not in head[:13] or b"X-Token: " + token not in head:
            self.tally.wrongs.append(f"{self.kind}: a head that is not its own: {head[:200]!r}")
            return False
        return self.take(body, token, wanted) and wanted == size

    def read_head(self) -> tuple[bytes, bytes, bytes]:
        data = b""
        while b"\r\n\r\n" not in data:
            piece = self.sock.recv(65536)
            if not piece:
                break
            data += piece
        return data.partition(b"\r\n\r\n")

    def take(self, body: bytes, token: bytes, wanted: int) -> bool:
        """Look at each byte of the reply up to ``wanted`` at least; all else that came too."""
        got, ended = 0, False
        whole = token * (SIZES[self.kind] // TOKEN)
        while not ended:
            if body != whole[got : got + len(body)]:
                self.foreign(body, whole[got : got + len(body)])
                return False
            got += len(body)
            if got >= wanted:
                break
            body = self.sock.recv(65536)
            ended = not body
        self.tally.counts["bytes"] += got
        if got < wanted:
            self.tally.wrongs.append(f"{self.kind}: {got} of {wanted} bytes")
        return got >= wanted

    def foreign(self, body: bytes, wanted: bytes) -> None:
        bad = sum(a != b for a, b in zip(body, wanted, strict=False)) + max(0, len(body) - len(wanted))
        self.tally.counts["foreign"] += bad
        self.tally.wrongs.append(f"{self.kind}: {bad} foreign bytes in {body[:64]!r}")

    def leave(self) -> None:
        if self.sock.family == socket.AF_INET and self.chance.random() < 0.5:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.sock.close()
        self.tally.counts["clients"] += 1
        self.tally.counts[self.kind] += 1


class Flock:
    """Clients on several threads, some of them on each of the server's addresses."""

    def __init__(self, server: Server, clients: int, threads: int, seed: int) -> None:
        kinds = [kind for kind, _ in server.listening]
        self.places = [Place(kind, server.address(number)) for number, kind in enumerate(kinds)]
        self.tallies = [Tally() for _ in range(threads)]
        self.seed = seed
        self.threads = [
            threading.Thread(
                target=self.some, args=(number, clients // threads + (number < clients % threads))
            )
            for number in range(threads)
        ]

    def some(self, number: int, count: int) -> None:
        chance, tally = random.Random(f"{self.seed}/{number}"), self.tallies[number]
        for _ in range(count):
            Leaver(chance.choice(self.places), chance, tally).run()

    @property
    def counts(self) -> Counter[str]:
        total: Counter[str] = Counter()
        for tally in self.tallies:
            total.update(dict(tally.counts))
        return total

    @property
    def wrongs(self) -> list[str]:
        return [text for tally in self.tallies for text in tally.wrongs]

    def run(self, loop: str) -> None:
        """All of them, with a line every half minute."""
        begun, told = time.monotonic(), time.monotonic()
        for thread in self.threads:
            thread.start()
        for thread in self.threads:
            while thread.is_alive():
                thread.join(1.0)
                if time.monotonic() - told > 30:
                    told = time.monotonic()
                    self.tell(loop, told - begun)
        self.tell(loop, time.monotonic() - begun)

    def tell(self, loop: str, seconds: float) -> None:
        counts = self.counts
        kinds = ", ".join(f"{counts[kind]} {kind}" for kind in SIZES)
        print(
            f"{loop:8} {counts['clients']:7} clients ({kinds}) in {seconds:.1f} s, "
            f"{counts['clients'] / seconds:.0f}/s, {counts['bytes'] / 1e9:.2f} GB looked at, "
            f"{counts['foreign']} foreign bytes, {len(self.wrongs)} wrong",
            flush=True,
        )


def leavers(folder: Path, loop: str, clients: int, threads: int, seed: int) -> tuple[Counter[str], list[str]]:
    """Run them against a server of its own; what was counted, and what was wrong."""
    words = (
        "--http-socket", "127.0.0.1:0", "--http-socket", str(folder / f"{loop}.http"), "--loop", loop,
        "--uwsgi-socket", "127.0.0.1:0", "--uwsgi-socket", str(folder / f"{loop}.uwsgi"),
        "--threads", "8", "--access-log", "off", "--reply-buffer", "64k", "--reply-spool", "1m",
    )  # fmt: skip
    with serving(folder, *words, app="tests.soak.leavers:application", listeners=4) as server:
        flock = Flock(server, clients, threads, seed)
        flock.run(loop)
        text = server.text()
    odd = [line for line in text.splitlines() if "error" in line or "Traceback" in line]
    return flock.counts, flock.wrongs + odd


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak.leavers", description=__doc__)
    parser.add_argument("--clients", type=int, default=100_000, help="for each loop (%(default)s)")
    parser.add_argument("--loop", choices=(*LOOPS, "both"), default="both", help="(%(default)s)")
    parser.add_argument("--threads", type=int, default=16, help="clients at once (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="(%(default)s)")
    given = parser.parse_args()
    failed = 0
    for loop in LOOPS if given.loop == "both" else (given.loop,):
        with tempfile.TemporaryDirectory() as folder:
            counts, wrongs = leavers(Path(folder), loop, given.clients, given.threads, given.seed)
        failed += len(wrongs) + counts["foreign"]
        for text in wrongs[:40]:
            print(f"WRONG {loop}: {text}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
