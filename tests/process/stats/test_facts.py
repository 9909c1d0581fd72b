"""A server's figures: by the worker's number, over deaths, and in parts."""

import json
import os
import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from penstock.interprocess.ledger import AVERAGE, COUNTERS, EDGES, row_at
from penstock.interprocess.scoreboard import PAUSED
from penstock.process.stats.facts import Facts
from penstock.services.stats.figures import BUSY, CHEAP, IDLE, PAUSE, CoreFigures
from tests.process.stats.served import Served, Worker, served


def bury(server: Served, facts: Facts, worker: Worker) -> None:
    """As the herd does."""
    facts.parted(worker)
    server.board.free(worker.slot)
    server.ledger.free(worker.slot)
    server.workers.remove(worker)


def test_workers_by_their_number(tmp_path: Path) -> None:
    with served(tmp_path, processes=3, threads="2") as server:
        facts = Facts(server)
        first = server.born(1, os.getpid())
        server.born(2)
        server.served(first, 5, core=1, sent=100, running=7)
        server.ledger.cell(first.slot).words[AVERAGE] = 44
        first.cell.deadlines, first.cell.busy = 2, 1
        one, two, three = facts.server().workers
        assert (one.wid, one.pid, one.status, one.accepting) == (1, os.getpid(), BUSY, True)
        assert (one.requests, one.delta, one.tx, one.running, one.average) == (5, 5, 100, 7, 44)
        assert (one.harakiri, one.spawns, [core.requests for core in one.cores]) == (2, 1, [0, 5])
        assert one.rss > 1 << 20 and one.vsz >= one.rss
        assert (two.status, two.requests) == (IDLE, 0)
        assert (three.pid, three.status, three.accepting, three.spawns) == (0, CHEAP, False, 0)
        assert three.cores == [CoreFigures(), CoreFigures()], "the threads of one that rests are there"


def test_a_number_counts_on_when_its_worker_dies(tmp_path: Path) -> None:
    with served(tmp_path, processes=1) as server:
        facts = Facts(server)
        first = server.born(1)
        server.served(first, 5, core=1, sent=100, running=7)
        first.cell.deadlines = 1
        bury(server, facts, first)
        (none,) = facts.server().workers
        assert (none.pid, none.requests, none.delta, none.harakiri, none.spawns) == (0, 5, 0, 1, 1)
        second = server.born(1)
        server.served(second, 2, core=0, sent=10)
        (one,) = facts.server().workers
        assert (one.requests, one.delta, one.tx, one.running, one.harakiri) == (7, 2, 110, 7, 1)
        assert one.spawns == 2 and one.spawned > 0
        assert [core.requests for core in one.cores] == [2, 5]


def test_of_two_with_one_number_the_one_that_serves(tmp_path: Path) -> None:
    with served(tmp_path, processes=1) as server:
        facts = Facts(server)
        server.born(1, 71)
        server.born(1, 72)
        assert [worker.pid for worker in facts.server().workers] == [71]


def test_over_an_upgrade(tmp_path: Path) -> None:
    with served(tmp_path, processes=1) as server:
        facts = Facts(server)
        first = server.born(1)
        server.served(first, 5)
        bury(server, facts, first)
        carried = json.loads(json.dumps(facts.state()))
        after = Facts(server)
        carried["past"]["7"] = {"unknown": 1}
        after.resume(carried)
        (one,) = after.server().workers
        assert (one.requests, one.spawns) == (5, 1)


def test_a_worker_that_was_there_before_us(tmp_path: Path) -> None:
    with served(tmp_path, processes=1) as server:
        server.born(1)
        (one,) = Facts(server).server().workers
        assert one.spawns == 1 and one.spawned > 1_700_000_000


def test_paused(tmp_path: Path) -> None:
    with served(tmp_path, processes=1) as server:
        server.born(1).cell.state = PAUSED
        (one,) = Facts(server).server().workers
        assert (one.status, one.accepting) == (PAUSE, False)


def count(server: Served, worker: Worker, mount: str, requests: int) -> None:
    """So many requests of a mount point, all of them fast and well."""
    at = row_at(server.ledger.mounts()[mount], 2) + 4 * (len(EDGES) + 2)
    server.ledger.cell(worker.slot).words[at] += requests


def test_applications(tmp_path: Path) -> None:
    with served(tmp_path, processes=1, module="site", mount=("/a=a.py", "bad")) as server:
        facts = Facts(server)
        server.ledger.know(["/a"])
        worker = server.born(1)
        count(server, worker, "", 9)
        count(server, worker, "/a", 4)
        words = server.ledger.cell(worker.slot).words
        words[COUNTERS.index("static")], words[COUNTERS.index("routed")] = 2, 3
        words[COUNTERS.index("exceptions")] = 1
        server.current.prototype = SimpleNamespace(facts={"seconds": 2.7})
        (one,) = facts.server().workers
        assert [(app.mount, app.requests, app.exceptions) for app in one.apps] == [("", 4, 1), ("/a", 4, 0)]
        assert [app.startup for app in one.apps] == [2, 0]
    with served(tmp_path, processes=1) as server:
        server.born(1)
        assert Facts(server).server().workers[0].apps == []


def test_listeners_and_what_runs_beside(tmp_path: Path) -> None:
    with served(tmp_path, processes=1) as server, socket.socket(socket.AF_UNIX) as sock:
        path = str(tmp_path / "s")
        sock.bind(path)
        sock.listen(5)
        server.current.listening = [SimpleNamespace(sock=sock, spec=SimpleNamespace(protocol="uwsgi"))]
        with socket.socket(socket.AF_UNIX) as waiting:
            waiting.connect(path)
            server.beside = {
                "daemons": [{"option": "attach-daemon", "command": "x", "pid": 5, "state": "", "starts": 3}],
                "cron": [
                    {
                        "option": "cron",
                        "command": "y",
                        "times": [1, -1, -1, -1, -1],
                        "running": [],
                        "last": 0,
                    },
                    {"option": "unique-cron", "command": "z", "times": [-2] * 5, "running": [8], "last": 9},
                ],
            }
            server.current.caches = SimpleNamespace(figures=lambda: [cache()])
            found = Facts(server).server()
            server.build, server.current = SimpleNamespace(generation=server.current), None
            assert Facts(server).server().sockets == found.sockets, "while the first one starts, too"
            assert [(one.name, one.protocol, one.queue) for one in found.sockets] == [(path, "uwsgi", 1)]
            assert found.queue == 1
    assert found.daemons == [{"cmd": "x", "pid": 5, "respawns": 2}]
    assert [(cron["minute"], cron["unique"], cron["pid"], cron["started_at"]) for cron in found.crons] == [
        (1, 0, -1, 0),
        (-2, 1, 8, 9),
    ]
    assert (found.caches[0]["hash"], found.caches[0]["hits"], found.caches[0]["last_modified_at"]) == (
        "djb33x",
        3,
        0,
    )


def cache() -> dict[str, Any]:
    numbers = dict.fromkeys(
        ("keysize", "max_items", "blocks", "blocksize", "items", "hits", "miss", "full"), 3
    )
    return {"name": "c", **numbers, "emptied": 0}


def test_a_single_process_has_its_listeners_itself(tmp_path: Path) -> None:
    with served(tmp_path, processes=1) as server, socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        vars(server)["worker"] = SimpleNamespace(listeners=[SimpleNamespace(sock=sock, protocol="http")])
        (one,) = Facts(server).server().sockets
        assert one.name == f"127.0.0.1:{sock.getsockname()[1]}" and one.protocol == "http"
