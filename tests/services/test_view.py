"""The document: what workers told, added up, each believed only as far as it makes sense."""

import json
from typing import Any

import pytest

from penstock.services.paths import PHASES, PathTable
from penstock.services.view import KEPT, REQUESTS, SHOWN, SMOOTH, STACK, History, Merged, taken, view_of
from tests.records import usual

STATUS: dict[str, Any] = {
    "version": "1", "pid": 1, "state": "serving", "since": 0.0, "generation": 1, "reloading": False,
    "last_reload": None, "wanted": 2, "deaths": 0, "totals": {"requests": 9}, "household": {"daemons": ["x"]},
    "workers": [
        {"wid": 1, "pid": 11, "connections": 3, "queued": 1, "busy": 2, "threads": 4},
        {"wid": 2, "pid": 12, "connections": 4, "queued": 0, "busy": 1, "threads": 4},
    ],
}  # fmt: skip


class Worker:
    """A table whose time the test moves."""

    def __init__(self, now: float = 100.0) -> None:
        self.now = now
        self.table = PathTable(lambda: self.now)

    def serve(self, count: int, **what: Any) -> None:
        self.table.take([usual(**what)] * count)

    def told(self, since: int = 0) -> str:
        return json.dumps(self.table.tell(since))


def test_two_workers_are_one_server() -> None:
    one, two, merged, history = Worker(), Worker(), Merged(), History()
    one.serve(10, uri="/a", run=0.1, seconds=0.2)
    two.serve(30, uri="/a", run=0.1, seconds=0.2)
    two.serve(5, uri="/b", run=0.3, status=500)
    for worker in (one, two):
        worker.now += 2
    last = [taken(worker.told(), pid, merged, history) for pid, worker in ((11, one), (12, two))]
    history.end(last, [11, 12])
    view = view_of(STATUS, [], merged, history)
    assert [row["path"] for row in view["paths"]] == ["/b", "/a"], "the slowest first"
    assert [(row["count"], row["errors"]) for row in view["paths"]] == [(5, 5), (40, 0)]
    assert view["rate"] == pytest.approx(45 / 2) and view["errors"] == pytest.approx(5 / 2)
    assert (view["threads"], view["busy"], view["queued"], view["connections"]) == (8, 3, 1, 7)
    assert view["phases"]["seconds"][0] == pytest.approx(0.2, rel=0.09)
    first, second = history.points(0)
    assert first[:3] == [100, 45, 5] and second[:3] == [101, 0, 0]
    assert first[3 + 3 * PHASES.index("run")] == pytest.approx(0.1, rel=0.09)
    assert "household" not in view, "commands of daemons are nobody's business here"
    json.dumps(view)


def test_history_takes_each_second_of_each_worker_once() -> None:
    worker, history = Worker(), History()
    for _ in range(3):
        worker.serve(7, uri="/a")
        worker.now += 1
        for _ in range(2):  # it is asked twice, and tells all that it knows both times
            history.end([taken(worker.told(), 11, Merged(), history)], [11])
    assert [point[:2] for point in history.points(0)] == [[100, 7], [101, 7], [102, 7]]
    assert [point[0] for point in history.points(101)] == [102]
    assert history.since([11]) == 102
    assert history.since([11, 12]) == 0, "everything is asked of one who is new"


def test_times_of_a_point_are_of_the_seconds_before_it() -> None:
    worker, history = Worker(), History()
    worker.serve(1, uri="/a", run=0.5)
    for _ in range(SMOOTH + 2):
        worker.now += 1
        history.end([taken(worker.told(), 11, Merged(), history)], [11])
    runs = [point[3 + 3 * PHASES.index("run") + 1] for point in history.points(0)]
    assert runs[:SMOOTH] == pytest.approx([0.5] * SMOOTH, rel=0.09)
    assert runs[SMOOTH:] == [0.0, 0.0]
    assert [point[1] for point in history.points(0)] == [1] + [0] * (SMOOTH + 1)


def test_a_second_is_shown_when_all_have_told_of_it() -> None:
    early, late, history = Worker(), Worker(), History()
    for worker in (early, late):
        worker.serve(1, uri="/a")
    early.now, late.now = 101.9, 102.1
    late.serve(1, uri="/a")
    late.now = 103.0
    history.end([taken(w.told(), pid, Merged(), history) for pid, w in ((1, early), (2, late))], [1, 2])
    assert [point[:2] for point in history.points(0)] == [[100, 2]]
    early.now = 103.0
    history.end([taken(w.told(), pid, Merged(), history) for pid, w in ((1, early), (2, late))], [1, 2])
    assert [point[:2] for point in history.points(100)] == [[101, 0], [102, 1]]


