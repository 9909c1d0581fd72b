"""Shared caches under real servers: all workers have the same, through deaths and reloads."""

import os
import signal
from pathlib import Path

import pytest

from tests.e2e.server import Server, serving
from tests.e2e.shop import answer, children, shop, until_mark, workers, write

COUNTING = (
    *("--cache2", "name=pages,items=10", "--cache2", "name=counts,items=10"),
    *(
        "--route",
        "^/count cacheinc:key=n,name=counts",
        "--route-run",
        "cachevar:key=n,name=counts,var=N,num=1",
    ),
    *("--route-run", "addheader:X-Count: ${N}"),
)


def count(server: Server, path: str = "/count") -> int:
    with server.client() as client:
        return int(client.get(path, "Connection: close").headers["x-count"])


def descriptors(pid: int) -> int:
    """Of caches, in a process."""
    folder = Path(f"/proc/{pid}/fd")
    return sum("penstock-cache" in os.readlink(folder / name) for name in os.listdir(folder))


def test_workers_share_it_and_it_outlives_them(tmp_path: Path) -> None:
    with shop(tmp_path, *COUNTING) as server:
        assert [count(server) for _ in range(20)] == list(range(1, 21))
        for pid in workers(server, 2):
            os.kill(pid, signal.SIGKILL)
        server.wait_for("serves")
        assert workers(server, 2) and count(server) == 21


def test_a_reload_has_an_empty_one_and_a_chain_the_same(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    with shop(tmp_path, *COUNTING, "--master-fifo", str(fifo)) as server:
        assert count(server) == 1
        held = descriptors(server.process.pid)
        write(tmp_path, "two")
        fifo.write_text("c")
        until_mark(server, "two")
        server.wait_for("generation 2 serves")
        assert count(server) == 2
        write(tmp_path, "three")
        server.process.send_signal(signal.SIGHUP)
        until_mark(server, "three")
        server.wait_for("generation 3 serves")
        assert count(server) == 1
        assert descriptors(server.process.pid) == held > 0


@pytest.mark.slow
def test_a_prototype_that_died_is_followed_by_one_with_the_same(tmp_path: Path) -> None:
    with shop(tmp_path, *COUNTING) as server:
        assert count(server) == 1
        found = workers(server, 2)
        for pid in set(children(server.process.pid)) - found:
            os.kill(pid, signal.SIGKILL)
        server.wait_for("the prototype was started anew")
        for pid in found:
            os.kill(pid, signal.SIGKILL)
        assert not found & workers(server, 2) and count(server) == 2


@pytest.mark.parametrize("more", [(), ("--lazy-apps",)])
def test_pages_from_a_cache(tmp_path: Path, more: tuple[str, ...]) -> None:
    page = tmp_path / "page.html"
    page.write_text("<b>page</b>")
    rules = ("--route", "^/kept cache:key=kept", "--route", "^/kept cachestore:key=kept,expires=60")
    kept = ("--check-cache=pages", "--load-file-in-cache", f"pages {page}")
    with shop(tmp_path, "--cache2", "name=pages,items=10", *kept, *rules, *more) as server:
        first = answer(server, "/kept")
        assert {answer(server, "/kept") for _ in range(10)} == {first}
        with server.client() as client:
            for _ in range(2):  # the connection is kept
                assert client.get(str(page)).body == b"<b>page</b>"
            assert client.get("/kept").headers["expires"]


def test_one_process_has_one_for_itself(tmp_path: Path) -> None:
    with serving(tmp_path, *COUNTING, "--threads", "4") as server:
        assert [count(server) for _ in range(5)] == [1, 2, 3, 4, 5]
        assert "cache" not in server.text()


def test_settings_that_ask_for_none_open_none(tmp_path: Path) -> None:
    with shop(tmp_path) as server:
        assert [descriptors(pid) for pid in (server.process.pid, *children(server.process.pid))] == [0] * 4
