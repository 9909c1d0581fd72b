"""Hooks in real prototypes and workers: what they tell their supervisor, and what it makes of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.interprocess.channel import pair
from penstock.logs.setup import Diary
from penstock.process.supervisor.generation import Generation, Prototype
from penstock.process.supervisor.loading import Loading, Workshop
from penstock.process.supervisor.watch import Watch
from tests.process.nursery import nursery, reap
from tests.process.supervisor.recording import settings
from tests.sinks import file_sink


@pytest.fixture
def loading(tmp_path: Path) -> Iterator[tuple[Loading, Prototype]]:
    """One whose prototype says what the test says."""
    watch = Watch(pytest.fail)
    diary = Diary(file_sink(str(tmp_path / "log")), None)
    ours, theirs = pair()
    prototype = Prototype(0, ours, False)
    generation = Generation(1, settings(start_timeout=7.0), [], str(tmp_path), prototype)
    shop = Workshop(
        watch, diary, lambda generation, lazy: pytest.fail(), lambda generation: {}, pytest.fail,
        lambda generation: None, lambda generation, message: None,
    )  # fmt: skip
    yield Loading(shop, generation, lambda: None, lambda text, code: None), prototype
    for end in (ours, theirs):
        end.close()
    watch.close()
    diary.close()


def test_the_time_of_an_import_stands_still_and_begins_anew(loading: tuple[Loading, Prototype]) -> None:
    one, prototype = loading
    one.clock(True)
    first = one.timer
    assert first is not None and not first.cancelled
    one.say(prototype, {"is": "clock", "going": False})
    assert first.cancelled and one.timer is first
    one.say(prototype, {"is": "clock", "going": True})
    assert one.timer is not None and one.timer is not first and not one.timer.cancelled
    one.finish()
    one.say(prototype, {"is": "clock", "going": True})
    assert one.timer.cancelled  # it is loaded, and is not given up any more


def test_a_prototype_says_when_hooks_take_their_time(tmp_path: Path) -> None:
    with nursery(tmp_path, hook_pre_app=("print:before",), exec_post_app=("exit 3",)) as it:
        assert [it.ear.until("clock")["going"] for _ in range(3)] == [False, True, False]
        failed = it.ear.until("failed")
        assert failed["reason"] == 'exec-post-app: "exec:exit 3": exit status 3' and failed["code"] == 1
        assert reap(it.prototype.pid) == 1


def test_a_worker_does(tmp_path: Path) -> None:
    hooks: dict[str, Any] = {
        "hook_post_fork": ("alarm:mail one",),
        "hook_accepting": ("alarm:mail two",),
        "start_timeout": 9.0,
    }
    with nursery(tmp_path, **hooks) as it:
        it.ear.until("loaded")
        worker = it.order(1)
        worker.pid = worker.until("hello")["pid"]
        for text in ("one", "two"):
            assert worker.until("clock")["seconds"] == 0
            assert worker.until("alarm") == {"is": "alarm", "name": "mail", "text": text}
            assert worker.until("clock")["seconds"] == 9.0
        worker.until("ready")
        assert it.get() == "hello"


def test_a_worker_that_cannot_begin(tmp_path: Path) -> None:
    for phase, status in (("hook_post_fork", 1), ("hook_accepting", 1), ("hook_accepting1", 9)):
        text = "exec:exit 3" if status == 1 else "exit:9"
        hook: dict[str, Any] = {phase: (text,)}
        with nursery(tmp_path, **hook) as it:
            it.ear.until("loaded")
            worker = it.order(1)
            worker.pid = worker.until("hello")["pid"]
            assert phase.replace("_", "-") in worker.until("failed")["reason"]
            assert reap(worker.pid) == status


def test_who_is_the_first_of_its_number(tmp_path: Path) -> None:
    with nursery(tmp_path, hook_accepting_once=("print:once",), hook_accepting1=("print:one",)) as it:
        it.ear.until("loaded")
        for wid in (2, 1, 2, 1):
            it.fork(wid)
        lines = it.text().splitlines()
        assert [lines.count(text) for text in ("once", "one")] == [2, 2]


def test_a_prototype_that_begins_a_reload(tmp_path: Path) -> None:
    said = {}
    for again in (False, True):
        with nursery(tmp_path, hook_asap=("print:begun",), kind=(again, True)) as it:
            it.ear.until("loaded")
            said[again] = it.text().count("\nbegun\n")
            (tmp_path / "log").unlink()
    assert said == {False: 0, True: 1}


def test_a_prototype_that_replaces_a_dead_one_has_had_its_workers(tmp_path: Path) -> None:
    with nursery(tmp_path, hook_accepting_once=("print:once",), kind=(False, False)) as it:
        it.ear.until("loaded")
        it.fork(1)
        assert "once" not in it.text()
