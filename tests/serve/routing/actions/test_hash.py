"""Picking an item by a hash: the choices are a real uWSGI's."""

from collections.abc import Callable

import pytest

from penstock.serve.routing.actions.hash import djb33x, murmur2
from tests.serve.routing.ground import Ground


@pytest.mark.parametrize(
    ("key", "items", "algo", "item"),
    [
        ("1", "a;b;c", "", "b"),
        ("22", "a;b;c", "", "b"),
        ("1", "a;b;c;", "murmur2", "c"),
        ("22", "a;b;c;", "murmur2", "a"),
        ("x", "only", "djb33x", "only"),
    ],
)
def test_the_item_is_uwsgis(key: str, items: str, algo: str, item: str) -> None:
    more = f",algo={algo}" if algo else ""
    ground = Ground(f"route = ^/h(.*) hash:key=$1,var=X,items={items}{more}").walk(f"/h{key}")
    assert ground.environ["X"] == item


KEYS = (
    *(b"1", b"22", b"test", b"abc", b"hello", b"abcdef", b"abcdefg", b"a-longer-key", b"\xc3\xa9\xff"),
    *(b"\xc3\xa9\xffabc", b"\xffbcde\xfe", b"x" * 30, b""),
)
# What a real uWSGI chose among 97 items.
CHOSEN: dict[Callable[[bytes], int], tuple[int, ...]] = {
    djb33x: (46, 15, 41, 11, 84, 19, 21, 13, 7, 22, 63, 27, 46),
    murmur2: (77, 60, 32, 36, 18, 34, 24, 52, 74, 21, 64, 68, 0),
}


@pytest.mark.parametrize("algorithm", [djb33x, murmur2])
def test_the_hashes_are_uwsgis(algorithm: Callable[[bytes], int]) -> None:
    assert tuple(algorithm(key) % 97 for key in KEYS) == CHOSEN[algorithm]


def test_in_turn_and_by_chance() -> None:
    ground = Ground("route-run = hash:key=2,var=X,items=a;b;c,algo=rr")
    assert [ground.walk().environ["X"] for _ in range(5)] == ["a", "b", "c", "a", "b"]
    ground = Ground("route-run = hash:key=x,var=X,items=a;b,algo=rand")
    assert {ground.walk().environ["X"] for _ in range(64)} == {"a", "b"}


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("hash:key=a", "takes key="),
        ("hash:key=a,var=X", "takes key="),
        ("hash:key=a,var=X,items=", "takes key="),
        ("hash:key=a,var=X,items=a;;b", "takes key="),
        ("hash:key=a,var=X,items=a,algo=md5", "there is no algo=md5"),
    ],
)
def test_what_cannot_be(rule: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Ground(f"route-run = {rule}")
