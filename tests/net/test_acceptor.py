"""Accepting: as long as there is room, whatever a single accept() says; on a fake loop and on real ones."""

import asyncio
import errno
import os
import resource
import socket
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from penstock.codecs.decoder import Limits
from penstock.codecs.http1 import Http1Decoder
from penstock.handoff.doorway import Doorway
from penstock.handoff.exchange import Exchange
from penstock.handoff.lease import KEEP
from penstock.handoff.pool import Pool
from penstock.net.acceptor import PAUSE, Acceptor
from penstock.net.door import Door, Intake, Patience
from penstock.net.listener import Listener
from penstock.net.listening import bind_tcp, bind_unix
from penstock.net.loop import make_loop
from penstock.net.trust import Forwarding, Peers
from tests.fakes import FakeLoop


def listener(sock: socket.socket, **more: Any) -> Listener:
    return Listener(sock, "http", Http1Decoder({}, Limits()), {}, Forwarding(Peers(())), **more)


def make_door(loop: asyncio.AbstractEventLoop, room: int = 1000, threads: int = 0) -> Door:
    doorway = Doorway(loop)
    return Door(
        loop, doorway, Pool(loop, doorway, threads, queue=100), Patience(), Intake(max_connections=room)
    )


class Scene:
    """An acceptor over a real listening socket, on a loop that only remembers."""

    def __init__(self, sock: socket.socket, room: int = 1000, **more: Any) -> None:
        self.sock = sock
        self.loop = FakeLoop()
        self.door = make_door(self.loop(), room)
        self.reports: list[str] = []
        self.door.report = self.reports.append
        self.acceptor = Acceptor(self.door, listener(sock, **more))
        self.acceptor.listen()

    @property
    def listening(self) -> bool:
        return self.sock in self.loop.readers

    def ready(self, times: int = 1) -> None:
        """The loop finds the listening socket readable."""
        for _ in range(times):
            self.loop.readers[self.sock]()

    def after_pause(self) -> None:
        """The pause is over."""
        (again,) = self.loop.later
        assert again[0] == PAUSE
        self.loop.later.clear()
        again[1]()


@contextmanager
def scene(room: int = 1000, **more: Any) -> Iterator[tuple[Scene, Callable[[], socket.socket]]]:
    """A scene on TCP, and a function that connects to it."""
    with ExitStack() as stack:
        (sock,) = bind_tcp("127.0.0.1", 0, 50)
        stack.enter_context(sock)

        def connect() -> socket.socket:
            client = stack.enter_context(socket.create_connection(sock.getsockname(), 5))
            client.settimeout(5)
            return client

        made = Scene(sock, room, **more)
        try:
            yield made, connect
        finally:
            if not made.acceptor.ended:
                made.acceptor.end()
            made.door.cut_all()


# ---- One after the other ----------------------------------------------------------------------------


def test_one_connection_for_each_readiness() -> None:
    with scene() as (at, connect):
        connect(), connect()
        at.ready()
        assert len(at.door.connections) == 1
        at.ready()
        assert len(at.door.connections) == 2
        assert at.listening


def test_an_empty_queue_is_no_event() -> None:
    """A sibling was faster, or the client left."""
    with scene() as (at, _):
        at.ready(3)
        assert not at.door.connections
        assert at.listening and at.reports == []


def test_accepted_sockets_are_non_blocking_whatever_the_application_set() -> None:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(5)
    try:
        with scene() as (at, connect):
            connect()
            at.ready()
            (connection,) = at.door.connections
            assert connection.sock.gettimeout() == 0.0
            assert connection.peer == "127.0.0.1"
    finally:
        socket.setdefaulttimeout(before)


def test_peers_that_are_not_allowed_are_closed_and_named() -> None:
    with scene(allow=Peers(["192.0.2.1"])) as (at, connect):
        client = connect()
        at.ready()
        assert client.recv(10) == b""
        assert not at.door.connections
        assert "127.0.0.1: refused: not in uwsgi-allow" in at.reports[0]


