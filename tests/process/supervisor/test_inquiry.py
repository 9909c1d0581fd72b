"""Asking workers: every one is asked, none is waited for beyond its time."""

from pathlib import Path
from typing import Any

from penstock.process.supervisor import inquiry as module
from penstock.process.supervisor.handle import State
from penstock.process.supervisor.inquiry import AT_ONCE, Answer, Answers, Inquiry, merged
from tests.process.supervisor.obeying import FakeHandle, Obeying, obeying

ASKED = {"do": "tell", "what": "paths", "id": 1}


def asked(supervisor: Obeying, **more: Any) -> tuple[Inquiry, list[Answers]]:
    supervisor.workers = [
        FakeHandle(1, 0, 11), FakeHandle(2, 1, 12, State.LEAVING), FakeHandle(3, 2, 13, State.STARTING)
    ]  # fmt: skip
    inquiry = Inquiry(supervisor)
    told: list[Answers] = []
    inquiry.ask("paths", told.append, **more)
    return inquiry, told


def said(supervisor: Obeying, handle: FakeHandle, value: Any, number: Any = 1, **more: Any) -> None:
    for call in supervisor.on_message:
        call(handle, {"is": "told", "id": number, "value": value, **more})


def test_all_that_run_anything_are_asked(tmp_path: Path) -> None:
    with obeying(tmp_path) as supervisor:
        _, told = asked(supervisor)
        first, second, third = supervisor.workers
        assert first.sent == second.sent == [ASKED] and third.sent == []
        said(supervisor, second, [])
        assert told == []
        said(supervisor, first, {"a": 1})
        assert told == [[Answer(2, 12, []), Answer(1, 11, {"a": 1})]]
        supervisor.turn(0.02)
        assert len(told) == 1


def test_what_goes_along_is_not_the_frame(tmp_path: Path) -> None:
    with obeying(tmp_path) as supervisor:
        _, told = asked(supervisor, wids=(2,), vars=True, id=7, do="halt")
        first, second, _ = supervisor.workers
        assert first.sent == [] and second.sent == [{**ASKED, "vars": True}]
        said(supervisor, second, 3)
        assert told == [[Answer(2, 12, 3)]]


def test_without_workers_the_answer_is_there_at_once(tmp_path: Path) -> None:
    with obeying(tmp_path) as supervisor:
        told: list[Answers] = []
        Inquiry(supervisor).ask("paths", told.append)
        assert told == [[]]
        asked(supervisor)[0].ask("paths", told.append, wids=(3, 4))
        assert told == [[], []]


def test_who_does_not_answer_is_not_waited_for(tmp_path: Path) -> None:
    with obeying(tmp_path) as supervisor:
        inquiry, told = asked(supervisor)
        said(supervisor, supervisor.workers[0], ["/a"])
        inquiry.close(1)
        silent = Answer(2, 12, None, f"the worker did not answer within {module.PATIENCE:g} s")
        assert told == [[Answer(1, 11, ["/a"]), silent]]
        said(supervisor, supervisor.workers[1], ["/late"])
        inquiry.close(1)
        assert len(told) == 1 and not inquiry.open


def test_who_is_gone_is_not_told_of(tmp_path: Path) -> None:
    with obeying(tmp_path) as supervisor:
        inquiry, told = asked(supervisor)
        supervisor.workers[0].state = State.GONE
        said(supervisor, supervisor.workers[1], None, reason="it could not tell")
        inquiry.close(1)
        assert told == [[Answer(2, 12, None, "it could not tell")]]


def test_its_time_is_up_by_the_clock(tmp_path: Path) -> None:
    with obeying(tmp_path) as supervisor:
        _, told = asked(supervisor, patience=0.1)
        supervisor.turn(0.05)
        assert told == []
        supervisor.turn(0.1)
        assert [answer.reason for answer in told[0]] == ["the worker did not answer within 0.1 s"] * 2


def test_what_a_worker_says_wrongly_hurts_nobody(tmp_path: Path) -> None:
    with obeying(tmp_path) as supervisor:
        inquiry, told = asked(supervisor)
        first, second, stranger = supervisor.workers
        said(supervisor, stranger, ["/x"])
        said(supervisor, first, ["/x"], number="1")
        said(supervisor, first, ["/x"], number=77)
        for call in supervisor.on_message:
            call(first, {"is": "replace", "id": 1})
        said(supervisor, first, {"not": "a list"})
        said(supervisor, first, ["/again"])
        said(supervisor, second, [1, None, "x", {"wid": 99, "uri": "/y"}])
        assert merged(told[0]) == [{"wid": 2, "pid": 12, "uri": "/y"}]
        assert not inquiry.open


def test_lists_of_all_workers_are_one() -> None:
    answers = [Answer(1, 11, [{"uri": "/a"}, {"uri": "/b"}]), Answer(2, 12, None, "silence")]
    assert merged(answers) == [
        {"uri": "/a", "wid": 1, "pid": 11}, {"uri": "/b", "wid": 1, "pid": 11},
        {"wid": 2, "pid": 12, "phase": "silence"},
    ]  # fmt: skip


def test_open_questions_are_bounded(tmp_path: Path) -> None:
    with obeying(tmp_path) as supervisor:
        inquiry, told = asked(supervisor)
        for _ in range(AT_ONCE + 5):
            inquiry.ask("paths", told.append)
        assert len(inquiry.open) == AT_ONCE
        assert len(told) == 6 and all(answer.reason == module.MANY for one in told for answer in one)
        assert [answer.wid for answer in told[0]] == [1, 2], "that nobody was asked is not that nothing runs"
