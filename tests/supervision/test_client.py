"""The counting client counts: it finds every way of losing a request, and tells a good end from a bad one."""

import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.server import serving
from tests.supervision.client import Orders
from tests.supervision.load import Load, capacity, kinds, latency, quantile, within
from tests.supervision.wire import Address, Kind, Lane, packet, request, size_of

Answer = Callable[[socket.socket, int], bool]
"""Answers request ``number``; whether the connection goes on."""


def reply(number: int, body: bytes | None = None, status: str = "200 OK", head: str = "") -> bytes:
    text = f"{number} 7 1 ".encode().ljust(size_of(number), b".") if body is None else body
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(text)}\r\n{head}\r\n".encode() + text


class Loser:
    """A server that answers well, and each tenth request as ``bad`` does."""

    def __init__(self, bad: Answer) -> None:
        self.bad = bad
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.count = 0
        self.lock = threading.Lock()
        self.open = True
        threading.Thread(target=self.accept, daemon=True).start()

    @property
    def address(self) -> Address:
        host, port = self.listener.getsockname()
        return host, port

    def accept(self) -> None:
        while self.open:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(sock,), daemon=True).start()

    def serve(self, sock: socket.socket) -> None:
        with sock:
            try:
                while asked := sock.recv(4096):
                    number = int(asked.split(b" ")[1].partition(b"?")[0].rpartition(b"/")[2])
                    with self.lock:
                        self.count += 1
                        bad = self.count % 10 == 0
                    if bad:
                        if not self.bad(sock, number):
                            return
                    else:
                        sock.sendall(reply(number))
            except OSError:
                return  # the client has seen enough

    def close(self) -> None:
        self.open = False
        self.listener.close()


@contextmanager
def loser(bad: Answer) -> Iterator[Loser]:
    server = Loser(bad)
    try:
        yield server
    finally:
        server.close()


def closes(sock: socket.socket, number: int) -> bool:
    return False


def resets(sock: socket.socket, number: int) -> bool:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    return False


def cuts(sock: socket.socket, number: int) -> bool:
    sock.sendall(reply(number)[:-20])
    return False


def answers_another(sock: socket.socket, number: int) -> bool:
    sock.sendall(reply(number + 1, body=f"{number + 1} 7 1 ".encode().ljust(size_of(number), b".")))
    return True


def is_short(sock: socket.socket, number: int) -> bool:
    sock.sendall(reply(number, body=f"{number} 7 1 ".encode().ljust(size_of(number) - 1, b".")))
    return True


def has_a_foreign_byte(sock: socket.socket, number: int) -> bool:
    sock.sendall(reply(number)[:-1] + b"X")
    return True


def says_more(sock: socket.socket, number: int) -> bool:
    sock.sendall(reply(number) + b"HTTP/1.1")
    return True


def says_more_later(sock: socket.socket, number: int) -> bool:
    sock.sendall(reply(number))
    time.sleep(0.02)
    sock.sendall(b"HTTP/1.1")
    return True


def refuses(sock: socket.socket, number: int) -> bool:
    sock.sendall(reply(number, b"later", "503 Service Unavailable"))
    return True


def talks_nonsense(sock: socket.socket, number: int) -> bool:
    sock.sendall(b"220 mail.example.org ESMTP\r\n\r\n")
    return True


def is_silent(sock: socket.socket, number: int) -> bool:
    time.sleep(1.5)
    return False


FAULTS: list[tuple[Answer, set[Kind]]] = [
    (closes, {Kind.CLOSED}),
    (resets, {Kind.RESET}),
    (cuts, {Kind.CUT}),
    (answers_another, {Kind.WRONG}),
    (is_short, {Kind.LENGTH}),
    (has_a_foreign_byte, {Kind.LENGTH}),
    (says_more, {Kind.LENGTH}),
    (says_more_later, {Kind.WRONG, Kind.NOISE, Kind.LENGTH}),
    (refuses, {Kind.STATUS}),
    (talks_nonsense, {Kind.NOISE}),
    (is_silent, {Kind.LATE}),
]


