"""Declared options: a template and a value to options."""

import pytest

from penstock.config.language.custom import MOST_WORDS, argument, options


@pytest.mark.parametrize(
    ("template", "value", "expected"),
    [
        ("threads=$1", "3", [("threads", "3")]),
        ("a=$1;b=$2", "x y", [("a", "x"), ("b", "y")]),
        ("a=$2-$1", "x  y", [("a", "y-x")]),
        ("$1=on;x=$1$1", "key", [("key", "on"), ("x", "keykey")]),
        ("a=$1", "", [("a", "")]),
        ("a=$1$2", "x", [("a", "x$2")]),
        ("a=1;;b=2", "", [("a", "1"), ("b", "2")]),
        ("a=1;flag;b=2", "", [("a", "1")]),
        ("a=b=$1", "c", [("a", "b=c")]),
    ],
)
def test_options(template: str, value: str, expected: list[tuple[str, str]]) -> None:
    assert list(options(template, value)) == expected


def test_an_argument_is_one_of_the_first_three() -> None:
    assert [argument(text) for text in ("a=$1", "a=$3", "a=1", "a=$4")] == [
        *("required", "required", "none", "none"),
    ]


def test_words_are_bounded() -> None:
    ((_, value),) = options(f"a=${MOST_WORDS + 1}", "x " * 10_000)
    assert value == "x01", "its place begins with that of the first word, which is put in before"
