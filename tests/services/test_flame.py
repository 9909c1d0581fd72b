"""Collapsed stacks and flame graphs: every sample is in them, and nothing that a name holds breaks them."""

import re
import xml.etree.ElementTree as ET
from typing import Any

import pytest

from penstock.services.flame import LEAST, WIDTH, Stack, collapsed, stacks_of, svg, tree_of

STACKS: dict[Stack, int] = {
    ("shop.views:cart:10", "shop.db:query:3"): 60,
    ("shop.views:cart:10",): 15,
    ("shop.views:index:40", "shop.db:query:3", "socket:recv:7"): 25,
}
SVG = "{http://www.w3.org/2000/svg}"


def drawn(text: str) -> list[tuple[str, float, float, int]]:
    """Title, left, width and depth of each box."""
    root = ET.fromstring(text)
    return [
        (g.findtext(f"{SVG}title", ""), float(g.attrib["data-x"]), float(g.attrib["data-w"]),
         int(g.attrib["data-d"]))
        for g in root.iter(f"{SVG}g") if g.get("class") == "f"
    ]  # fmt: skip


def test_a_workers_answer_becomes_stacks() -> None:
    answer = {"labels": ["a:f:1", "b:g:2"], "stacks": [[3, 0, 1], [2, 0], [1], [4, 0, 1]]}
    assert stacks_of(answer) == {("a:f:1", "b:g:2"): 7, ("a:f:1",): 2, (): 1}


@pytest.mark.parametrize(
    "answer",
    [
        {}, {"labels": "ab", "stacks": [[1, 0]]}, {"labels": ["a"], "stacks": None},
        {"labels": ["a"], "stacks": [[1, 1], [1, -1], [0, 0], ["1", 0], [1, "0"], [], 7]},
        {"labels": ["a"], "stacks": [[1, 0.0], [1, True]]},
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_left_out(answer: dict[str, Any]) -> None:
    assert stacks_of(answer) == {}


def test_collapsed_stacks_are_lines_for_other_tools() -> None:
    assert collapsed({**STACKS, (): 2}).splitlines() == [
        "(no stack) 2",
        "shop.views:cart:10 15",
        "shop.views:cart:10;shop.db:query:3 60",
        "shop.views:index:40;shop.db:query:3;socket:recv:7 25",
    ]


def test_a_function_is_as_wide_as_it_was_seen_often() -> None:
    assert sorted(drawn(svg(STACKS, "t"))) == [
        ("all: 100 samples, 100.00 %", 0.0, 1.0, 0),
        ("shop.db:query:3: 25 samples, 25.00 %", 0.75, 0.25, 2),
        ("shop.db:query:3: 60 samples, 60.00 %", 0.0, 0.6, 2),
        ("shop.views:cart:10: 75 samples, 75.00 %", 0.0, 0.75, 1),
        ("shop.views:index:40: 25 samples, 25.00 %", 0.75, 0.25, 1),
        ("socket:recv:7: 25 samples, 25.00 %", 0.75, 0.25, 3),
    ]


def test_nothing_that_a_name_holds_breaks_the_picture() -> None:
    hostile = "m:<script>alert(1)</script>&\"']]>:1"
    text = svg({(hostile, hostile): 3}, "</text><script>")
    root = ET.fromstring(text)
    assert len(root.findall(f".//{SVG}script")) == 1
    titles = [title for title, *_ in drawn(text)]
    assert titles.count(f"{hostile}: 3 samples, 100.00 %") == 2


def test_a_worker_that_lies_breaks_no_file() -> None:
    label = "m:\x00\x1b[2J\n\ud800;\ufffe:1"
    (stack,) = stacks = stacks_of({"labels": [label], "stacks": [[3, 0]]})
    assert stack == ("m:__[2J____:1",)
    assert collapsed(stacks).encode().count(b"\n") == 1
    ET.fromstring(svg(stacks, "x").encode())


def test_the_file_needs_nothing_else() -> None:
    text = svg(STACKS, "t").replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert re.findall(r"https?://|url\(|@import|src=|href", text) == []


def test_what_is_too_narrow_to_see_is_not_drawn() -> None:
    many: dict[Stack, int] = {("wide:f:1",): 100_000}
    many.update({(f"narrow:f{at}:1",): 1 for at in range(5000)})
    text = svg(many, "t")
    assert len(drawn(text)) == 2 and len(text) < 20_000
    assert tree_of(many).count == 105_000 and LEAST * WIDTH < 1


def test_without_samples_there_is_a_picture_of_nothing() -> None:
    assert [title for title, *_ in drawn(svg({}, "t"))] == ["all: 0 samples, 0.00 %"]


def test_a_stack_of_any_depth() -> None:
    deep: Stack = tuple(f"m:f{at}:1" for at in range(2000))
    assert len(drawn(svg({deep: 1}, "t"))) == 2001
