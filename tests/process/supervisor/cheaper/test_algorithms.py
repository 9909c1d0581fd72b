"""spare, spare2, backlog, manual over simulated seconds: tables of uWSGI's rules, and what always holds."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.process.supervisor.cheaper.algorithms import Backlog, Manual, Spare, Spare2
from penstock.process.supervisor.cheaper.busyness import Busyness
from penstock.process.supervisor.cheaper.facts import Algorithm
from penstock.process.supervisor.cheaper.rules import Rules
from tests.process.supervisor.cheaper.farm import Farm, facts, silent

MAKERS: dict[str, Callable[[Rules], Algorithm]] = {
    "spare": Spare,
    "spare2": Spare2,
    "backlog": Backlog,
    "manual": Manual,
    "busyness": lambda rules: Busyness(rules, silent),
}


# ---- spare --------------------------------------------------------------------------------------------


def test_spare_grows_when_all_were_busy_for_longer_than_overload() -> None:
    farm = Farm(Spare(Rules(least=2, most=10)), wanted=2)
    assert farm.run(10, 8) == [2, 2, 2, 3, 3, 3, 3, 4]
    assert farm.steps[3].why == "all were busy 4 times in a row"


def test_spare_grows_by_step_as_far_as_processes() -> None:
    farm = Farm(Spare(Rules(least=1, most=6, step=4, overload=1)), wanted=1)
    assert farm.run(100, 6) == [1, 5, 5, 6, 6, 6]


def test_spare_keeps_one_idle_worker_and_no_more() -> None:
    farm = Farm(Spare(Rules(least=2, most=10)), wanted=7)
    assert farm.run(6, 30) == [7] * 30
    # Every third look, until one is idle.
    assert farm.run(3, 12) == [7, 7, 6, 6, 6, 5, 5, 5, 4, 4, 4, 4]
    # And down to cheaper, where it stays.
    assert farm.run(0, 12) == [4, 4, 3, 3, 3, 2, 2, 2, 2, 2, 2, 2]


def test_a_free_worker_takes_back_one_look_of_overload() -> None:
    spare = Spare(Rules(least=1, most=4, overload=2))
    full, free = facts([1]), facts([0])
    looks = [full, full, free, full, full]
    assert [spare.decide(look).delta for look in looks] == [0, 0, 0, 0, 1]


def test_spare_does_not_grow_while_memory_forbids_it_and_does_at_once_afterwards() -> None:
    farm = Farm(Spare(Rules(least=1, most=4)), wanted=1)
    assert [farm.second(5, may_grow=False) for _ in range(20)] == [1] * 20
    assert farm.second(5) == 2
    farm = Farm(Spare(Rules(least=1, most=4)), wanted=3)
    assert [farm.second(5, may_grow=False) for _ in range(50)] == [3] * 50
    # The time without memory is not counted back for as long as it lasted.
    assert farm.run(0, 9)[-1] < 3


def test_a_worker_on_its_way_is_idle_so_none_is_started_twice() -> None:
    spare = Spare(Rules(least=1, most=9, overload=1))
    assert [spare.decide(facts([1], wanted=2)).delta for _ in range(10)] == [0] * 10


# ---- spare2 -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("busy", "wanted", "delta"),
    [
        ([1, 1, 0, 0], 4, 2),  # two are idle of four that should be
        ([1, 1, 1, 1], 4, 3),  # no more than cheaper-step
        ([1] * 63, 63, 1),  # no more than processes
        ([0, 0, 0, 0], 4, 0),
        ([1, 1], 6, 0),  # four are on their way
        ([1] * 64, 64, 0),
    ],
)
def test_spare2_makes_up_for_what_is_missing_at_once(busy: list[int], wanted: int, delta: int) -> None:
    rules = Rules(least=4, most=64, step=3)
    assert Spare2(rules).decide(facts(busy, wanted=wanted)).delta == delta
    assert Spare2(rules).decide(facts(busy, wanted=wanted, may_grow=False)).delta == 0


def test_spare2_stops_one_each_idle_time() -> None:
    farm = Farm(Spare2(Rules(least=2, most=9, idle=5)), wanted=4)
    assert farm.run(0, 12) == [4, 4, 4, 4, 3, 3, 3, 3, 3, 2, 2, 2]


def test_spare2_begins_to_count_anew_when_as_many_are_idle_as_should_be() -> None:
    spare2 = Spare2(Rules(least=2, most=9, idle=3))
    looks = [[0, 0, 0], [0, 0, 0], [1, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0]]
    assert [spare2.decide(facts(busy)).delta for busy in looks] == [0, 0, 0, 0, 0, -1]


# ---- backlog and manual -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("waiting", "wanted", "delta"), [(11, 2, 2), (11, 5, 1), (11, 6, 0), (10, 3, 0), (9, 3, -1), (0, 2, 0)]
)
def test_backlog_follows_what_waits(waiting: int, wanted: int, delta: int) -> None:
    backlog = Backlog(Rules(least=2, most=6, step=2, overload=10))
    assert backlog.decide(facts([0] * wanted, waiting=waiting)).delta == delta
    less = backlog.decide(facts([0] * wanted, waiting=waiting, may_grow=False)).delta
    assert less == min(delta, 0)


def test_manual_leaves_it_to_the_operator() -> None:
    farm = Farm(Manual(Rules(least=1, most=9)), wanted=3)
    assert farm.run(9, 20) + farm.run(0, 20) == [3] * 40


# ---- What always holds --------------------------------------------------------------------------------

LOADS = st.lists(st.tuples(st.integers(0, 80), st.integers(0, 60), st.booleans()), min_size=1, max_size=120)
RULES = st.builds(
    lambda least, more, step, overload, idle: Rules(
        least, least + more, step=step, overload=overload, idle=idle
    ),
    st.integers(1, 5), st.integers(1, 8), st.integers(1, 5), st.integers(1, 6), st.integers(1, 8),
)  # fmt: skip


@pytest.mark.parametrize("name", MAKERS)
@given(rules=RULES, threads=st.integers(1, 8), loads=LOADS)
@settings(max_examples=60, deadline=None)
def test_the_number_stays_within_its_bounds(
    name: str, rules: Rules, threads: int, loads: list[tuple[int, int, bool]]
) -> None:
    farm = Farm(MAKERS[name](rules), wanted=rules.least, threads=threads)
    for load, waiting, may_grow in loads:
        before = farm.wanted
        after = farm.second(load, waiting, may_grow)
        assert rules.least <= after <= rules.most
        assert may_grow or after <= before


@pytest.mark.parametrize("name", ["spare", "spare2"])
@given(rules=RULES, threads=st.integers(1, 8), load=st.integers(0, 80), first=st.integers(0, 8))
@settings(max_examples=100, deadline=None)
def test_a_steady_load_comes_to_a_steady_number(
    name: str, rules: Rules, threads: int, load: int, first: int
) -> None:
    farm = Farm(MAKERS[name](rules), wanted=min(rules.most, rules.least + first), threads=threads)
    # At most eight steps up and as many down, each of so many looks.
    farm.run(load, 20 * (rules.overload + int(rules.idle) + 2))
    settled = farm.wanted
    assert set(farm.run(load, 60)) == {settled}
    # And it carries the load, if it can be carried.
    assert settled == rules.most or settled * threads > load
