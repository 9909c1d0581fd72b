"""What ``mule``, ``mules`` and ``farm`` say, and who is in a farm without being there."""

import pytest

from penstock.config.household.mules import (
    MOST,
    PARSERS,
    Farm,
    Work,
    farms,
    missing,
    parse,
    parse_count,
    parse_farm,
    works,
)


@pytest.mark.parametrize(
    ("text", "script", "function"),
    [
        ("worker.py", "worker.py", ""),
        (" /srv/a b/worker.py ", "/srv/a b/worker.py", ""),
        ("a:b.py", "a:b.py", ""),  # uWSGI looks at the end first
        ("shop.tasks:run", "", "shop.tasks:run"),
        ("shop:Tasks.run", "", "shop:Tasks.run"),
        ("shop:make()", "", "shop:make()"),
        ("", "", ""),
        ("true", "", ""),
        ("1", "", ""),
    ],
)
def test_what_a_mule_does(text: str, script: str, function: str) -> None:
    work = parse(text)
    assert (work.script, work.function, work.doubtful) == (script, function, ())
    assert bool(work.shown) == bool(script or function)


@pytest.mark.parametrize("text", ["worker.rb", "shop.tasks", "worker"])
def test_what_no_one_understands_is_a_mule_that_hears(text: str) -> None:
    work = parse(text)
    assert not work.script
    assert not work.function
    assert "hears messages" in work.doubtful[0]


@pytest.mark.parametrize("text", [":run", "shop:", "shop tasks:run", "http://host/x", "a:b:c"])
def test_a_function_that_cannot_be(text: str) -> None:
    with pytest.raises(ValueError, match="module:function is expected"):
        parse(text)


@pytest.mark.parametrize(("text", "count"), [("0", 0), (" 3 ", 3), (str(MOST), MOST)])
def test_a_number_of_mules(text: str, count: int) -> None:
    assert parse_count(text) == count


@pytest.mark.parametrize("text", ["", "-1", "two", "1.5", str(MOST + 1), "9" * 30, "²"])
def test_no_number_of_mules(text: str) -> None:
    with pytest.raises(ValueError, match=f"at most {MOST}"):
        parse_count(text)


def test_mules_are_numbered_by_their_order() -> None:
    assert works((), ()) == ()
    assert [work.text for work in works(("a.py", "", "b:c"), ("2", "1"))] == ["a.py", "", "b:c", "", "", ""]
    assert works((), ("1",)) == (Work(),)
    some = works(("a.py", "b:c", "d:e"), ("2", "1", "1"), (0, 1, 3))
    assert [work.text for work in some] == ["", "", "a.py", "", "b:c", "d:e", ""]
    assert len(works(("a.py",), ("700", "700"), (0, 1))) == 1001


@pytest.mark.parametrize(
    ("text", "farm"),
    [
        ("a:1", Farm("a", (1,))),
        (" herd:2, 1,2,", Farm("herd", (2, 1))),
        ("empty:", Farm("empty", ())),
    ],
)
def test_a_farm(text: str, farm: Farm) -> None:
    assert parse_farm(text) == farm


@pytest.mark.parametrize("text", ["", "a", ":1", "a:b", "a:1;2", "a:-1"])
def test_no_farm(text: str) -> None:
    with pytest.raises(ValueError, match="NAME:NUMBER"):
        parse_farm(text)


def test_of_two_farms_with_a_name_the_first_counts() -> None:
    assert farms(("a:1", "b:2", "a:3")) == {"a": Farm("a", (1,)), "b": Farm("b", (2,))}


@pytest.mark.parametrize(
    ("farm", "count", "said"),
    [("a:1,2", 2, ""), ("a:", 0, ""), ("a:0,1,3", 2, "no mule 0, 3"), ("a:1", 0, "ask for none")],
)
def test_a_mule_that_is_not_there(farm: str, count: int, said: str) -> None:
    found = missing(farm, count)
    assert said in found
    assert bool(found) == bool(said)


def test_each_option_has_its_parser() -> None:
    assert PARSERS["mule"]("a.py") == parse("a.py")
    assert PARSERS["mules"]("2") == 2
    assert PARSERS["farm"]("a:1") == Farm("a", (1,))
