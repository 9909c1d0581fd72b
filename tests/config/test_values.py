"""Texts to values."""

from collections.abc import Callable
from typing import Any

import pytest

from penstock.config import values

NUMBER, BYTES = "a whole number is expected", "a number of bytes is expected, such as 65536, 64k or 1g"
TIME, MODE = "a time is expected, such as 30, 500ms or 2m", "three octal digits are expected, such as 660"


@pytest.mark.parametrize("text", ["", "true", "TRUE", "on", "1", "yes", " true "])
def test_a_flag_is_on(text: str) -> None:
    assert values.flag(text) == (True, "")


@pytest.mark.parametrize("text", ["banana", "nope", "2", "enabled", "00"])
def test_what_is_neither_on_nor_off_is_on_with_a_warning(text: str) -> None:
    assert values.flag(text) == (True, "taken for on: only false, off, no and 0 turn a flag off")


@pytest.mark.parametrize("text", ["false ; not now", "true # yes"])
def test_a_comment_behind_a_flag_is_named(text: str) -> None:
    value, warning = values.flag(text)
    assert value
    tail = text.partition(" ")[2]
    assert warning.startswith("taken for on: ")
    assert warning.endswith(f": a comment is a line of its own, '{tail}' is part of the value")


@pytest.mark.parametrize("text", ["false", "FALSE", "off", "Off", "no", "0", " no "])
def test_a_flag_is_off(text: str) -> None:
    assert values.flag(text) == (False, "")


@pytest.mark.parametrize(
    ("text", "number"), [("0", 0), ("4", 4), (" 12 ", 12), ("007", 7), ("1048576", 1048576)]
)
def test_whole_numbers(text: str, number: int) -> None:
    assert values.integer(text) == (number, "")
    assert values.signed(text) == (number, "")


def test_a_signed_number_may_be_negative() -> None:
    assert values.signed("-5") == (-5, "")
    assert values.signed("-5 ; low")[0] == -5
    with pytest.raises(ValueError, match=NUMBER):
        values.signed("low")


@pytest.mark.parametrize(
    ("read", "text", "value", "number"),
    [
        (values.integer, "4abc", 4, "4"),
        (values.integer, "1.5", 1, "1"),
        (values.integer, "10k", 10, "10"),
        (values.size, "1.5m", 1, "1"),
        (values.size, "1t", 1, "1"),
        (values.size, "1 kk", 1, "1"),
        (values.size, "0x10", 0, "0"),
        (values.size, "1k2", 1, "1"),
        (values.size, "2 gunicorns", 2, "2"),
        (values.size, "64k bytes", 65536, "64k"),
        (values.seconds, "1d", 1.0, "1"),
        (values.seconds, "1.", 1.0, "1"),
        (values.seconds, "1e3", 1.0, "1"),
        (values.seconds, "1:30", 1.0, "1"),
        (values.seconds, "30 seconds", 30.0, "30"),
        (values.milliseconds, "5 sec", 0.005, "5"),
    ],
)
def test_what_follows_a_number_is_warned_of(
    read: Callable[[str], tuple[Any, str]], text: str, value: float, number: str
) -> None:
    assert read(text) == (value, f"only the leading number {number} is used")


@pytest.mark.parametrize(
    ("read", "text", "value", "tail"),
    [
        (values.integer, "4 ; four", 4, "; four"),
        (values.size, "32768  # Increase", 32768, "# Increase"),
        (values.size, "64k ; enough", 65536, "; enough"),
        (values.seconds, "30 # for uploads", 30.0, "# for uploads"),
        (values.mode, "664 ; group", 0o664, "; group"),
        (values.mask, "022 # usual", 0o022, "# usual"),
        (values.threads, "8 ; eight", "8", "; eight"),
    ],
)
def test_a_comment_behind_a_number_is_named(
    read: Callable[[str], tuple[Any, str]], text: str, value: object, tail: str
) -> None:
    found, warning = read(text)
    assert found == value
    assert warning.startswith("only the leading number ")
    assert warning.endswith(f" is used: a comment is a line of its own, '{tail}' is part of the value")


@pytest.mark.parametrize("text", ["", "abc", "+1", ".5", "; 4", "1" * 19])
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(ValueError, match=NUMBER):
        values.integer(text)


def test_a_number_that_is_negative_says_so() -> None:
    with pytest.raises(ValueError, match=f"^{NUMBER}, and none that is negative$"):
        values.integer("-1")


