"""A server that tells of itself: the document on a socket, every second's work, other settings, the end."""

import json
import math
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from penstock.config.settings import Settings
from penstock.core.errors import StartError
from penstock.process.pages.httpd import PageReply, PageRequest
from penstock.process.stats import asking
from penstock.process.stats.reporting import Reporting
from tests.process.stats.served import Served, served


@contextmanager
def reporting(tmp: Path, **options: Any) -> Iterator[tuple[Served, Reporting]]:
    with served(tmp, **{"processes": 1, **options}) as server:
        one = Reporting(server, server.inquiry)
        one.meet(server.settings)
        one.open()
        try:
            yield server, one
        finally:
            one.close()
            one.close()


def document(server: Served, path: Path | str, request: bytes = b"") -> Any:
    """What is told there; with a request by HTTP, of which the head is checked."""
    data = b""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(path))
        sock.send(request)
        sock.setblocking(False)
        while True:
            server.turn(0.02)
            try:
                piece = sock.recv(1 << 20)
            except BlockingIOError:
                continue
            if not piece:
                break
            data += piece
    if request:
        head, _, data = data.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
        assert b"access-control" not in head.lower(), "no page of another site may read it"
    return json.loads(data)


def test_the_document(tmp_path: Path) -> None:
    path = tmp_path / "stats"
    with reporting(tmp_path, stats=str(path), chmod_socket=0o600) as (server, _):
        server.served(server.born(1, os.getpid()), 3)
        found = document(server, path)
        assert found["workers"][0]["requests"] == 3 and found["pid"] == os.getpid()
        assert "metrics" not in found and len(found["workers"][0]["cores"]) == 2
        assert path.stat().st_mode & 0o777 == 0o600
        assert f"penstock: stats on unix:{path}\n" in server.text()
    assert not path.exists()


def test_by_http_and_without(tmp_path: Path) -> None:
    path = tmp_path / "stats"
    options = {"stats_http": True, "stats_minified": True, "stats_no_cores": True, "enable_metrics": True}
    with reporting(tmp_path, stats=str(path), **options) as (server, _):
        server.born(1)
        found = document(server, path, b"GET /any HTTP/1.0\r\n\r\n")
        assert "cores" not in found["workers"][0] and "core.busy_workers" in found["metrics"]
    with reporting(tmp_path, stats=str(path), stats_no_metrics=True, enable_metrics=True) as (server, _):
        found = document(server, path)
        assert "metrics" not in found and {"metrics": 0} in found["locks"]


@pytest.mark.parametrize(
    ("host", "browser", "peer", "refused"),
    [
        ("evil.example:1717", True, "127.0.0.1", True),
        ("evil.example", True, "", True),
        ("", True, "::1", True),
        ("evil.example:1717", False, "127.0.0.1", False),
        ("stats.example:1717", True, "10.0.0.7", False),
        ("localhost:1717", True, "127.0.0.1", False),
        ("LOCALHOST", True, "127.0.0.1", False),
        ("127.0.0.1:1717", True, "127.0.0.1", False),
        ("[::1]:1717", True, "::1", False),
        ("localhost.evil.example", True, "127.0.0.1", True),
    ],
)
def test_no_name_that_an_attacker_has_rebound(
    tmp_path: Path, host: str, browser: bool, peer: str, refused: bool
) -> None:
    # A browser sends Fetch Metadata to trustworthy addresses only, and a rebound name is none.
    for mark in ("sec-fetch-mode", "accept-language"):
        headers = {"host": host, **({mark: "cors"} if browser else {})}
        with reporting(tmp_path, stats_http=True) as (server, one):
            server.born(1)
            answer = one.answer(PageRequest("GET", "/", "", headers, peer))
            found = answer if isinstance(answer, PageReply) else answer.reply
            assert found is not None and found.status == (403 if refused else 200)


def test_what_threads_do(tmp_path: Path) -> None:
    path = tmp_path / "stats"
    with reporting(tmp_path, stats=str(path)) as (server, _):
        busy, idle = server.born(1, 71), server.born(2, 72)
        busy.cell.busy = 1
        busy.says = [
            {"core": -1, "age": 1.0, "vars": ["queued"]},
            {"core": 99, "age": 1.0},
            *({"core": 1, "age": age, "vars": ["A=b", 7]} for age in (math.inf, math.nan, 10**400)),
            {"core": "0"},
            "rubbish",
        ]
        idle.says = [{"core": 0, "age": 1.0}]
        one, two = (worker["cores"] for worker in document(server, path)["workers"])
        assert [core["in_request"] for core in one + two] == [0, 1, 0, 0], "who is not busy is not asked"
        assert one[1]["vars"] == ["A=b", "7", ""]
        assert one[1]["req_info"]["request_start"] > 1_700_000_000


