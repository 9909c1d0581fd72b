"""Saves, touches and wear of a running server: what serves afterwards, and that nobody noticed."""

import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.server import Server, serving

APP = """
import os
import words

def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/late":
        import late
        word = late.WORD
    elif path == "/hold":
        import ctypes
        ctypes.PyDLL(None).usleep(30_000_000)  # keeps the interpreter's lock
    elif path == "/grow":
        words.kept = bytearray(os.urandom(1)) * (96 << 20)
        word = "grown"
    else:
        word = words.WORD
    body = f"{word} {os.getpid()}".encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""


def save(path: Path, text: str) -> None:
    """As an editor does: whole, by a rename. The times of two saves never have the same second, so that no
    compiled file of the first is taken for the second's."""
    before = path.stat().st_mtime if path.exists() else time.time() - 100
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(text)
    if beside.stat().st_mtime < before + 1:
        os.utime(beside, (before + 1, before + 1))
    beside.rename(path)


def word(text: str) -> str:
    return f'WORD = "{text}"\n'


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "shop.py").write_text(APP)
    for name in ("words", "late"):
        path = tmp_path / f"{name}.py"
        path.write_text(word("one"))
        os.utime(path, (1e9, 1e9))
    return tmp_path


@contextmanager
def reloading(site: Path, *options: str) -> Iterator[Server]:
    with serving(site, "--processes", "2", *options, app="shop") as server:
        wait(lambda: answers(server) == "one")
        yield server


def wait(true: Callable[[], bool], seconds: float = 15.0) -> float:
    """Until it is so; how long that took."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds, "it is not so"
        time.sleep(0.02)
    return time.monotonic() - began


def ask(server: Server, path: str = "/") -> tuple[str, int]:
    """The word and the worker."""
    with server.client() as client:
        reply = client.get(path, "Connection: close")
    assert reply.status == 200, reply
    said, _, pid = reply.body.decode().rpartition(" ")
    return said, int(pid)


def answers(server: Server, path: str = "/") -> str:
    return ask(server, path)[0]


class Client:
    """Asks one request after the other on a thread of its own; none may fail."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.said: list[str] = []
        self.faults: list[BaseException] = []
        self.going = True
        self.thread = threading.Thread(target=self.run)

    def run(self) -> None:
        try:
            while self.going:
                self.said.append(answers(self.server))
                time.sleep(0.005)  # nothing is found by keeping all processors busy
        except BaseException as fault:
            self.faults.append(fault)

    def __enter__(self) -> "Client":
        self.thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.going = False
        self.thread.join(10)
        assert self.faults == []
        assert self.said


def test_a_save_is_served_within_moments_and_nobody_notices(site: Path) -> None:
    with reloading(site, "--py-autoreload", "1") as server, Client(server) as client:
        for mark in ("two", "three", "four"):
            save(site / "words.py", word(mark))
            wait(lambda mark=mark: answers(server) == mark)  # type: ignore[misc]  # mypy knows no such default
        assert server.text().count(f"py-autoreload: {site / 'words.py'} changed: reloading") == 3
        wait(lambda: client.said[-1] == "four")
    assert [mark for index, mark in enumerate(client.said) if mark not in client.said[:index]] == [
        *("one", "two", "three", "four")
    ]


def test_a_mistake_keeps_the_old_code_until_it_is_put_right(site: Path) -> None:
    with reloading(site, "--py-autoreload", "1") as server, Client(server):
        save(site / "words.py", 'WORD = ("two"\n')
        wait(lambda: "SyntaxError" in server.text())
        assert answers(server) == "one"
        save(site / "words.py", word("three"))
        wait(lambda: answers(server) == "three")
        save(site / "words.py", f"import absent\n{word('four')}")
        wait(lambda: "No module named 'absent'" in server.text())
        assert answers(server) == "three"
        (site / "absent.py").write_text("")
        wait(lambda: answers(server) == "four")


