"""The stats document: what is in it when, and how it is written."""

import json

from penstock.services.stats.document import document, text_of
from tests.services.stats.example import server

WORKER = (
    *("id", "pid", "accepting", "requests", "delta_requests", "exceptions", "harakiri_count", "signals"),
    *("signal_queue", "status", "rss", "vsz", "running_time", "last_spawn", "respawn_count", "tx", "avg_rt"),
    "apps",
)


def test_keys_in_uwsgis_order() -> None:
    found = document(server())
    head = ("version", "listen_queue", "listen_queue_errors", "signal_queue", "load", "pid", "uid", "gid")
    assert tuple(found) == (*head, "cwd", "locks", "sockets", "workers")
    assert tuple(found["workers"][0]) == (*WORKER, "cores")
    full = document(server(daemons=[{}], crons=[{}], caches=[{"name": "c"}], metered=True), {"m": {}})
    assert tuple(full) == (
        *(*head, "cwd", "daemons", "locks", "caches", "metrics", "sockets", "workers", "crons"),
    )
    names = [name for lock in full["locks"] for name in lock]
    assert names[:2] == ["user 0", "signal"] and names[-2:] == ["cache_c", "metrics"]


def test_values() -> None:
    found = document(server())
    assert (found["listen_queue"], found["load"], found["pid"], found["cwd"]) == (7, 7, 50, "/srv")
    assert found["sockets"][1] == {
        "name": "/run/s",
        "proto": "uwsgi",
        "queue": 4,
        "max_queue": 100,
        "shared": 0,
        "can_offload": 0,
    }
    busy, _, cheap = found["workers"]
    values = (1, 51, 1, 10, 4, 1, 2, 0, 0, "busy", 1000, 2000, 5_000_000, 1700, 2, 900, 300)
    assert tuple(busy.values())[:17] == values
    assert busy["apps"] == [
        {
            "id": 0,
            "modifier1": 0,
            "mountpoint": "",
            "startup_time": 1,
            "requests": 7,
            "exceptions": 1,
            "chdir": "/srv",
        }
    ]
    assert busy["cores"][0] == {
        "id": 0,
        "requests": 8,
        "static_requests": 1,
        "routed_requests": 2,
        "offloaded_requests": 3,
        "write_errors": 5,
        "read_errors": 6,
        "in_request": 1,
        "vars": ["A=b", "C=d", ""],
        "req_info": {"request_start": 1700},
    }
    idle = busy["cores"][1]
    assert (idle["in_request"], idle["vars"], idle["req_info"]) == (0, [], {})
    assert (cheap["pid"], cheap["status"], cheap["accepting"], cheap["cores"]) == (0, "cheap", 0, [])


def test_without_cores() -> None:
    assert all("cores" not in worker for worker in document(server(), cores=False)["workers"])


def test_as_text() -> None:
    found = document(server(folder='/srv/ü"\n'))
    by_tabs, short = text_of(found, False), text_of(found, True)
    assert json.loads(by_tabs) == json.loads(short) == found
    assert by_tabs.startswith(b'{\n\t"version":"1.0",\n\t"listen_queue":7,') and by_tabs.isascii()
    assert b"\n" not in short and b"\t" not in short and b": " not in short
