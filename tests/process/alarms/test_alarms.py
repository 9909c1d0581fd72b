"""What raises alarms under a supervisor: everything but the supervisor is real."""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from penstock.process.alarms.alarms import Alarms
from penstock.process.diaries import direct
from tests.process.household.attending import Attended
from tests.process.supervisor.recording import settings


@dataclass
class Death:
    """A worker that is gone."""

    name: str
    status: int | None


@contextmanager
def watched(tmp: Path, **options: Any) -> Iterator[tuple[Attended, Alarms]]:
    """One for the block; what its callbacks raised fails the test."""
    it = Attended(tmp / "house.log", settings(**options))
    alarms = Alarms(it)
    alarms.start()
    try:
        yield it, alarms
    finally:
        alarms.end()
        alarms.logs.end()
        it.close()
    assert it.faults == []


def test_without_alarms_nothing_is_different(tmp_path: Path) -> None:
    with watched(tmp_path) as (it, alarms):
        assert it.lineage.lent(it.settings) == direct(it.diary)
        assert it.diary.error_sink.aside is None
        assert alarms.logs.tap is None and alarms.raising is None
        assert it.carrying["logs"].state() == {}
        assert not any(call() for call in it.unfinished)
        it.alarm("a", "x")
        assert "alarm a: there is no such alarm" in it.text()


def test_a_command_reads_the_line_and_what_it_says_raises_nothing(tmp_path: Path) -> None:
    command = f"cat > {tmp_path}/got; echo it is an error; exit 3"
    with watched(tmp_path, alarm=f"a cmd:{command}", log_alarm="a error") as (it, _):
        it.diary.say("an error")
        it.until(lambda: "exit status 3" in it.text())
        assert (tmp_path / "got").read_text() == "an error\n"
        assert '[alarm "a"] it is an error\n' in it.text()
        it.rest(0.1)
        assert it.children == {}


def test_lines_of_processes_are_seen_and_passed_on(tmp_path: Path) -> None:
    with watched(tmp_path, alarm="a log:seen", not_log_alarm="a known", log_alarm="a ^error") as (it, _):
        lent = it.lineage.lent(it.settings)
        assert lent.errors[0] != it.diary.error_sink.fd and lent.errors[1] == ""
        os.write(lent.errors[0], b"fine\nerror 1\n")
        os.write(lent.output[1], b"error known\n")
        it.until(lambda: "ALARM" in it.text())
        lines = it.text().splitlines()
        assert lines[:2] == ["fine", "error 1"]
        assert lines[2].endswith(" penstock: ALARM: seen error 1")


def test_it_begins_and_ends_with_a_reload(tmp_path: Path) -> None:
    with watched(tmp_path) as (it, _):
        coming = settings(alarm="a log:", log_alarm="a error")
        lent = it.lineage.lent(coming)
        assert lent.output
        it.diary.say("error before")
        assert "ALARM" not in it.text()
        it.serve(alarm="a log:", log_alarm="a error")
        it.diary.say("error then")
        assert "ALARM: error then" in it.text()
        it.change(settings())
        assert it.lineage.lent(it.settings) == direct(it.diary)
        os.write(lent.errors[0], b"error of an old worker\n")
        it.until(lambda: "old worker" in it.text())
        it.diary.say("error after")
        assert it.text().endswith("error of an old worker\nerror after\n")


def test_who_asks_by_name(tmp_path: Path) -> None:
    options: dict[str, Any] = {"mules": 2, "alarm": ["a log:", "m mule:2", "n mule:3"]}
    with watched(tmp_path, **options) as (it, alarms):
        told: list[tuple[int, bytes]] = []

        def take(number: int, message: bytes) -> bool:
            told.append((number, message))
            return True

        alarms.mules = take
        it.alarm("a", "from a hook")
        it.alarm("m", "to a mule")
        it.alarm("n", "to one that there is not")
        for message in (
            {"is": "alarm", "name": "a", "text": "from a worker"},
            {"is": "alarm", "name": "a", "text": 3},
            {"is": "alarm", "text": "x"},
            {"is": "files", "name": "a", "text": "x"},
        ):
            it.on_message[0](None, message)
        assert [line.partition("penstock: ")[2] for line in it.text().splitlines()] == [
            "ALARM: from a hook",
            "ALARM: from a worker",
        ]
        assert told == [(2, b"to a mule"), (0, b"to one that there is not")]
        it.serve(alarm="m mule:1")
        it.alarm("m", "to nobody")
        assert it.text().endswith("alarm m: no mule takes it\n") and len(told) == 2