@pytest.mark.parametrize(("bad", "expected"), FAULTS, ids=lambda value: getattr(value, "__name__", ""))
def test_every_fault_is_found_and_counted(tmp_path: Path, bad: Answer, expected: set[Kind]) -> None:
    with loser(bad) as server:
        lane = Lane("kept", server.address, kept=True)
        with Load([lane], tmp_path, rate=150, seconds=0.7, patience=1.0) as load:
            load.wait()
        records, failures = load.records(), load.failures()
    bad_ones = sum(kinds(records).values())
    found = {Kind[name] for name in kinds(records)}
    assert found and found <= expected
    # One in ten, each seen once and told once; what waits when the load ends may be one less.
    assert abs(server.count // 10 - bad_ones) <= 1
    assert len(failures) == bad_ones
    assert all(
        words["lane"] == "kept" and words["kind"] in {kind.name for kind in found} for words in failures
    )


def announces_its_close(sock: socket.socket, number: int) -> bool:
    sock.sendall(reply(number, head="Connection: close\r\n"))
    return False


def closes_after_the_reply(sock: socket.socket, number: int) -> bool:
    """Without a word; the client of this test is idle then."""
    sock.sendall(reply(number))
    return False


@pytest.mark.parametrize("good", [announces_its_close, closes_after_the_reply])
def test_a_close_that_is_announced_or_seen_is_no_failure(tmp_path: Path, good: Answer) -> None:
    with loser(good) as server:
        lane = Lane("kept", server.address, kept=True)
        with Load([lane], tmp_path, rate=40, seconds=1.0) as load:
            load.wait()
        records = load.records()
    assert server.count >= 20
    assert kinds(records) == {}
    assert len(records) == server.count


def test_nobody_there(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address: Address = ("127.0.0.1", listener.getsockname()[1])
    lanes = [Lane("tcp", address), Lane("unix", str(tmp_path / "nothing"), "uwsgi")]
    with Load(lanes, tmp_path, rate=100, seconds=0.5) as load:
        load.wait()
    records = load.records()
    assert len(records) > 10
    assert kinds(records) == {"REFUSED": len(records)}


def test_a_server_that_stops_under_load_is_seen(tmp_path: Path) -> None:
    words = ("--linger", "0", "--shutdown-timeout", "1")
    with serving(tmp_path, *words, app="tests.supervision.sites.echo:application", expect=None) as server:
        lanes = [Lane("kept", server.address(), kept=True), Lane("new", server.address())]
        most = capacity(lanes, tmp_path, seconds=0.5, callers=4)
        with Load(lanes, tmp_path, rate=200, seconds=1.5) as load:
            load.wait_for(60)
            assert load.failures() == []
            stopped = time.monotonic()
            server.stop(signal.SIGTERM)
            load.wait()
        records = load.records()
    assert most > 200
    assert kinds(within(records, [(0, stopped - 0.05)])) == {}
    assert set(kinds(records)) <= {"REFUSED", "RESET", "CLOSED"} and kinds(records)["REFUSED"] > 20
    assert {record.pid for record in records if record.kind == Kind.OK} == {server.process.pid}


def test_a_late_reply_is_late_from_when_it_was_due(tmp_path: Path) -> None:
    def stalls(sock: socket.socket, number: int) -> bool:
        time.sleep(0.3)
        sock.sendall(reply(number))
        return True

    with loser(stalls) as server:
        with Load([Lane("kept", server.address, kept=True)], tmp_path, rate=100, seconds=1.0) as load:
            load.wait()
        records = load.records()
    slow = [record for record in records if record.took >= 0.3]
    assert len(slow) == server.count // 10
    assert latency(records)["p99"] >= 300 > latency(records)["p50"]
    assert (
        len(within(records, [(0.0, load.begun)]))
        == 0
        < len(within(records, [(load.begun, time.monotonic())]))
    )


def test_quantiles() -> None:
    assert quantile([], 0.5) == 0.0
    assert quantile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert quantile(range(1000), 0.99) == 990
    assert quantile([1.0], 1.0) == 1.0


def test_orders_go_through_a_command_line(tmp_path: Path) -> None:
    orders = Orders(
        [Lane("a", ("127.0.0.1", 1), kept=True), Lane("b", "/x", "uwsgi")], 3.0, 4.0, str(tmp_path)
    )
    assert Orders.read(orders.text()) == orders


def test_what_is_asked() -> None:
    assert request(Lane("a", ("h", 1), kept=True, query="cpu=2"), 5) == (
        b"GET /id/5?size=105&cpu=2 HTTP/1.1\r\nHost: site\r\n\r\n"
    )
    assert b"Connection: close" in request(Lane("a", ("h", 1)), 5)
    assert request(Lane("a", "/x", "uwsgi"), 5) == packet("/id/5", "size=105")
