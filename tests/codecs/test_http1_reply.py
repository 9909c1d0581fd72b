"""The beginning of a reply's head that is kept with its fields."""

import pytest

from penstock.codecs import http1_reply
from penstock.codecs.http1_reply import STARTS, Fields, fields

OK = b"200 OK"


def fresh(*pairs: tuple[str, str]) -> Fields:
    """Fields that nobody has asked for a start yet: equal lists share theirs."""
    http1_reply._lists.clear()
    return fields(list(pairs))


def test_the_start_of_an_ordinary_head_is_kept() -> None:
    found = fresh(("Content-Type", "text/plain"))
    assert found.start(200, OK) == b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
    assert found.starts == {OK: b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"}


@pytest.mark.parametrize(
    ("pair", "code"),
    [(("Connection", "close"), 200), (("Date", "Sun, 06 Nov 1994 08:49:37 GMT"), 200), (("X-A", "b"), 304)],
    ids=["it closes", "it brings a Date", "it has no body"],
)
def test_what_is_not_ordinary_has_none(pair: tuple[str, str], code: int) -> None:
    found = fresh(pair)
    assert found.start(code, b"%d X" % code) == b""
    assert found.starts == {b"%d X" % code: b""}, "and that is known the next time"


def test_not_more_are_kept_than_there_is_room_for() -> None:
    found = fresh(("X-A", "b"))
    for number in range(2 * STARTS):
        assert found.start(200, b"200 %d" % number) == b"HTTP/1.1 200 %d\r\nX-A: b\r\n" % number
    assert len(found.starts) == STARTS
