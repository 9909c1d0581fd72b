"""Graphite: what it is sent over real connections, and how often it is tried."""

import socket
import time
from pathlib import Path
from typing import Any

from penstock.config.settings import Settings
from penstock.process.stats.graphite import Graphite, targets_of, wording
from tests.process.stats.served import Served, served
from tests.services.stats.example import server


class Listening:
    """A server that reads what it is sent."""

    def __init__(self) -> None:
        self.sock = socket.socket()
        self.sock.bind(("127.0.0.1", 0))
        self.sock.listen()
        self.sock.settimeout(5)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.sock.getsockname()[1]}"

    def heard(self, on: Served) -> bytes:
        """All of the next connection."""
        on.turn(0.02)
        connection, _ = self.sock.accept()
        connection.settimeout(5)
        data = b""
        with connection:
            connection.setblocking(False)
            while True:
                on.turn(0.01)
                try:
                    piece = connection.recv(1 << 16)
                except BlockingIOError:
                    continue
                if not piece:
                    return data
                data += piece

    def close(self) -> None:
        self.sock.close()


def graphite(on: Served, said: list[str], *addresses: str, **options: Any) -> Graphite:
    settings = Settings(**{"carbon": addresses, "carbon_id": "site", **options})
    return Graphite(on.watch, settings, said.append)


def test_figures_arrive(tmp_path: Path) -> None:
    said: list[str] = []
    one, two = Listening(), Listening()
    with served(tmp_path) as on:
        sending = graphite(on, said, one.address, two.address)
        sending.push(server(), None, 99)
        data = one.heard(on)
        assert data == two.heard(on)
        assert data.startswith(f"uwsgi.{socket.gethostname()}.site.requests 30 99\n".encode())
        assert not sending.busy and said == []
    one.close()
    two.close()


def test_without_an_id_the_first_socket_has_the_name(tmp_path: Path) -> None:
    one = Listening()
    with served(tmp_path) as on:
        sending = graphite(on, [], one.address, carbon_id="")
        sending.push(server(), None, 99)
        assert f".{socket.gethostname()}.127_0_0_1:80.requests 30 99\n".encode() in one.heard(on)
    one.close()


def test_one_that_is_not_there_is_tried_again(tmp_path: Path) -> None:
    said: list[str] = []
    one = Listening()
    address = one.address
    one.close()
    with served(tmp_path) as on:
        sending = graphite(on, said, address, carbon_retry_delay=1.0, carbon_max_retry=2)
        sending.push(server(), None, 99)
        on.until(lambda: sending.targets[0].failures == 1)
        assert said == [
            f"carbon {address}: Connection refused; nothing more is said of it until that has changed"
        ]
        host, _, port = address.rpartition(":")
        with socket.socket() as late:
            late.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            late.bind((host, int(port)))
            late.listen()
            on.until(lambda: not sending.targets[0].said_so)
            assert len(said) == 1
        sending.close()


def test_without_retries(tmp_path: Path) -> None:
    said: list[str] = []
    one = Listening()
    address = one.address
    one.close()
    with served(tmp_path) as on:
        sending = graphite(on, said, address, carbon_retry_delay=1.0, carbon_max_retry=0)
        for _ in range(2):
            sending.push(server(), None, 99)
            on.until(lambda: not sending.busy)
        on.turn(1.1)
        assert not sending.busy and len(said) == 1
        sending.close()


def test_one_that_does_not_answer_is_given_up(tmp_path: Path) -> None:
    said: list[str] = []
    with served(tmp_path) as on, socket.socket() as silent, socket.socket() as first:
        silent.bind(("127.0.0.1", 0))
        silent.listen(0)
        first.connect(silent.getsockname())  # its queue is full now
        sending = graphite(
            on, said, f"127.0.0.1:{silent.getsockname()[1]}", carbon_timeout=1.0, carbon_max_retry=0
        )
        begun = time.monotonic()
        sending.push(server(), None, 1)
        sending.push(server(), None, 2)
        on.until(lambda: not sending.busy)
        assert time.monotonic() - begun < 3
        sending.close()


def test_what_is_on_its_way_ends_with_the_server(tmp_path: Path) -> None:
    said: list[str] = []
    one = Listening()
    with served(tmp_path) as on:
        sending = graphite(on, said, one.address)
        sending.push(server(), None, 1)
        assert sending.busy
        sending.close()
        assert not sending.busy and said == []
        sending.push(server(), None, 2)
        assert not sending.busy
    one.close()


def test_how_the_lines_begin() -> None:
    plain = wording(Settings())
    assert (plain.root, plain.host, plain.id, plain.freq) == ("uwsgi.", socket.gethostname(), "", 60)
    other = wording(
        Settings(
            carbon_root="a.b",
            carbon_id="x.y",
            carbon_freq=5.0,
            carbon_idle_avg="none",
            carbon_no_workers=True,
            carbon_hostname_dots="_",
            memory_report=1,
            cheaper=1,
        )
    )
    assert (other.root, other.id, other.freq, other.idle) == ("a.b.", "x.y", 5, "none")
    assert (other.workers, other.memory, other.cheaper) == (False, True, True)
    assert other.host == socket.gethostname().replace(".", "_")


def test_names_are_looked_up_where_that_is_said() -> None:
    said: list[str] = []
    assert targets_of(Settings(carbon=("localhost:2003",)), said.append) == []
    assert "carbon-name-resolve" in said[0]
    (found,) = targets_of(Settings(carbon=("localhost:2003",), carbon_name_resolve=True), said.append)
    assert found.place[1] == 2003 and found.name == "localhost:2003"
