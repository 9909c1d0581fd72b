"""From the scoreboard to the number of workers: what is counted, memory, and when nothing is decided."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.process.supervisor.cheaper.rules import rules_of
from penstock.process.supervisor.cheaper.scaling import Cheaper, Scaling, first_wanted
from penstock.process.supervisor.handle import State
from tests.process.supervisor.cheaper.farm import silent
from tests.process.supervisor.cheaper.recording import (
    Supervisor,
    close,
    listening,
    settings_of,
    supervisor,
    worker,
)

MB = 1 << 20


@pytest.fixture
def made(tmp_path: Path) -> Iterator[list[Supervisor]]:
    """Supervisors that are closed at the end."""
    found: list[Supervisor] = []
    yield found
    for one in found:
        close(one)


def cheaper(one: Supervisor, rss: dict[int, int] | None = None, queue: int = 0) -> Cheaper:
    rules = rules_of(one.settings, 4, one.diary.warning)
    assert rules is not None
    return Cheaper(one, rules, lambda: [], (rss or {}).__getitem__, lambda sock: queue)


def log(folder: Path) -> str:
    return (folder / "log").read_text()


def test_busy_workers_bring_another(tmp_path: Path, made: list[Supervisor]) -> None:
    one = supervisor(tmp_path, processes=4, cheaper=2, cheaper_overload=1)
    made.append(one)
    scaling = cheaper(one)
    one.workers = [worker(1, busy=1), worker(2, busy=1)]
    scaling.look()
    assert one.asked == []
    scaling.look()
    assert one.asked == [3]
    assert "cheaper: 3 workers instead of 2: all were busy 2 times in a row" in log(tmp_path)


def test_who_is_counted(tmp_path: Path, made: list[Supervisor]) -> None:
    one = supervisor(tmp_path, processes=4, cheaper=1)
    made.append(one)
    one.wanted = 3
    one.workers = [
        worker(1, busy=3, threads=4, queued=2, ticks=9, busy_ticks=20),
        worker(1, State.LEAVING, busy=4, threads=4, queued=50),
        worker(2, State.STARTING),
        worker(3, busy=4, threads=4, queued=5),
    ]
    scaling = cheaper(one)
    facts = scaling.facts([h for h in one.workers if h.state is not State.LEAVING], True)
    assert facts.wanted == 3
    assert [(p.pid, p.threads, p.busy, p.ticks, p.busy_ticks) for p in facts.workers] == [
        (101, 4, 3, 9, 20),
        (103, 4, 4, 0, 0),
    ]
    assert facts.waiting == 7


def test_what_waits_is_the_fullest_queue_and_what_waits_for_threads(
    tmp_path: Path, made: list[Supervisor]
) -> None:
    one = supervisor(tmp_path, processes=4, cheaper=1)
    made.append(one)
    one.workers = [worker(1, queued=3)]
    queues = [listening(), listening()]
    rules = rules_of(one.settings, 4, silent)
    assert rules is not None
    scaling = Cheaper(one, rules, lambda: queues, backlog=lambda sock: 5 if sock is queues[0] else 2)
    assert scaling.facts(one.workers, True).waiting == 8
    for queue in queues:
        queue.close()


@pytest.mark.parametrize(
    ("rss", "asked", "line"),
    [
        (40, [3], "all were busy"),
        (50, [], ""),
        (99, [], ""),
        (100, [1], "they have 200 MB together, beyond cheaper-rss-limit-hard"),
    ],
)
def test_memory_forbids_more_and_then_takes_one_back(
    tmp_path: Path, made: list[Supervisor], rss: int, asked: list[int], line: str
) -> None:
    options: dict[str, Any] = {"cheaper_rss_limit_soft": "100m", "cheaper_rss_limit_hard": "200m"}
    one = supervisor(tmp_path, processes=4, cheaper=1, cheaper_overload=1, **options)
    made.append(one)
    one.workers = [worker(1, busy=1), worker(2, busy=1), worker(3, State.LEAVING)]
    scaling = cheaper(one, {101: rss * MB, 102: rss * MB})
    scaling.look()
    if not one.asked:
        scaling.look()
    assert one.asked == asked
    assert line in log(tmp_path)


def test_the_last_worker_stays_whatever_it_takes(tmp_path: Path, made: list[Supervisor]) -> None:
    options: dict[str, Any] = {"cheaper_rss_limit_soft": "1m", "cheaper_rss_limit_hard": "2m"}
    one = supervisor(tmp_path, 1, processes=4, cheaper=1, **options)
    made.append(one)
    scaling = cheaper(one, {101: 900 * MB})
    for _ in range(9):
        scaling.look()
    assert one.asked == []


def test_stopped_workers_are_not_sizings_affair(tmp_path: Path, made: list[Supervisor]) -> None:
    one = supervisor(tmp_path, 0, processes=4, cheaper=2)
    made.append(one)
    cheaper(one).look()
    assert one.asked == []


@pytest.mark.parametrize("state", [{"paused": True}, {"build": object()}, {"ending": object()}])
def test_nothing_is_decided_while_the_server_is_at_something_else(
    tmp_path: Path, made: list[Supervisor], state: dict[str, Any]
) -> None:
    one = supervisor(tmp_path, processes=4, cheaper=1, cheaper_overload=1)
    made.append(one)
    one.workers = [worker(1, busy=1), worker(2, busy=1)]
    scaling = Scaling(one, lambda: [], lambda settings: 4)
    scaling.start()
    for name, value in state.items():
        setattr(one, name, value)
    for _ in range(5):
        scaling.look()
    assert one.asked == []
    for name in state:
        setattr(one, name, None if name != "paused" else False)
    scaling.look()
    scaling.look()
    assert one.asked == [3]


def test_new_settings_bound_the_number(tmp_path: Path, made: list[Supervisor]) -> None:
    one = supervisor(tmp_path, 6, processes=8, cheaper=2)
    made.append(one)
    scaling = Scaling(one, lambda: [], lambda settings: settings.processes_given or 3)
    scaling.start()
    assert one.asked == []
    one.settings = settings_of(processes=5, cheaper=3)
    scaling.start()
    assert one.asked == [5]
    assert scaling.idle.back == 3
    one.settings = settings_of(processes=4)
    scaling.start()
    assert scaling.cheaper is None
    assert scaling.idle.back == 4
    one.settings = settings_of(processes="auto", cheaper=3)
    scaling.start()
    assert scaling.cheaper is None
    assert "cheaper 3: must be lower than processes, which is 3" in log(tmp_path)
    # One timer at a time, and none after the end.
    live = [timer for _, _, timer in one.watch.timers if not timer.cancelled]
    assert live == [scaling.timer]
    scaling.stop()
    assert all(timer.cancelled for _, _, timer in one.watch.timers)


def test_it_looks_each_check_interval(tmp_path: Path, made: list[Supervisor]) -> None:
    one = supervisor(tmp_path, processes=4, cheaper=2, check_interval="20ms")
    made.append(one)
    one.workers = [worker(1, busy=1), worker(2, busy=1)]
    scaling = Scaling(one, lambda: [], lambda settings: 4)
    scaling.start()
    one.watch.later(5.0, one.watch.stop)
    one.watch.every(0.01, lambda: one.watch.stop() if one.asked else None)
    one.watch.run()
    assert one.asked == [3]


@pytest.mark.parametrize(
    ("options", "first"),
    [
        ({}, 8),
        ({"cheaper": 2}, 2),
        ({"cheaper": 2, "cheaper_initial": 5}, 5),
        ({"cheaper": 2, "cheaper_initial": 50}, 8),
        ({"cheap": True}, 0),
        ({"cheap": True, "cheaper": 2}, 0),
    ],
)
def test_workers_at_the_start(options: dict[str, Any], first: int) -> None:
    assert first_wanted(settings_of(processes="auto", **options), 8) == first