# ---- Room -------------------------------------------------------------------------------------------


def test_at_the_limit_the_kernel_keeps_the_rest_until_one_leaves() -> None:
    with scene(room=2) as (at, connect):
        for _ in range(3):
            connect()
        at.ready(2)
        assert not at.listening, "the third waits in the kernel's queue"
        next(iter(at.door.connections)).cut()
        assert at.listening
        at.ready()
        assert len(at.door.connections) == 2
        assert not at.listening


def test_what_a_thread_closed_makes_room_without_an_event() -> None:
    with scene(room=1) as (at, connect):
        connect()
        at.ready()
        assert not at.listening
        (connection,) = at.door.connections
        connection.sock.close()
        at.loop.remove_reader(connection.sock)
        at.door.doorway.gone.append(connection)
        at.door.tick()
        assert at.listening


# ---- Errors of accept() ------------------------------------------------------------------------------


class Queue:
    """A listening socket's accept() that gives what it was told, then says that nobody waits."""

    family, type, proto = socket.AF_INET, socket.SOCK_STREAM, 0

    def __init__(self, *outcomes: int | socket.socket) -> None:
        self.outcomes = list(outcomes)

    def _accept(self) -> tuple[int, Any]:
        if not self.outcomes:
            raise BlockingIOError
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, int):
            raise OSError(outcome, os.strerror(outcome))
        return outcome.detach(), ("192.0.2.1", 4711)

    def getsockname(self) -> tuple[str, int]:
        return ("127.0.0.1", 80)

    def __call__(self) -> socket.socket:
        queue: Any = self
        return queue  # type: ignore[no-any-return]  # the fake offers what accepting uses


