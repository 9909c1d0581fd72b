"""A TLS socket between a loop that reads and threads that write, against OpenSSL itself as the client."""

import os
import random
import socket
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator

import pytest

from penstock.config.site.listeners import Secured
from penstock.handoff.sockets import at_end, end, send_slice, shut
from penstock.handoff.tls import DISCARDED, RECORD, TlsSocket, gathered, secured
from penstock.process.certificates import contents, made
from tests.e2e.secure import CERTIFICATES, trusting
from tests.waiting import until

DATA = random.Random(7).randbytes(3 << 20)


def context() -> ssl.SSLContext:
    said = Secured("", f"{CERTIFICATES}/server.pem", f"{CERTIFICATES}/server.key")
    return made(said, contents(said, ""))


class Two:
    """Our socket, and a client's on the other end of the same TCP connection."""

    def __init__(self, server: ssl.SSLContext, client: ssl.SSLContext, room: int = 0) -> None:
        self.told: list[str] = []
        with socket.create_server(("127.0.0.1", 0)) as listening:
            plain = socket.socket()
            if room:
                plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, room)
            plain.connect(listening.getsockname())
            accepted, _ = listening.accept()
        plain.settimeout(10)
        accepted.setblocking(False)
        self.plain = plain
        # CPython 3.11.2 takes a cut for an end where it is not told otherwise.
        client.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
        self.context = client
        self.ours = secured(accepted, server, self.told.append, lambda: b"HTTP/1.1 400 Bad Request\r\n\r\n")

    def shake(self) -> ssl.SSLSocket:
        """Shake hands: the loop's part is to read."""
        thread = threading.Thread(target=self.client)
        thread.start()
        until(lambda: self.read() == b"ready")
        thread.join()
        return self.theirs

    def client(self) -> None:
        self.theirs = self.context.wrap_socket(self.plain, suppress_ragged_eofs=False)
        self.theirs.sendall(b"ready")

    def read(self) -> bytes | None:
        """What a loop would read now; None when nothing is there."""
        try:
            return self.ours.recv()
        except BlockingIOError:
            return None

    def read_all(self, count: int) -> bytes:
        """So many bytes."""
        found = bytearray()

        def more() -> bool:
            found.extend(self.read() or b"")
            return len(found) >= count

        until(more)
        return bytes(found)

    def close(self) -> None:
        self.ours.close()
        self.plain.close()
        if hasattr(self, "theirs"):
            self.theirs.close()


