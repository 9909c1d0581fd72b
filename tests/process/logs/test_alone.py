"""Loggers of a single process: its ticks are made by hand."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from penstock.process import diaries
from penstock.process.logs.alone import LogsAlone
from tests.process.supervisor.recording import settings


class Single:
    """Logs in ``log``; ``until`` ticks."""

    def __init__(self, tmp: Path, **options: Any) -> None:
        given = settings(**{"logto": str(tmp / "log"), **options})
        self.path = tmp / "log"
        self.diary = diaries.open_diary(given)
        self.logs = LogsAlone(given, self.diary, self.diary.reopen)

    def until(self, true: Callable[[], object]) -> None:
        end = time.monotonic() + 10
        while not true():
            assert time.monotonic() < end, self.path.read_text()
            self.logs.tick(time.monotonic())
            time.sleep(0.01)

    def request(self, text: str) -> None:
        assert self.diary.access_sink is not None
        self.diary.access_sink.write(text)


@contextmanager
def single(tmp: Path, **options: Any) -> Iterator[Single]:
    it = Single(tmp, **options)
    try:
        yield it
    finally:
        it.logs.end()
        it.diary.close()


def test_lines_go_to_loggers_from_whoever_writes_them(tmp_path: Path) -> None:
    options = {
        "logger": [f"a file:{tmp_path}/a", "stdio"],
        "log_route": ["a error"],
        "log_encoder": ["prefix >"],
    }
    with single(tmp_path, **options) as it:
        it.diary.errors.write("an error\nfine\n")
        it.request("GET /\n")
        assert (tmp_path / "a").read_text() == ">an error\n"
        assert it.path.read_text() == ">fine\n>GET /\n"


def test_requests_go_their_own_way(tmp_path: Path) -> None:
    with single(tmp_path, log_req_encoder=["suffix end\n"], log_drain=["fine"]) as it:
        it.diary.errors.write("an error\nfine\n")
        it.request("GET /fine\n")
        assert it.path.read_text() == "an error\nGET /fine\nend\n"
        assert it.diary.access_sink is not it.diary.error_sink
        it.path.rename(tmp_path / "old")
        it.diary.reopen()
        it.request("GET /\n")
        assert it.path.read_text() == "GET /\nend\n"


def test_a_program_reads_until_the_end(tmp_path: Path) -> None:
    with single(tmp_path, req_logger=[f"pipe:exec cat > {tmp_path}/got"]) as it:
        it.request("GET /\n")
        it.until(lambda: (tmp_path / "got").exists() and (tmp_path / "got").read_text() == "GET /\n")
        (pid,) = it.logs.pids
        assert os.getsid(pid) == pid
        it.logs.end()
        it.until(lambda: not it.logs.pids)


def test_what_waits_is_tried_again_and_what_is_lost_is_said(tmp_path: Path) -> None:
    with single(tmp_path, logger=[f"socket:{tmp_path}/gone"]) as it:
        while it.logs.sinks and not next(iter(it.logs.sinks.values())).dropped:
            it.diary.say("x" * 50_000)
        it.until(lambda: "gone: 1 lines were lost so far" in it.path.read_text())


def test_files_are_opened_anew_and_renamed_when_they_are_large(tmp_path: Path) -> None:
    with single(tmp_path, logger=[f"file:{tmp_path}/a", "stdio"], log_maxsize=50) as it:
        it.diary.say("x" * 60)
        it.until(lambda: len(list(tmp_path.glob("log.*"))) == 1)
        (tmp_path / "a").rename(tmp_path / "old")
        it.logs.reopen()
        it.diary.say("y")
        assert it.path.read_text() == (tmp_path / "a").read_text() == "y\n"
