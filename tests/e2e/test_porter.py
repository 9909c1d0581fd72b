"""One-request connections to a real server: a thread at the door answers, and nothing is worse for it."""

import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.codecs.uwsgi import encode_request
from penstock.process.embed import make_server
from tests.cases import covering
from tests.e2e.server import LOOPS, Client, Server, serving
from tests.e2e.test_uwsgi import variables

KINDS = ("http", "tcp", "unix")
SWITCHES = re.compile(r"^voluntary_ctxt_switches:\s*(\d+)", re.M)


def words(tmp: Path, kind: str) -> tuple[str, ...]:
    """The options of a listener of ``kind``: HTTP, or uwsgi over TCP or UNIX."""
    address = str(tmp / "s") if kind == "unix" else "127.0.0.1:0"
    return ("--http-socket" if kind == "http" else "--uwsgi-socket", address)


def message(kind: str, path: str) -> bytes:
    if kind == "http":
        return f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode()
    return encode_request(variables(path))


def ask(server: Server, kind: str, path: str = "/hello", index: int = 0) -> bytes:
    """One request on a connection of its own; the whole reply."""
    with server.client(index) as client:
        client.send(message(kind, path))
        return client.to_end()


def warm(server: Server, kind: str, count: int = 20) -> None:
    """Have a thread at the door: quick requests one after the other."""
    for _ in range(count):
        assert ask(server, kind).endswith(b"Hello, World!")


def wakes(server: Server) -> int:
    """How often the thread of the loop, the main one, has waited."""
    pid = server.process.pid
    found = SWITCHES.search(Path(f"/proc/{pid}/task/{pid}/status").read_text())
    assert found
    return int(found[1])


