"""An application whose replies say who answered, under a supervisor; and a look at the processes."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.server import Server, serving

APP = """
import os, signal, sys, threading, time
MARK = "{mark}"

def application(environ, start_response):
    path, query = environ["PATH_INFO"], environ["QUERY_STRING"]
    if path == "/exit":
        os._exit(int(query))
    if path == "/signal":
        os.kill(os.getpid(), int(query))
        time.sleep(5)  # it may be another thread's to take
    if path == "/sleep":
        time.sleep(float(query))
    if path == "/sys-exit":
        sys.exit(3)
    body = f"{MARK} {os.getpid()} {os.getppid()}".encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""


def write(folder: Path, mark: str, more: str = "") -> None:
    """The application, with a mark that its replies carry."""
    (folder / "shop.py").write_text(more + APP.replace("{mark}", mark))


def answer(server: Server, path: str = "/") -> tuple[str, int, int]:
    """Mark, worker and the worker's parent."""
    with server.client() as client:
        reply = client.get(path, "Connection: close")
    assert reply.status == 200, reply
    mark, pid, parent = reply.body.decode().split()
    return mark, int(pid), int(parent)


def children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []  # it has just gone


def title(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()


def workers(server: Server, count: int, timeout: float = 10.0) -> set[int]:
    """The workers' numbers once there are so many and all have answered."""
    found: set[int] = set()
    until = time.monotonic() + timeout
    while len(found) < count:
        assert time.monotonic() < until, (found, server.text())
        found.add(answer(server)[1])
    return found


def until_mark(server: Server, mark: str, timeout: float = 15.0) -> None:
    end = time.monotonic() + timeout
    while answer(server)[0] != mark:
        assert time.monotonic() < end, server.text()
        time.sleep(0.02)


@contextmanager
def shop(
    tmp_path: Path, *options: str, expect: int | None = 0, count: int = 2, begun: bool = True
) -> Iterator[Server]:
    """The application under a supervisor; all of it is gone afterwards."""
    if not (tmp_path / "shop.py").exists():
        write(tmp_path, "one")
    words = ("--master", "--processes", str(count), "--disable-logging", "--pythonpath", str(tmp_path))
    with serving(tmp_path, *words, *options, app="shop", expect=expect, begun=begun) as server:
        answer(server)
        yield server
        family = descendants(server.process.pid) if expect == 0 else []
    assert [pid for pid in family if os.path.exists(f"/proc/{pid}")] == []


def descendants(pid: int) -> list[int]:
    found = []
    for child in children(pid):
        found += [child, *descendants(child)]
    return found


def alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
