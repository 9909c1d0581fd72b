"""Texts to values."""

import pytest

from penstock.config import values


@pytest.mark.parametrize("text", [None, "", "true", "on", "1", "yes", "banana", "nope", " true "])
def test_a_flag_is_on(text: str | None) -> None:
    assert values.flag(text) is True


@pytest.mark.parametrize("text", ["false", "FALSE", "off", "Off", "no", "0", " no "])
def test_a_flag_is_off(text: str) -> None:
    assert values.flag(text) is False


@pytest.mark.parametrize(
    ("text", "number"), [("0", 0), ("4", 4), (" 12 ", 12), ("007", 7), ("1048576", 1048576)]
)
def test_whole_numbers(text: str, number: int) -> None:
    assert values.integer(text) == (number, "")


@pytest.mark.parametrize(("text", "number"), [("4abc", 4), ("4 ; four", 4), ("1.5", 1), ("10k", 10)])
def test_what_follows_a_number_is_warned_of(text: str, number: int) -> None:
    assert values.integer(text) == (number, f"only the leading number {number} is used")


@pytest.mark.parametrize("text", ["", "abc", "-1", "+1", ".5"])
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(ValueError, match="a whole number is expected"):
        values.integer(text)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("0", 0), ("65536", 65536), ("64k", 65536), ("64K", 65536), ("64kb", 65536), ("64KiB", 65536),
        ("1m", 1 << 20), ("2 g", 2 << 30), (" 5 ", 5), ("10b", 10),
    ],
)  # fmt: skip
def test_sizes(text: str, count: int) -> None:
    assert values.size(text) == count


@pytest.mark.parametrize("text", ["", "k", "-1", "1.5m", "1t", "1 kk", "0x10", "1k2"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match=r"a number of bytes is expected, such as 65536, 64k or 1g"):
        values.size(text)


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("0", 0.0), ("30", 30.0), ("1.5", 1.5), ("30s", 30.0), ("500ms", 0.5), ("500 ms", 0.5), ("2m", 120.0),
        ("1h", 3600.0), ("1.5H", 5400.0), (" 7 ", 7.0),
    ],
)  # fmt: skip
def test_times(text: str, span: float) -> None:
    assert values.seconds(text) == pytest.approx(span)


@pytest.mark.parametrize("text", ["", "s", "-1", "1d", "1.", ".5", "1e3", "inf", "nan", "1:30"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match=r"a time is expected, such as 30, 500ms or 2m"):
        values.seconds(text)


@pytest.mark.parametrize(("text", "bits"), [("660", 0o660), ("0660", 0o660), ("000", 0), ("777", 0o777)])
def test_modes(text: str, bits: int) -> None:
    assert values.mode(text) == bits


@pytest.mark.parametrize("text", ["", "66", "668", "1660", "00660", "rw-", "0o660", "-660"])
def test_what_is_no_mode(text: str) -> None:
    with pytest.raises(ValueError, match="three octal digits are expected, such as 660"):
        values.mode(text)
