"""What only real sockets, threads and loops bring together: each was wrong once, here on either loop."""

import socket
import struct
import threading
import time
from pathlib import Path

import pytest

from tests.cases import covering, turns
from tests.e2e.server import LOOPS, Client, Server, serving
from tests.sites.racer import FILE
from tests.soak.wire import packet

APP = "tests.sites.racer:application"
EVIL = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
SIZE = 200_000
UPLOAD = b"POST /up HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (
    SIZE,
    b"x" * SIZE,
)


def reset(client: Client) -> None:
    """Close so that the server sees a reset."""
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def served_at_once(server: Server) -> bool:
    """Whether the one thread is free."""
    begun = time.monotonic()
    with server.client(timeout=20) as client:
        assert client.get("/hello").body == b"/hello 0"
    return time.monotonic() - begun < 2.0


# ---- The order of what comes ------------------------------------------------------------------------


def interleave(server: Server, until: float, wrong: list[bytes]) -> None:
    """A head, the end of the reply before it, and a body, all at nearly the same time."""
    head = b"POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(EVIL)
    while time.monotonic() < until:
        with server.client() as client:
            client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for _ in range(50):
                client.send(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n" + head[:-1])
                client.send(head[-1:])
                client.send(EVIL)
                for body in (b"/hello 0", b"/up %d" % len(EVIL)):
                    reply = client.reply()
                    if reply.body != body:
                        wrong.append(reply.body)
                        return


@pytest.mark.parametrize("loop", turns(LOOPS, "asyncio"))
def test_a_body_never_becomes_a_request(tmp_path: Path, loop: str) -> None:
    options = ("--threads", "2", "--loop", loop, "--access-log", "off")
    wrong: list[bytes] = []
    with serving(tmp_path, *options, app=APP) as server:
        until = time.monotonic() + 1.5
        clients = [threading.Thread(target=interleave, args=(server, until, wrong)) for _ in range(3)]
        for thread in clients:
            thread.start()
        for thread in clients:
            thread.join()
        assert "SMUGGLED" not in server.text()
    assert not wrong


@pytest.mark.parametrize("loop", turns(LOOPS, "uvloop"))
def test_a_stored_upload_is_answered_whatever_comes_behind_it(tmp_path: Path, loop: str) -> None:
    more = b"GET /behind HTTP/1.1\r\nHost: a\r\n\r\n"
    upload, hello = b"/up %d" % SIZE, b"/behind 0"
    with serving(tmp_path, "--loop", loop, "--gather", "16k", app=APP) as server:
        for number in range(10):
            wait = number % 5 * 0.0005
            for pieces, end, bodies in (
                ((UPLOAD,), True, [upload]),
                ((UPLOAD, more), False, [upload, hello]),
                ((more, UPLOAD), True, [hello, upload]),
                ((UPLOAD, more + UPLOAD), True, [upload, hello, upload]),
            ):
                with server.client(timeout=5) as client:
                    for piece in pieces:
                        client.send(piece)
                        time.sleep(wait)
                    if end:
                        client.sock.shutdown(socket.SHUT_WR)
                    assert [client.reply().body for _ in bodies] == bodies
                    assert not end or client.ended()


# ---- Threads that wait for a client that is gone ----------------------------------------------------


@pytest.mark.parametrize(("loop", "wait"), covering(LOOPS, [0.2, 0.0]))
def test_a_reset_in_an_upload_frees_its_thread(tmp_path: Path, loop: str, wait: float) -> None:
    with serving(tmp_path, "--threads", "1", "--loop", loop, app=APP) as server:
        client = server.client()
        client.send(b"POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n" + b"x" * 80_000)
        time.sleep(wait)
        reset(client)
        assert served_at_once(server)


@pytest.mark.parametrize(("loop", "spool"), covering(LOOPS, ["0", "1m"]))
def test_a_reset_in_a_reply_frees_its_thread(tmp_path: Path, loop: str, spool: str) -> None:
    options = ("--threads", "1", "--loop", loop, "--reply-spool", spool, "--reply-buffer", "64k")
    with serving(tmp_path, *options, app=APP) as server:
        client = server.client()
        client.send(b"GET /room HTTP/1.1\r\nHost: a\r\n\r\n")
        client.sock.recv(1000)
        time.sleep(0.5)  # by now it waits for room
        reset(client)
        assert served_at_once(server)


# ---- What is scarce ---------------------------------------------------------------------------------


@pytest.mark.parametrize("loop", turns(LOOPS, "asyncio"))
def test_a_file_that_finds_no_descriptor_ends_its_connection(tmp_path: Path, loop: str) -> None:
    options = ("--loop", loop, "--shutdown-timeout", "4")
    with serving(tmp_path, *options, app=APP, prefix=("prlimit", "--nofile=60:60")) as server:
        with server.client(timeout=5) as client:
            client.send(b"GET /file HTTP/1.1\r\nHost: a\r\n\r\n")
            time.sleep(0.3)
            got = 0
            try:
                while piece := client.sock.recv(1 << 20):
                    got += len(piece)
            except ConnectionResetError:
                pass
        assert 0 < got < FILE
        assert "Too many open files" in server.text()
        with server.client() as client:
            assert client.get("/hello").body == b"/hello 0"
        begun = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - begun < 3


@pytest.mark.parametrize("loop", turns(LOOPS, "uvloop"))
def test_environs_die_with_their_requests(tmp_path: Path, loop: str) -> None:
    with serving(tmp_path, "--threads", "3", "--loop", loop, "--gather", "10", app=APP) as server:
        clients = [server.client() for _ in range(12)]
        for number, client in enumerate(clients):
            body = b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n" if number % 2 else b""
            coding = b"Transfer-Encoding: chunked\r\n" if number % 2 else b""
            client.send(b"POST /note HTTP/1.1\r\nHost: a\r\n%s\r\n%s" % (coding, body))
        for client in clients:
            assert client.reply().body == b"noted"
        with server.client() as asks:
            assert soon_none_alive(asks), "while their connections are idle and the threads parked"
            for client in clients:
                client.close()
            assert soon_none_alive(asks)


def soon_none_alive(asks: Client) -> bool:
    """A thread is done with a request a moment after its client has the reply."""
    until = time.monotonic() + 1
    while time.monotonic() < until:
        if asks.get("/alive").body == b"0":
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("loop", turns(LOOPS, "asyncio"))
def test_no_exception_of_ours_is_being_handled_around_an_application(tmp_path: Path, loop: str) -> None:
    """A thread that looked for work in vain, and then found a request at the door, must not show it."""
    listener = ("--uwsgi-socket", str(tmp_path / "uwsgi"))
    with serving(tmp_path, *listener, "--threads", "2", "--loop", loop, app=APP) as server:
        for _ in range(200):
            with server.client() as client:
                client.send(packet("/clean", ""))
                assert client.reply().body == b"None"


# ---- Ends -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("loop", "keep"), covering(LOOPS, ["close", "keep-alive"]))
def test_a_forked_child_that_fails_in_mid_reply_leaves_the_connection_alone(
    tmp_path: Path, loop: str, keep: str
) -> None:
    with serving(tmp_path, "--threads", "2", "--loop", loop, app=APP) as server, server.client() as client:
        begun = time.monotonic()
        reply = client.get("/fork", f"Connection: {keep}")
        assert reply.body == b"parent goes on."
        assert time.monotonic() - begun < 2.5, "the child has ended by itself"
        if keep == "keep-alive":
            assert client.get("/hello").body == b"/hello 0"
        else:
            assert client.ended()


@pytest.mark.parametrize("loop", turns(LOOPS, "uvloop"))
def test_an_upload_that_was_answered_early_does_not_make_the_exit_unclean(tmp_path: Path, loop: str) -> None:
    options = ("--loop", loop, "--shutdown-timeout", "1", "--linger", "10")
    with serving(tmp_path, *options, app=APP, expect=None) as server, server.client() as client:
        client.send(b"POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n" + b"x" * 100_000)
        assert client.reply().body == b"early"
        assert server.stop() == 0, server.text()
