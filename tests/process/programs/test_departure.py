"""The end of one program: who is waited for, who is killed, and who is somebody else."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.process.programs.departure import Departure, send
from penstock.process.programs.kin import family, processes
from tests.household.villains import SAY, WAIT, python
from tests.process.programs.keeping import Keeping, Started, gone, keeping


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Keeping]:
    with keeping(tmp_path) as kept:
        yield kept


class Leaving:
    """A program whose end is asked for."""

    def __init__(self, house: Keeping, command: str, mercy: float, number: int = signal.SIGTERM) -> None:
        self.one = Started(house, f"{command}")
        self.one.says("ready")
        house.rest(0.05)
        self.done: list[float] = []
        begun = time.monotonic()
        running = self.one.running
        self.departure = Departure(
            house, running, number, mercy, lambda: self.done.append(time.monotonic() - begun)
        )
        running.tell = lambda status: self.departure.look()
        house.until(lambda: self.done)


def test_one_that_ends_is_over_at_once(house: Keeping) -> None:
    one = Leaving(house, "echo ready; exec sleep 60", 20)
    assert len(one.done) == 1 and one.done[0] < 2
    assert house.text() == ""


def test_who_is_left_hears_of_it_and_is_waited_for(house: Keeping) -> None:
    # The child has a session of its own; it takes its time, and ends by itself.
    child = (
        "setsid sh -c 'trap \"sleep 0.3; echo late; exit\" TERM; echo ready; while :; do sleep 0.02; done'"
    )
    one = Leaving(house, f"{child} & exec sleep 60", 20)
    house.until(lambda: "late" in one.one.lines)
    assert one.done[0] > 0.25
    assert house.text() == ""


def test_who_does_not_hear_is_killed(house: Keeping) -> None:
    child = "setsid sh -c 'trap \"\" TERM; echo ready; echo $$; while :; do sleep 0.02; done'"
    one = Leaving(house, f"{child} & exec sleep 60", 0.3)
    assert 0.25 < one.done[0] < 9
    assert gone(next(int(line) for line in one.one.lines if line.isdecimal()))
    assert "did not end in time, and is killed" in house.text()


LATE = """
def more(number, frame):
    if os.fork():
        time.sleep(0.1); os._exit(0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.write(1, b"%d\\n" % os.getpid()); time.sleep(60)
signal.signal(signal.SIGTERM, more)
"""


def test_children_that_are_born_meanwhile_belong_to_it(house: Keeping) -> None:
    one = Leaving(house, python(LATE + SAY + WAIT), 0.4)
    assert 0.35 < one.done[0] < 9
    assert gone(next(int(line) for line in one.one.lines if line.isdecimal()))


def test_a_number_that_is_somebody_elses_by_now(house: Keeping) -> None:
    one = Started(house, "echo ready; exec sleep 60")
    one.says("ready")
    other = Started(house, "echo ready; exec sleep 60")
    other.says("ready")
    leaving = Departure(house, one.running, signal.SIGTERM, 20, lambda: None)
    leaving.born += 1
    before = dict(leaving.members)
    leaving.refresh()
    assert leaving.members == before
    leaving.over = True
    leaving.mercy.cancel()
    house.until(lambda: one.statuses)
    assert family(processes(), other.running.pid).keys() == {other.running.pid}
    other.running.signal(signal.SIGKILL)
    house.until(lambda: other.statuses)


def test_to_hurry_shortens_and_never_lengthens(house: Keeping) -> None:
    one = Started(house, "trap '' TERM; echo ready; while :; do sleep 0.02; done")
    one.says("ready")
    done: list[int] = []
    leaving = Departure(house, one.running, signal.SIGTERM, 60, lambda: done.append(1))
    one.running.tell = lambda status: leaving.look()
    leaving.hurry(0.2)
    when = leaving.mercy.when
    leaving.hurry(5)
    assert leaving.mercy.when == when
    house.until(lambda: done)
    leaving.hurry(0.0)
    leaving.kill()
    leaving.look()
    assert done == [1]


def test_a_signal_for_nobody() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    send(pid, signal.SIGKILL)
