"""The servers behind the proxies: one speaks HTTP, the other uwsgi. Both answer with what they were sent.

Threads of the test's own process; they judge nothing. ``Behind-Says`` in a request asks for another reply.
REMOTE_PORT is left out, which uWSGI's HTTP sockets do not have.
"""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import BinaryIO

OK = "HTTP/1.1 200 Fine\r\n"
"Content-Type: text/plain\r\n"
"X-Behind: yes\r\n"
SAYS = {
    "nothing": b"",
    "garbage": b"what is this\r\n\r\n",
    "bare-lf": b"HTTP/1.1 200 Fine\nX-Behind: yes\n\nbody",
    "half": b"HTTP/1.1 200 Fine\r\nX-Behi",
    "hops": OK.encode() + b"Connection: close, X-Hop\r\n"
    b"X-Hop: 1\r\n"
    b"Keep-Alive: timeout=5\r\n"
    b"Content-Length: 4\r\n"
    b"\r\n"
    b"body",
    "chunks": OK.encode() + b"Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
    "to-end": OK.encode() + b"\r\nbody to the end",
    "404": b"HTTP/1.1 404 Gone Fishing\r\nContent-Length: 5\r\nX-Behind: yes\r\n\r\nnone\n",
    "204": b"HTTP/1.1 204 No Content\r\nX-Behind: yes\r\n\r\n",
    "twice": OK.encode() + b"Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 4\r\n\r\nbody",
}
"""Replies that are sent as they are; the connection is closed behind each."""


@dataclass(frozen=True)
class Behind:
    """``words``: their ports, by the word that stands for each in the cases."""

    words: dict[str, str]


@contextmanager
def standing() -> Iterator[Behind]:
    """Both servers while the block runs, and a port that nobody listens on."""
    with (
        socket.create_server(("127.0.0.1", 0)) as http,
        socket.create_server(("127.0.0.1", 0)) as uwsgi,
        socket.create_server(("127.0.0.1", 0)) as nobody,
    ):
        threads = [
            threading.Thread(target=serve, args=(http, speak_http), daemon=True),
            threading.Thread(target=serve, args=(uwsgi, speak_uwsgi), daemon=True),
        ]
        for thread in threads:
            thread.start()
        words = {"BEHIND": port(http), "PACKETS": port(uwsgi), "NOBODY": port(nobody)}
        nobody.close()
        yield Behind(words)
        for server in (http, uwsgi):
            server.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(5)


def port(server: socket.socket) -> str:
    return str(server.getsockname()[1])


def serve(server: socket.socket, speak: Callable[[socket.socket], None]) -> None:
    """A thread for each connection, until the listener is shut."""
    while True:
        try:
            sock, _ = server.accept()
        except OSError:
            return
        threading.Thread(target=attend, args=(sock, speak), daemon=True).start()


def attend(sock: socket.socket, speak: Callable[[socket.socket], None]) -> None:
    with sock, suppress(OSError, EOFError):
        sock.settimeout(20)
        speak(sock)


def speak_http(sock: socket.socket) -> None:
    """Request after request."""
    stream = sock.makefile("rb")
    while head := head_of(stream):
        first, *fields = head
        known = {name.lower(): value for name, _, value in (line.partition(": ") for line in fields)}
        body = stream.read(int(known.get("content-length", "0"))).decode("latin-1")
        says = known.get("behind-says")
        if says is not None:
            sock.sendall(SAYS[says])
            return
        text = "\n".join([first, *sorted(fields), *([body] if body else [])]).encode("latin-1")
        bare = first.startswith("HEAD")
        sock.sendall(
            f"{OK}Content-Length: {7 if bare else len(text)}\r\n\r\n".encode() + (b"" if bare else text)
        )
        if "HTTP/1.0" in first or known.get("connection") == "close":
            return


def head_of(stream: BinaryIO) -> list[str]:
    """The lines of a request's head; none at the end."""
    lines: list[str] = []
    while line := stream.readline():
        text = line.decode("latin-1").rstrip("\r\n")
        if not text:
            return lines
        lines.append(text)
    return []


def speak_uwsgi(sock: socket.socket) -> None:
    """One packet."""
    stream = sock.makefile("rb")
    first, size, second = struct.unpack("<BHB", stream.read(4))
    block, found, at = stream.read(size), {}, 0
    while at < size:
        pair = []
        for _ in range(2):
            (length,) = struct.unpack_from("<H", block, at)
            pair.append(block[at + 2 : at + 2 + length].decode("latin-1"))
            at += 2 + length
        found[pair[0]] = pair[1]
    body = stream.read(int(found.get("CONTENT_LENGTH") or "0")).decode("latin-1")
    says = found.get("HTTP_BEHIND_SAYS")
    known = [f"{name} = {value}" for name, value in sorted(found.items()) if name != "REMOTE_PORT"]
    lines = [f"modifiers {first} {second}", *known, body]
    sock.sendall(
        SAYS[says] if says is not None else f"{OK}\r\n".encode() + "\n".join(lines).encode("latin-1")
    )
