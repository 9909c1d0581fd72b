"""What a server does now: figures from what is at hand, and lines for people."""

import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from penstock.process.supervisor.figures import (
    COUNTERS,
    ago,
    last_lines,
    lines_of,
    requests_lines,
    size,
    stacks_lines,
    status_of,
    table,
)
from penstock.process.supervisor.handle import State
from tests.process.supervisor.obeying import FakeHandle, Obeying, obeying


def two(supervisor: Obeying) -> None:
    now = time.monotonic()
    supervisor.since = time.time() - 3700
    supervisor.workers = [
        FakeHandle(
            1, 0, os.getpid(), State.SERVING, 2, now - 90, figures={"requests": 10, "busy": 3, "threads": 4}
        ),
        FakeHandle(1, 2, 999999999, State.LEAVING, 1, now - 4000, "HUP", figures={"requests": 5}),
    ]
    supervisor.board.totals = {**dict.fromkeys(COUNTERS, 0), "requests": 100}
    supervisor.herd.places[1] = SimpleNamespace(failure="12:00 killed by SIGSEGV")


def test_the_figures(tmp_path: Path) -> None:
    with obeying(tmp_path) as supervisor:
        two(supervisor)
        supervisor.last = {"ok": True, "text": "HUP: generation 2 serves", "at": 1.0}
        status = status_of(supervisor)
    assert status["state"] == "serving" and status["generation"] == 1 and status["wanted"] == 2
    assert status["totals"]["requests"] == 115, "of those that are gone too"
    assert status["last_reload"] == {"ok": True, "text": "HUP: generation 2 serves", "at": 1.0}
    first, second = status["workers"]
    assert (first["wid"], first["pid"], first["state"], first["generation"]) == (1, os.getpid(), "serving", 2)
    assert 90 <= first["age"] < 100 and first["rss"] > 1 << 20
    assert (first["busy"], first["threads"], first["requests"]) == (3, 4, 10)
    assert first["failure"] == "12:00 killed by SIGSEGV"
    assert (second["state"], second["why"], second["rss"]) == ("leaving", "HUP", 0)


@pytest.mark.parametrize(
    ("changed", "state"),
    [
        ({}, "starting"), ({"wanted": 0}, "serving"), ({"paused": True}, "paused"),
        ({"ending": "TERM", "paused": True}, "stopping"), ({"current": None}, "starting"),
    ],
)  # fmt: skip
def test_the_state(tmp_path: Path, changed: dict[str, Any], state: str) -> None:
    with obeying(tmp_path) as supervisor:
        for name, value in changed.items():
            setattr(supervisor, name, value)
        assert status_of(supervisor)["state"] == state


def test_for_people(tmp_path: Path) -> None:
    with obeying(tmp_path) as supervisor:
        two(supervisor)
        supervisor.build = object()
        lines = lines_of(status_of(supervisor))
    assert lines[0].endswith(": serving, generation 1, up 1h 1m")
    assert lines[1] == "1 of 2 workers serve, 115 requests answered, 0 workers died"
    assert lines[2] == "a reload is under way"
    head, first, second = lines[3:]
    assert " ".join(head.split()) == "WID PID GEN AGE REQUESTS CONNECTIONS BUSY QUEUED RSS STATE LAST FAILURE"
    assert first.split()[3:8] == ["1m", "30s", "10", "0", "3/4"]
    assert first.endswith("serving  12:00 killed by SIGSEGV")
    assert head.index("REQUESTS") + len("REQUESTS") == first.index(" 10 ") + 3 == second.index(" 5 ") + 2
    assert head.index("STATE") == first.index("serving") == second.index("leaving")


def test_without_workers_there_is_no_table(tmp_path: Path) -> None:
    with obeying(tmp_path) as supervisor:
        assert len(lines_of(status_of(supervisor))) == 2
    assert table([]) == ["WID  PID  GEN  AGE  REQUESTS  CONNECTIONS  BUSY  QUEUED  RSS  STATE  LAST FAILURE"]


def test_how_the_last_reload_ended() -> None:
    assert last_lines(None) == last_lines({}) == []
    assert last_lines({"ok": True, "text": "", "at": 0}) == [f"last reload at {local(0)}: done: "]
    text = "HUP: Traceback\n" + "\n".join(str(number) for number in range(10))
    assert last_lines({"ok": False, "text": text, "at": 0}) == [
        f"last reload at {local(0)}: FAILED: HUP: Traceback",
        "  ...",
        *(f"  {number}" for number in range(4, 10)),
    ]


