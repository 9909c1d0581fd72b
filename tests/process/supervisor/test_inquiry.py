"""Which requests run: every worker is asked, none is waited for beyond its time."""

from pathlib import Path
from typing import Any

from penstock.process.supervisor import inquiry as module
from penstock.process.supervisor.handle import State
from penstock.process.supervisor.inquiry import AT_ONCE, Inquiry, Requests
from tests.process.supervisor.obeying import FakeHandle, Obeying, obeying


def asked(supervisor: Obeying) -> tuple[Inquiry, list[Requests]]:
    supervisor.workers = [
        FakeHandle(1, 0, 11), FakeHandle(2, 1, 12, State.LEAVING), FakeHandle(3, 2, 13, State.STARTING)
    ]  # fmt: skip
    inquiry = Inquiry(supervisor)
    told: list[Requests] = []
    inquiry.ask(told.append)
    return inquiry, told


def said(supervisor: Obeying, handle: FakeHandle, requests: Any, number: Any = 1) -> None:
    for call in supervisor.on_message:
        call(handle, {"is": "requests", "id": number, "requests": requests})


def test_all_that_run_anything_are_asked(tmp_path: Path) -> None:
    with obeying(tmp_path) as supervisor:
        _, told = asked(supervisor)
        first, second, third = supervisor.workers
        assert first.sent == second.sent == [{"do": "requests", "id": 1}] and third.sent == []
        said(supervisor, second, [])
        assert told == []
        said(supervisor, first, [{"uri": "/a"}, {"uri": "/b"}])
        assert told == [[{"uri": "/a", "wid": 1, "pid": 11}, {"uri": "/b", "wid": 1, "pid": 11}]]


def test_without_workers_the_answer_is_there_at_once(tmp_path: Path) -> None:
    with obeying(tmp_path) as supervisor:
        told: list[Requests] = []
        Inquiry(supervisor).ask(told.append)
        assert told == [[]]


def test_who_does_not_answer_is_not_waited_for(tmp_path: Path) -> None:
    with obeying(tmp_path) as supervisor:
        inquiry, told = asked(supervisor)
        said(supervisor, supervisor.workers[0], [{"uri": "/a"}])
        inquiry.close(1)
        silent = {"wid": 2, "pid": 12, "phase": f"the worker did not answer within {module.PATIENCE:g} s"}
        assert told == [[{"uri": "/a", "wid": 1, "pid": 11}, silent]]
        said(supervisor, supervisor.workers[1], [{"uri": "/late"}])
        inquiry.close(1)
        assert len(told) == 1 and not inquiry.open


def test_its_time_is_up_by_the_clock(tmp_path: Path) -> None:
    with obeying(tmp_path) as supervisor:
        _, told = asked(supervisor)
        supervisor.turn(module.PATIENCE + 0.1)
        assert [len(found) for found in told] == [2]


def test_what_a_worker_says_wrongly_hurts_nobody(tmp_path: Path) -> None:
    with obeying(tmp_path) as supervisor:
        inquiry, told = asked(supervisor)
        first, second, stranger = supervisor.workers
        said(supervisor, stranger, [{"uri": "/x"}])
        said(supervisor, first, [{"uri": "/x"}], number="1")
        said(supervisor, first, [{"uri": "/x"}], number=77)
        for call in supervisor.on_message:
            call(first, {"is": "replace", "id": 1})
        said(supervisor, first, {"not": "a list"})
        said(supervisor, first, [{"uri": "/again"}])
        said(supervisor, second, [1, None, "x", {"wid": 99, "uri": "/y"}])
        assert told == [[{"wid": 2, "pid": 12, "uri": "/y"}]]
        assert not inquiry.open


def test_open_questions_are_bounded(tmp_path: Path) -> None:
    with obeying(tmp_path) as supervisor:
        inquiry, told = asked(supervisor)
        for _ in range(AT_ONCE + 5):
            inquiry.ask(told.append)
        assert len(inquiry.open) == AT_ONCE
        assert told == [[]] * 6
