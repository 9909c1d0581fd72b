"""The diary: batches, bounds, and what is said once or rarely."""

import contextlib
import os
from pathlib import Path

import pytest

from penstock.core.errors import StartError
from penstock.logs.setup import PENDING, Diary, printable
from penstock.logs.sinks import Sink, file_sink
from tests.logs.test_access import RECORD


def test_records_are_written_in_order_and_whole(tmp_path: Path) -> None:
    sink = file_sink(str(tmp_path / "log"))
    diary = Diary(sink, sink)
    assert diary.access is not None
    for number in range(2000):
        diary.access.append(RECORD._replace(uri=f"/{number}"))
    assert diary.pending
    diary.flush()
    assert not diary.pending
    lines = (tmp_path / "log").read_text().splitlines()
    assert len(lines) == 2000
    assert all(f" GET /{number} => " in line for number, line in enumerate(lines))
    diary.close()


def test_more_records_than_can_wait_are_said(tmp_path: Path) -> None:
    diary = Diary(file_sink(str(tmp_path / "e")), file_sink(str(tmp_path / "a")))
    assert diary.access is not None
    diary.access.extend([RECORD] * (PENDING + 5))
    diary.flush()
    assert "cannot keep up" in (tmp_path / "e").read_text()
    diary.close()


def test_a_reopened_log_goes_on_under_its_name(tmp_path: Path) -> None:
    path = tmp_path / "log"
    diary = Diary(file_sink(str(path)), None)
    diary.info("before")
    path.rename(tmp_path / "old")
    diary.reopen()
    diary.info("after")
    assert "after" in path.read_text()
    assert "after" not in (tmp_path / "old").read_text()
    diary.close()


def test_a_log_is_opened_anew_where_it_was_after_a_change_of_folder(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    with contextlib.chdir(tmp_path):
        diary = Diary(file_sink("log"), file_sink("access"))
        os.chdir("app")
        diary.info("before")
        (tmp_path / "log").rename(tmp_path / "old")
        diary.reopen()
        diary.info("after")
        diary.close()
    assert "before" in (tmp_path / "old").read_text()
    assert "after" in (tmp_path / "log").read_text()
    assert list((tmp_path / "app").iterdir()) == []


def test_a_full_disk_and_a_closed_pipe_stop_nobody() -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    diary = Diary(Sink(full), None)
    diary.error("lost")
    assert diary.error_sink.lost == 1
    os.close(full)
    read, write = os.pipe()
    sink = Sink(write)
    os.close(read)
    assert not sink.write("nobody reads\n")
    os.close(write)


def test_what_was_lost_is_said_when_writing_works_again(tmp_path: Path) -> None:
    sink = Sink(os.open("/dev/full", os.O_WRONLY))
    sink.write("x\n")
    os.dup2(os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT), sink.fd)
    sink.write("y\n")
    assert (tmp_path / "log").read_text() == "y\npenstock: 1 batches of log lines could not be written here\n"
    os.close(sink.fd)


def test_a_log_that_cannot_be_opened_is_an_error_of_the_start() -> None:
    with pytest.raises(StartError, match="cannot open the log /nowhere/at/all"):
        file_sink("/nowhere/at/all")


def test_warnings_once_and_warnings_of_clients(tmp_path: Path) -> None:
    diary = Diary(file_sink(str(tmp_path / "log")), None)
    for _ in range(3):
        diary.warn_once("key", "said once")
        diary.warn_once("", "said always")
    for number in range(50):
        diary.warn_of_client(f"client {number} \x1b[2J\n")
    text = (tmp_path / "log").read_text()
    assert text.count("said once") == 1
    assert text.count("said always") == 3
    assert text.count("client ") == 10
    assert diary.held_back == 40
    assert "\\x1b[2J\\x0a" in text
    diary.close()


def test_the_error_stream_is_a_text_file(tmp_path: Path) -> None:
    diary = Diary(file_sink(str(tmp_path / "log")), None)
    print("one", "two", file=diary.errors)
    diary.errors.writelines(["three\n", "four\n"])
    diary.errors.flush()
    assert diary.errors.writable()
    assert (tmp_path / "log").read_text() == "one two\nthree\nfour\n"
    diary.close()


def test_printable_leaves_no_control() -> None:
    assert printable("a\x00b\nc\u00e9") == "a\\x00b\\x0ac\u00e9"


def test_a_log_that_cannot_be_opened_anew_goes_on_and_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    diary = Diary(file_sink(str(folder / "log")), None)
    folder.rename(tmp_path / "away")
    diary.reopen()
    diary.info("after")
    diary.close()
    first, second = (tmp_path / "away" / "log").read_text().splitlines()
    assert "cannot open the log" in first
    assert "lines go on into the file that was open" in first
    assert second.endswith("after")
