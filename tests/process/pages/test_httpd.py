"""Pages about the server: real connections of every kind on a real loop, none of which holds it up."""

import http.client
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from penstock.core.errors import StartError
from penstock.logs.setup import Diary
from penstock.process.pages import httpd, visitors
from penstock.process.pages.httpd import Answer, Deferred, PageReply, PageRequest, Pages
from penstock.process.supervisor.watch import Watch
from tests.sinks import file_sink

Told = tuple[int, dict[str, str], bytes]


class Server:
    """A loop on this thread, with pages on it."""

    def __init__(self, tmp: Path) -> None:
        self.faults: list[str] = []
        self.watch = Watch(self.faults.append)
        self.diary = Diary(file_sink(str(tmp / "log")), None)
        self.pages = Pages(self.watch, self.diary)

    def turn(self, seconds: float = 0.03) -> None:
        self.watch.later(seconds, self.watch.stop)
        self.watch.run()

    def asking(self, ask: Callable[[], Told]) -> Told:
        """What ``ask`` returns, on a thread of its own while the loop runs."""
        found: list[Told] = []
        thread = threading.Thread(target=lambda: found.append(ask()))
        thread.start()
        while thread.is_alive():
            self.turn(0.01)
        thread.join()
        return found[0]

    def said(self, sock: socket.socket) -> bytes:
        """All that comes until the connection ends."""
        sock.setblocking(False)
        data = b""
        began = time.monotonic()
        while time.monotonic() - began < 10:
            self.turn(0.01)
            try:
                piece = sock.recv(1 << 16)
            except BlockingIOError:
                continue
            if not piece:
                return data
            data += piece
        raise AssertionError(data)


@contextmanager
def serving(tmp: Path, answer: Answer, raw: bool = False) -> Iterator[tuple[Server, str]]:
    server = Server(tmp)
    path = str(tmp / "pages")
    assert server.pages.listen(path, answer, raw) == [f"unix:{path}"]
    try:
        yield server, path
    finally:
        server.pages.close()
        server.watch.close()
        server.diary.close()
    assert server.faults == []
    assert not os.path.exists(path)


@contextmanager
def connected(path: str) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(5)
        sock.connect(path)
        yield sock


def echo(request: PageRequest) -> PageReply:
    text = f"{request.method} {request.path} {request.query} {request.headers.get('x-a')} {request.peer}"
    return PageReply(200, "text/plain", text.encode(), (("X-B", "c"),))


def get(host: str, port: int, method: str = "GET", path: str = "/a%20b?c=%20d") -> Told:
    connection = http.client.HTTPConnection(host, port, timeout=5)
    connection.request(method, path, headers={"X-A": "1"})
    reply = connection.getresponse()
    told = (reply.status, dict(reply.getheaders()), reply.read())
    connection.close()
    return told


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_a_page(tmp_path: Path, host: str) -> None:
    server = Server(tmp_path)
    try:
        (name,) = server.pages.listen(f"{host}:0", echo)
        bare, port = host.strip("[]"), int(name.rpartition(":")[2])
        status, headers, body = server.asking(lambda: get(bare, port))
        assert (status, body) == (200, f"GET /a b c=%20d 1 {bare}".encode())
        assert headers["X-B"] == "c" and headers["Connection"] == "close" and headers["Date"]
        status, headers, body = server.asking(lambda: get(bare, port, "HEAD"))
        assert (status, body, headers["Content-Length"]) == (200, b"", str(len("HEAD /a b c=%20d 1 " + bare)))
        status, headers, _ = server.asking(lambda: get(bare, port, "DELETE"))
        assert (status, headers["Allow"]) == (405, "GET, HEAD")
        assert not server.pages.visitors.here and not server.pages.calls
    finally:
        server.pages.close()
    assert server.faults == []


def test_on_a_unix_socket_everybody_is_local(tmp_path: Path) -> None:
    seen = []

    def answer(request: PageRequest) -> PageReply:
        seen.append((request.peer, request.local))
        return echo(request)

    with serving(tmp_path, answer) as (server, path), connected(path) as sock:
        sock.send(b"GET / HTTP/1.0\r\n\r\n")
        assert server.said(sock).startswith(b"HTTP/1.1 200 OK\r\n")
    assert seen == [("", True)]


