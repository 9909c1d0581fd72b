"""Numbers in files, of which some are no files."""

import os
from pathlib import Path

import pytest

from penstock.services.stats.reading import MOST, number_in


@pytest.mark.parametrize(
    ("data", "word", "number"),
    [
        (b"17", 0, 17),
        (b"17\n", 0, 17),
        (b"17 18\t19\r\n20", 3, 20),
        (b"-5 +6", 0, -5),
        (b"-5 +6", 1, 6),
        (b"12abc", 0, 12),
        (b"abc", 0, 0),
        (b"", 0, 0),
        (b"1", 1, 0),
        (b"1", -1, 0),
        (b"7\n" + bytes(MOST), 0, 7),
        (b"9" * 30, 0, int("9" * 18)),
    ],
)
def test_the_number_of_a_word(tmp_path: Path, data: bytes, word: int, number: int) -> None:
    (tmp_path / "f").write_bytes(data)
    assert number_in(str(tmp_path / "f"), word) == number


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path in ("", str(tmp_path), str(tmp_path / "nothing"), str(tmp_path / "fifo"), "a\0b"):
        assert number_in(path) == 0