Make = Callable[..., Two]


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[Two] = []

    def two(room: int = 0, newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> Two:
        made.append(Two(context(), trusting(newest=newest), room))
        return made[-1]

    yield two
    for one in made:
        one.close()


BOTH = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


@pytest.mark.parametrize("version", BOTH)
def test_a_read_hands_over_a_whole_record_whatever_is_asked_for(make: Make, version: ssl.TLSVersion) -> None:
    two = make(newest=version)
    theirs = two.shake()
    assert theirs.version() == version.name.replace("v1_", "v1.")
    theirs.sendall(DATA[:RECORD])
    found: list[bytes] = []

    def came() -> bool:
        try:
            found.append(two.ours.recv(10))
        except BlockingIOError:
            return False
        return True

    until(came)
    assert found == [DATA[:RECORD]]
    with pytest.raises(BlockingIOError):
        two.ours.recv(10)


def test_the_client_that_only_trusts_itself_is_offered_http_1_alone(make: Make) -> None:
    two = make()
    two.context.set_alpn_protocols(["h2", "http/1.1"])
    assert two.shake().selected_alpn_protocol() == "http/1.1"


def test_what_a_full_socket_does_not_take_is_taken_later_and_in_order(make: Make) -> None:
    two = make(room=8192)
    theirs = two.shake()
    sent = two.ours.send(DATA)
    assert 0 < sent < len(DATA) and two.ours.held
    with pytest.raises(BlockingIOError):
        two.ours.send(DATA[sent:])
    read = threading.Thread(target=lambda: found.extend(received(theirs, len(DATA))))
    found = bytearray()
    read.start()

    def more() -> bool:
        nonlocal sent
        # A client that is full can be written to in any sizes, as long as the bytes follow on each other.
        step = random.choice((1 << 16, 1 << 20))
        try:
            sent += two.ours.sendmsg([DATA[sent : sent + step], DATA[sent + step : sent + 2 * step]])
        except BlockingIOError:
            pass
        return sent == len(DATA)

    until(more)
    read.join()
    assert bytes(found) == DATA and not two.ours.held


def received(sock: ssl.SSLSocket, count: int) -> bytes:
    found = bytearray()
    while len(found) < count:
        found += sock.recv(1 << 16)
    return bytes(found)


def test_a_thread_writes_while_the_loop_reads_and_nothing_is_lost(make: Make) -> None:
    two = make()
    theirs = two.shake()
    back = bytearray()

    def write() -> None:
        sent = 0
        while sent < len(DATA):
            try:
                sent += two.ours.send(DATA[sent : sent + (1 << 18)])
            except BlockingIOError:
                pass

    # Two sockets of one connection cannot be used by two threads on the client's side either.
    def echo() -> None:
        theirs.setblocking(False)
        given = 0
        while given < len(DATA) or len(back) < len(DATA):
            try:
                back.extend(theirs.recv(1 << 16))
            except ssl.SSLWantReadError:
                pass
            try:
                given += theirs.send(DATA[given : given + (1 << 14)]) if given < len(DATA) else 0
            except ssl.SSLWantWriteError:
                pass

    threads = [threading.Thread(target=write), threading.Thread(target=echo)]
    for thread in threads:
        thread.start()
    assert two.read_all(len(DATA)) == DATA
    for thread in threads:
        thread.join()
    assert bytes(back) == DATA


def test_a_file_is_read_encrypted_and_sent(make: Make) -> None:
    two = make()
    theirs = two.shake()
    found = bytearray()
    read = threading.Thread(target=lambda: found.extend(received(theirs, len(DATA) - 5)))
    read.start()
    with tempfile.TemporaryFile() as file:
        file.write(DATA)
        file.flush()
        at = 5

        def more() -> bool:
            nonlocal at
            at += send_slice(two.ours, file.fileno(), at, len(DATA))
            return at == len(DATA)

        until(more)
        with pytest.raises(OSError, match="ended before"):
            send_slice(two.ours, file.fileno(), len(DATA), len(DATA) + 1)
    read.join()
    assert bytes(found) == DATA[5:]


def test_the_end_is_said_and_what_still_comes_is_seen_by_nobody(make: Make) -> None:
    two = make()
    theirs = two.shake()
    two.ours.send(b"all")
    two.ours.shutdown(socket.SHUT_WR)
    assert received(theirs, 3) == b"all" and theirs.recv(1) == b""
    theirs.send(b"more")
    until(lambda: two.read() == DISCARDED)
    with pytest.raises(BrokenPipeError):
        two.ours.send(b"late")
    theirs.close()
    until(lambda: two.read() == b"")


def test_a_cut_does_not_pass_for_an_end(make: Make) -> None:
    two = make()
    theirs = two.shake()
    two.ours.send(b"half")
    shut(two.ours)
    end(two.ours, socket.SHUT_RDWR, False)
    assert received(theirs, 4) == b"half"
    with pytest.raises(ssl.SSLError, match=r"(?i)eof"):
        theirs.recv(1)


@pytest.mark.parametrize("said", [True, False])
def test_a_client_that_has_sent_all_still_gets_its_reply(make: Make, said: bool) -> None:
    two = make()
    theirs = two.shake()
    if said:
        theirs.setblocking(False)
        with pytest.raises(ssl.SSLWantReadError):
            theirs.unwrap()
    else:
        socket.socket.shutdown(theirs, socket.SHUT_WR)
    until(lambda: two.read() == b"")
    assert two.ours.send(b"reply") == 5


def test_whether_a_client_is_gone_is_seen_without_reading(make: Make) -> None:
    two = make()
    theirs = two.shake()
    assert not at_end(two.ours)
    theirs.send(b"words")
    assert not at_end(two.ours)
    theirs.close()
    until(lambda: at_end(two.ours))
    assert two.read() == b"words"


def test_http_in_the_clear_is_answered_in_the_clear(make: Make) -> None:
    two = make()
    two.plain.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    failing(two, ConnectionAbortedError)
    assert two.plain.recv(100).startswith(b"HTTP/1.1 400") and two.plain.recv(1) == b""
    assert two.told == ["HTTP without TLS came to a port for https"]


def failing(two: Two, kind: type[OSError]) -> None:
    """The read that fails."""

    def fails() -> bool:
        try:
            two.ours.recv()
        except BlockingIOError:
            return False
        except kind:
            return True
        raise AssertionError("it was read")

    until(fails)
    with pytest.raises(ConnectionResetError):
        two.ours.recv()
    with pytest.raises(BrokenPipeError):
        two.ours.send(b"anything")


def test_garbage_ends_the_connection_with_one_line(make: Make) -> None:
    two = make()
    two.plain.sendall(bytes(range(100, 200)))
    failing(two, ConnectionAbortedError)
    assert two.told == ["the TLS handshake failed: wrong version number"]


def test_a_record_that_was_changed_on_its_way_is_not_read(make: Make) -> None:
    two = make()
    two.shake()
    socket.socket.send(two.theirs, b"\x17\x03\x03\x00\x20" + bytes(32))
    failing(two, ConnectionAbortedError)
    assert two.told == ["TLS failed: decryption failed or bad record mac"]


def test_a_reset_is_a_reset(make: Make) -> None:
    two = make()
    two.shake()
    end(two.theirs, socket.SHUT_RDWR, reset=True)
    failing(two, ConnectionResetError)
    assert two.told == []


def test_one_that_leaves_in_the_handshake_is_no_fault(make: Make) -> None:
    two = make()
    two.plain.sendall(b"\x16\x03\x01\x02\x00\x01")
    assert two.read() is None
    two.plain.close()
    until(lambda: two.read() == b"")
    assert two.told == []


def test_nothing_is_sent_before_the_handshake(make: Make) -> None:
    two = make()
    with pytest.raises(ConnectionResetError):
        two.ours.send(b"HTTP/1.1 408 Request Timeout\r\n\r\n")
    two.ours.close()
    assert two.plain.recv(100) == b""


def test_renegotiation_is_refused(make: Make) -> None:
    assert context().options & ssl.OP_NO_RENEGOTIATION
    assert context().minimum_version is ssl.TLSVersion.TLSv1_2


def test_one_that_was_reset_at_once_is_not_served_in_the_clear() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        plain = socket.create_connection(listening.getsockname())
        plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
        end(plain, socket.SHUT_RDWR, reset=True)
        accepted, _ = listening.accept()
    until(lambda: accepted.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) or True)
    accepted.setblocking(False)
    try:
        ours = secured(accepted, context(), print, bytes)
    except OSError:
        return
    with ours, pytest.raises(OSError):
        ours.recv()


def test_a_closed_one_does_nothing_any_more(make: Make) -> None:
    two = make()
    two.shake()
    two.ours.close()
    for use in (lambda: two.ours.recv(), lambda: two.ours.send(b"x"), lambda: two.ours.shutdown(2)):
        with pytest.raises(OSError):
            use()
    assert two.ours.goodbye() and two.ours.peer() == ({}, b"")


def test_short_pieces_go_out_together() -> None:
    pieces = [os.urandom(size) for size in (1, 70_000, 10, 20, 65_536, 3)]
    groups = list(gathered(pieces))
    assert b"".join(groups) == b"".join(pieces)
    assert [len(group) for group in groups] == [70_001, 65_566, 3]
    assert next(gathered([b"one"])) == b"one"


def test_it_is_made_by_its_context() -> None:
    assert context().sslsocket_class is TlsSocket
