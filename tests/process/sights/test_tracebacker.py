"""A socket that shows stacks, as uWSGI's: whoever connects reads all, and nobody waits for a reader."""

import os
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from penstock.process.sights.tracebacker import HEADING, Tracebacker
from tests.process.running import Held, Running, hello, running
from tests.waiting import until


def read(path: Path) -> str:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(5)
        sock.connect(str(path))
        return b"".join(iter(lambda: sock.recv(1 << 16), b"")).decode()


@contextmanager
def backed(it: Running, prefix: Path, number: int = 1) -> Iterator[Tracebacker]:
    made = Tracebacker(it.worker, str(prefix), number)
    it.call(made.open)
    until(lambda: made.inode != (0, 0) or made.sock.fileno() < 0)
    yield made


def test_every_thread_is_shown_with_its_lines(tmp_path: Path) -> None:
    held = Held()
    with running(tmp_path, held) as it, it.client() as client, backed(it, tmp_path / "tb"):
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert held.arrived.wait(5)
        it.call(it.worker.leave)
        text = read(tmp_path / "tb1")
        held.go.set()
        assert client.reply().status == 200
    assert text.startswith(HEADING)
    lines = [line for line in text.splitlines()[2:] if line]
    assert all(line.startswith("thread_id = ") and " filename = " in line for line in lines)
    where = "function = __call__ line = assert self.go.wait(20)"
    (own,) = [line for line in lines if line.endswith(where)]
    assert own.startswith("thread_id = penstock-") and "running.py lineno = " in own
    assert (tmp_path / "tb1").exists() is False, "it goes with its worker"


def test_it_is_the_owners_alone_and_replaces_the_one_before(tmp_path: Path) -> None:
    with running(tmp_path, hello) as it, backed(it, tmp_path / "tb") as first:
        assert (tmp_path / "tb1").stat().st_mode & 0o777 == 0o600
        with backed(it, tmp_path / "tb") as second:
            assert first.inode != second.inode
            it.call(first.close)
            assert read(tmp_path / "tb1").startswith(HEADING), "whoever leaves does not take it along"


def test_a_place_that_cannot_be_had_is_said(tmp_path: Path) -> None:
    (tmp_path / "tb1").write_text("no socket")
    with running(tmp_path, hello) as it, backed(it, tmp_path / "tb"), it.client() as client:
        assert client.get("/").status == 200
        assert f"py-tracebacker: {tmp_path}/tb1: " in it.log.read_text()
    assert (tmp_path / "tb1").read_text() == "no socket"


def test_who_does_not_read_holds_nobody_up(tmp_path: Path) -> None:
    with running(tmp_path, hello) as it, backed(it, tmp_path / "tb"):
        silent = [socket.socket(socket.AF_UNIX) for _ in range(4)]
        for sock in silent:
            sock.connect(str(tmp_path / "tb1"))
        assert read(tmp_path / "tb1").startswith(HEADING)
        with it.client() as client:
            assert client.get("/").status == 200
        for sock in silent:
            sock.close()


def test_without_a_descriptor_the_loop_is_not_held_up(tmp_path: Path) -> None:
    knocks: list[float] = []
    with running(tmp_path, hello) as it, backed(it, tmp_path / "tb") as made:
        knocked = made.knocked

        def counted() -> None:
            knocks.append(time.monotonic())
            knocked()

        it.call(lambda: it.worker.loop.add_reader(made.sock, counted))
        with socket.socket(socket.AF_UNIX) as sock:
            soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
            try:
                resource.setrlimit(resource.RLIMIT_NOFILE, (sock.fileno(), hard))
                sock.connect(str(tmp_path / "tb1"))
                time.sleep(0.3)
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            assert len(knocks) == 1, "it is looked at again in a while"
            sock.settimeout(5)
            assert sock.recv(1 << 16).startswith(HEADING.encode()), "and then it is answered"


def test_an_abstract_name(tmp_path: Path) -> None:
    name = f"@penstock-test-{os.getpid()}-"
    with running(tmp_path, hello) as it:
        made = Tracebacker(it.worker, name, 7)
        it.call(made.open)
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(5)
            until(lambda: sock.connect_ex(f"\0{name[1:]}7") == 0)
            assert sock.recv(5) == HEADING[:5].encode()
