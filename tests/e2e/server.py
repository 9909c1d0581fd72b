"""Real penstock processes for the tests, and a client that speaks bytes.

A server is ``python -m penstock`` as a subprocess on a port the kernel chose, read from its first lines.
"""

import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.e2e import warm
from tests.e2e.surroundings import environment

LISTENING = re.compile(r"penstock: listening on (\w+)://(\S+)")
LOOPS = ("uvloop", "asyncio")
NAMING = ("--http-socket", "--https", "--bind", "--uwsgi-socket", "--socket")


@dataclass
class Reply:
    """One HTTP reply off the wire."""

    status: int
    reason: str
    headers: dict[str, str]
    body: bytes
    lines: list[str] = field(default_factory=list)


class Client:
    """A socket and what was read of it; ``reply()`` reads exactly one reply."""

    def __init__(self, address: tuple[str, int] | str, timeout: float = 10.0) -> None:
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        if not isinstance(address, str) and ":" in address[0]:
            family = socket.AF_INET6
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        self.sock.settimeout(timeout)
        try:
            self.sock.connect(address)
        except BaseException:
            self.sock.close()
            raise
        self.rest = b""

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def get(self, path: str = "/", *headers: str, method: str = "GET", version: str = "HTTP/1.1") -> Reply:
        lines = [f"{method} {path} {version}", "Host: test", *headers]
        self.send("\r\n".join([*lines, "", ""]).encode("latin-1"))
        return self.reply(head=method == "HEAD")

    def until(self, mark: bytes) -> bytes:
        while mark not in self.rest:
            piece = self.sock.recv(1 << 16)
            if not piece:
                raise EOFError(self.rest)
            self.rest += piece
        found, _, self.rest = self.rest.partition(mark)
        return found

    def exactly(self, count: int) -> bytes:
        pieces = [self.rest[:count]]
        self.rest = self.rest[count:]
        got = len(pieces[0])
        while got < count:
            piece = self.sock.recv(min(1 << 20, count - got))
            if not piece:
                raise EOFError(b"".join(pieces))
            pieces.append(piece)
            got += len(piece)
        return b"".join(pieces)

    def to_end(self) -> bytes:
        pieces = [self.rest]
        self.rest = b""
        while piece := self.sock.recv(1 << 20):
            pieces.append(piece)
        return b"".join(pieces)

    def head(self) -> Reply:
        lines = self.until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        _, status, reason = [*lines[0].split(" ", 2), ""][:3]
        headers = {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines[1:])}
        return Reply(int(status), reason, headers, b"", lines)

    def reply(self, head: bool = False) -> Reply:
        reply = self.head()
        if head or reply.status in (204, 304) or reply.status < 200:
            return reply
        if "content-length" in reply.headers:
            reply.body = self.exactly(int(reply.headers["content-length"]))
        elif reply.headers.get("transfer-encoding") == "chunked":
            while size := int(self.until(b"\r\n"), 16):
                reply.body += self.exactly(size)
                assert self.exactly(2) == b"\r\n"
            assert self.until(b"\r\n") == b""
        else:
            reply.body = self.to_end()
        return reply

    def ended(self) -> bool:
        """Whether the server closes without another byte."""
        try:
            return not self.rest and self.sock.recv(1) == b""
        except ConnectionResetError:
            return True

    def close(self) -> None:
        self.sock.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class Server:
    """A running penstock."""

    def __init__(self, process: "subprocess.Popen[bytes] | warm.Process", log: Path) -> None:
        self.process = process
        self.log = log
        self.listening: list[tuple[str, str]] = []

    def wait_until_listening(self, count: int, timeout: float = 20.0) -> None:
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            self.listening = LISTENING.findall(self.text())
            if len(self.listening) >= count:
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise AssertionError(f"the server did not start:\n{self.text()}")

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def address(self, index: int = 0) -> tuple[str, int] | str:
        name = self.listening[index][1]
        if name.startswith("unix:"):
            path = name.removeprefix("unix:")
            return "\0" + path[1:] if path.startswith("@") else path
        host, _, port = name.rpartition(":")
        return host.strip("[]"), int(port)

    @property
    def port(self) -> int:
        address = self.address()
        assert isinstance(address, tuple)
        return address[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, index: int = 0, timeout: float = 10.0) -> Client:
        return Client(self.address(index), timeout)

    def wait_for(self, text: str, timeout: float = 10.0) -> None:
        until = time.monotonic() + timeout
        while text not in self.text():
            assert time.monotonic() < until, f"{text!r} is not in the log:\n{self.text()}"
            time.sleep(0.02)

    def rss(self) -> int:
        """Resident bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) * 1024

    def stop(self, number: int = signal.SIGTERM, timeout: float = 30.0) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the server did not stop:\n{self.text()}") from None


def launched(
    words: Sequence[str],
    tmp: Path,
    output: int,
    prefix: Sequence[str],
    env: dict[str, str],
    begun: bool,
    popen: dict[str, object],
) -> "subprocess.Popen[bytes] | warm.Process":
    """The process of a server, which writes to ``output``."""
    if begun and not prefix and not popen and warm.alike(env):
        return warm.start(words, env, tmp, output)
    return subprocess.Popen(  # type: ignore[call-overload, no-any-return]  # whatever Popen takes
        [*prefix, sys.executable, "-m", "penstock", *words],
        stdout=output,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        env=env,
        cwd=tmp,
        **popen,
    )


@contextmanager
def serving(
    tmp: Path,
    *options: str,
    app: str = "tests.sites.zoo:application",
    listeners: int = 1,
    prefix: Sequence[str] = (),
    env: dict[str, str] | None = None,
    expect: int | None = 0,
    begun: bool = True,
    **popen: object,
) -> Iterator[Server]:
    """A server that runs inside the block and is stopped by TERM after it, with exit status ``expect``.

    It is ``python -m penstock``, and has ``begun`` with its imports (``warm``) unless more than that is asked
    for: words before it, Python's own variables, or what ``Popen`` takes.
    """
    named = any(word.startswith(NAMING) for word in options)
    words = [*options] if named else [*options, "--http-socket", "127.0.0.1:0"]
    if app:
        words += ["--module", app]
    log = tmp / f"server-{time.monotonic_ns()}.log"
    with log.open("wb") as output:
        process = launched(words, tmp, output.fileno(), prefix, env or environment(), begun, popen)
    server = Server(process, log)
    try:
        server.wait_until_listening(listeners)
        yield server
        if expect is not None:
            assert server.stop() == expect, server.text()
        # A thread that died is missed by nobody as long as there are others.
        assert "Exception in thread" not in server.text(), server.text()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