def local(when: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(when))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0.0s"), (0.25, "0.2s"), (9.94, "9.9s"), (10, "10s"), (59.9, "59s"), (60, "1m 0s"),
        (3600, "1h 0m"), (90061, "1d 1h"), (86400 * 400, "400d 0h"),
    ],
)  # fmt: skip
def test_times(seconds: float, text: str) -> None:
    assert ago(seconds) == text


def test_sizes() -> None:
    assert [size(count) for count in (0, 1 << 20, 1600 << 10)] == ["-", "1.0M", "1.6M"]


def test_what_runs() -> None:
    assert requests_lines([]) == ["no request runs"]
    lines = requests_lines(
        [
            {"wid": 2, "pid": 8, "phase": "the worker did not answer within 2 s"},
            {"method": "GET", "uri": "/young", "age": 0.5, "phase": "waits for a thread", "thread": -1,
             "remote": "", "wid": 1, "pid": 7, "stack": ""},
            {"method": "POST", "uri": "/old", "age": 75, "phase": "in the application", "thread": 3,
             "remote": "10.0.0.1", "wid": 1, "pid": 7, "stack": "  File a\n    b()\n"},
        ]
    )  # fmt: skip
    assert lines == [
        "  1m 15s  POST /old from 10.0.0.1: in the application, worker 1 (pid 7), thread 3",
        "            File a",
        "              b()",
        "    0.5s  GET /young from -: waits for a thread, worker 1 (pid 7)",
        "       ?  worker 2 (pid 8): the worker did not answer within 2 s",
    ]


# ---- What runs ------------------------------------------------------------------------------------------


def test_requests_are_lines_with_their_phases_and_stacks() -> None:
    request = {"method": "GET", "uri": "/a", "remote": "1.2.3.4", "age": 3.25, "phase": "in the application"}
    phases = {"receive": 0.25, "queue": 1, "run": 2.0, "write": "?"}
    where = {"wid": 2, "pid": 77, "thread": "penstock-1"}
    stack = '  File "a.py", line 3, in f\n    wait()'
    assert requests_lines([{**request, **where, "phases": phases, "stack": stack}]) == [
        "    3.2s  GET /a from 1.2.3.4: in the application, worker 2 (pid 77), thread penstock-1",
        "          receive 0.250 s, queue 1.000 s, run 2.000 s",
        '            File "a.py", line 3, in f',
        "              wait()",
    ]
    assert requests_lines([{**request, "wid": 1, "pid": 7, "thread": ""}]) == [
        "    3.2s  GET /a from 1.2.3.4: in the application, worker 1 (pid 7)"
    ], "one that waits for a thread has none"
    for lie in ("old", float("inf"), float("nan"), 10**400, [1], -3):
        assert requests_lines([{**request, **where, "age": lie}])[0].startswith("    0.0s  GET /a")
    assert requests_lines([{"wid": 1, "pid": 7, "phase": "it is silent"}]) == [
        "       ?  worker 1 (pid 7): it is silent"
    ]
    assert requests_lines([]) == ["no request runs"]


def test_threads_are_lines_with_their_stacks() -> None:
    stacks = [
        {"wid": 1, "pid": 7, "thread": "MainThread", "stack": "  a\n  b"},
        {"wid": 2, "pid": 8, "phase": "no"},
    ]
    assert stacks_lines(stacks) == ["worker 1 (pid 7), MainThread", "  a", "  b", "worker 2 (pid 8): no"]
    assert stacks_lines([]) == ["no worker serves"]


@pytest.mark.parametrize(("ago", "silent"), [(0.0, 0.0), (12.0, 12.0)])
def test_how_long_a_worker_has_been_silent(tmp_path: Path, ago: float, silent: float) -> None:
    with obeying(tmp_path) as supervisor:
        beat = time.monotonic_ns() - int(ago * 1e9)
        supervisor.workers = [FakeHandle(1, 0, 1, figures={"beat": beat}), FakeHandle(2, 1, 1)]
        first, second = status_of(supervisor)["workers"]
        assert first["silent"] == pytest.approx(silent, abs=1) and second["silent"] == 0.0