def test_a_worker_that_does_not_answer_keeps_nobody_waiting(tmp_path: Path) -> None:
    path = tmp_path / "stats"
    with reporting(tmp_path, stats=str(path)) as (server, _):
        server.born(1).cell.busy = 1
        (worker,) = document(server, path)["workers"]
        assert worker["status"] == "busy" and not any(core["in_request"] for core in worker["cores"])
        assert asking.PATIENCE < 1


def test_every_second(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    folder.mkdir()
    file = tmp_path / "pushed"
    options = {
        "metrics_dir": str(folder),
        "metric_threshold": ("key=core.overloaded,value=1,alarm=much",),
        "stats_push": (f"file:{file}",),
        "stats_minified": True,
    }
    with reporting(tmp_path, **options) as (server, one):
        worker = server.born(1)
        worker.cell.busy, worker.says = 1, []
        server.until(lambda: server.raised)
        assert server.raised == [("much", "core.overloaded")]
        assert (folder / "core.overloaded").read_text() == "1\n"
        first = json.loads(file.read_text())
        assert first["workers"][0]["status"] == "busy"
        one.turn()
        assert file.read_text().count("\n\n") == 1, "it is not due yet"
        one.pushers[0].due = 0.0
        one.turn()
        assert file.read_text().count("\n\n") == 2


def test_nothing_before_somebody_serves(tmp_path: Path) -> None:
    with reporting(tmp_path, metric_threshold=("key=core.idle_workers,value=0,alarm=a",)) as (server, one):
        current, server.current = server.current, None
        one.turn()
        assert server.raised == []
        server.current = current
        one.turn()
        assert server.raised


def test_graphite_is_told_every_so_often_and_at_the_end(tmp_path: Path) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        sock.setblocking(False)
        where = f"127.0.0.1:{sock.getsockname()[1]}"
        with reporting(tmp_path, carbon=(where,), carbon_freq=60.0) as (server, one):
            server.served(server.born(1), 3)
            one.turn()
            assert one.unfinished()
            server.until(lambda: not one.unfinished())
            one.turn()
            assert not one.unfinished(), "it is not due yet"
            one.last_words()
            assert one.unfinished()
            server.until(lambda: not one.unfinished())
        for _ in range(2):
            connection, _ = sock.accept()
            with connection:
                assert b".requests 3 " in connection.recv(1 << 16)


def test_other_settings(tmp_path: Path) -> None:
    one_path, other = tmp_path / "one", tmp_path / "other"
    with reporting(tmp_path, stats=str(one_path), enable_metrics=True) as (server, one):
        timer, meter = one.timer, one.meter
        one.changed()
        assert one.timer is timer and one.meter is meter, "the same settings change nothing"
        server.settings = Settings(processes=1, stats=str(one_path), stats_minified=True)
        pages = one.pages
        one.changed()
        assert one.pages is pages, "the address is the same"
        assert timer.cancelled and one.meter is None and one.timer is None
        server.settings = Settings(processes=1, stats=str(other), stats_http=True)
        one.changed()
        assert not one_path.exists()
        assert document(server, other, b"GET / HTTP/1.0\r\n\r\n")["workers"]
        server.settings = Settings(processes=1, stats="/nowhere/at/all")
        one.changed()
        assert "penstock error: stats: cannot listen on /nowhere/at/all" in server.text()
        server.settings = Settings(processes=1)
        one.changed()
        assert one.pages is None and not other.exists()


@pytest.mark.parametrize(
    "options",
    [{"stats": "127.0.0.1:99999"}, {"stats_push": ("zabbix:x",)}, {"metric": ("name=a,collector=func",)}],
    ids=lambda options: next(iter(options)),
)
def test_what_cannot_be(tmp_path: Path, options: dict[str, Any]) -> None:
    with served(tmp_path) as server, pytest.raises(StartError):
        Reporting(server, server.inquiry).meet(Settings(**options))
