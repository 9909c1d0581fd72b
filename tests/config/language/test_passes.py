"""The passes: one value with its placeholders, and the words between the parentheses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.config.language import passes
from penstock.config.language.limits import Endless
from penstock.config.language.passes import Budget, expand, leading, reckon, referred

VALUES = {"a": "1", "b": "two", "n": "6", "empty": "", "deep": "%(a)", "f(x)": "call"}


def put(value: str, symbol: str = "%") -> str:
    return expand(value, symbol, lambda name: referred(name, VALUES.get), Budget())


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("%(a)", "1"),
        ("x%(a)y%(b)z", "x1ytwoz"),
        ("%(none)-%(a)", "%(none)-1"),
        ("%()%(a)", "%()1"),
        ("%(a", "%(a"),
        ("%a) %(a)", "%a) 1"),
        ("%%(a)", "%1"),
        ("% (a)", "% (a)"),
        ("%(empty)|", "|"),
        ("%(f(x))", "call"),
        ("%(f(x)", "%(f(x)"),
        ("%(deep)", "%(a)"),
        (" %(deep)", " 1"),
        (" %(%(b))", " %(two)"),
        ("%(no%(a)", "%(no1"),
        ("%(n%(none))x", "%(n%(none))x"),
    ],
)
def test_one_value(value: str, expected: str) -> None:
    assert put(value) == expected


@pytest.mark.parametrize("symbol", "$@%")
def test_each_pass_has_its_symbol(symbol: str) -> None:
    text = "$(a)@(a)%(a)"
    assert expand(text, symbol, VALUES.get, Budget()) == text.replace(f"{symbol}(a)", "1")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a", "1"),
        ("none", None),
        ("a b", "1two"),
        (" ", None),
        ("none none", ""),
        ("a + 2", "3"),
        ("n / 4", "1"),
        ("n - 10 / 4", "-1"),
        ("n * n", "36"),
        ("n ++", "7"),
        ("n --", "5"),
        ("++", None),
        ("++ n", "6"),
        ("+ n", "6"),
        ("n +", "6"),
        ("n + + 1", "7"),
        ("b + 1", "1"),
        ("n 0 ++ a", "611"),
        ("a\tb", None),
        ("007 1", "0071"),
    ],
)
def test_what_stands_between_the_parentheses(name: str, expected: str | None) -> None:
    assert referred(name, VALUES.get) == expected


@pytest.mark.parametrize(
    ("left", "step", "right", "expected"),
    [
        ("7", "/", "-2", "-3"),
        ("-7", "/", "2", "-3"),
        ("7", "/", "0", "0"),
        ("9223372036854775807", "+", "1", "-9223372036854775808"),
        ("99999999999999999999", "-", "0", "9223372036854775807"),
        (" +5x", "*", "2", "10"),
        ("", "-", "2", "-2"),
    ],
)
def test_numbers_are_those_of_c(left: str, step: str, right: str, expected: str) -> None:
    assert reckon(left, step, right) == expected


@given(st.integers(-(1 << 63), (1 << 63) - 1), st.integers(-(1 << 63), (1 << 63) - 1))
def test_small_sums_are_sums(one: int, other: int) -> None:
    assert leading(str(one)) == one
    result = int(reckon(str(one), "+", str(other)))
    assert (result - one - other) % (1 << 64) == 0 and -(1 << 63) <= result < 1 << 63


def test_a_value_that_grows() -> None:
    for endless in ("x%(self)", "%(self)%(self)x"):
        with pytest.raises(Endless, match="never end"):
            expand(endless, "%", lambda name, value=endless: value, Budget())  # type: ignore[misc]  # mypy: no default in a lambda's type


def test_a_budget_is_for_all_values() -> None:
    budget = Budget()
    one = "a" + "%(v)" * 500
    for _ in range(passes.REPLACEMENTS // 500):
        assert not budget.spent
        expand(one, "%", lambda _: "1", budget)
    with pytest.raises(Endless):
        expand(one, "%", lambda _: "1", budget)
    assert budget.spent


@given(st.text("%()ab $@", max_size=30))
def test_every_text_ends_and_nothing_known_is_left(text: str) -> None:
    result = expand(text, "%", lambda name: name.upper() if name.islower() else None, Budget())
    assert expand(result, "%", lambda name: None, Budget()) == result
    assert "%(a)" not in result[1:]
