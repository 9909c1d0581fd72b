"""What waits in all: who is cut when it is too much, and who is not."""

from time import monotonic
from typing import Any

import pytest

from penstock.handoff.lease import KEEP
from penstock.net.ballast import EVERY, Ballast
from penstock.net.door import Intake
from penstock.net.pace import Pace
from tests.net.boxes import Case, request


def crowd(sizes: list[int], limit: int) -> tuple[list[Case], list[str]]:
    """Connections whose replies wait, the first one for longest; what was said after a look at them."""
    cases = []
    for number, size in enumerate(sizes):
        case = Case(request("/", "Connection: keep-alive"))
        x = case.taken()
        case.sock.room = 0
        x.outbox.put(x, b"x" * size, KEEP)
        case.connection.pace = Pace(monotonic() - 100 + number)
        cases.append(case)
    door = cases[0].door
    for case in cases[1:]:
        door.connections.add(case.connection)
    said: list[str] = []
    door.report = said.append
    Ballast(door, limit, 0).tick(monotonic())
    return cases, said


@pytest.mark.parametrize(
    ("limit", "cut"), [(0, 0), (600, 0), (599, 1), (400, 1), (399, 2), (300, 2), (99, 3)]
)
def test_those_that_have_not_moved_for_longest_are_cut_until_it_is_enough(limit: int, cut: int) -> None:
    cases, said = crowd([200, 100, 300], limit)
    assert [case.connection.outbox.broken for case in cases] == [number < cut for number in range(3)]
    assert len(said) == cut
    assert all("more than --buffered-memory" in line for line in said)


def test_one_that_holds_nothing_of_what_is_short_is_left_alone() -> None:
    cases, _ = crowd([200, 100], 250)
    assert [case.connection.outbox.broken for case in cases] == [True, False]


def test_a_body_that_is_taken_in_counts() -> None:
    case = Case(request("/", "Content-Length: 50000", body=b"x" * 400), intake=Intake(gather=60_000))
    said: list[str] = []
    case.door.report = said.append
    ballast = Ballast(case.door, 399, 0)
    ballast.tick(monotonic())
    assert len(said) == 1 and case.closed
    assert "400 bytes wait for it, and 400 in all" in said[0]


def test_it_looks_once_a_second() -> None:
    case = Case(request("/", "Content-Length: 50000", body=b"x" * 400), intake=Intake(gather=60_000))
    looked: list[Any] = []
    ballast = Ballast(case.door, 1, 0)
    case.door.report = looked.append
    ballast.looked_at = now = monotonic()
    ballast.tick(now + EVERY / 2)
    assert not looked
    ballast.tick(now + EVERY)
    assert looked
