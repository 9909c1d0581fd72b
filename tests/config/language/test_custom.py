"""Declared options: a template and a value to options."""

import pytest

from penstock.config.language.custom import MOST_WORDS, argument, options
from penstock.config.language.limits import Endless


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


def test_words_that_hold_the_next_one_s_place_twice_do_not_grow_without_end() -> None:
    doubling = " ".join(f"${number}${number}" for number in range(2, MOST_WORDS))
    with pytest.raises(Endless, match="grows without end"):
        list(options("env=$1", doubling))


def test_a_large_word_is_not_put_in_often() -> None:
    with pytest.raises(Endless, match="grows without end"):
        list(options("env=" + "$1" * 100_000, "x" * 100_000))
