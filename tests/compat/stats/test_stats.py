"""Statistics beside real uWSGI: each key of the document with its type, metrics, and what is sent away."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.compat import pair
from tests.compat.logs.listed import listed
from tests.compat.stats.watching import Watched, spoken, watched

pytestmark = [
    pytest.mark.compat,
    pytest.mark.skipif(not pair.UWSGI.exists(), reason=pair.MISSING),
]
SITE = """
http-socket = 127.0.0.1:PORT
wsgi-file = app.py
mount = /mounted=app.py
master = true
processes = 2
threads = 2
check-static = .
static-skip-ext = .py
die-on-term = true
"""
ALL = f"""{SITE}
stats = 127.0.0.1:STATS
enable-metrics = true
metric = shop.orders
metric = name=total,collector=sum,children=worker.1.requests;worker.2.requests
metric = name=half,type=gauge,oid=9.9,initial_value=7
memory-report = true
cache2 = name=pages,items=20,blocksize=4096
attach-daemon = sleep 100
cron2 = minute=5,hour=-2,unique=1 true
cron = 1 2 -1 -1 -1 false
stats-push = socket:127.0.0.1:PUSH,shop
"""
BESIDE = ("uwsgi", "penstock")
Pair = dict[str, Any]


def shape(value: Any, path: str = "") -> set[tuple[str, str]]:
    """Each key by its path, with the type of what is there; of a list's entries all that there is."""
    if isinstance(value, dict):
        parts = [(f"{path}.{key}", each) for key, each in value.items()]
    elif isinstance(value, list):
        parts = [(f"{path}[]", each) for each in value]
    else:
        return {(path, type(value).__name__)}
    found = {(path, type(value).__name__)}
    for where, each in parts:
        found |= shape(each, where)
    return found


def busy(one: Watched) -> Any:
    """The document while a request runs, behind some others."""
    for path in ("/", "/", "/mounted/x", "/file.txt", "/bad"):
        one.ask(path)
    slow = threading.Thread(target=one.ask, args=('/slow?a="b',))
    slow.start()
    time.sleep(1.5)  # metrics are collected every second
    found = one.document()
    slow.join()
    return found


def wait_for(one: Watched, sent: list[bytes], enough: Callable[[list[bytes]], bool]) -> None:
    """Until enough of it is there."""
    one.until(lambda: enough(sent))


def longer(count: int, sent: list[bytes]) -> bool:
    return len(sent) > count


def turns(sent: list[bytes]) -> int:
    """How often all metrics have begun to come."""
    return sum(b".core.routed_signals " in line for line in sent)


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Pair, dict[str, list[bytes]]]]:
    """Of both servers, and what both have sent to a socket."""
    found, pushed = {}, {}
    for name in BESIDE:
        with watched(name, tmp_path_factory.mktemp("stats") / name, ALL) as one:
            found[name] = busy(one)
            wait_for(one, one.pushed, lambda pushed: turns(pushed) > 1)
            pushed[name] = list(one.pushed)
    yield found, pushed


def test_every_key_with_its_type(documents: tuple[Pair, Any]) -> None:
    theirs, ours = (shape(documents[0][name]) for name in BESIDE)
    assert theirs == ours
    assert len(theirs) > 250


def test_keys_come_in_the_same_order(documents: tuple[Pair, Any]) -> None:
    theirs, ours = (documents[0][name] for name in BESIDE)
    assert list(theirs) == list(ours)
    for part in ("workers", "sockets", "daemons", "caches", "crons"):
        assert list(theirs[part][0]) == list(ours[part][0])
    assert list(theirs["workers"][0]["cores"][0]) == list(ours["workers"][0]["cores"][0])


def test_workers_that_rest_have_their_threads(tmp_path: Path) -> None:
    text = f"{SITE}\ncheaper = 1\ncheaper-initial = 1\nstats = 127.0.0.1:STATS"
    seen = {}
    for name in BESIDE:
        with watched(name, tmp_path / name, text, resting=1) as one:
            one.ask("/")
            works, rests = one.document()["workers"]
            seen[name] = (
                shape(works),
                shape(rests["cores"]),
                rests["status"],
                rests["pid"],
                rests["accepting"],
            )
    assert seen["uwsgi"] == seen["penstock"]
    assert seen["penstock"][2:] == ("cheap", 0, 0)


