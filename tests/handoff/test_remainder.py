"""What is left of a reply: order, counts, and what is struck off."""

import os
from pathlib import Path

from penstock.handoff.remainder import IOV, Remainder
from penstock.handoff.spool import FilePart


def test_views_come_out_in_order_and_are_struck_piece_by_piece() -> None:
    left = Remainder()
    left.add(memoryview(b"abc"))
    left.add(memoryview(b"defg"))
    views = left.front()
    assert b"".join(views) == b"abcdefg" and left.in_memory == 7
    assert not left.strike(views, 4)
    assert b"".join(left.front()) == b"efg" and left.in_memory == 3
    assert left.strike(left.front(), 3)
    assert left.front() == [] and left.in_memory == 0


def test_one_sendmsg_takes_a_bounded_number_of_pieces() -> None:
    left = Remainder()
    for _ in range(IOV + 5):
        left.add(memoryview(b"x"))
    assert len(left.front()) == IOV


def test_a_file_waits_for_the_views_before_it_and_stops_those_after_it() -> None:
    left = Remainder()
    left.add(memoryview(b"head"))
    left.add(FilePart(99, 0, 10, owned=True))
    left.add(memoryview(b"tail"))
    assert left.front_file() is None and b"".join(left.front()) == b"head"
    left.strike(left.front(), 4)
    part = left.front_file()
    assert part is not None and left.front() == []
    assert not left.strike_file(part, 4)
    assert left.strike_file(part, 6)
    assert b"".join(left.front()) == b"tail"


def test_parts_of_the_temporary_file_that_follow_each_other_are_one() -> None:
    left = Remainder()
    left.add(FilePart(9, 0, 10, owned=False))
    left.add(FilePart(9, 10, 25, owned=False))
    part = left.front_file()
    assert part is not None and part.end == 25 and len(left.pieces) == 1 and left.in_spool == 25
    left.strike_file(part, 25)
    assert left.in_spool == 0


def test_what_is_cleared_hands_back_the_files(tmp_path: Path) -> None:
    path = tmp_path / "part"
    path.write_bytes(b"0123456789")
    part = FilePart(os.open(path, os.O_RDONLY), 0, 10, owned=True)
    left = Remainder()
    left.add(memoryview(b"abc"))
    left.add(part)
    assert left.clear() == [part]
    assert left.in_memory == 0 and not left.pieces
    part.close()
    part.close()