def test_history_forgets() -> None:
    worker, history = Worker(), History()
    for _ in range(3):
        worker.serve(1, uri="/a")
        worker.now += KEPT
        history.end([taken(worker.told(), 11, Merged(), history)], [11])
        assert len(history.seconds) <= 1 and len(history.points(0)) <= KEPT
        assert len(history.drawn) <= KEPT + 1
    history.end([], [])
    assert history.taken == {}, "workers that are gone are forgotten, too"
    assert len(history.points(0)) <= KEPT, "what is known stays"


@pytest.mark.parametrize(
    "value",
    [
        None, 7, "", "[]", "{", '"x"', "{}", '{"rows":1}', '{"rows":{},"window":"x","second":3,"history":{}}',
        '{"rows":{"/a":[1]},"window":1,"count":1,"second":3,"history":{}}',
        '{"rows":{"/a":[1,0,NaN,[]]},"window":1,"count":1,"second":3,"history":{}}',
        '{"rows":{"/a":[1,0,0.1,[1,2,3]]},"window":1,"count":1,"second":3,"history":{}}',
        '{"rows":{"/a":[1,0,0,[]],"/b":[1]},"window":1,"count":1,"second":3,"history":{"2":[1,0,0,[]]}}',
        '{"rows":{},"window":Infinity,"count":1,"second":3,"history":{}}',
        '{"rows":{},"window":1,"count":1,"second":1e999,"history":{}}',
        '{"rows":{},"window":1,"count":1,"second":3,"history":{"x":[1,0,0,[]]}}',
        '{"rows":{},"window":1,"count":1,"second":1001,"history":{}}',
        '{"rows":{},"window":-1,"count":1,"second":3,"history":{}}',
        '{"rows":{},"window":1,"count":1%s,"second":3,"history":{}}' % ("0" * 400),
        '{"rows":{"/a":[1%s,0,0,[]]},"window":1,"count":1,"second":3,"history":{}}' % ("0" * 400),
        '{"rows":{"/a":[1,0,0,[99999,1]]},"window":1,"count":1,"second":3,"history":{}}',
        '{"rows":{"/a":[1,0,0,[-1,1]]},"window":1,"count":1,"second":3,"history":{}}',
        '{"rows":{"/a":[1,0,0,[8,0]]},"window":1,"count":1,"second":3,"history":{}}',
        json.dumps({"rows": {key: [1, 0, 0, []] for key in range(300)}, "window": 1, "count": 1, "second": 3,
                    "history": {}}),
        json.dumps({"rows": {}, "window": 1, "count": 1, "second": 3,
                    "history": {key: [1, 0, 0, []] for key in range(300)}}),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_not_taken(value: Any) -> None:
    merged, history = Merged(), History()
    assert taken(value, 11, merged, history, 999.5) == 0
    assert (merged.rows, history.seconds, history.taken) == ({}, {}, {})


def test_requests_are_the_oldest_and_bounded() -> None:
    requests = [
        {"method": "GET", "uri": f"/{at}", "age": at, "phase": "x", "stack": "s" * 9000, "wid": 1, "pid": 2}
        for at in range(REQUESTS + 30)
    ]
    requests += [{"method": None, "age": age} for age in ("old", 10**400, float("nan"), float("inf"))]
    view = view_of(STATUS, requests, Merged(), History())
    assert view["running"] == len(requests) and len(view["requests"]) == REQUESTS
    assert view["requests"][0]["uri"] == f"/{REQUESTS + 29}"
    assert len(view["requests"][0]["stack"]) == STACK and view["requests"][-1]["stack"] == ""


def test_paths_are_bounded() -> None:
    merged = Merged()
    for pid in range(5):
        worker = Worker()
        worker.table.take([usual(uri=f"/{chr(0x4E00 + pid * 1000 + at)}/x") for at in range(100)])
        taken(worker.told(), pid, merged, History())
    assert len(merged.rows) == 500
    assert len(view_of(STATUS, [], merged, History())["paths"]) == SHOWN
