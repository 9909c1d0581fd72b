"""Alarms of a single process: on a loop that turns by hand."""

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from penstock.logs.setup import Diary
from penstock.process.alarms.alone import Alone
from tests.process.supervisor.recording import settings
from tests.sinks import file_sink


class Readers:
    """What a loop has of it: descriptors that are watched."""

    def __init__(self) -> None:
        self.calls: dict[int, Callable[[], Any]] = {}

    def add_reader(self, fd: int, call: Callable[..., Any], *args: Any) -> None:
        self.calls[fd] = lambda: call(*args)

    def remove_reader(self, fd: int) -> None:
        del self.calls[fd]


class Single:
    """Alarms with their log; ``until`` ticks."""

    def __init__(self, tmp: Path, **options: Any) -> None:
        self.errors, self.access = tmp / "errors", tmp / "access"
        self.diary = Diary(file_sink(str(self.errors)), file_sink(str(self.access)))
        self.sockets: list[tuple[str, Any]] = []
        self.alarms = Alone(settings(**options), self.diary, lambda: self.sockets)
        self.loop = Readers()
        self.alarms.begin(self.loop)

    def tick(self) -> None:
        self.alarms.tick(time.monotonic())

    def until(self, true: Callable[[], bool]) -> None:
        end = time.monotonic() + 10
        while not true():
            assert time.monotonic() < end, self.text()
            self.tick()
            time.sleep(0.01)

    def text(self) -> str:
        return self.errors.read_text()


@contextmanager
def single(tmp: Path, **options: Any) -> Iterator[Single]:
    it = Single(tmp, **options)
    try:
        yield it
    finally:
        it.diary.close()


def test_lines_are_seen_where_they_are_written_and_told_on_the_loop(tmp_path: Path) -> None:
    with single(tmp_path, alarm="a log:", log_alarm="a error", alarm_freq=0) as it:
        it.diary.errors.write("error 1\nfine\n")
        assert it.diary.access_sink is not None
        it.diary.access_sink.write("GET /error\n")
        assert "ALARM" not in it.text() and it.access.read_text() == "GET /error\n"
        it.tick()
        it.tick()
        told = [line.partition("penstock: ")[2] for line in it.text().splitlines()[2:]]
        assert told == ["ALARM: error 1", "ALARM: GET /error"]


def test_logs_that_are_opened_anew_are_seen(tmp_path: Path) -> None:
    with single(tmp_path, alarm="a log:", log_alarm="a error") as it:
        it.errors.rename(tmp_path / "old")
        it.diary.reopen()
        it.diary.say("error 2")
        it.tick()
        assert "ALARM: error 2" in it.text()


def test_a_command(tmp_path: Path) -> None:
    command = f"cat > {tmp_path}/got; echo it is an error >&2; exit 3"
    with single(tmp_path, alarm=f"a cmd:{command}", log_alarm="a error") as it:
        it.diary.say("an error")
        it.until(lambda: "exit status 3" in it.text())
        assert (tmp_path / "got").read_text() == "an error\n"
        assert "it is an error\n" in it.text()
        assert it.alarms.children == []


def test_a_command_that_takes_too_long_is_killed(tmp_path: Path) -> None:
    with single(tmp_path, alarm="a cmd:sleep 30") as it:
        it.alarms.raising.tell("a", "x")
        it.alarms.tick(time.monotonic() + 1000)
        it.until(lambda: "killed by signal 9" in it.text())


def test_a_program_that_the_application_has_reaped(tmp_path: Path) -> None:
    with single(tmp_path, alarm="a cmd:exit 3") as it:
        it.alarms.raising.tell("a", "x")
        os.waitpid(it.alarms.children[0].pid, 0)
        it.tick()
        assert it.alarms.children == [] and it.alarms.raising.alarms["a"].running == 0


def test_there_are_no_mules(tmp_path: Path) -> None:
    with single(tmp_path, alarm="a mule:1") as it:
        it.alarms.raising.tell("a", "x")
        assert "alarm a: no mule takes it" in it.text()


def test_a_full_queue(tmp_path: Path) -> None:
    with (
        single(tmp_path, alarm="a log:", alarm_backlog="a", listen=1) as it,
        socket.create_server(("127.0.0.1", 0), backlog=1) as sock,
    ):
        it.sockets.append(("http://here", sock))
        it.tick()
        assert it.text() == ""
        waiting = [socket.create_connection(sock.getsockname(), timeout=5) for _ in range(2)]
        it.alarms.tick(time.monotonic() + 2)
        assert "ALARM: the listen queue of http://here is full (2 of 1)" in it.text()
        for one in waiting:
            one.close()


def test_descriptors(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    texts = [f"a {reading} x", f"a {reading} y", f"a {writing + 50} z"]
    with single(tmp_path, alarm="a log:", alarm_fd=texts, alarm_freq=0) as it:
        assert f"alarm-fd {writing + 50}" in it.text()
        os.write(writing, b"1")
        it.loop.calls[reading]()
        assert "ALARM: x" in it.text() and "ALARM: y" in it.text()
        os.close(writing)
        it.loop.calls[reading]()
        assert it.loop.calls == {} and "it has ended" in it.text()
        assert it.text().count("ALARM: x") == 2, "the end raises it too"
    os.close(reading)