@pytest.mark.parametrize(
    ("status", "told"),
    [(-signal.SIGSEGV, True), (-signal.SIGFPE, True), (-signal.SIGKILL, False), (1, False), (None, False)],
)
def test_a_crash(tmp_path: Path, status: int | None, told: bool) -> None:
    with watched(tmp_path, alarm=["a log:", "b log:"], alarm_segfault=["a", "b"]) as (it, _):
        it.on_gone[0](Death("worker 1 (pid 7)", status))
        assert it.text().count("ALARM: worker 1 (pid 7) died: killed by SIG") == 2 * told


def test_a_full_queue(tmp_path: Path) -> None:
    options: dict[str, Any] = {"alarm": "a log:", "alarm_backlog": "a", "listen": 1, "alarm_freq": 0}
    with watched(tmp_path, **options) as (it, alarms), socket.create_server(("127.0.0.1", 0), backlog=1) as s:
        it.current = SimpleNamespace(listening=[SimpleNamespace(name="http://here", sock=s)])
        alarms.look_at_queues()
        assert it.text() == ""
        waiting = [socket.create_connection(s.getsockname(), timeout=5) for _ in range(2)]
        it.until(lambda: "ALARM" in it.text())
        alarms.look_at_queues()
        assert it.text().count("ALARM") == 2
        assert it.text().count("warning: the listen queue of http://here is full (2 of 1)") == 1
        assert "ALARM: the listen queue of http://here is full (2 of 1)" in it.text()
        for one in waiting:
            s.accept()[0].close()
            one.close()
        alarms.look_at_queues()
        assert it.text().count("ALARM") == 2
        assert alarms.full == set()
        it.change(settings())
        alarms.look_at_queues()
        assert alarms.timer is None


def test_descriptors(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    texts = [f"a {reading}:2 two bytes", f"b {reading} the same", f"a {writing + 50} not open"]
    with watched(tmp_path, alarm=["a log:A", "b log:B"], alarm_fd=texts, alarm_freq=0) as (it, _):
        assert f"alarm-fd {writing + 50}: this is no open descriptor" in it.text()
        os.write(writing, b"xxxx")
        it.until(lambda: it.text().count("ALARM: A two bytes") == 2)
        assert it.text().count("ALARM: B the same") == 2
        it.serve(alarm="a log:", alarm_fd=f"a {reading} again", alarm_freq=0)
        os.write(writing, b"x")
        it.until(lambda: "ALARM: again" in it.text())
        os.close(writing)
        it.until(lambda: "it has ended and is not watched any more" in it.text())
        assert it.text().count("ALARM: again") == 2, "the end raises it too, once"
        it.rest(0.05)
        assert it.text().count("ALARM: again") == 2
        it.serve(alarm="a log:")
    os.close(reading)


def test_the_end_waits_for_what_runs_and_not_for_long(tmp_path: Path) -> None:
    with watched(tmp_path, alarm="a cmd:sleep 30") as (it, alarms):
        it.ending = SimpleNamespace(now=False)
        assert not it.unfinished[0]()
        it.alarm("a", "x")
        it.on_drained[0]()
        assert it.unfinished[0]()
        it.ending.now = True
        assert not it.unfinished[0]()
        it.ending.now = False
        alarms.until = 0.0
        assert not it.unfinished[0]()
        it.alarm("a", "too late")
        assert "alarm a: no process could be started: the server has ended" in it.text()
        (pid,) = it.children
        os.kill(pid, signal.SIGKILL)
        it.until(lambda: "killed by signal 9" in it.text())


def test_another_program_takes_the_pipes_over(tmp_path: Path) -> None:
    options = {"alarm": "a log:", "log_alarm": "a error"}
    with watched(tmp_path, **options) as (it, alarms):
        lent = it.lineage.lent(it.settings)
        state = it.carrying["logs"].state()
        assert lent.errors[0] in state["fds"]
        assert alarms.logs.tap is not None
        for stream in alarms.logs.tap.all:
            it.watch.remove(stream.reading)
        alarms.logs.tap = None
        it.carrying.clear()
        after = Alarms(it)
        after.logs.resume(state)
        after.start()
        assert it.lineage.lent(it.settings) == lent
        os.write(lent.errors[0], b"an error\n")
        it.until(lambda: "ALARM: an error" in it.text())
        after.end()
        after.logs.end()
