"""Log files that are renamed when they are large."""

from pathlib import Path
from typing import Any

from penstock.config.settings import Settings
from penstock.logs.setup import Diary
from penstock.process import diaries
from penstock.process.logs.rotation import Rotation


class Rotated:
    """The logs of settings, and how often they were renamed."""

    def __init__(self, **options: Any) -> None:
        settings = Settings(**options)
        self.diary: Diary = diaries.open_diary(settings)
        self.times = 0
        self.rotation = Rotation(settings, self.diary, self.count)

    def count(self) -> None:
        self.times += 1

    def look(self) -> int:
        self.rotation.look()
        return self.times


def test_a_log_that_is_larger_than_it_may_be(tmp_path: Path) -> None:
    path = tmp_path / "log"
    it = Rotated(logto=str(path), log_maxsize=100)
    assert it.rotation.wanted
    it.diary.say("x" * 99)
    assert it.look() == 0
    it.diary.say("y")
    assert it.look() == 1
    (old,) = set(tmp_path.iterdir()) - {path}
    assert old.name.startswith("log.1")
    assert old.read_text().endswith(f"y\nlogsize: 102, triggering rotation to {old}...\n")
    it.diary.say("z")
    assert path.read_text() == "z\n"
    it.diary.close()


def test_the_name_of_the_old_one_and_one_that_cannot_be_renamed(tmp_path: Path) -> None:
    path = tmp_path / "log"
    it = Rotated(logto=str(path), log_maxsize=10, log_backupname=str(tmp_path / "old"))
    it.diary.say("x" * 20)
    assert it.look() == 1 and (tmp_path / "old").read_text().startswith("x" * 20)
    it.diary.close()
    it = Rotated(logto=str(path), log_maxsize=10, log_backupname=str(tmp_path / "no" / "old"))
    it.diary.say("x" * 20)
    assert [it.look() for _ in range(3)] == [0, 0, 0]
    assert path.read_text().count("cannot be renamed") == 1, "and not each second"
    it.diary.close()


def test_each_file_has_its_own_size(tmp_path: Path) -> None:
    log, requests = f"logfile={tmp_path}/log,maxsize=100", f"logfile={tmp_path}/req,maxsize=10"
    it = Rotated(logger=(f"file:{log}",), req_logger=(f"file:{requests}",))
    assert it.diary.access_sink is not None
    it.diary.say("x" * 50)
    it.diary.access_sink.write("x" * 50 + "\n")
    assert it.look() == 1
    assert [file.name for file in sorted(tmp_path.iterdir())][:2] == ["log", "req"]
    assert len(list(tmp_path.glob("req.*"))) == 1 and not list(tmp_path.glob("log.*"))
    it.diary.close()


def test_without_a_size_or_a_file_nothing_is_renamed(tmp_path: Path) -> None:
    it = Rotated(logto=str(tmp_path / "log"))
    assert not it.rotation.wanted
    it.diary.say("x" * 1000)
    assert it.look() == 0
    it.diary.close()
    it = Rotated(log_maxsize=1)
    assert it.look() == 0
