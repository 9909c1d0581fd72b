"""Namespaces that are lent through a socket: all but those that are left out, from one process to another."""

import os
import socket
import stat
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from penstock.config.assemble import from_keywords
from penstock.core.errors import StartError
from penstock.process.isolation.joining import FOLDER, Lender, asked, opened
from penstock.process.supervisor.watch import Watch
from tests.process.isolation.alone import needs, ran

UTS = 0x04000000


@dataclass
class House:
    """A supervisor, as far as lending knows it."""

    settings: Any
    failed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.watch = Watch(self.failed.append)
        self.diary: Any = self

    def warning(self, text: str) -> None:
        self.failed.append(text)


def house(path: str, *skip: str) -> House:
    settings = from_keywords(
        {"bind": [], "setns_socket": path, "setns_socket_skip": list(skip)}, application=True
    )
    return House(settings)


def inodes(fds: list[int]) -> set[int]:
    found = {os.fstat(fd).st_ino for fd in fds}
    for fd in fds:
        os.close(fd)
    return found


def borrowed(it: House, path: str) -> set[int]:
    """What somebody gets who asks while the house runs."""
    got: list[int] = []

    def ask() -> None:
        got.extend(asked(path))
        it.watch.later(0, it.watch.stop)
        os.write(it.watch.wake_write, b"\0")

    thread = threading.Thread(target=ask)
    thread.start()
    it.watch.later(10, it.watch.stop)
    it.watch.run()
    thread.join(10)
    return inodes(got)


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "ns.sock")


@pytest.mark.parametrize("preopened", [False, True])
def test_all_but_the_users_and_those_that_are_left_out(path: str, preopened: bool) -> None:
    it = house(path, "net", "pid")
    lender = Lender(it, opened(("net", "pid")) if preopened else ())
    lender.start()
    lender.start()
    try:
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        expected = {
            os.stat(f"{FOLDER}/{name}").st_ino
            for name in os.listdir(FOLDER)
            if name not in ("user", "net", "pid")
        }
        before = len(os.listdir("/proc/self/fd"))
        assert borrowed(it, path) == expected
        assert borrowed(it, path) == expected
        assert len(os.listdir("/proc/self/fd")) == before and it.failed == []
        again = Lender(it)
        it.watch.remove(lender.state()["sock"][0])
        again.resume(lender.state())
        assert again.lent == lender.lent and borrowed(it, path) == expected
        assert again.sock is not None and again.sock.detach() > 0
    finally:
        lender.close()
        for fd in lender.lent:
            os.close(fd)
        it.watch.close()
    assert asked(path) == []


def test_an_abstract_name_and_one_that_is_taken_over(path: str) -> None:
    name = f"@penstock-test-{os.getpid()}"
    it = house(name)
    lender = Lender(it)
    lender.start()
    try:
        assert os.stat(f"{FOLDER}/uts").st_ino in borrowed(it, name)
    finally:
        lender.close()
        it.watch.close()
    Path(path).touch()
    it = house(path)
    lender = Lender(it)
    lender.start()
    assert stat.S_ISSOCK(os.stat(path).st_mode)
    lender.close()
    it.watch.close()


def test_without_the_option_nothing_is_lent() -> None:
    it = house("")
    lender = Lender(it)
    lender.start()
    assert lender.sock is None
    lender.close()
    it.watch.close()


def test_a_place_where_no_socket_can_be() -> None:
    it = house("/proc/no/such")
    with pytest.raises(StartError, match=r"^setns-socket /proc/no/such: No such file or directory$"):
        Lender(it).start()
    it.watch.close()


def test_who_answers_something_else_lends_nothing(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(path)
        sock.listen()

        def answer() -> None:
            peer, _ = sock.accept()
            with peer, open(os.devnull, "rb") as file:
                socket.send_fds(peer, [b"something else"], [file.fileno()])

        thread = threading.Thread(target=answer)
        thread.start()
        before = len(os.listdir("/proc/self/fd"))
        assert asked(path) == []
        thread.join(10)
        until = time.monotonic() + 5
        while len(os.listdir("/proc/self/fd")) > before and time.monotonic() < until:
            time.sleep(0.01)
        assert len(os.listdir("/proc/self/fd")) <= before


def test_a_namespace_is_joined(path: str) -> None:
    needs(UTS)
    script = """
import socket, struct, threading
from penstock.process.isolation.joining import join
path = sys.argv[1]
pid = os.fork()
if pid == 0:
    kernel.unshare(0x04000000)
    fd = os.open("/proc/self/ns/uts", os.O_RDONLY)
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(path + ".new")
    sock.listen()
    os.rename(path + ".new", path)
    peer, _ = sock.accept()
    socket.send_fds(peer, [b"uwsgi-setns", struct.pack("i", 1)], [fd])
    sys.stdout.write(os.readlink("/proc/self/ns/uts") + " ")
    sys.stdout.flush()
    os._exit(0)
before = os.readlink("/proc/self/ns/uts")
other = join(path, said.append)
os.waitpid(pid, 0)
after = os.readlink("/proc/self/ns/uts")
print(after, before != after, other, *said)
"""
    theirs, ours, changed, other, *said = ran(script, path).split()
    assert theirs == ours
    assert (changed, other) == ("True", "False")
    assert " ".join(said) == f"setns {path}: joining the namespaces that are lent there"
