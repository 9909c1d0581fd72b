"""The lives of workers and prototypes: every step of the tables, and no other."""

import pytest

from penstock.interprocess.channel import pair
from penstock.process.supervisor.generation import STAGES, Prototype, Stage
from penstock.process.supervisor.handle import LIFE, Handle, State

EVENTS = ("ready", "leave", "gone")
STEPS = ("loaded", "gone")


def handle(state: State) -> Handle:
    ours, theirs = pair()
    theirs.close()
    made = Handle(1, 0, 1, ours, None, 77, state)
    ours.close()
    return made


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("event", EVENTS)
def test_a_worker_moves_as_the_table_has_it(state: State, event: str) -> None:
    worker = handle(state)
    following = LIFE[state].get(event)
    assert worker.move(event) == (following is not None)
    assert worker.state is (following or state)


def test_every_state_is_reached_and_ends() -> None:
    reached, todo = {State.STARTING}, [State.STARTING]
    while todo:
        for following in LIFE[todo.pop()].values():
            if following not in reached:
                reached.add(following)
                todo.append(following)
    assert reached == set(State)
    assert all("gone" in LIFE[state] for state in State if state is not State.GONE)


@pytest.mark.parametrize("stage", Stage)
@pytest.mark.parametrize("event", STEPS)
def test_a_prototype_moves_as_its_table_has_it(stage: Stage, event: str) -> None:
    ours, theirs = pair()
    prototype = Prototype(77, ours, False, stage)
    following = STAGES[stage].get(event)
    assert prototype.move(event) == (following is not None)
    assert prototype.stage is (following or stage)
    assert prototype.ready is (prototype.stage is Stage.LOADED)
    theirs.close()
    ours.close()
    assert not prototype.ready
