"""What a process's logs look like, by its settings."""

import re
from pathlib import Path
from typing import Any

import pytest

from penstock.config.settings import Settings
from penstock.logs.setup import Diary
from penstock.process import diaries, memory
from penstock.process.sights.accesslog import begin_lines, format_lines
from tests.records import PLAIN, said_of
from tests.sinks import file_sink


@pytest.fixture
def diary(tmp_path: Path) -> Diary:
    """One whose both logs are ``log``."""
    sink = file_sink(str(tmp_path / "log"))
    return Diary(sink, sink)


USUAL = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d penstock: x"
CTIME = r"\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4} - penstock: x"


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({}, USUAL),
        ({"log_date": "false"}, USUAL),
        ({"log_date": "off", "log_prefix": "0"}, USUAL),
        ({"log_date": "true"}, CTIME),
        ({"log_prefix": "Yes"}, CTIME),
        ({"log_date": "%Y"}, r"\d{4} - penstock: x"),
        ({"log_prefix": "[%Y]"}, r"\[\d{4}\] - penstock: x"),
    ],
)
def test_lines_begin_as_settings_say(
    diary: Diary, tmp_path: Path, options: dict[str, Any], line: str
) -> None:
    diary.dated("before")
    begin_lines(diary, Settings(**options))
    diary.info("x")
    assert re.fullmatch(line + "\n", (tmp_path / "log").read_text())


def test_requests_have_the_format_of_the_settings(diary: Diary, tmp_path: Path) -> None:
    format_lines(diary, Settings(log_format="%(method) %(wid) %(rss)"), 3)
    assert diary.format is not None
    diary.write_access([PLAIN._replace(said=said_of(diary.format.wanted))])
    method, wid, rss = (tmp_path / "log").read_text().split()
    assert (method, wid) == ("GET", "3")
    assert int(rss) == pytest.approx(memory.address_and_resident()[1], rel=0.2)


def test_a_single_process_is_the_first_worker(diary: Diary, tmp_path: Path) -> None:
    format_lines(diary, Settings(log_format="%(wid)"), 0)
    diary.write_access([PLAIN])
    assert (tmp_path / "log").read_text() == "1\n"


def test_without_a_log_there_is_no_format(tmp_path: Path) -> None:
    diary = Diary(file_sink(str(tmp_path / "log")), None)
    format_lines(diary, Settings(), 1)
    assert diary.format is None
    assert not diary.access_wanted


def test_a_process_that_is_given_its_logs_begins_lines_alike(tmp_path: Path) -> None:
    sink = file_sink(str(tmp_path / "log"))
    given = (sink.fd, sink.path)
    diary = diaries.open_diary_at(given, given, Settings(log_date="%Y"))
    assert diary.access_sink is diary.error_sink
    diary.info("x")
    assert re.fullmatch(r"\d{4} - penstock: x\n", (tmp_path / "log").read_text())
    assert diaries.open_diary_at(given, None).access_sink is None


def test_the_log_is_open_where_only_some_requests_have_lines(tmp_path: Path) -> None:
    options: dict[str, Any] = {"disable_logging": True, "access_log": str(tmp_path / "log")}
    assert diaries.open_diary(Settings(**options)).access_sink is None
    diary = diaries.open_diary(Settings(log_5xx=True, **options))
    assert diary.access_sink is not None
    diary.close()