def test_what_is_imported_by_a_request_is_watched_too(site: Path) -> None:
    with reloading(site, "--py-autoreload", "1") as server:
        assert answers(server, "/late") == "one"
        time.sleep(1.5)  # workers tell of what they import once a second
        save(site / "late.py", word("two"))
        wait(lambda: answers(server, "/late") == "two")


@pytest.mark.slow
def test_modules_that_are_ignored_are_not_watched(site: Path) -> None:
    with reloading(site, "--py-autoreload", "1", "--py-auto-reload-ignore", "words") as server:
        save(site / "words.py", word("two"))
        time.sleep(1.2)
        assert answers(server) == "one"
        save(site / "shop.py", APP.replace("WORD", "WORD.upper()"))
        wait(lambda: answers(server) == "TWO")


def test_a_touch_reloads(site: Path) -> None:
    touched = {option: site / option for option in ("touch-reload", "touch-chain-reload", "fs-reload")}
    for path in touched.values():
        path.write_text("")
    options = [f"--{option}={path}" for option, path in touched.items()]
    with reloading(site, *options) as server, Client(server):
        for number, (option, path) in enumerate(touched.items(), 2):
            save(site / "words.py", word(option))
            os.utime(path, (2e9, 2e9))
            server.wait_for(f"generation {number} serves", 20)
            wait(lambda option=option: answers(server) == option)  # type: ignore[misc]  # as above
            assert f"{option}: {path} " in server.text()


def test_workers_alone_are_replaced_from_the_same_code(site: Path) -> None:
    touched = site / "touched"
    with reloading(site, "--touch-workers-reload", str(touched)) as server, Client(server):
        before = {ask(server)[1] for _ in range(20)}
        save(site / "words.py", word("two"))
        touched.write_text("")
        wait(lambda: not before & {ask(server)[1] for _ in range(20)})
        assert answers(server) == "one", "forked from what was loaded, as in uWSGI"


@pytest.mark.parametrize(
    ("options", "path", "why"),
    [
        (("--max-requests", "20", "--min-worker-lifetime", "0"), "/", r"max-requests: \d+ answered"),
        pytest.param(  # these two are in ``test_recycling``, without a client that loses nothing
            ("--max-worker-lifetime", "1", "--min-worker-lifetime", "0"), "/", r"max-worker-lifetime: \d+ s",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            ("--reload-on-rss", "90", "--min-worker-lifetime", "0"), "/grow", r"reload-on-rss: \d+ MB",
            marks=pytest.mark.slow,
        ),
        (
            ("--evil-reload-on-rss", "90", "--mem-collector-freq", "500ms"), "/grow",
            r"evil-reload-on-rss: \d+ MB",
        ),
    ],
)  # fmt: skip
def test_a_worker_that_is_worn_out_is_replaced(
    site: Path, options: tuple[str, ...], path: str, why: str
) -> None:
    with reloading(site, *options) as server, Client(server):
        _, before = ask(server, path)
        wait(
            lambda: (
                re.search(rf"worker \d \(pid {before}\) is to be replaced: {why}", server.text()) is not None
            )
        )
        wait(lambda: f"(pid {before}) has left" in server.text())


def test_one_that_is_deaf_is_killed_and_the_log_has_its_stack(site: Path) -> None:
    with reloading(site, "--harakiri", "1") as server:
        with server.client() as client:
            began = time.monotonic()
            client.send(b"GET /hold HTTP/1.1\r\nHost: test\r\n\r\n")
            assert client.ended()
        # What the machine stood still meanwhile does not count against a worker.
        assert 1.0 < time.monotonic() - began < 20
        text = server.text()
        assert re.search(r"harakiri: its loop has stood still for \d+\.\d s", text)
        assert re.search(r'File ".*shop.py", line \d+ in application', text)
        wait(lambda: len({ask(server)[1] for _ in range(20)}) == 2)
