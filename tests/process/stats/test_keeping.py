"""A file for each metric."""

import os
from pathlib import Path

import pytest

from penstock.core.errors import StartError
from penstock.process.stats.keeping import Kept, checked


def test_values_in_files(tmp_path: Path) -> None:
    said: list[str] = []
    kept = Kept(str(tmp_path), said.append)
    kept.write({"a.b": 1000, "c": -5})
    assert (tmp_path / "a.b").read_bytes() == b"1000\n" and (tmp_path / "c").read_bytes() == b"-5\n"
    kept.write({"a.b": 7})
    assert (tmp_path / "a.b").read_bytes() == b"7\n", "nothing of a longer one is left"
    assert (kept.read("a.b"), kept.read("c"), kept.read("nobody")) == (7, -5, 0)
    assert (tmp_path / "c").stat().st_mode & 0o777 == 0o640 and said == []


def test_what_uwsgi_has_left_is_read(tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(b"42\n" + bytes(4093))
    assert Kept(str(tmp_path), lambda text: None).read("m") == 42


def test_what_cannot_be_written_is_told_of_once(tmp_path: Path) -> None:
    said: list[str] = []
    kept = Kept(str(tmp_path), said.append)
    (tmp_path / "m").symlink_to(tmp_path / "elsewhere")
    os.mkdir(tmp_path / "n")
    kept.write({"m": 1})
    kept.write({"n": 1})
    assert len(said) == 1 and said[0].startswith(f"metrics-dir {tmp_path}: m could not be written: ")
    assert not (tmp_path / "elsewhere").exists(), "no link is followed"
    kept.write({"o": 1})
    kept.write({"n": 1})
    assert len(said) == 2, "another time, after it went well"


def test_no_folder(tmp_path: Path) -> None:
    checked("")
    checked(str(tmp_path))
    with pytest.raises(StartError, match="there is no such folder"):
        checked(str(tmp_path / "nothing"))