@pytest.mark.parametrize(
    "number", [errno.ECONNABORTED, errno.EPROTO, errno.ENETDOWN, errno.EPERM, errno.EINTR, errno.EHOSTUNREACH]
)
def test_a_client_that_is_gone_already_stops_nobody_else(number: int) -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        queue = Queue(number, number, ours)
        at = Scene(queue())
        at.ready(3)
        assert at.listening and at.reports == []
        assert [connection.peer for connection in at.door.connections] == ["192.0.2.1"]
        at.door.cut_all()
        at.acceptor.end()


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM])
def test_a_starved_process_pauses_and_comes_back(number: int) -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        theirs.settimeout(5)
        at = Scene(Queue(number, ours)())
        at.ready()
        assert not at.listening, "a readiness that cannot be served would spin"
        assert theirs.recv(10) == b"", "the first in the queue is turned away"
        assert f"http://127.0.0.1:80: not accepting, trying again every {PAUSE} s: " in at.reports[0]
        at.after_pause()
        assert at.listening
        at.acceptor.end()


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@contextmanager
def no_descriptor_left() -> Iterator[None]:
    """Every descriptor that this process may have is taken."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken: list[int] = []
    resource.setrlimit(
        resource.RLIMIT_NOFILE, (min(soft, max(map(int, os.listdir("/proc/self/fd"))) + 8), hard)
    )
    try:
        try:
            while True:
                taken.append(os.dup(0))
        except OSError:
            pass
        yield
    finally:
        for fd in taken:
            os.close(fd)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_with_all_descriptors_taken_a_real_process_does_the_same() -> None:
    with scene() as (at, connect):
        first, second = connect(), connect()
        with no_descriptor_left():
            at.ready()
            assert first.recv(10) == b"", "it is told, and does not wait for its own time-out"
            assert not at.listening
            at.after_pause()
            at.ready()
            assert second.recv(10) == b"", "the spare descriptor is there again"
        assert len(at.reports) == 1, "the same shortage is told once"
        third = connect()
        at.after_pause()
        at.ready()
        assert len(at.door.connections) == 1
        third.close()


# ---- The end ----------------------------------------------------------------------------------------


def test_the_end_takes_everybody_who_is_in_and_listens_no_more() -> None:
    with scene(room=2) as (at, connect):
        for _ in range(5):
            connect()
        at.acceptor.end()
        assert len(at.door.connections) == 5, "their handshakes are complete: they are ours to answer"
        assert not at.listening
        at.door.cut_all()
        assert not at.listening, "room does not make it listen again"
        at.acceptor.listen()
        assert not at.listening


def test_the_end_of_a_unix_listener_that_refuses_new_ones(tmp_path: Any) -> None:
    """accept() on a shut-down socket must end the loop and not spin in it."""
    with bind_unix(str(tmp_path / "s"), 10) as sock, socket.socket(socket.AF_UNIX) as client:
        client.connect(str(tmp_path / "s"))
        at = Scene(sock)
        at.acceptor.listener.refuse_new()
        at.acceptor.end()
        assert len(at.door.connections) == 1
        at.door.cut_all()


def test_nothing_stays_open() -> None:
    before = descriptors()
    with scene() as (at, connect):
        for _ in range(3):
            connect()
        at.ready(2)
    assert descriptors() == before


# ---- Real loops -------------------------------------------------------------------------------------


def serve(x: Exchange, index: int) -> None:
    """The application: says which path it was asked for."""
    body = x.request.vars["PATH_INFO"].encode()
    x.outbox.put(x, b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body), KEEP)


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> bytes:
    """One request over an open connection; the body of its reply."""
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    return await reader.readexactly(int(head.split()[-1]))


async def clients(address: tuple[str, int], count: int) -> list[bytes]:
    """``count`` clients at once, each asks twice."""

    async def one(number: int) -> bytes:
        reader, writer = await asyncio.open_connection(*address)
        found = await ask(reader, writer, f"/{number}") + await ask(reader, writer, "/again")
        writer.close()
        await writer.wait_closed()
        return found

    return await asyncio.gather(*(one(number) for number in range(count)))


def on_loop(kind: str, room: int, visit: Callable[[tuple[str, int]], Coroutine[Any, Any, Any]]) -> Any:
    """Serve on a real loop with two threads while ``visit`` runs; everything is gone after it."""
    loop = make_loop(kind)
    (sock,) = bind_tcp("127.0.0.1", 0, 50)
    with sock:
        door = make_door(loop, room, threads=2)
        door.pool.start(serve)
        acceptor = Acceptor(door, listener(sock))
        acceptor.listen()
        try:
            return loop.run_until_complete(asyncio.wait_for(visit(sock.getsockname()), 10))
        finally:
            acceptor.end()
            door.pool.stop()
            assert door.pool.join(5) == []
            door.cut_all()
            loop.run_until_complete(asyncio.sleep(0))
            loop.close()


@pytest.mark.parametrize("room", [1000, 2])
@pytest.mark.parametrize("kind", ["uvloop", "asyncio"])
def test_many_clients_are_served_on_a_real_loop_with_and_without_room_for_all(kind: str, room: int) -> None:
    found = on_loop(kind, room, lambda address: clients(address, 12))
    assert found == [b"/%d/again" % number for number in range(12)]


class Greedy(Queue):
    """Another thread takes the descriptor in the instant after the spare one was closed."""

    def _accept(self) -> tuple[int, Any]:
        if self.outcomes:
            return super()._accept()
        self.taken = os.dup(0)
        raise BlockingIOError

    def fileno(self) -> int:
        return 0


def test_a_spare_descriptor_that_cannot_be_had_again_is_nobody_s_loss() -> None:
    queue = Greedy(errno.EMFILE)
    at = Scene(queue())
    with no_descriptor_left():
        at.ready()
        assert not at.listening
        os.fstat(queue.taken)
    os.close(queue.taken)
    at.after_pause()
    assert at.listening and at.acceptor.spare >= 0
    at.acceptor.end()


def test_a_second_end_closes_nothing_of_others() -> None:
    at = Scene(Queue()())
    at.acceptor.end()
    with open(os.devnull, "rb") as other:
        at.acceptor.end()
        os.fstat(other.fileno())
