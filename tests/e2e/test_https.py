"""HTTPS from real servers: what HTTP/1.1 has works by TLS as well, whoever is slow, rude or gone."""

import hashlib
import json
import os
import socket
import ssl
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.secure import Secure, TlsClient, secured, trusting
from tests.e2e.server import LOOPS
from tests.waiting import until

SIZE = 12 << 20


@pytest.fixture(scope="module", params=LOOPS)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secure]:
    tmp = tmp_path_factory.mktemp("https")
    (tmp / "large").write_bytes(os.urandom(SIZE))
    (tmp / "small").write_bytes(b"small")
    more = (f"--static-map=/s={tmp}", "--loop", request.param, "--threads", "8", "--head-timeout", "2")
    with secured(tmp, *more, "--write-timeout", "3", "--honour-range") as it:
        it.large = (tmp / "large").read_bytes()
        yield it


@pytest.fixture
def client(place: Secure) -> Iterator[TlsClient]:
    with place.client() as fresh:
        yield fresh


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


# ---- What HTTP/1.1 has --------------------------------------------------------------------------------


def test_the_application_sees_https(place: Secure, client: TlsClient) -> None:
    environ = {name: value for name, (_, value) in json.loads(client.get("/show").body).items()}
    assert environ["wsgi.url_scheme"] == "https" and environ["HTTPS"] == "on"
    assert environ["SERVER_PORT"] == str(place.address[1]) and environ["REMOTE_ADDR"] == "127.0.0.1"
    assert not {"HTTPS_DN", "HTTPS_CC"} & environ.keys()
    with place.beside() as plain:
        environ = {name: value for name, (_, value) in json.loads(plain.get("/show").body).items()}
    assert environ["wsgi.url_scheme"] == "http" and "HTTPS" not in environ


def test_a_connection_is_kept_and_requests_are_answered_in_order(client: TlsClient) -> None:
    for number in range(20):
        assert client.get(f"/identify?{number}").body.endswith(f"?{number}".encode())
    client.send(b"".join(b"GET /identify?%d HTTP/1.1\r\nHost: a\r\n\r\n" % number for number in range(50)))
    for number in range(50):
        assert client.reply().body.endswith(b"?%d" % number)
    client.get("/hello", "Connection: close")
    assert client.tls.recv(1) == b"", "the end was said"


def test_a_health_probe_is_answered_on_the_loop(client: TlsClient) -> None:
    assert client.get("/-/ready").status == 200
    assert client.get("/hello").body == b"Hello, World!"


@pytest.mark.parametrize("chunked", [True, False])
def test_uploads_come_whole(client: TlsClient, chunked: bool) -> None:
    data = os.urandom(3 << 20)
    head = "POST /digest HTTP/1.1\r\nHost: a\r\n"
    if chunked:
        body = (
            b"".join(b"%x\r\n%s\r\n" % (len(x), x) for x in (data[:1], data[1:99999], data[99999:]))
            + b"0\r\n\r\n"
        )
        client.send(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + body)
    else:
        client.send(f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data)
    assert client.reply().body == f"{len(data)} {digest(data)}".encode()