def compare(theirs: Pair, ours: Pair) -> None:
    """Nothing of it is different but what is listed, which is."""
    assert theirs.keys() == ours.keys()
    found = {key: (theirs[key], ours[key]) for key in ours if theirs[key] != ours[key]}
    entries = [entry for entry in listed("stats") if entry["key"] in ours]
    assert found == {entry["key"]: (entry["uwsgi"], entry["penstock"]) for entry in entries}


def test_every_entry_is_looked_at() -> None:
    assert {entry["key"] for entry in listed("stats")} <= {"app ", *BY_HTTP}


def totals(found: Any) -> dict[str, int]:
    """What the same requests must come to, whoever of the workers had them."""
    workers = found["workers"]
    cores = [core for worker in workers for core in worker["cores"]]
    names = ("requests", "static_requests", "routed_requests", "offloaded_requests", "in_request")
    return {
        "requests": sum(worker["requests"] for worker in workers),
        "exceptions": sum(worker["exceptions"] for worker in workers),
        "respawns": sum(worker["respawn_count"] for worker in workers),
        "accepting": sum(worker["accepting"] for worker in workers),
        "busy": sum(worker["status"] == "busy" for worker in workers),
        **{f"core {name}": sum(core[name] for core in cores) for name in names},
        **{
            f"app {mount}": sum(
                app["requests"] for worker in workers for app in worker["apps"] if app["mountpoint"] == mount
            )
            for mount in ("", "/mounted")
        },
    }


def test_the_same_requests_come_to_the_same(documents: tuple[Pair, Any]) -> None:
    theirs, ours = (totals(documents[0][name]) for name in BESIDE)
    compare(theirs, ours)
    assert (ours["requests"], ours["core static_requests"], ours["exceptions"]) == (5, 1, 1)


def test_what_is_beside_the_workers(documents: tuple[Pair, Any]) -> None:
    theirs, ours = (documents[0][name] for name in BESIDE)
    for key in ("caches", "locks"):
        assert theirs[key] == ours[key]
    known = {
        (cron["command"], cron["minute"], cron["hour"], cron["week"], cron["pid"]) for cron in ours["crons"]
    }
    assert known == {
        (cron["command"], cron["minute"], cron["hour"], cron["week"], cron["pid"]) for cron in theirs["crons"]
    }
    assert [daemon["cmd"] for daemon in theirs["daemons"]] == [daemon["cmd"] for daemon in ours["daemons"]]
    assert [one["proto"] for one in theirs["sockets"]] == [one["proto"] for one in ours["sockets"]]


def running(found: Any) -> set[str]:
    """The variables of the request that runs."""
    (core,) = [core for worker in found["workers"] for core in worker["cores"] if core["in_request"]]
    assert core["vars"][-1] == "" and time.time() - core["req_info"]["request_start"] < 300
    return set(core["vars"])


def test_the_request_that_runs(documents: tuple[Pair, Any]) -> None:
    theirs, ours = (running(documents[0][name]) for name in BESIDE)
    for variable in ("REQUEST_METHOD=GET", "PATH_INFO=/slow", 'QUERY_STRING=a="b', "HTTP_HOST=site"):
        assert variable in theirs and variable in ours


def test_metrics_have_the_same_names_kinds_and_numbers(documents: tuple[Pair, Any]) -> None:
    theirs, ours = (documents[0][name]["metrics"] for name in BESIDE)
    assert list(theirs) == list(ours)
    for name in theirs:
        assert (theirs[name]["type"], theirs[name]["oid"]) == (ours[name]["type"], ours[name]["oid"]), name
    for name in ("worker.0.requests", "shop.orders", "total", "half"):
        assert theirs[name]["value"] == ours[name]["value"], name


