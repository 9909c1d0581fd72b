"""What is gathered of a server for whoever looks: who is asked, how often, and what becomes of it."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from penstock.process.pages import overview
from penstock.process.supervisor.inquiry import Inquiry
from penstock.services.paths import PathTable
from tests.process.supervisor.obeying import FakeHandle, Obeying, obeying
from tests.records import usual


def questions(handle: FakeHandle) -> list[tuple[str, dict[str, Any]]]:
    return [(message["what"], message) for message in handle.sent]


def answer(supervisor: Obeying, handle: FakeHandle, **values: Any) -> None:
    """Answer all that the worker was asked."""
    for what, message in questions(handle):
        for call in supervisor.on_message:
            call(handle, {"is": "told", "id": message["id"], "value": values[what]})
    handle.sent.clear()


def told(now: float, since: int = 0, count: int = 5) -> str:
    table = PathTable(lambda: now - 2)
    table.take([usual(uri="/a")] * count)
    table.clock = lambda: now
    return json.dumps(table.tell(since))


def test_all_who_look_at_once_are_told_of_one_look(tmp_path: Path) -> None:
    with obeying(tmp_path) as supervisor:
        one, two = FakeHandle(1, 0, 11, figures={"busy": 1, "threads": 4}), FakeHandle(2, 1, 12)
        one.figures["oldest"] = time.monotonic_ns() - 3_000_000_000
        supervisor.workers = [one, two]
        seen = overview.of(supervisor, Inquiry(supervisor))
        assert overview.of(supervisor, Inquiry(supervisor)) is seen, "there is one"
        found: list[dict[str, Any]] = []
        seen.ask(found.append)
        seen.ask(found.append)
        assert [what for what, _ in questions(one)] == ["requests", "paths"]
        now = time.monotonic()
        running = {"method": "GET", "uri": "/slow", "age": 1.0, "phase": "in the application", "thread": "x"}
        answer(supervisor, one, requests=[running], paths=told(now))
        assert found == []
        answer(supervisor, two, requests=[], paths=told(now, count=7))
        assert len(found) == 2 and found[0] == found[1]
        view = found[0]
        assert view["paths"][0]["count"] == 12 and view["requests"][0]["pid"] == 11
        assert [worker["rate"] for worker in view["workers"]] == [2.5, 3.5]
        assert (
            view["workers"][0]["oldest"] == pytest.approx(3.0, abs=1.0)
            and view["workers"][1]["oldest"] == 0.0
        )
        assert abs(view["at"] - time.time()) < 3.0
        (point, _) = view["points"]
        assert point[1] == 12 and abs(point[0] - time.time()) < 4.0
        seen.ask(found.append, since=int(point[0]))
        assert len(found) == 3, "what is fresh is told again without asking anybody"
        assert [one[0] for one in found[2]["points"]] == [point[0] + 1]
        assert one.sent == []


def test_workers_are_asked_for_what_is_not_known(tmp_path: Path) -> None:
    with obeying(tmp_path) as supervisor:
        handle = FakeHandle(1, 0, 11)
        supervisor.workers = [handle]
        seen = overview.of(supervisor, Inquiry(supervisor))
        now = time.monotonic()
        for since in (0, int(now) - 1):
            seen.ask(overview.unseen)
            (question,) = [message for what, message in questions(handle) if what == "paths"]
            assert question["since"] == since
            answer(supervisor, handle, requests=[], paths=told(now, since))
            seen.gathered = 0.0  # long ago


def test_a_worker_that_does_not_answer_is_said_to(tmp_path: Path) -> None:
    with obeying(tmp_path) as supervisor:
        supervisor.workers = [FakeHandle(1, 0, 11)]
        inquiry = Inquiry(supervisor)
        seen = overview.of(supervisor, inquiry)
        found: list[dict[str, Any]] = []
        seen.ask(found.append)
        for number in list(inquiry.open):
            inquiry.close(number)
        (view,) = found
        assert "did not answer" in view["workers"][0]["silent"]
        assert view["paths"] == [] and view["requests"] == [] and view["points"] == []


def test_without_a_worker_there_is_still_something_to_see(tmp_path: Path) -> None:
    with obeying(tmp_path) as supervisor:
        found: list[dict[str, Any]] = []
        overview.of(supervisor, Inquiry(supervisor)).ask(found.append)
        assert found[0]["workers"] == [] and found[0]["wanted"] == 2


def test_it_looks_by_itself_where_nobody_does(tmp_path: Path) -> None:
    with obeying(tmp_path) as supervisor:
        handle = FakeHandle(1, 0, 11)
        supervisor.workers = [handle]
        seen = overview.of(supervisor, Inquiry(supervisor))
        seen.keep()
        seen.keep()
        assert len(supervisor.watch.timers) == 1
        seen.look()
        assert [what for what, _ in questions(handle)] == ["requests", "paths"]
        answer(supervisor, handle, requests=[], paths=told(time.monotonic()))
        seen.look()
        assert handle.sent == [], "somebody has just looked"
        (timer,) = [timer for _, _, timer in supervisor.watch.timers if timer.period]
        seen.rest()
        seen.rest()
        assert timer.cancelled and seen.timer is None


@pytest.mark.parametrize(
    "lie",
    [
        {"requests": [{"method": "GET", "age": 10**400}]},
        {"requests": [{"method": "GET", "age": float("inf")}, {"method": ["x"], "wid": {}, "pid": "x"}]},
        {"paths": '{"rows":{"/":[1,0,0,[1,0]]},"window":1,"count":1,"second":1,"history":{}}'},
        {"paths": '{"rows":{},"window":1,"count":1,"second":1000000000000000,"history":{}}'},
    ],
)
def test_a_worker_that_lies_keeps_nobody_from_looking(tmp_path: Path, lie: dict[str, Any]) -> None:
    with obeying(tmp_path) as supervisor:
        worker = FakeHandle(1, 0, 11)
        supervisor.workers = [worker]
        seen, found = overview.of(supervisor, Inquiry(supervisor)), list[dict[str, Any]]()
        seen.ask(found.append)
        answer(supervisor, worker, **{"requests": [], "paths": told(time.monotonic()), **lie})
        seen.gathered = 0.0
        seen.ask(found.append)
        answer(supervisor, worker, requests=[], paths=told(time.monotonic(), count=7))
        assert len(found) == 2 and found[1]["paths"][0]["count"] == 7
        assert sum(point[1] for point in found[1]["points"]) >= 5, "and there is a history as before"
        json.dumps(found, allow_nan=False)
