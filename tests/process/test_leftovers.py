"""What an import leaves behind: who runs, and who is connected to whom."""

import os
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from penstock.process.leftovers import connections, native_threads, peer, python_threads, thread_count


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="threads are counted in /proc")
def test_threads_are_counted() -> None:
    before, go = thread_count(), threading.Event()
    thread = threading.Thread(target=go.wait)
    thread.start()
    try:
        assert thread_count() == before + 1
    finally:
        go.set()
        thread.join()


def steady() -> list[str]:
    """Native threads, when none of them has just begun or ended."""
    found = native_threads()
    for _ in range(50):
        before = found
        time.sleep(0.05)
        found = native_threads()
        if before == found:
            break
    return found


def test_a_thread_is_named_while_it_runs() -> None:
    go = threading.Event()
    thread = threading.Thread(target=go.wait, args=(20,), name="left behind")
    before, native = python_threads(), steady()  # other tests' libraries may have left some
    thread.start()
    try:
        assert sorted(set(python_threads()) - set(before)) == ["left behind"]
        assert native_threads() == native, "it is no native one"
    finally:
        go.set()
        thread.join()
    assert python_threads() == before


@pytest.mark.parametrize("kind", ["inet", "inet6", "unix", "abstract"])
def test_a_connection_is_named_by_its_other_end(tmp_path: Path, kind: str) -> None:
    family = {"inet": socket.AF_INET, "inet6": socket.AF_INET6}.get(kind, socket.AF_UNIX)
    path = str(tmp_path / "s")
    addresses: dict[str, Any] = {
        "inet": ("127.0.0.1", 0),
        "inet6": ("::1", 0),
        "unix": path,
        "abstract": f"\0leftovers-{os.getpid()}",
    }
    with socket.socket(family) as listener, socket.socket(family) as client:
        listener.bind(addresses[kind])
        listener.listen()
        client.connect(listener.getsockname())
        name = listener.getsockname()
        expected = {
            "inet": f"127.0.0.1:{name[1]}",
            "inet6": f"[::1]:{name[1]}",
            "unix": path,
            "abstract": f"@leftovers-{os.getpid()}",
        }[kind]
        assert peer(client.fileno()) == expected
        assert peer(listener.fileno()) == ""
        assert f"{expected} (descriptor {client.fileno()})" in connections(())
        assert not any(expected in one for one in connections((client.fileno(),)))
        assert client.fileno() >= 0


def test_looking_changes_nothing_of_a_socket() -> None:
    one, other = socket.socketpair()
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(5)
    try:
        connections(())
        assert socket.getdefaulttimeout() == 5
        assert os.get_blocking(one.fileno()), "the flag is shared by everybody who holds it"
    finally:
        socket.setdefaulttimeout(before)
        one.close()
        other.close()


def test_what_is_no_socket_has_no_other_end(tmp_path: Path) -> None:
    one, other = socket.socketpair()
    with one, other, (tmp_path / "file").open("wb") as file:
        assert [peer(fd) for fd in (file.fileno(), one.fileno(), 10_000)] == ["", "", ""]