@pytest.mark.parametrize("text", ["true", "off", "Yes", "no"])
@pytest.mark.parametrize("read", [values.integer, values.size, values.seconds])
def test_a_flags_word_for_a_number_is_what_uwsgi_reads(
    text: str, read: Callable[[str], tuple[Any, str]]
) -> None:
    assert read(text) == (0, "no number: read as 0, as uWSGI does")


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("0", 0), ("65536", 65536), ("64k", 65536), ("64K", 65536), ("64kb", 65536), ("64KiB", 65536),
        ("1m", 1 << 20), ("2 g", 2 << 30), (" 5 ", 5), ("10b", 10),
    ],
)  # fmt: skip
def test_sizes(text: str, count: int) -> None:
    assert values.size(text) == (count, "")


@pytest.mark.parametrize("text", ["", "k", "-1", "big", "# 4096"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match=BYTES):
        values.size(text)


@pytest.mark.parametrize(
    ("read", "text", "count"),
    [
        (values.kilobytes, "8", 8192), (values.kilobytes, "8k", 8192), (values.kilobytes, "8b", 8),
        (values.megabytes, "200", 200 << 20), (values.megabytes, "200M", 200 << 20),
        (values.megabytes, "1g", 1 << 30), (values.megabytes, "0", 0),
    ],
)  # fmt: skip
def test_a_plain_number_counts_what_uwsgi_counts(
    read: Callable[[str], tuple[int, str]], text: str, count: int
) -> None:
    assert read(text) == (count, "")


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("0", 0.0), ("30", 30.0), ("1.5", 1.5), ("30s", 30.0), ("500ms", 0.5), ("500 ms", 0.5), ("2m", 120.0),
        ("1h", 3600.0), ("1.5H", 5400.0), (" 7 ", 7.0),
    ],
)  # fmt: skip
def test_times(text: str, span: float) -> None:
    assert values.seconds(text) == (span, "")


@pytest.mark.parametrize(("text", "span"), [("500", 0.5), ("2s", 2.0), ("20 ms", 0.02)])
def test_times_of_which_a_plain_number_counts_thousandths(text: str, span: float) -> None:
    assert values.milliseconds(text) == (span, "")


@pytest.mark.parametrize("text", ["", "s", "-1", ".5", "inf", "nan", "soon"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match=TIME):
        values.seconds(text)


@pytest.mark.parametrize(
    ("text", "bits"),
    [("660", 0o660), ("0660", 0o660), ("000", 0), ("777", 0o777), ("1", 0o666), ("true", 0o666), ("", 0o666)],
)
def test_modes(text: str, bits: int) -> None:
    assert values.mode(text) == (bits, "")


@pytest.mark.parametrize("text", ["66", "668", "1660", "00660", "rw-", "0o660", "-660", "664x"])
def test_what_is_no_mode(text: str) -> None:
    with pytest.raises(ValueError, match=MODE):
        values.mode(text)


@pytest.mark.parametrize(("text", "bits"), [("22", 0o22), ("022", 0o22), ("0022", 0o22), ("2", 2), ("0", 0)])
def test_masks(text: str, bits: int) -> None:
    assert values.mask(text) == (bits, "")


@pytest.mark.parametrize("text", ["", "8", "0o22", "02222", "rwx", "-22"])
def test_what_is_no_mask(text: str) -> None:
    with pytest.raises(ValueError, match="octal digits are expected, such as 022"):
        values.mask(text)


@pytest.mark.parametrize(("text", "found"), [("", ""), ("auto", "auto"), (" 8 ", "8"), ("4096", "4096")])
def test_threads(text: str, found: str) -> None:
    assert values.threads(text) == (found, "")


def test_no_threads_is_one_thread() -> None:
    assert values.threads("0") == (
        "1",
        "a number from 1 to 4096 is expected, or auto: read as 1, as uWSGI does",
    )


@pytest.mark.parametrize("text", ["-2", "4097", "\u00b2", "many"])
def test_what_is_no_number_of_threads(text: str) -> None:
    with pytest.raises(ValueError, match=r"^a number from 1 to 4096 is expected, or auto$"):
        values.threads(text)


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("name=a", {"name": "a"}),
        ("name=a,items=100", {"name": "a", "items": "100"}),
        ("cmd=a\\,b,freeze=", {"cmd": "a,b", "freeze": ""}),
        ("server=10.0.0.1:80, key = x=y", {"server": "10.0.0.1:80", "key": " x=y"}),
        ("", {}),
        ("a=1,,b=2,", {"a": "1", "b": "2"}),
    ],
)
def test_pairs(text: str, pairs: dict[str, str]) -> None:
    assert values.keyval(text) == (pairs, "")


@pytest.mark.parametrize("text", ["foo", "=x", "a=1,foo"])
def test_what_are_no_pairs(text: str) -> None:
    with pytest.raises(ValueError, match="KEY=VALUE,KEY=VALUE is expected"):
        values.keyval(text)


def test_parts_between_commas() -> None:
    assert values.commas(" a, b,,c ") == ("a", "b", "c")
    assert values.commas("") == ()