def test_a_socket_is_sent_the_same_lines(documents: tuple[Any, dict[str, list[bytes]]]) -> None:
    theirs, ours = (turn(documents[1][name]) for name in BESIDE)
    assert theirs == ours
    assert theirs[0] == b"shop.core.routed_signals 0 N"


def turn(lines: list[bytes]) -> list[bytes]:
    """The first whole turn, without values."""
    starts = [at for at, line in enumerate(lines) if b".core.routed_signals " in line]
    return [re.sub(rb" -?[0-9]+$", b" N", line) for line in lines[starts[0] : starts[1]]]


# ---- By HTTP, and Graphite ------------------------------------------------------------------------------


BY_HTTP = ("memory", "other sites")
"""Whether the memory is told without memory-report, and whether pages of other sites may read it."""


def test_by_http_in_short(tmp_path: Path) -> None:
    text = f"{SITE}\nstats = 127.0.0.1:STATS\nstats-http = true\nstats-minified = true\nstats-no-cores = true"
    shapes, seen = {}, {}
    for name in BESIDE:
        with watched(name, tmp_path / name, text) as one:
            reply = spoken(one.stats, b"GET /whatever HTTP/1.1\r\nHost: localhost\r\n\r\n")
            found = json.loads(reply.partition(b"\r\n\r\n")[2])
            shapes[name] = shape(found)
            values = (found["workers"][0]["rss"] > 0, b"\r\nAccess-Control-Allow-Origin: *\r\n" in reply)
            seen[name] = dict(zip(BY_HTTP, values, strict=True))
    assert shapes["uwsgi"] == shapes["penstock"]
    compare(seen["uwsgi"], seen["penstock"])
    assert not [path for path, _ in shapes["penstock"] if "cores" in path]


CARBON = f"{SITE}\nstats = 127.0.0.1:STATS\ncarbon = 127.0.0.1:CARBON\ncarbon-freq = 1\n"
SHARED = (b".requests ", b".harakiri ", b".active_workers ", b".cheaped_workers ")
"""Values that do not depend on who had which request, or how fast: those are compared, too."""


@pytest.mark.parametrize(
    "more",
    [
        "carbon-id = site\nmemory-report = true",
        "carbon-id = site\ncarbon-no-workers = true\ncarbon-root = shop.web\ncarbon-hostname-dots = _",
        "carbon-id = a.b\ncarbon-idle-avg = none",
        "carbon-id = a.b\ncarbon-idle-avg = zero\ncarbon-root = x.",
        "carbon-id = site\ncarbon-use-metrics = true\nenable-metrics = true",
        "",
    ],
    ids=["all", "short", "none", "zero", "metrics", "unnamed"],
)
def test_graphite_is_sent_the_same_bytes(tmp_path: Path, more: str) -> None:
    seen = {}
    for name in BESIDE:
        with watched(name, tmp_path / name, CARBON + more) as one:
            for _ in range(3):
                one.ask("/")
            count = len(one.graphite)
            wait_for(one, one.graphite, partial(longer, count + 3))
            sent = one.graphite[count + 3].replace(b":%d." % one.port, b":PORT.")
            seen[name] = normal(sent, "carbon-idle-avg = zero" in more)
    assert seen["uwsgi"] == seen["penstock"]
    assert seen["penstock"].endswith(b"\n") and b".requests 3 T\n" in seen["penstock"]


def normal(data: bytes, idle: bool) -> bytes:
    """Without times, and without values of which each has its own; ``idle``: the average is 0 by now."""
    lines = []
    for line in data.splitlines(keepends=True):
        line = re.sub(rb" [0-9]{10,}\n$", b" T\n", line)
        shared = any(word in line for word in SHARED) and b"worker1." not in line and b"worker2." not in line
        shared = shared and b"worker.1." not in line and b"worker.2." not in line
        shared = shared or (idle and b"avg_rt " in line)
        lines.append(line if shared else re.sub(rb" [0-9]+ T\n$", b" N T\n", line))
    return b"".join(lines)