@pytest.fixture(
    scope="module",
    params=[pytest.param(one.values, marks=one.marks) for one in covering(LOOPS, KINDS)],
    ids="-".join,
)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A server with 8 threads and the kind of its listener."""
    loop, kind = request.param
    tmp = tmp_path_factory.mktemp("porter")
    options = ("--loop", loop, "--threads", "8", "--disable-logging", "--write-timeout", "2")
    with serving(tmp, *words(tmp, kind), *options, app="tests.sites.lodge:application") as server:
        yield server, kind


Place = tuple[Server, str]


def test_a_burst_is_answered_without_the_loop(place: Place) -> None:
    server, kind = place
    shares: list[float] = []
    # By way of the loop each of them wakes it at least once. A busy machine takes the door from the thread
    # now and then: one round in ten is enough.
    while len(shares) < 10 and min(shares, default=1.0) >= 0.6:
        warm(server, kind)
        before = wakes(server)
        warm(server, kind, 300)
        shares.append((wakes(server) - before) / 300)
    assert min(shares) < 0.6, shares


def test_after_the_load_nothing_is_done(place: Place) -> None:
    server, kind = place
    warm(server, kind, 50)
    time.sleep(0.2)
    before = wakes(server)
    time.sleep(1.0)
    assert wakes(server) - before < 20, "four ticks a second"


def test_a_slow_request_at_the_door_holds_up_nobody_and_is_not_watched_for_ever(place: Place) -> None:
    server, kind = place
    warm(server, kind)
    with server.client() as slow:
        slow.send(message(kind, "/sleep?s=1.5"))
        waited = []
        for _ in range(30):
            begun = time.monotonic()
            assert ask(server, kind).endswith(b"Hello, World!")
            waited.append(time.monotonic() - begun)
        assert waited[0] < 0.5
        assert sorted(waited)[len(waited) // 2] < 0.05
        time.sleep(0.2)
        before = wakes(server)
        time.sleep(0.6)
        assert wakes(server) - before < 20, "no timer looks at it again and again"
        assert slow.to_end().endswith(b"slept")


def test_a_reply_that_the_socket_does_not_take_goes_on_by_the_loop(place: Place) -> None:
    server, kind = place
    warm(server, kind)
    with server.client() as client:
        client.send(message(kind, "/big?size=7000000"))
        assert ask(server, kind).endswith(b"Hello, World!")
        time.sleep(0.2)
        assert client.to_end().endswith(b"x" * 7_000_000)
    warm(server, kind)


def test_a_client_that_stops_reading_is_cut(place: Place) -> None:
    server, kind = place
    warm(server, kind)
    with server.client() as client:
        client.send(message(kind, "/endless"))
        server.wait_for("cut: it does not read its reply")
        until = time.monotonic() + 5
        while not ask(server, kind, "/how-many").split(b"\r\n\r\n")[1].startswith(b"0 "):
            assert time.monotonic() < until, "the thread is still at it"
            time.sleep(0.05)
    server.log.write_bytes(server.log.read_bytes().replace(b"does not read", b"did not read"))


@pytest.mark.parametrize("at", [1, 3, 4, 40])
def test_a_request_in_two_pieces_is_the_loops(place: Place, at: int) -> None:
    server, kind = place
    warm(server, kind)
    data = message(kind, "/hello")
    with server.client() as client:
        client.send(data[:at])
        time.sleep(0.02)
        assert ask(server, kind).endswith(b"Hello, World!")
        client.send(data[at:])
        assert client.to_end().endswith(b"Hello, World!")


def test_a_client_that_says_nothing_or_leaves_holds_up_nobody(place: Place) -> None:
    server, kind = place
    warm(server, kind)
    silent = [server.client() for _ in range(20)]
    for client in silent[::2]:
        client.close()
    begun = time.monotonic()
    warm(server, kind, 1)
    assert time.monotonic() - begun < 0.5
    for client in silent[1::2]:
        client.send(message(kind, "/hello"))
        assert client.to_end().endswith(b"Hello, World!")
        client.close()


def test_a_child_that_the_application_left_behind_takes_no_connection(place: Place) -> None:
    server, kind = place
    for _ in range(3):
        warm(server, kind)
        assert ask(server, kind, "/fork-late").endswith(b"forked")
        warm(server, kind, 100)


def test_bodies_with_the_head_and_behind_it(place: Place) -> None:
    server, kind = place
    warm(server, kind)
    for size in (1, 5_000, 100_000):
        body = b"x" * size
        if kind == "http":
            head = f"POST /digest HTTP/1.0\r\nContent-Length: {size}\r\n\r\n".encode()
        else:
            head = encode_request(variables("/digest", REQUEST_METHOD="POST", CONTENT_LENGTH=str(size)))
        with server.client() as client:
            client.send(head + body)
            assert b"\r\n\r\n%d " % size in client.to_end()


def test_what_is_no_request_is_refused_and_logged(place: Place) -> None:
    server, kind = place
    warm(server, kind)
    with server.client() as client:
        client.send(b"NONSENSE\r\n\r\n")
        said = client.to_end()
    assert said.startswith(b"HTTP/1.1 400 ") if kind == "http" else said == b""
    server.wait_for("refused: ")


# ---- Servers of their own ---------------------------------------------------------------------------


@pytest.mark.parametrize(("loop", "threads"), covering(LOOPS, ["1", "8"]))
def test_kept_and_single_connections_side_by_side_never_stall(
    tmp_path: Path, loop: str, threads: str
) -> None:
    options = ("--http-socket", "127.0.0.1:0", *words(tmp_path, "unix"), "--loop", loop)
    with serving(tmp_path, *options, "--threads", threads, "--disable-logging", listeners=2) as server:
        stop = threading.Event()
        failures: list[BaseException] = []

        def singles() -> None:
            try:
                while not stop.is_set():
                    assert ask(server, "unix", index=1).endswith(b"Hello, World!")
            except (AssertionError, OSError) as error:
                failures.append(error)

        others = [threading.Thread(target=singles) for _ in range(2)]
        for other in others:
            other.start()
        waited = []
        with server.client() as kept:
            until = time.monotonic() + 1.5
            while time.monotonic() < until:
                begun = time.monotonic()
                assert kept.get("/hello").status == 200
                waited.append(time.monotonic() - begun)
        stop.set()
        for other in others:
            other.join(10)
        assert not failures
        assert max(waited) < 0.5
        assert sorted(waited)[len(waited) // 2] < 0.015, "a lost call costs 20 ms"


@pytest.mark.parametrize(("loop", "kind", "threads"), covering(LOOPS, KINDS, ["1", "8"]))
def test_term_under_single_requests_loses_nobody(tmp_path: Path, loop: str, kind: str, threads: str) -> None:
    options = (*words(tmp_path, kind), "--loop", loop, "--threads", threads, "--disable-logging")
    with serving(tmp_path, *options, expect=None) as server:
        results: list[str] = []

        def load() -> None:
            while True:
                try:
                    client = server.client()
                except OSError:
                    return  # the handshake was not completed: nobody promised anything
                with client:
                    try:
                        client.send(message(kind, "/hello"))
                        said = client.to_end()
                        results.append("ok" if said.endswith(b"Hello, World!") else repr(said))
                    except OSError as error:
                        results.append(repr(error))

        threads_ = [threading.Thread(target=load) for _ in range(3)]
        for thread in threads_:
            thread.start()
        time.sleep(0.4)
        assert server.stop(signal.SIGTERM) == 0
        for thread in threads_:
            thread.join(15)
        assert len(results) > 50
        assert [result for result in results if result != "ok"] == []


def test_a_request_at_the_door_is_finished_after_term(tmp_path: Path) -> None:
    with serving(tmp_path, *words(tmp_path, "unix"), "--threads", "1", expect=None) as server:
        warm(server, "unix")
        with server.client() as client:
            client.send(message("unix", "/sleep?s=0.7"))
            time.sleep(0.05)
            assert server.stop() == 0
            assert client.to_end().endswith(b"slept")


def test_a_second_signal_cuts_a_request_at_the_door(tmp_path: Path) -> None:
    with serving(tmp_path, *words(tmp_path, "unix"), "--threads", "1", expect=None) as server:
        warm(server, "unix")
        with server.client() as client:
            client.send(message("unix", "/sleep?s=20"))
            time.sleep(0.05)
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.05)
            assert server.stop(timeout=5) == 30
            assert client.ended()


def test_more_connections_than_may_be_are_left_in_the_queue(tmp_path: Path) -> None:
    options = (*words(tmp_path, "unix"), "--threads", "2", "--max-connections", "10")
    with serving(tmp_path, *options) as server:
        most = 0
        for _ in range(5):
            warm(server, "unix")
            clients = [server.client() for _ in range(60)]
            time.sleep(0.05)
            sockets = [
                link
                for link in Path(f"/proc/{server.process.pid}/fd").iterdir()
                if str(link.readlink()).startswith("socket:")
            ]
            most = max(most, len(sockets))
            for client in clients:
                client.close()
        assert most <= 10 + 8, "the loop's own and the listener are among them"


def test_a_server_that_was_asked_for_one_request_serves_no_crowd() -> None:
    calls: list[float] = []

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        calls.append(time.monotonic())
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"x"]

    server = make_server("127.0.0.1", 0, application, threads=2, access_log=False)
    stop = threading.Event()
    crowd = [threading.Thread(target=come, args=(server.server_port, stop.is_set)) for _ in range(3)]
    for one in crowd:
        one.start()
    for _ in range(10):
        server.handle_request()
    time.sleep(0.1)
    before = len(calls)
    time.sleep(0.4)
    assert len(calls) == before, "nobody runs the loop, nobody asked for more"
    stop.set()
    server.server_close()
    for one in crowd:
        one.join(10)


def come(port: int, enough: Callable[[], bool]) -> None:
    """Clients one after the other, none of which waits long for its answer."""
    while not enough():
        try:
            with Client(("127.0.0.1", port), timeout=0.2) as client:
                client.send(message("http", "/"))
                client.to_end()
        except OSError:
            pass
