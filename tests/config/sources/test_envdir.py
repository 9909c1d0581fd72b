"""Folders of variables: what each file sets."""

from pathlib import Path

import pytest

from penstock.config.sources.envdir import LARGEST, entries, variables


def test_what_files_set(tmp_path: Path) -> None:
    texts = {
        "PLAIN": b"value\n",
        "BLANKS": b"  kept  inside \t\r\n\n",
        "LINES": b"one\0two\n",
        "GONE": b"",
        "EMPTY": b"\n",
        "RAW": b"\xff\n",
        ".hidden": b"x",
    }
    for name, text in texts.items():
        (tmp_path / name).write_bytes(text)
    (tmp_path / "folder").mkdir()
    assert dict(variables(str(tmp_path))) == {
        "PLAIN": "value",
        "BLANKS": "  kept  inside",
        "LINES": "one\ntwo",
        "GONE": None,
        "EMPTY": "",
        "RAW": "\udcff",
    }
    assert entries(str(tmp_path)) == [
        *("BLANKS=  kept  inside", "EMPTY=", "GONE", "LINES=one\ntwo", "PLAIN=value", "RAW=\udcff"),
    ]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no/such: No such file or directory$"):
        entries(str(tmp_path / "no" / "such"))


def test_what_can_be_no_variable(tmp_path: Path) -> None:
    (tmp_path / "A=B").write_text("x")
    with pytest.raises(ValueError, match=r"the name of a variable has no =$"):
        entries(str(tmp_path))


def test_a_value_without_end(tmp_path: Path) -> None:
    with open(tmp_path / "LARGE", "wb") as file:
        file.truncate(LARGEST + 1)
    with pytest.raises(ValueError, match="LARGE: at most 1 MB are expected"):
        entries(str(tmp_path))


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ValueError, match=r"file: Not a directory$"):
        entries(str(tmp_path / "file"))
