"""What clients send: bodies of every kind and speed, pipelines, expectations, departures."""

import hashlib
import json
import os
import random
import socket
import threading
import time

import httpx
import pytest

from tests.e2e.server import Client, Server


def digest(data: bytes) -> bytes:
    return f"{len(data)} {hashlib.sha256(data).hexdigest()}".encode()


def chunked(data: bytes, size: int) -> bytes:
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 1_000_000, 8_000_000])
def test_bodies_of_every_size_reach_the_application(client: Client, size: int) -> None:
    data = os.urandom(size)
    client.send(b"POST /digest HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size + data)
    assert client.reply().body == digest(data)
    assert client.get("/hello").status == 200


@pytest.mark.parametrize("size", [0, 1, 70_000, 3_000_000])
def test_chunked_bodies_are_gathered_and_have_a_length(client: Client, size: int) -> None:
    data = os.urandom(size)
    head = b"POST /digest HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    client.send(head + chunked(data, 5000))
    assert client.reply().body == digest(data)
    client.send(b"POST /show HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(data, 9999))
    found = json.loads(client.reply().body)
    assert found["CONTENT_LENGTH"] == ["str", str(size)]
    assert "HTTP_TRANSFER_ENCODING" not in found
    assert client.get("/hello").status == 200


def test_the_ways_to_read_agree(client: Client) -> None:
    data = b"first line\nsecond line\nthird\nfourth\n\nlast without end"
    for size in (len(data), 100_000):
        body = data + b"." * (size - len(data))
        head = b"POST /read-ways HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body)
        client.send(head + body)
        parts = json.loads(client.reply().body)
        assert parts[:3] == ["first line\n", "sec", "on"]
        assert "".join(parts).encode() == body


def test_a_slow_body_takes_no_thread_until_it_is_there(server: Server) -> None:
    waiting = [server.client() for _ in range(12)]
    for client in waiting:
        client.send(b"POST /digest HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345")
    with server.client() as other:
        assert other.get("/hello").status == 200
    for client in waiting:
        client.send(b"67890")
    for client in waiting:
        assert client.reply().body == digest(b"1234567890")
        client.close()


def test_two_hundred_pipelined_requests_are_answered_in_order(client: Client) -> None:
    random.seed(7)
    waits = [random.choice((0, 0, 0, 0.002, 0.01)) for _ in range(200)]
    lines = [f"GET /identify/{n}?wait={wait} HTTP/1.1\r\nHost: a\r\n\r\n" for n, wait in enumerate(waits)]
    client.send("".join(lines).encode())
    for number in range(200):
        assert client.reply().body.startswith(f"/identify/{number}?".encode())


def test_pipelined_requests_with_bodies_of_both_kinds(client: Client) -> None:
    data = b"POST /digest HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
    data += b"POST /digest HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(b"defg", 2)
    data += b"GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\ngarbage that follows the last one"
    client.send(data)
    assert client.reply().body == digest(b"abc")
    assert client.reply().body == digest(b"defg")
    assert client.reply().body == b"Hello, World!"
    assert client.ended()


def test_requests_in_pieces_of_every_size(server: Server) -> None:
    data = b"POST /digest HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
    for step in (1, 2, 7):
        with server.client() as client:
            client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for at in range(0, len(data), step):
                client.send(data[at : at + step])
            assert client.reply().body == digest(b"hello")


@pytest.mark.parametrize("size", [5, 200_000])
def test_100_continue_comes_when_the_application_reads(client: Client, size: int) -> None:
    client.send(
        b"POST /digest HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n" % size
    )
    assert client.head().status == 100
    client.send(b"x" * size)
    assert client.reply().body == digest(b"x" * size)
    assert client.get("/hello").status == 200


def test_no_100_for_an_application_that_does_not_read(client: Client) -> None:
    client.send(b"POST /early HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
    reply = client.reply()
    assert reply.status == 403
    assert reply.headers["connection"] == "close"
    assert client.ended()


def test_100_continue_for_a_chunked_body_that_is_gathered(client: Client) -> None:
    head = b"POST /digest HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n"
    client.send(head)
    assert client.head().status == 100
    client.send(chunked(b"hello", 2))
    assert client.reply().body == digest(b"hello")


def test_an_early_answer_to_a_large_upload_is_read_by_its_client(client: Client) -> None:
    client.send(b"POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 50000000\r\n\r\n")

    def pour() -> None:
        try:
            for _ in range(760):
                client.send(b"x" * 65536)
        except OSError:
            pass

    thread = threading.Thread(target=pour)
    thread.start()
    reply = client.reply()
    assert (reply.status, reply.body) == (403, b"no thanks")
    assert reply.headers["connection"] == "close"
    thread.join(20)
    assert not thread.is_alive()


def test_a_body_cut_short_is_an_error_for_the_application(server: Server) -> None:
    before = server.text().count("zoo: read failed")
    with server.client() as client:
        client.send(b"POST /digest HTTP/1.1\r\nHost: a\r\nContent-Length: 500000\r\n\r\n" + b"x" * 100_000)
        time.sleep(0.1)
    until = time.monotonic() + 5
    while server.text().count("zoo: read failed") == before and time.monotonic() < until:
        time.sleep(0.02)
    assert "zoo: read failed: the client closed" in server.text()


def test_an_application_is_told_that_its_client_left(server: Server) -> None:
    with server.client() as client:
        client.send(b"GET /gone HTTP/1.1\r\nHost: a\r\n\r\n")
        time.sleep(0.1)
    server.wait_for("zoo: disconnected=True", 3)


def test_early_hints_are_not_offered_unless_asked_for(client: Client) -> None:
    assert client.get("/hints").body == b"False"


def test_a_client_that_closes_its_side_still_gets_its_reply(server: Server) -> None:
    with server.client() as client:
        client.send(b"GET /sleep?s=0.2 HTTP/1.1\r\nHost: a\r\n\r\n")
        client.sock.shutdown(socket.SHUT_WR)
        assert client.reply().body == b"slept"
        assert client.ended()


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
        (b"GET / HTTP/1.1\nHost: a\n\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00", 400),
        (b"GET /" + b"a" * 20_000, 414),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 70_000, 431),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello", 400),
        (b"FOO / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
        (b"GET / HTTP/1.1\r\nHost: a\r\nExpect: magic\r\n\r\n", 417),
    ],
)
def test_what_is_no_request_is_refused_and_closed(client: Client, data: bytes, status: int) -> None:
    client.send(data)
    reply = client.reply()
    assert reply.status == status
    assert reply.headers["connection"] == "close"
    assert client.ended()


def test_a_refusal_waits_for_the_answers_before_it(client: Client) -> None:
    client.send(b"GET /sleep?s=0.2 HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/9\r\n\r\n")
    assert client.reply().body == b"slept"
    assert client.reply().status == 400


def test_malformed_chunks_reach_a_streaming_application_as_an_error(server: Server) -> None:
    with server.client() as client:
        client.send(
            b"POST /digest HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + b"5\r\nhelloX"
        )
        assert client.reply().status == 400


def test_clients_that_leave_in_mid_reply_never_get_into_anothers(server: Server) -> None:
    stop = time.monotonic() + 3
    wrong: list[str] = []

    def leaver(seed: int) -> None:
        dice = random.Random(seed)
        while time.monotonic() < stop:
            with server.client() as client:
                size = dice.choice((100, 100_000, 3_000_000))
                client.send(f"GET /big?size={size}&mark=L{seed} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
                client.sock.recv(dice.choice((1, 1000, 100_000)))

    def stayer(seed: int) -> None:
        mark = f"S{seed}.".encode()
        while time.monotonic() < stop:
            with server.client() as client:
                for size in (900, 30_000, 600_000):
                    reply = client.get(f"/big?size={size}&mark=S{seed}.")
                    if reply.body != (mark * (size // len(mark) + 1))[:size]:
                        wrong.append(repr(reply.body[:200]))

    threads = [threading.Thread(target=leaver, args=(n,)) for n in range(4)]
    threads += [threading.Thread(target=stayer, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert wrong == []


def test_httpx_uploads_and_streams(server: Server) -> None:
    data = os.urandom(300_000)
    with httpx.Client(base_url=server.url) as http:
        assert http.post("/digest", content=data).content == digest(data)
        assert http.post("/digest", content=iter([data[:1000], data[1000:]])).content == digest(data)
        with http.stream("GET", "/stream?n=5&wait=0.01") as reply:
            assert b"".join(reply.iter_bytes()) == b"0;1;2;3;4;"
