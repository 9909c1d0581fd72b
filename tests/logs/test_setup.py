"""The diary: batches, bounds, and what is said once or rarely."""

import contextlib
import os
import re
from pathlib import Path
from time import strftime
from typing import Any

import pytest

from penstock.config.settings import Settings
from penstock.core.errors import StartError
from penstock.logs.format import LogFormat, compile_format
from penstock.logs.setup import Diary, printable
from penstock.logs.sinks import Sink
from tests.records import PLAIN, record
from tests.sinks import file_sink


def compiled(**options: Any) -> LogFormat:
    made = compile_format(Settings(**options))
    assert made is not None
    return made


def test_records_are_written_in_order_and_whole(tmp_path: Path) -> None:
    sink = file_sink(str(tmp_path / "log"))
    diary = Diary(sink, sink)
    assert not diary.access_wanted
    diary.format = compiled()
    assert diary.access_wanted
    for start in range(0, 2000, 500):
        diary.write_access([record(uri=f"/{number}") for number in range(start, start + 500)])
    lines = (tmp_path / "log").read_text().splitlines()
    assert len(lines) == 2000
    assert all(f" GET /{number} => " in line for number, line in enumerate(lines))
    diary.close()


def test_a_batch_without_lines_writes_nothing(tmp_path: Path) -> None:
    sink = file_sink(str(tmp_path / "log"))
    diary = Diary(sink, sink)
    diary.format = compiled(disable_logging=True, log_4xx=True)
    diary.write_access([PLAIN] * 5)
    assert (tmp_path / "log").read_bytes() == b""
    diary.write_access([record(status=404)])
    assert (tmp_path / "log").read_text().count("\n") == 1
    diary.close()


def test_without_a_place_nothing_is_wanted(tmp_path: Path) -> None:
    diary = Diary(file_sink(str(tmp_path / "log")), None)
    diary.format = compiled()
    assert not diary.access_wanted
    diary.write_access([PLAIN])
    assert (tmp_path / "log").read_bytes() == b""
    diary.close()


def test_lines_begin_as_log_date_has_it(tmp_path: Path) -> None:
    diary = Diary(file_sink(str(tmp_path / "log")), None)
    diary.say("as it is")
    diary.info("usual")
    diary.dated("%Y!")
    diary.say("one")
    diary.info("two")
    diary.warning("three")
    diary.error("four\nlines")
    diary.dated("")
    diary.say("five")
    lines = (tmp_path / "log").read_text().splitlines()
    year = strftime("%Y")
    assert lines[0] == "as it is"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d penstock: usual", lines[1])
    assert lines[2:7] == [
        f"{year}! - one",
        f"{year}! - penstock: two",
        f"{year}! - penstock warning: three",
        f"{year}! - penstock error: four",
        "lines",
    ]
    assert re.fullmatch(r"\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4} - five", lines[7])
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


def test_what_waits_is_written_by_a_later_try_and_at_the_end(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    diary = Diary(Sink(writing), None)
    line = "x" * 4000
    for _ in range(40):  # more than a pipe takes
        diary.say(line)
    assert diary.error_sink.size > 0
    got = os.read(reading, 1 << 20)
    diary.retry()
    got += os.read(reading, 1 << 20)
    diary.say("the last words")
    os.set_blocking(reading, False)
    diary.flush()
    got += os.read(reading, 1 << 20)
    assert got.decode() == f"{line}\n" * 40 + "the last words\n"
    for fd in (reading, writing):
        os.close(fd)
    diary.error_sink.let_go()


def test_each_sink_is_asked_once(tmp_path: Path) -> None:
    both = file_sink(str(tmp_path / "log"))
    assert Diary(both, both).sinks == (both,)
    assert Diary(both, None).sinks == (both,)
    other = file_sink(str(tmp_path / "access"))
    diary = Diary(both, other)
    assert diary.sinks == (both, other)
    diary.close()
    assert (both.fd, other.fd) == (-1, -1)
