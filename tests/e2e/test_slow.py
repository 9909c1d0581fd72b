"""Clients that are slow, silent or gone: memory within a budget, never threads, and not for ever."""

import socket
import threading
import time
from pathlib import Path

import pytest

from tests.cases import covering, turns
from tests.e2e.server import LOOPS, Client, Server, serving


def stalled_reader(server: Server, path: str) -> Client:
    """A client that asks and then does not read; its window is small, as over a real network."""
    client = Client.__new__(Client)
    address = server.address()
    client.sock = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.sock.settimeout(20)
    client.sock.connect(address)
    client.rest = b""
    client.send(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    return client


@pytest.mark.parametrize(("loop", "family"), covering(LOOPS, ["tcp", "unix"]))
def test_readers_that_stop_in_a_reply_that_fits_hold_no_thread(
    tmp_path: Path, loop: str, family: str
) -> None:
    # On TCP the kernel may take all of it, megabytes for one reader; on UNIX sockets most of it is ours.
    address = "127.0.0.1:0" if family == "tcp" else str(tmp_path / "s")
    options = ("--http-socket", address, "--threads", "8", "--loop", loop, "--shutdown-timeout", "1")
    with serving(tmp_path, *options, expect=None) as server:
        stuck = [stalled_reader(server, "/big?size=524288") for _ in range(8)]
        time.sleep(0.3)
        waits = [server.client() for _ in range(8)]
        begun = time.monotonic()
        for client in waits:
            client.send(b"GET /sleep?s=0.3 HTTP/1.1\r\nHost: a\r\n\r\n")
        for client in waits:
            assert client.reply().body == b"slept"
        assert time.monotonic() - begun < 1.5, "all 8 threads were free at once"
        for client in stuck:
            assert client.reply().body == b"x" * 524288
        for client in [*stuck, *waits]:
            client.close()


@pytest.mark.parametrize("loop", turns(LOOPS, "asyncio"))
def test_readers_that_stop_in_an_endless_reply_are_cut_and_free_their_threads(
    tmp_path: Path, loop: str
) -> None:
    options = ("--threads", "8", "--write-timeout", "2", "--reply-spool", "2m", "--loop", loop)
    with serving(tmp_path, *options) as server:
        stuck = [stalled_reader(server, "/endless") for _ in range(8)]
        time.sleep(0.5)
        begun = time.monotonic()
        with server.client() as client:
            # No thread is free yet; this one is served when the first is.
            assert client.get("/hello").status == 200
            while client.get("/how-many").body.split()[0] != b"0":
                assert time.monotonic() - begun < 4.5, server.text()
                time.sleep(0.05)
        assert time.monotonic() - begun < 4.5
        assert server.text().count("cut: it does not read its reply") >= 1
        for client in stuck:
            client.close()


def side_by_side(server: Server, count: int) -> bool:
    """Whether so many requests that each hold a thread for 0.3 s are answered in the time of one."""
    clients = [server.client() for _ in range(count)]
    begun = time.monotonic()
    for client in clients:
        client.send(b"GET /sleep?s=0.3 HTTP/1.1\r\nHost: a\r\n\r\n")
    for client in clients:
        assert client.reply().body == b"slept"
        client.close()
    return time.monotonic() - begun < 0.55


@pytest.mark.parametrize("loop", turns(LOOPS, "uvloop"))
def test_two_waves_of_readers_that_stop_are_over_within_the_write_timeout(tmp_path: Path, loop: str) -> None:
    """All threads are free, although each of them wrote its reply to a file of 64 MB until it was cut."""
    options = ("--threads", "4", "--write-timeout", "5", "--loop", loop)
    with serving(tmp_path, *options) as server:
        begun = time.monotonic()
        stuck = [stalled_reader(server, "/endless") for _ in range(8)]
        time.sleep(0.2)
        while not side_by_side(server, 4):
            assert time.monotonic() - begun < 5, server.text()
        assert time.monotonic() - begun < 5, server.text()
        assert server.text().count("cut: it does not read its reply") == 8
        for client in stuck:
            client.close()


def test_a_reader_that_holds_a_thread_but_moves_is_not_cut_whoever_waits(tmp_path: Path) -> None:
    options = ("--threads", "1", "--write-timeout", "4", "--reply-spool", "2m", "--queue-timeout", "20s")
    with serving(tmp_path, *options) as server, server.client(timeout=20) as waiting:
        client = stalled_reader(server, "/endless")
        time.sleep(0.3)
        waiting.send(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
        until = time.monotonic() + 4
        while time.monotonic() < until:
            assert client.sock.recv(1 << 18)
            time.sleep(0.05)
        assert "cut:" not in server.text()
        begun = time.monotonic()
        assert waiting.reply().status == 200, "the reader has stopped now"
        assert 0.5 < time.monotonic() - begun < 3
        client.close()


def test_a_reader_that_stops_has_all_its_time_while_nobody_waits(tmp_path: Path) -> None:
    options = ("--threads", "1", "--write-timeout", "4", "--reply-spool", "2m")
    with serving(tmp_path, *options) as server:
        client = stalled_reader(server, "/endless")
        time.sleep(3)
        assert "cut:" not in server.text()
        server.wait_for("cut: it does not read its reply")
        client.close()


def test_a_reader_of_a_byte_a_second_is_cut(tmp_path: Path) -> None:
    with serving(tmp_path, "--write-timeout", "1", "--min-rate", "2k") as server:
        client = stalled_reader(server, "/big?size=30000000")
        until = time.monotonic() + 8
        while "cut: it does not read" not in server.text() and time.monotonic() < until:
            client.sock.recv(1)
            time.sleep(0.1)
        assert "cut: it does not read" in server.text()
        client.close()


@pytest.mark.parametrize("loop", turns(LOOPS, "asyncio"))
def test_a_head_that_drips_is_answered_408(tmp_path: Path, loop: str) -> None:
    with serving(tmp_path, "--head-timeout", "1", "--loop", loop) as server, server.client() as client:
        begun = time.monotonic()
        for byte in b"GET / HTTP/1.1\r\nHost: ":
            client.send(bytes([byte]))
            time.sleep(0.02)
        assert client.reply().status == 408
        assert 0.8 < time.monotonic() - begun < 2.5
        assert client.ended()


def test_a_second_head_that_drips_is_answered_408_too(tmp_path: Path) -> None:
    with serving(tmp_path, "--head-timeout", "1") as server, server.client() as client:
        assert client.get("/hello").status == 200
        time.sleep(0.5)
        client.send(b"GET / HT")
        begun = time.monotonic()
        assert client.reply().status == 408
        assert 0.8 < time.monotonic() - begun < 2.0


def test_a_client_that_says_nothing_is_closed(tmp_path: Path) -> None:
    with serving(tmp_path, "--head-timeout", "1") as server, server.client() as client:
        assert client.ended()


def test_an_idle_connection_is_closed_in_time_and_not_before(tmp_path: Path) -> None:
    with serving(tmp_path, "--keepalive-timeout", "2") as server, server.client() as client:
        for _ in range(3):
            assert client.get("/hello").status == 200
            time.sleep(0.8)
        begun = time.monotonic()
        assert client.ended()
        assert 0.7 < time.monotonic() - begun < 2.5


@pytest.mark.parametrize(("size", "begun"), [(1000, 0), (500_000, 0), (500_000, 70_000)])
def test_a_body_of_a_byte_a_second_is_ended(tmp_path: Path, size: int, begun: int) -> None:
    """A large one streams to a thread, whose read raises, once the first 64 KB have shown that it comes."""
    with serving(tmp_path, "--body-timeout", "1") as server, server.client() as client:
        client.send(b"POST /digest HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size)
        client.send(b"x" * begun)
        stop = threading.Event()

        def drip() -> None:
            try:
                while not stop.wait(0.1):
                    client.send(b"x")
            except OSError:
                pass

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            assert client.reply().status == (400 if begun else 408)
        finally:
            stop.set()
            thread.join()


def test_the_queue_is_bounded_and_overload_is_answered(tmp_path: Path) -> None:
    with serving(tmp_path, "--threads", "1", "--request-queue", "2") as server:
        clients = [server.client() for _ in range(6)]
        for client in clients:
            client.send(b"GET /sleep?s=1 HTTP/1.1\r\nHost: a\r\n\r\n")
            time.sleep(0.03)
        replies = [client.reply() for client in clients]
        assert sorted(reply.status for reply in replies) == [200, 200, 200, 503, 503, 503]
        refused = next(reply for reply in replies if reply.status == 503)
        server.wait_for("(HTTP/1.1 503)")  # what the loop answers is in the access log too
        assert int(refused.headers["retry-after"]) >= 1
        assert clients[0].get("/hello").status == 200
        assert clients[-1].get("/hello").status == 200, "a refused client may come again on its connection"
        for client in clients:
            client.close()


def test_a_request_that_waits_too_long_gets_503_without_a_thread(tmp_path: Path) -> None:
    with serving(tmp_path, "--threads", "1", "--queue-timeout", "500ms") as server:
        first, second = server.client(), server.client()
        first.send(b"GET /sleep?s=1.5 HTTP/1.1\r\nHost: a\r\n\r\n")
        time.sleep(0.05)
        begun = time.monotonic()
        reply = second.get("/hello")
        assert reply.status == 503
        assert 0.4 < time.monotonic() - begun < 1.2
        assert first.reply().body == b"slept"
        assert second.get("/hello").status == 200
        first.close()
        second.close()


def test_a_queued_request_whose_client_left_is_not_run(tmp_path: Path) -> None:
    with serving(tmp_path, "--threads", "1") as server:
        first = server.client()
        first.send(b"GET /sleep?s=1.5 HTTP/1.1\r\nHost: a\r\n\r\n")
        time.sleep(0.05)
        second = server.client()
        second.send(b"GET /closing?name=unserved HTTP/1.1\r\nHost: a\r\n\r\n")
        time.sleep(0.05)
        second.close()
        assert first.reply().body == b"slept"
        assert first.get("/was-closed?name=unserved").body == b"0"
        first.close()


def test_more_connections_than_allowed_wait_outside(tmp_path: Path) -> None:
    with serving(tmp_path, "--max-connections", "3") as server:
        clients = [server.client() for _ in range(3)]
        for client in clients:
            assert client.get("/hello").status == 200
        outside = server.client(timeout=0.5)
        outside.send(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
        with pytest.raises(TimeoutError):
            outside.sock.recv(1)
        clients[0].close()
        outside.sock.settimeout(5)
        assert outside.reply().status == 200
        for client in [*clients, outside]:
            client.close()


def test_running_out_of_descriptors_pauses_and_recovers(tmp_path: Path) -> None:
    limit = ("prlimit", "--nofile=40:40")
    with serving(tmp_path, "--max-connections", "1000", prefix=limit) as server:
        clients = []
        for _ in range(45):
            client = server.client(timeout=5)
            try:
                client.send(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
            except OSError:
                pass
            clients.append(client)
        server.wait_for("not accepting, trying again")
        for client in clients:
            client.close()
        time.sleep(0.5)
        with server.client() as client:
            assert client.get("/hello").status == 200


@pytest.mark.slow
def test_a_gigabyte_down_to_a_slow_reader_and_up_costs_no_memory(tmp_path: Path) -> None:
    with serving(tmp_path, "--threads", "4") as server, server.client(timeout=60) as client:
        client.get("/hello")
        before = server.rss()
        client.send(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.head().status == 200
        got, peak = len(client.rest), 0
        client.rest = b""
        while got < 1 << 30:
            got += len(client.sock.recv(1 << 18))
            if got % 7 == 0:
                time.sleep(0.0005)
                peak = max(peak, server.rss())
        assert got == 1 << 30
        down = peak - before
        client.send(b"POST /digest HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (1 << 30))
        block = bytes(1 << 20)
        for number in range(1 << 10):
            client.send(block)
            if number % 16 == 0:
                peak = max(peak, server.rss())
        assert client.reply().body.startswith(b"1073741824 ")
        print(f"RSS grew by {down} bytes down, {peak - before} in all")
        assert down < 20 << 20
        assert peak - before < 20 << 20
