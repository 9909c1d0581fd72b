"""The commands that change nothing: what they ask of workers, and what they make of the answers."""

import time
from pathlib import Path
from typing import Any

import pytest

from penstock.process.supervisor.commands import Commands
from penstock.process.supervisor.handle import State
from penstock.process.supervisor.order import FAILED, MISUSED, Told
from tests.process.supervisor.obeying import FakeHandle, Obeying, obeying

PART = {"seconds": 1.0, "labels": ["a:f:1"], "stacks": [[3, 0]]}


def ask(supervisor: Obeying, command: str, **more: Any) -> list[Told]:
    told: list[Told] = []
    Commands(supervisor).ask({"command": command, **more}, "ctl", told.append)
    return told


def answer(supervisor: Obeying, handle: FakeHandle, value: Any, reason: str = "") -> None:
    for call in supervisor.on_message:
        call(handle, {"is": "told", "id": handle.sent[-1]["id"], "value": value, "reason": reason})


def beating(wid: int, seconds: float = 0.0, state: State = State.SERVING) -> FakeHandle:
    beat = time.monotonic_ns() - int(seconds * 1e9)
    return FakeHandle(wid, wid, 100 + wid, state, figures={"beat": beat})


# ---- Health -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("workers", "ok", "text"),
    [
        ([(1, 0), (2, 0)], True, "serving: 2 of 2 workers"),
        ([(1, 0), (2, 60)], True, "serving: 1 of 2 workers"),
        ([(1, 60), (2, 60)], False, "none of 2 workers has shown a sign of life for 5 s"),
        ([(1, 0, State.STARTING)], False, "starting"),
        ([(1, 0, State.LEAVING)], False, "starting"),
        ([], False, "starting"),
    ],
)
def test_health_is_a_worker_that_serves_and_lives(
    tmp_path: Path, workers: list[tuple[Any, ...]], ok: bool, text: str
) -> None:
    with obeying(tmp_path) as supervisor:
        supervisor.workers = [beating(*worker) for worker in workers]
        assert ask(supervisor, "health") == [Told(ok, text, 0 if ok else FAILED)]


def test_who_pauses_or_ends_is_not_well_and_who_sleeps_is(tmp_path: Path) -> None:
    with obeying(tmp_path) as supervisor:
        supervisor.wanted = 0
        assert ask(supervisor, "health")[0].ok, "the first request brings a worker"
        supervisor.workers, supervisor.wanted = [beating(1)], 1
        supervisor.paused = True
        assert ask(supervisor, "health") == [Told(False, "paused", FAILED)]
        supervisor.ending = "SIGTERM"
        assert ask(supervisor, "health") == [Told(False, "stopping", FAILED)]


# ---- What workers are asked ---------------------------------------------------------------------------


def test_variables_only_for_who_wants_them(tmp_path: Path) -> None:
    with obeying(tmp_path) as supervisor:
        supervisor.workers = [worker] = [FakeHandle(1, 0, 11)]
        for said in ({}, {"vars": True}, {"vars": "yes"}):
            ask(supervisor, "requests", **said)
        assert [message["vars"] for message in worker.sent] == [False, True, False]


def test_the_stacks_of_all_or_of_one(tmp_path: Path) -> None:
    with obeying(tmp_path) as supervisor:
        supervisor.workers = [first, second] = [FakeHandle(1, 0, 11), FakeHandle(2, 1, 12)]
        ask(supervisor, "stacks")
        assert len(first.sent) == len(second.sent) == 1
        told = ask(supervisor, "stacks", worker=2)
        assert len(first.sent) == 1 and len(second.sent) == 2
        answer(supervisor, second, [{"thread": "penstock-0", "stack": "  File"}])
        assert told[0].data == {"stacks": [{"thread": "penstock-0", "stack": "  File", "wid": 2, "pid": 12}]}
        assert ask(supervisor, "stacks", worker=3) == [Told(False, "there is no worker 3", MISUSED)]
        assert ask(supervisor, "stacks", worker="2") == [Told(False, "there is no worker 2", MISUSED)]


def test_a_profile_of_all_workers(tmp_path: Path) -> None:
    with obeying(tmp_path) as supervisor:
        supervisor.workers = [first, second] = [FakeHandle(1, 0, 11), FakeHandle(2, 1, 12)]
        told = ask(supervisor, "profile", seconds=0.5)
        assert first.sent[0]["what"] == "profile" and first.sent[0]["seconds"] == 0.5
        answer(supervisor, first, PART)
        answer(supervisor, second, None, "another profile is being taken")
        assert told[0].ok and [part["wid"] for part in told[0].data["profile"]] == [1, 2]
        assert told[0].data["profile"][0] == {**PART, "wid": 1, "pid": 11, "reason": ""}
        told = ask(supervisor, "profile")
        assert first.sent[-1]["seconds"] == 10.0
        answer(supervisor, first, None, "no")
        answer(supervisor, second, None, "never")
        assert told == [Told(False, "worker 1: no; worker 2: never", FAILED)]


@pytest.mark.parametrize("seconds", [0, -1, 601, "10", True, None, float("nan")])
def test_times_that_are_none(tmp_path: Path, seconds: Any) -> None:
    with obeying(tmp_path) as supervisor:
        supervisor.workers = [worker] = [FakeHandle(1, 0, 11)]
        told = ask(supervisor, "profile", seconds=seconds)
        assert told == [Told(False, "seconds: a number up to 600 is expected", MISUSED)]
        assert worker.sent == []