@pytest.mark.parametrize(
    ("peer", "local"),
    [
        ("127.0.0.1", True),
        ("127.8.0.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("", True),
        ("10.0.0.1", False),
        ("::2", False),
        ("::ffff:10.0.0.1", False),
        ("::11", False),
        ("fe80::1", False),
    ],
)
def test_who_is_local(peer: str, local: bool) -> None:
    assert PageRequest("GET", "/", "", {}, peer).local is local


def test_without_a_request(tmp_path: Path) -> None:
    """As uWSGI's stats are told."""

    def answer(request: PageRequest) -> PageReply:
        assert request.method == ""
        return PageReply(200, "application/json", b"{}")

    with serving(tmp_path, answer, raw=True) as (server, path):
        with connected(path) as sock:
            assert server.said(sock) == b"{}"
        with connected(path) as sock:
            sock.send(b"GET / HTTP/1.0\r\n\r\n")
            assert server.said(sock) == b"{}"
        assert not server.pages.visitors.here


def test_one_that_comes_later(tmp_path: Path) -> None:
    later = Deferred()
    with serving(tmp_path, lambda request: later) as (server, path), connected(path) as sock:
        sock.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        server.turn()
        sock.setblocking(False)
        with pytest.raises(BlockingIOError):
            sock.recv(1)
        later.done(PageReply(200, "text/plain", b"at last"))
        later.done(PageReply(200, "text/plain", b"too late"))
        assert server.said(sock).endswith(b"\r\n\r\nat last")
        with connected(path) as other:
            other.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert server.said(other).endswith(b"at last")


def test_one_that_never_comes_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(tmp_path, lambda request: Deferred()) as (server, path), connected(path) as sock:
        sock.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        server.turn()
        for _, _, timer in server.watch.timers:
            if timer.when > time.monotonic() + visitors.PATIENCE:
                timer.when = 0
                timer.call()
        assert server.said(sock).startswith(b"HTTP/1.1 504 ")


def test_a_fault_is_told_and_nothing_ends(tmp_path: Path) -> None:
    def answer(request: PageRequest) -> PageReply:
        if request.path == "/bad":
            raise ZeroDivisionError
        return echo(request)

    with serving(tmp_path, answer) as (server, path):
        with connected(path) as sock:
            sock.send(b"GET /bad HTTP/1.1\r\nHost: a\r\n\r\n")
            assert server.said(sock).startswith(b"HTTP/1.1 500 ")
        assert len(server.faults) == 1 and "ZeroDivisionError" in server.faults.pop()
        with connected(path) as sock:
            sock.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert server.said(sock).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"rubbish\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\n\r\n", b"400"),
        (b"GET / HTTP/2.0\r\n\r\n", b"505"),
        (b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", b"414"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nA: " + b"x" * 33000 + b"\r\n\r\n", b"431"),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", b"405"),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999\r\n\r\n" + b"x" * 99999, b"405"),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", b"200"),
        (b"\r\nGET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", b"200"),
    ],
    ids=range(9),
)
def test_every_visitor_gets_one_reply(tmp_path: Path, data: bytes, status: bytes) -> None:
    for step in (len(data), 1):
        if step == 1 and len(data) > 1000:
            continue
        with serving(tmp_path, echo) as (server, path), connected(path) as sock:
            for at in range(0, len(data), step):
                try:
                    sock.setblocking(False)
                    sock.send(data[at : at + step])
                    server.turn(0.001)
                except BrokenPipeError:  # the reply is there already
                    break
            said = server.said(sock)
            assert said.startswith(b"HTTP/1.1 " + status) and said.count(b"\r\nConnection: close") == 1


def test_who_leaves_is_forgotten(tmp_path: Path) -> None:
    later = Deferred()
    with serving(tmp_path, lambda request: later) as (server, path):
        with connected(path) as sock:
            sock.send(b"GET / HT")
            server.turn()
            assert len(server.pages.calls) == 1
        with connected(path) as sock:
            sock.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            server.turn()
            assert not server.pages.calls
        server.turn()
        later.done(PageReply(200, "text/plain", b"nobody hears it"))
        assert not server.pages.visitors.here