def test_one_is_told_to_go_on(client: TlsClient) -> None:
    client.send(b"POST /digest HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
    assert client.reply().status == 100
    client.send(b"12345")
    assert client.reply().body.startswith(b"5 ")


def test_files_go_out_whole(place: Secure, client: TlsClient) -> None:
    for _ in range(2):
        assert digest(client.get("/s/large").body) == digest(place.large)
        assert client.get("/s/small").body == b"small"
    found = client.get("/s/large", "Range: bytes=100-99999,200000-300000")
    assert place.large[100:100000] in found.body and place.large[200000:300001] in found.body
    assert client.get("/file?size=3000000&at=7").body == (bytes(range(256)) * 12000)[7:3000000]
    assert client.get("/big?size=5000000&mark=abc").body == (b"abc" * 1666667)[:5000000]


def test_ten_that_read_slowly_get_all_of_it_and_hold_nobody(place: Secure) -> None:
    slow = [place.client(narrow=True, timeout=30) for _ in range(10)]
    for one in slow:
        one.send(b"GET /s/large HTTP/1.1\r\nHost: a\r\n\r\nGET /big?size=3000000 HTTP/1.1\r\nHost: a\r\n\r\n")
    with place.client() as client:
        assert client.get("/hello").status == 200
        assert digest(client.get("/s/large").body) == digest(place.large)
    found: list[bool] = []

    def read(one: TlsClient) -> None:
        whole = digest(one.reply().body) == digest(place.large)
        found.append(whole and one.reply().body == b"x" * 3000000)

    threads = [threading.Thread(target=read, args=(one,)) for one in slow]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in slow:
        one.close()
    assert found == [True] * 10


def test_what_is_left_in_memory_and_in_the_file_is_sent_in_order(tmp_path: Path) -> None:
    options = ("--reply-buffer", "64k", "--reply-spool", "64m", "--threads", "2")
    with secured(tmp_path, *options) as place, place.client(narrow=True, timeout=30) as client:
        client.send(b"GET /stream?n=20000 HTTP/1.1\r\nHost: a\r\n\r\n")
        with place.client() as other:
            assert other.get("/hello").status == 200
        expected = b"".join(b"%d;" % number for number in range(20000))
        assert client.reply().body == expected
        assert client.get("/hello").status == 200


def test_an_answer_that_comes_before_the_upload_is_read(client: TlsClient) -> None:
    client.send(b"POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 30000000\r\n\r\n")
    # OpenSSL's object is used by one thread alone here, too: this one sends and reads in turn.
    client.tls.setblocking(False)
    until(lambda: b"no thanks" in came(client) or not some(client))
    client.tls.settimeout(10)
    assert client.head().status == 403


def came(client: TlsClient) -> bytes:
    """All that has come until now."""
    try:
        client.rest += client.tls.recv(1 << 16)
    except ssl.SSLWantReadError:
        pass
    return client.rest


def some(client: TlsClient) -> bool:
    """Send some of a body; always True."""
    try:
        client.tls.send(bytes(1 << 16))
    except ssl.SSLWantWriteError:
        pass
    return True


# ---- Who is slow, rude or gone ------------------------------------------------------------------------


def test_a_handshake_that_trickles_is_ended_and_holds_nobody_up(place: Secure) -> None:
    hello = first_words()
    begun = time.monotonic()
    with place.plain() as slow:
        ended = False
        for octet in hello:
            try:
                slow.send(bytes([octet]))
                slow.sock.settimeout(0.1)
                ended = slow.sock.recv(1) == b""
            except TimeoutError:
                pass
            except ConnectionError:
                ended = True
            if ended:
                break
            with place.client() as client:
                assert client.get("/hello").status == 200
        assert ended and time.monotonic() - begun < 10


def first_words() -> bytes:
    """What a client begins with."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        trusting().wrap_bio(incoming, outgoing, server_hostname="localhost").do_handshake()
    return outgoing.read()


def test_a_handshake_by_single_octets_is_one(place: Secure) -> None:
    with place.plain() as slow:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = trusting().wrap_bio(incoming, outgoing)
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                for octet in outgoing.read():
                    slow.send(bytes([octet]))
                incoming.write(slow.sock.recv(1 << 16))
        tls.write(b"GET /hello HTTP/1.0\r\n\r\n")
        for octet in outgoing.read():
            slow.send(bytes([octet]))
        incoming.write(slow.to_end())
        assert tls.read(1 << 16).endswith(b"Hello, World!")


def test_http_without_tls_is_told_so_and_in_the_log(place: Secure) -> None:
    with place.plain() as client:
        reply = client.get("/hello")
        assert reply.status == 400 and b"this port speaks https" in reply.body
        assert client.ended()
    place.server.wait_for(f"{place.name}: 127.0.0.1: HTTP without TLS came to a port for https")


def test_garbage_is_one_line_in_the_log_at_most(place: Secure) -> None:
    for _ in range(50):
        with place.plain() as client:
            client.send(os.urandom(5).replace(b"\x16", b"x") + bytes(300))
            client.sock.settimeout(5)
            assert len(client.to_end()) < 100, "an alert, or nothing"
    with place.client() as client:
        assert client.get("/hello").status == 200
    assert place.server.text().count("the TLS handshake failed") <= 30


def test_old_versions_are_refused(place: Secure) -> None:
    context = trusting()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # they are old for Python, too
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises(ssl.SSLError):
        place.client(context)
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        with place.client(trusting(newest=version)) as client:
            assert client.get("/hello").status == 200


def test_renegotiation_is_refused(place: Secure) -> None:
    """A client that asks for a second handshake inside of the first one's connection."""
    with place.client(trusting(newest=ssl.TLSVersion.TLSv1_2)) as client:
        client.get("/hello")
        hello = first_words()[5:]
        # A record of the handshake's kind that is encrypted cannot be made with Python; one that is not is
        # as little allowed here.
        socket.socket.send(client.tls, b"\x16\x03\x03" + len(hello).to_bytes(2, "big") + hello)
        with pytest.raises((ssl.SSLError, ConnectionError)):
            client.tls.recv(1)
            raise ConnectionError("it was ended")
    with place.client() as client:
        assert client.get("/hello").status == 200


def descriptors(place: Secure) -> int:
    return len(os.listdir(f"/proc/{place.server.process.pid}/fd"))


def test_those_who_leave_in_the_middle_leave_nothing_behind(place: Secure) -> None:
    before = after_those_who_leave(place)
    # A cached file and the sender's own may have come meanwhile; ten that leaked would be more.
    assert after_those_who_leave(place) <= before + 5
    assert "fault" not in place.server.text()


def after_those_who_leave(place: Secure) -> int:
    """The descriptors that are open once nobody is there any more."""
    for number in range(30):
        client = place.client(narrow=True)
        path = ("/endless", "/s/large", "/sleep?s=0.2")[number % 3]
        client.send(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        if number % 2:
            client.tls.recv(1)
        if number % 4 == 3:
            client.tls.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.close()
    with place.client() as client:
        until(lambda: client.get("/how-many").body.split()[0] == b"0", shown=place.server.text)
    known = [-1]

    def steady() -> bool:
        known.append(descriptors(place))
        return len(known) > 100 and len(set(known[-100:])) == 1

    until(steady)
    return known[-1]


@pytest.mark.parametrize("many", [100, pytest.param(500, marks=pytest.mark.slow)])
def test_many_that_stop_reading_are_cut_and_hold_no_thread(tmp_path: Path, many: int) -> None:
    (tmp_path / "large").write_bytes(bytes(SIZE))
    with secured(tmp_path, "--threads=2", "--write-timeout=2", f"--static-map=/s={tmp_path}") as place:
        before = descriptors(place)
        stuck = [place.client(narrow=True) for _ in range(many)]
        for one in stuck:
            one.send(b"GET /s/large HTTP/1.1\r\nHost: a\r\n\r\n")
        with place.client(timeout=20) as client:
            assert client.get("/hello").status == 200
        place.server.wait_for("cut: it does not read its reply")
        until(lambda: descriptors(place) < before + 10, 20, lambda: descriptors(place))
        for one in stuck:
            one.close()


def test_each_has_its_own_reply_though_descriptors_are_used_again(place: Secure) -> None:
    wrong: list[bytes] = []

    def ask(number: int) -> None:
        for turn in range(30):
            with place.client() as client:
                mark = f"{number}.{turn};"
                body = client.get(f"/big?size=50000&mark={mark}", "Connection: close").body
                if body != (mark.encode() * 50000)[:50000]:
                    wrong.append(body)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
