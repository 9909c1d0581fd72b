"""Logs that cannot be written are told of on those that can."""

import os
import re
import time
from pathlib import Path

import pytest

from penstock.config.settings import Settings
from penstock.logs.complaints import TELL, Losses
from penstock.logs.format import compile_format
from penstock.logs.setup import Diary
from penstock.logs.sinks import MOST, Sink
from tests.records import record
from tests.sinks import file_sink


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


def diary_of(error: Sink, access: Sink | None) -> Diary:
    diary = Diary(error, access)
    diary.format = compile_format(Settings())
    return diary


def test_a_full_disk_is_told_of_on_the_other_log_and_not_again_soon(log: Path) -> None:
    full = file_sink("/dev/full")
    diary = diary_of(file_sink(str(log)), full)
    diary.write_access([record()] * 100)
    diary.retry()
    assert log.read_bytes() == b"", "it may be over in a moment"
    full.failing = time.monotonic() - 5.0
    for _ in range(3):
        diary.retry()
    (line,) = log.read_text().splitlines()
    told = r"penstock warning: the access log /dev/full cannot be written \(No space left on device\): "
    assert re.fullmatch(told + r"\d\d KB wait, 0 lines were lost so far", line)
    assert diary.complaints is not None
    when, lost = diary.complaints.told["access log"]
    diary.complaints.told["access log"] = (when - TELL, lost)
    diary.retry()
    assert len(log.read_text().splitlines()) == 2, "as long as it is so"
    diary.flush()
    assert diary.lost == 100
    assert log.read_text().endswith(": 100 lines were lost so far\n"), "the end says the whole of it"
    diary.close()


def test_the_error_log_is_told_of_in_the_access_log(log: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    diary = Diary(Sink(writing), file_sink(str(log)))
    diary.error("one\ntwo")
    diary.retry()
    assert log.read_text() == (
        "penstock warning: the error log cannot be written (Broken pipe): 2 lines were lost so far\n"
    )
    diary.close()
    os.close(writing)


def test_one_log_cannot_be_told_of_on_itself_nor_two_that_are_both_full() -> None:
    alone, both = Diary(file_sink("/dev/full"), None), Diary(file_sink("/dev/full"), file_sink("/dev/full"))
    for diary in (alone, both):
        for _ in range(MOST // 1_000_000 + 2):
            diary.error("x" * 1_000_000)
        diary.retry()
        diary.flush()
        assert diary.lost > 0
        diary.close()


def test_what_was_lost_is_told_of_when_it_can_be_written_again(log: Path) -> None:
    diary = diary_of(file_sink(str(log)), file_sink(str(log.with_name("access"))))
    access = diary.access_sink
    assert access is not None
    access.dropped = 1
    diary.retry()
    told = f"the access log {access.path}: 1 line was lost so far; it can be written again"
    assert log.read_text() == f"penstock warning: {told}\n"
    diary.close()


def test_who_counts_what_is_lost_hears_of_the_end() -> None:
    diary = diary_of(Sink(os.open(os.devnull, os.O_WRONLY)), file_sink("/dev/full"))
    diary.led = lambda: 7
    seen: list[int] = []
    diary.flushed.append(lambda: seen.append(diary.lost))
    diary.write_access([record()] * 3)
    diary.flush()
    assert seen == [10]
    os.close(diary.error_sink.fd)
    diary.close()


def test_loggers_that_lose_lines_or_cannot_be_written_are_told_of_once() -> None:
    losses, good, full = Losses(), Sink(os.open(os.devnull, os.O_WRONLY)), file_sink("/dev/full")
    loggers = [("good", good), ("full", full)]
    good.put(b"line\n")
    full.put(b"line\n")
    assert losses.news(loggers) == []
    full.failing = time.monotonic() - 2.0
    told = ["logger full cannot be written (No space left on device): 1 KB wait"]
    assert (losses.news(loggers), losses.news(loggers)) == (told, [])
    good.dropped, full.dropped = 3, 2
    assert losses.news(loggers) == [
        "logger good: 3 lines were lost so far",
        "logger full: 2 lines were lost so far",
    ]
    good.dropped = 4
    assert losses.news(loggers) == ["logger good: 4 lines were lost so far"]
    os.close(good.fd)
    for sink in (good, full):
        sink.fd = -1
        sink.close()