def test_who_says_nothing_is_let_go_and_too_many_are_refused(tmp_path: Path) -> None:
    with serving(tmp_path, echo) as (server, path):
        socks = [socket.socket(socket.AF_UNIX) for _ in range(httpd.MOST)]
        for at, sock in enumerate(socks):
            sock.connect(path)
            if at % 16 == 15:
                server.turn(0.02)
        with connected(path) as sock:
            assert server.said(sock).startswith(b"HTTP/1.1 503 ")
        for visitor in server.pages.visitors.here.values():
            visitor.moved -= visitors.PATIENCE + 1
        server.pages.visitors.look()
        assert not server.pages.visitors.here
        with connected(path) as sock:
            sock.send(b"GET / HTTP/1.0\r\n\r\n")
            assert server.said(sock).startswith(b"HTTP/1.1 200 ")
        for sock in socks:
            sock.close()


def test_who_says_its_request_letter_by_letter_is_let_go(tmp_path: Path) -> None:
    with serving(tmp_path, echo) as (server, path), connected(path) as sock:
        for letter in b"GET /":
            sock.send(bytes((letter,)))
            server.turn(0.01)
            (visitor,) = server.pages.visitors.here.values()
            visitor.moved -= visitors.PATIENCE / 4
        assert visitor.slow, "each letter is in time, all of them are not"
        server.pages.visitors.look()
        assert visitor.gone


def test_who_takes_its_reply_by_the_byte_is_let_go(tmp_path: Path) -> None:
    body = bytes(8 << 20)
    with (
        serving(tmp_path, lambda request: PageReply(200, "x/y", body)) as (server, path),
        connected(path) as sock,
    ):
        sock.send(b"GET / HTTP/1.0\r\n\r\n")
        server.turn()
        (visitor,) = server.pages.visitors.here.values()
        sock.recv(1 << 16)
        server.turn()
        assert visitor.waits and not visitor.slow
        visitor.since -= visitors.WHOLE + 1
        server.pages.visitors.look()
        assert visitor.gone


def test_those_who_say_nothing_make_room_for_who_does(tmp_path: Path) -> None:
    with serving(tmp_path, echo) as (server, path):
        socks = [socket.socket(socket.AF_UNIX) for _ in range(httpd.MOST)]
        for at, sock in enumerate(socks):
            sock.connect(path)
            if at % 16 == 15:
                server.turn(0.02)
        for visitor in server.pages.visitors.here.values():
            visitor.moved -= visitors.SILENT + 1
        with connected(path) as sock:
            sock.send(b"GET / HTTP/1.0\r\n\r\n")
            assert server.said(sock).startswith(b"HTTP/1.1 200 ")
        assert len(server.pages.visitors.here) == httpd.MOST - 1
        for sock in socks:
            sock.close()


def test_a_large_page_goes_as_it_is_taken(tmp_path: Path) -> None:
    body = os.urandom(1 << 20) * 4
    with (
        serving(tmp_path, lambda request: PageReply(200, "x/y", body)) as (server, path),
        connected(path) as slow,
        connected(path) as sock,
    ):
        slow.send(b"GET / HTTP/1.0\r\n\r\n")
        server.turn()
        sock.send(b"GET / HTTP/1.0\r\n\r\n")
        assert server.said(sock).endswith(body), "a slow reader holds up nobody"
        assert server.said(slow).endswith(body)


@pytest.mark.parametrize("address", ["127.0.0.1:99999", "/nowhere/at/all", "=0", "@"])
def test_an_address_that_cannot_be_had(tmp_path: Path, address: str) -> None:
    server = Server(tmp_path)
    with pytest.raises(StartError):
        server.pages.listen(address, echo)
    server.pages.close()
    server.pages.close()


def test_an_abstract_name_and_a_mode(tmp_path: Path) -> None:
    server = Server(tmp_path)
    name = f"@penstock-pages-{os.getpid()}"
    assert server.pages.listen(name, echo, raw=True) == [f"unix:{name}"]
    server.pages.listen(str(tmp_path / "s"), echo, mode=0o600)
    assert (tmp_path / "s").stat().st_mode & 0o777 == 0o600
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect("\0" + name[1:])
        assert server.said(sock) == b"   None "
    server.pages.close()
    assert not (tmp_path / "s").exists()
