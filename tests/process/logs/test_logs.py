"""Loggers under a supervisor: everything but the supervisor is real."""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from penstock.core.errors import StartError
from penstock.process.diaries import direct
from penstock.process.logs.logs import Logs, logs_of
from tests.process.household.attending import Attended
from tests.process.supervisor.recording import settings


@contextmanager
def logged(tmp: Path, **options: Any) -> Iterator[tuple[Attended, Logs]]:
    """One for the block, whose requests are in its log; what its callbacks raised fails the test."""
    it = Attended(tmp / "house.log", settings(**options))
    it.diary.access_sink = it.diary.error_sink
    logs = logs_of(it)
    logs.start()
    try:
        yield it, logs
    finally:
        logs.end()
        it.close()
    assert it.faults == []


def write(it: Attended, data: bytes) -> None:
    """As a worker does."""
    os.write(it.lineage.lent(it.settings).errors[0], data)


def test_without_loggers_nothing_is_different(tmp_path: Path) -> None:
    with logged(tmp_path) as (it, logs):
        assert it.lineage.lent(it.settings) == direct(it.diary)
        assert logs.tap is None and it.diary.error_sink.aside is None
        assert logs_of(it) is logs


def test_log_master_has_the_supervisor_write(tmp_path: Path) -> None:
    with logged(tmp_path, log_master=True) as (it, _):
        lent = it.lineage.lent(it.settings)
        assert lent.errors[1] == "" and lent.errors[0] != it.diary.error_sink.fd
        os.write(lent.errors[0], b"one\n")
        it.until(lambda: it.text() == "one\n")


def test_lines_of_processes_and_its_own_go_to_their_loggers(tmp_path: Path) -> None:
    options = {"logger": [f"a file:{tmp_path}/a", f"file:{tmp_path}/b"], "log_route": ["a error"]}
    with logged(tmp_path, **options) as (it, _):
        lent = it.lineage.lent(it.settings)
        os.write(lent.errors[0], b"fine\nan error\n")
        os.write(lent.output[0], b"printed\n")
        os.write(lent.output[1], b"printed error\n")
        it.until(lambda: (tmp_path / "b").read_text() == "fine\nprinted\n")
        it.diary.say("own error")
        it.diary.say("own")
        assert (tmp_path / "a").read_text() == "an error\nprinted error\nown error\n"
        assert (tmp_path / "b").read_text() == "fine\nprinted\nown\n"
        assert it.text() == ""


def test_lines_of_requests_go_their_own_way(tmp_path: Path) -> None:
    with logged(tmp_path, req_logger=[f"fd:{2}"], log_req_encoder=["prefix >"]) as (it, logs):
        reading, writing = os.pipe()
        logs.sinks[next(iter(logs.sinks))].fd = writing
        lent = it.lineage.lent(it.settings)
        assert lent.access is not None and lent.access[0] != lent.errors[0]
        assert len(lent.anew) == 2
        os.write(lent.access[0], b"GET /\n")
        os.write(lent.errors[0], b"an error\n")
        it.until(lambda: it.text() == "an error\n")
        it.rest(0.05)
        assert os.read(reading, 99) == b">GET /\n"
        os.close(writing)
        os.close(reading)


def test_it_follows_a_reload(tmp_path: Path) -> None:
    with logged(tmp_path, logger=[f"a file:{tmp_path}/a"], log_route=["a ."]) as (it, logs):
        write(it, b"one\n")
        it.until(lambda: (tmp_path / "a").read_text() == "one\n")
        before = list(logs.sinks.values())
        fd = before[0].fd
        it.change(settings(logger=["file:" + str(tmp_path / "b"), "stdio"], log_encoder=["prefix >"]))
        write(it, b"two\n")
        it.until(lambda: it.text().endswith(">two\n"))
        assert (tmp_path / "b").read_text() == ">two\n"
        with pytest.raises(OSError, match=r"Bad file descriptor|No such file"):
            assert os.readlink(f"/proc/self/fd/{fd}") != f"{tmp_path}/a"
            os.fstat(before[0].fd)
        it.change(settings())
        assert it.lineage.lent(it.settings) == direct(it.diary)
        assert logs.sinks == {} and it.diary.error_sink.aside is None


