"""A real server among hostile paths: nothing outside is served, not even while folders are swapped."""

import os
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.e2e.server import Client, Server, serving
from tests.serve.static.attacks import attacks
from tests.serve.static.sites import PUBLIC, SECRET, make_site, write
from tests.serve.static.test_race import all_swaps, meanwhile

REQUESTS = 10_000
LARGE = 70_000  # goes out by sendfile, and is opened for each reply


def answer(server: Server, path: str) -> bytes:
    """All that a connection brings for one path."""
    with server.client() as client:
        request = f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        client.send(request.encode("latin-1"))
        return client.to_end()


def test_three_hundred_paths(tmp_path: Path) -> None:
    site = make_site(tmp_path / "top")
    paths = attacks(str(tmp_path / "top"))
    assert len(paths) >= 300
    with serving(tmp_path, f"--static-map=/s={site}", f"--check-static={site}", "--threads=2") as server:
        assert PUBLIC in answer(server, "/s/in_absolute_dir/b.txt")
        for path in paths:
            for before in ("/s/", "/s", "/"):
                got = answer(server, before + path)
                assert got.startswith(b"HTTP/1.1 ") and SECRET not in got and b"root:x:0" not in got, path
        assert PUBLIC in answer(server, "/s/a.txt")
        assert server.text().count("nor static-safe") == 1  # once for a root


@pytest.mark.parametrize("count", [1500, pytest.param(REQUESTS, marks=pytest.mark.slow)])
def test_requests_while_folders_are_swapped(tmp_path: Path, count: int) -> None:
    top = tmp_path / "top"
    for folder, data in (("site", PUBLIC), ("out", SECRET)):
        for name in ("x.txt", "d/x.txt", "d/e/x.txt"):
            write(top / folder / name, data)
        write(top / folder / "d" / "e" / "large", data * (LARGE // len(data)))
    (top / "site" / "abs").symlink_to(top / "site" / "d" / "e")
    # Slashes upon slashes: what is spelt so is looked up each time, and never remembered.
    names = ("/d//e/x.txt", "/d//x.txt", "//x.txt", "/abs//x.txt", "/d//e/large", "/d/e/x.txt", "/abs/large")
    served = 0
    with serving(tmp_path, f"--check-static={top / 'site'}", "--threads=4", "--disable-logging") as server:
        with meanwhile(all_swaps(top)) as done, server.client() as client:
            for number in range(count):
                reply = pipelined(client, names[number % len(names)])
                served += reply.startswith(PUBLIC)
                assert SECRET not in reply
        assert server.process.poll() is None
    assert served > 50 and len(done) > 10  # else nothing was tried


def pipelined(client: Client, path: str) -> bytes:
    """The body for one path, on a connection that is kept."""
    client.send(f"GET {quote(path)} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    return client.reply().body


def test_a_fifo_holds_no_thread(tmp_path: Path) -> None:
    site = make_site(tmp_path / "top")
    os.mkfifo(site / "again")
    with (
        serving(tmp_path, f"--check-static={site}", "--threads=1") as server,
        server.client(timeout=5) as client,
    ):
        for path in ("/fifo", "/again", "/socket", "/tty", "/zero", "/fifo"):
            assert PUBLIC not in client.get(path).body
        assert client.get("/a.txt").body.startswith(PUBLIC)
