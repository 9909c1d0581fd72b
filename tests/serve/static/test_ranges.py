"""Which bytes a Range asks for (RFC 9110 §14)."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.serve.static.ranges import GAP, MOST, Parts, Unsatisfiable, content_range, joined, spans_of

SIZE = 10_000


@pytest.mark.parametrize(
    ("said", "spans"),
    [
        ("bytes=0-499", [(0, 500)]),
        ("bytes=500-999", [(500, 1000)]),
        ("bytes=9500-", [(9500, 10000)]),
        ("bytes=-500", [(9500, 10000)]),
        ("bytes=0-0", [(0, 1)]),
        ("bytes=0-0,-1", [(0, 1), (9999, 10000)]),
        ("bytes= 0-0 , ,\t-1", [(0, 1), (9999, 10000)]),
        ("BYTES=0-0", [(0, 1)]),
        ("bytes=9000-99999", [(9000, 10000)]),
        ("bytes=20000-,5-9", [(5, 10)]),
        ("bytes=-0,5-9", [(5, 10)]),
        # In the order asked for, where none touches another.
        ("bytes=7000-7999,100-199", [(7000, 8000), (100, 200)]),
        ("bytes=100-199,150-299", [(100, 300)]),
        ("bytes=300-399,100-299", [(100, 400)]),
        (f"bytes=100-199,{200 + GAP}-399", [(100, 400)]),
        (f"bytes=100-199,{201 + GAP}-399", [(100, 200), (201 + GAP, 400)]),
        ("bytes=5-9,5-9,5-9", [(5, 10)]),
        # The file as a whole is no part, as in uWSGI.
        ("bytes=0-", []),
        ("bytes=0-9999", []),
        ("bytes=-10000", []),
        ("bytes=-99999", []),
        ("bytes=0-5000,4000-", []),
        # What is not understood is not heeded (§14.2).
        ("lines=1-2", []),
        ("bytes", []),
        ("", []),
        ("bytes=" + ",".join(f"{100 * n}-{100 * n}" for n in range(MOST + 1)), []),
        ("bytes=1-2" + "," * 2000, []),
    ],
)
def test_the_spans(said: str, spans: list[tuple[int, int]]) -> None:
    assert spans_of(said, SIZE) == spans


@pytest.mark.parametrize(
    "said",
    [
        *("bytes=10000-", "bytes=10000-20000", "bytes=-0", "bytes=20000-,30000-", "bytes=9-5", "bytes=a-b"),
        *("bytes=", "bytes=1", "bytes=--1", "bytes=1-2-3", "bytes=0-4,x", "bytes=0x1-2", "bytes=²-3"),
        *("bytes=1-" + "9" * 30, "bytes=,", "bytes=1.0-2", "bytes=+1-2"),
    ],
)
def test_what_cannot_be_satisfied(said: str) -> None:
    with pytest.raises(Unsatisfiable):
        spans_of(said, SIZE)


@pytest.mark.parametrize("said", ["bytes=0-", "bytes=-5", "bytes=5-9", "bytes=x"])
def test_an_empty_file_is_sent_whole(said: str) -> None:
    assert spans_of(said, 0) == []


@given(st.lists(st.tuples(st.integers(0, 999), st.integers(1, 200)), min_size=1, max_size=20))
def test_joined_spans_hold_the_same_bytes_and_do_not_touch(pieces: list[tuple[int, int]]) -> None:
    spans = [(start, start + length) for start, length in pieces]
    result = joined(spans)
    assert {at for start, stop in spans for at in range(start, stop)} <= {
        at for start, stop in result for at in range(start, stop)
    }
    ordered = sorted(result)
    assert all(before[1] + GAP < after[0] for before, after in pairwise(ordered))
    assert sum(stop - start for start, stop in result) <= sum(length + GAP for _, length in pieces)


def test_content_range() -> None:
    assert content_range((0, 500), SIZE) == "bytes 0-499/10000"


def test_the_length_of_parts_is_what_they_have() -> None:
    parts = Parts([(0, 10), (200, 210)], SIZE, "text/css")
    boundary = parts.content_type.removeprefix("multipart/byteranges; boundary=")
    assert parts.heads[0].startswith(f"--{boundary}\r\nContent-Type: text/css\r\nContent-Range: ".encode())
    assert parts.heads[1].startswith(b"\r\n--")
    assert parts.length == 20 + sum(map(len, parts.heads)) + len(parts.tail)
    assert Parts([(0, 1), (5, 6)], SIZE, "").heads[0].count(b"\r\n") == 3
    assert Parts([(0, 1)], SIZE, "").content_type != Parts([(0, 1)], SIZE, "").content_type