def test_one_that_cannot_be_opened_fails_the_start_and_no_reload(tmp_path: Path) -> None:
    bad = {"logger": [f"file:{tmp_path}/no/a", "stdio"], "log_encoder": ["prefix >"]}
    it = Attended(tmp_path / "house.log", settings(**bad))
    with pytest.raises(StartError, match="cannot open the log"):
        logs_of(it).start()
    logs_of(it).end()
    it.close()
    with logged(tmp_path) as (it, _):
        it.current = "a generation that serves"
        it.change(settings(**bad))
        assert f"penstock warning: logger file:{tmp_path}/no/a: cannot open the log" in it.text()
        write(it, b"x\n")
        it.until(lambda: it.text().endswith(">x\n>x\n"))


def test_the_program_of_a_pipe_lives_until_the_end_of_its_input(tmp_path: Path) -> None:
    command = f"cat > {tmp_path}/got; echo over >> {tmp_path}/got"
    with logged(tmp_path, logger=[f"pipe:{command}"]) as (it, logs):
        write(it, b"one\n")
        it.until(lambda: (tmp_path / "got").exists() and (tmp_path / "got").read_text() == "one\n")
        (pid,) = it.children
        assert it.elders == {pid} and os.getsid(pid) == pid
        logs.end()
        it.until(lambda: not it.children)
        assert (tmp_path / "got").read_text() == "one\nover\n"
        assert it.elders == set()


def test_a_program_that_dies_is_followed_by_another(tmp_path: Path) -> None:
    with logged(tmp_path, logger=[f"pipe:cat >> {tmp_path}/got"]) as (it, _):
        write(it, b"one\n")
        it.until(lambda: (tmp_path / "got").exists() and (tmp_path / "got").read_text() == "one\n")
        (pid,) = it.children
        os.killpg(pid, signal.SIGKILL)
        it.until(lambda: not it.children)
        assert "its program has ended with status -9" in it.text()
        write(it, b"two\n")
        it.until(lambda: (tmp_path / "got").read_text() == "one\ntwo\n")
        assert len(it.children) == 1


def test_what_is_lost_is_said_where_the_log_goes_without_loggers(tmp_path: Path) -> None:
    with logged(tmp_path, logger=[f"socket:{tmp_path}/gone"]) as (it, logs):
        for _ in range(50):
            it.diary.say("x" * 50_000 + "\n" + "x" * 50_000)
        assert logs.dropped > 0
        logs.tell_losses()
        logs.tell_losses()
        assert it.text() == (
            f"penstock warning: logger socket:{tmp_path}/gone: {logs.dropped} lines were lost so far\n"
        )


def test_files_of_loggers_are_opened_anew_and_those_that_are_large_renamed(tmp_path: Path) -> None:
    options = {"logger": [f"file:{tmp_path}/a", "stdio"], "log_maxsize": 50, "log_reopen": True}
    with logged(tmp_path, **options) as (it, _):
        it.diary.say("one")
        (tmp_path / "a").rename(tmp_path / "old")
        it.reopen_logs()
        it.diary.say("two")
        assert (tmp_path / "a").read_text() == "two\n" and (tmp_path / "old").read_text() == "one\n"
        it.diary.say("x" * 50)
        it.until(lambda: it.reopened == 2)
        assert len(list(tmp_path.glob("house.log.*"))) == 1
        it.change(settings(**options, log_micros=True))
        assert it.reopened == 3, "log-reopen"


def test_another_penstock_goes_on_with_the_pipes(tmp_path: Path) -> None:
    options = {"logger": [f"pipe:cat >> {tmp_path}/got"]}
    with logged(tmp_path, **options) as (it, logs):
        write(it, b"one\n")
        it.until(lambda: (tmp_path / "got").exists() and (tmp_path / "got").read_text() == "one\n")
        (pid,) = it.children
        lent, state = it.lineage.lent(it.settings), logs.state()
        assert logs.tap is not None
        for stream in logs.tap.all:
            it.watch.remove(stream.reading)
        assert set(state["fds"]) > {fd for fd, _ in state["pipes"].values()}
        for sink in logs.sinks.values():
            sink.let_go()
        logs.tap, logs.sinks, logs.patients = None, {}, {}
        it.carrying.clear()
        it.children.clear()
        after = logs_of(it)
        after.resume(state)
        after.start()
        assert it.lineage.lent(it.settings) == lent and set(it.children) == {pid}
        os.write(lent.errors[0], b"two\n")
        it.until(lambda: (tmp_path / "got").read_text() == "one\ntwo\n")
        after.end()
        it.until(lambda: not it.children)


def test_syslog_messages_carry_their_time(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(tmp_path / "socket"))
        server.settimeout(5)
        options = {"logger": [f"rsyslog:{tmp_path}/socket,web"], "rsyslog_packet_size": 60}
        with logged(tmp_path, **options) as (it, _):
            it.diary.say("x" * 100)
            assert len(server.recv(999)) == 60
