"""A cache by itself: what is kept, what is refused, what expires, and what goes when it is full."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.interprocess.cache.stores import Clock, Said, store_of


def test_a_value_is_there_until_it_is_deleted() -> None:
    with store_of("name=a,items=10") as store:
        assert store.get(b"k") is None and not store.exists(b"k")
        assert store.set(b"k", b"one") and store.get(b"k") == b"one" and store.exists(b"k")
        assert store.set(b"k", b"another, longer one") and store.get(b"k") == b"another, longer one"
        assert store.delete(b"k") and not store.delete(b"k") and store.get(b"k") is None
        assert store.set(b"k", b"1") and store.clear() and store.get(b"k") is None
        assert store.figures()["items"] == 0


def test_without_update_the_first_value_stays() -> None:
    with store_of("name=a,items=10") as store:
        assert store.set(b"k", b"one", update=False)
        assert not store.set(b"k", b"two", update=False)
        assert store.get(b"k") == b"one"


def test_what_is_too_large_or_empty_is_not_kept() -> None:
    with store_of("name=a,items=10,keysize=4,blocksize=16") as store:
        assert store.set(b"four", b"x" * 16)
        for key, value in ((b"", b"x"), (b"k", b""), (b"fives", b"x"), (b"k", b"x" * 17)):
            assert not store.set(key, value) and store.get(key) is None
        assert not store.delete(b"fives") and store.alter(b"fives", int.__add__, 1) is None


def test_keys_and_values_are_any_bytes() -> None:
    with store_of("name=a,items=10") as store:
        assert store.set(b"\0\xff", b"\0" * 40) and store.set(b"\0", b"\xff")
        assert (
            store.get(b"\0\xff") == b"\0" * 40 and store.get(b"\0") == b"\xff" and store.get(b"\xff") is None
        )
        assert sorted(store.keys()) == [b"\0", b"\0\xff"]


def test_a_value_expires_on_time() -> None:
    clock = Clock()
    clock.now = 1_800_000_000.5
    with store_of("name=a,items=10", clock=clock) as store:
        assert store.set(b"k", b"v", expires=1)
        assert store.set(b"ever", b"v") and store.set(b"far", b"v", 10**18) and store.set(b"past", b"v", -1)
        assert store.fetch(b"k") == (b"v", 1_800_000_001)
        assert store.fetch(b"ever") == store.fetch(b"far") == store.fetch(b"past") == (b"v", 0)
        assert not store.set(b"k", b"w", update=False)
        clock.now += 0.9
        assert store.exists(b"k") and len(store.keys()) == 4
        clock.now += 0.1
        assert store.keys() == [b"ever", b"far", b"past"]
        assert not store.exists(b"k") and store.fetch(b"k") is None
        assert store.set(b"k", b"w", update=False)


def test_nothing_expires_where_that_is_said() -> None:
    clock = Clock()
    never = "name=a,items=10,no_expire=1"
    with store_of(never, clock=clock) as store, store_of(f"{never},lazy=1", clock=clock) as lazy:
        assert store.set(b"k", b"v", expires=1) and lazy.set(b"k", b"v", expires=1)
        clock.now += 100
        assert store.get(b"k") == b"v" and store.keys() == [b"k"] and lazy.get(b"k") is None


def test_a_full_cache_takes_nothing_and_says_so() -> None:
    said = Said()
    with store_of("name=a,items=3", said) as store:
        assert all(store.set(b"%d" % number, b"v") for number in range(3))
        assert not store.set(b"more", b"v") and store.set(b"1", b"w")
        assert said.lines == ["cache a is full: 3 items"] and store.figures()["full"] == 1
        assert store.delete(b"0") and store.set(b"more", b"v")
    quiet = Said()
    with store_of("name=a,items=1,ignore_full=1", quiet) as store:
        assert store.set(b"1", b"v") and not store.set(b"2", b"v") and quiet.lines == []


def test_a_full_cache_gives_up_what_has_expired() -> None:
    clock = Clock()
    with store_of("name=a,items=4,sweep_on_full=2", clock=clock) as store:
        for number in range(4):
            assert store.set(b"%d" % number, b"v", expires=number % 2)
        assert not store.set(b"more", b"v")
        clock.now += 1
        assert store.set(b"more", b"v", expires=1) and store.set(b"and more", b"v")
        assert sorted(store.keys()) == [b"0", b"2", b"and more", b"more"]
        clock.now += 1
        assert not store.set(b"x", b"v")  # it has looked a second ago
        clock.now += 1
        assert store.set(b"x", b"v") and not store.set(b"y", b"v")


def test_a_full_cache_may_be_emptied() -> None:
    with store_of("name=a,items=3,clear_on_full=1") as store:
        assert all(store.set(b"%d" % number, b"v") for number in range(4))
        assert store.keys() == [b"3"]


def test_what_was_not_used_for_longest_goes() -> None:
    with store_of("name=a,items=3,purge_lru=1") as store:
        assert all(store.set(key, b"v") for key in (b"a", b"b", b"c"))
        assert store.get(b"a") and store.set(b"d", b"v")
        assert sorted(store.keys()) == [b"a", b"c", b"d"]
        assert (
            store.set(b"c", b"w") and store.delete(b"d") and store.set(b"e", b"v") and store.set(b"f", b"v")
        )
        assert sorted(store.keys()) == [b"c", b"e", b"f"]


def test_a_value_has_as_many_blocks_as_it_needs() -> None:
    with store_of("name=a,items=4,blocks=8,blocksize=10,bitmap=1") as store:
        assert store.set(b"a", b"x" * 25) and store.set(b"b", b"y" * 30) and store.set(b"c", b"z" * 20)
        assert not store.set(b"d", b"!")  # 3 + 3 + 2 blocks
        assert store.set(b"a", b"x" * 30) and store.set(b"a", b"x" * 10) and store.set(b"d", b"!" * 20)
        assert store.get(b"b") == b"y" * 30 and store.get(b"c") == b"z" * 20 and store.get(b"a") == b"x" * 10
        assert store.delete(b"b") and store.set(b"e", b"?" * 30) and store.get(b"d") == b"!" * 20
        assert store.clear() and store.set(b"all", b"x" * 80) and not store.set(b"a", b"x" * 81)


def test_an_update_without_room_leaves_nothing() -> None:
    with store_of("name=a,items=2,blocks=3,blocksize=10,bitmap=1") as store:
        assert store.set(b"a", b"x") and store.set(b"b", b"y" * 20)
        assert not store.set(b"a", b"x" * 20) and store.get(b"a") is None and store.get(b"b") == b"y" * 20


@pytest.mark.parametrize("form", ["purge_lru=1", "clear_on_full=1"])
def test_room_is_made_for_large_values(form: str) -> None:
    with store_of(f"name=a,items=8,blocks=8,blocksize=10,bitmap=1,{form}") as store:
        assert all(store.set(b"%d" % number, b"v") for number in range(8))
        assert store.set(b"large", b"x" * 50) and store.get(b"large") == b"x" * 50
        assert store.set(b"all", b"x" * 80) and store.keys() == [b"all"]


def test_numbers_are_64_bits_with_a_sign() -> None:
    with store_of("name=a,items=10,math_initial=-5") as store:
        assert store.alter(b"n", int.__add__, 7) == 2 == store.num(b"n")
        assert store.get(b"n") == (2).to_bytes(8, "little")
        assert store.alter(b"n", int.__mul__, 1 << 62) == -(1 << 63)
        assert store.alter(b"n", int.__add__, -1) == (1 << 63) - 1
        assert store.num(b"nothing") == 0 and store.set(b"text", b"5") and store.num(b"text") == 0
        assert store.alter(b"text", int.__add__, 1) == ord("5") + 1


def test_the_end_of_a_number_stays() -> None:
    with store_of("name=a,items=10") as store:
        assert store.alter(b"n", int.__add__, 1, 50) == 1
        first = (store.fetch(b"n") or (b"", 0))[1]
        assert first and store.alter(b"n", int.__add__, 1, 5000) == 2
        assert store.fetch(b"n") == ((2).to_bytes(8, "little"), first)


def test_the_figures_count() -> None:
    with store_of("name=a,items=10,blocksize=100,keysize=20") as store:
        assert store.set(b"k", b"v") and store.get(b"k") and store.get(b"k") and store.get(b"x") is None
        assert store.figures() == {
            **{"name": "a", "keysize": 20, "max_items": 10, "blocks": 10, "blocksize": 100},
            **{"items": 1, "hits": 2, "miss": 1, "full": 0, "emptied": 0},
        }


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["set", "add", "get", "delete", "inc"]), st.integers(0, 12), st.integers(1, 60)
    ),
    max_size=120,
)


@given(STEPS, st.booleans())
@settings(max_examples=60, deadline=None)
def test_it_is_a_dictionary_that_may_forget(steps: list[tuple[str, int, int]], lru: bool) -> None:
    """Against a dict: what is there is right; what was kept is there, unless something had to go."""
    text = "name=a,items=8,blocks=16,blocksize=10,bitmap=1" + ",purge_lru=1" * lru
    model: dict[bytes, bytes] = {}
    with store_of(text) as store:
        for what, name, size in steps:
            key = b"%d" % name
            value = bytes([name + 1]) * size
            if what == "get":
                assert store.get(key) in ((model[key],) if key in model else (None,))
            elif what == "delete":
                assert store.delete(key) is (model.pop(key, None) is not None)
            elif what == "inc":
                then = store.alter(key, int.__add__, 1)
                if then is not None:
                    model[key] = then.to_bytes(8, "little", signed=True)
                else:
                    model.pop(key, None)
            elif store.set(key, value, update=what == "set"):
                model[key] = value
            elif what == "set":
                model.pop(key, None)
            there = store.keys()
            assert len(there) == len(set(there)) == store.figures()["items"] and set(there) <= set(model)
            assert lru or set(there) == set(model)
            model = {key: model[key] for key in there}
            assert all(store.get(key) == value for key, value in sorted(model.items()))
