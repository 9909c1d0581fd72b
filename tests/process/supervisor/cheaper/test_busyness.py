"""busyness over simulated seconds: windows, patience, penalties, and workers for a peak."""

import pytest

from penstock.process.supervisor.cheaper.busyness import Busyness
from penstock.process.supervisor.cheaper.facts import Facts, Pulse
from penstock.process.supervisor.cheaper.rules import BusynessRules, Rules
from tests.process.supervisor.cheaper.farm import Farm, silent


def farm(rules: Rules, wanted: int, threads: int = 1) -> tuple[Farm, list[str]]:
    said: list[str] = []
    return Farm(Busyness(rules, said.append), wanted, threads), said


def test_its_settings_are_said_at_the_start() -> None:
    _, said = farm(Rules(2, 8, overload=30, busyness=BusynessRules(multiplier=20)), 2)
    assert said == [
        "busyness: from 25 to 50 %, looked at every 30 s; a worker stops after 20 idle windows; alert at 33 "
        "waiting requests, or at any for 60 s"
    ]


def test_it_grows_at_the_end_of_each_busy_window() -> None:
    site, _ = farm(Rules(1, 4, step=2, overload=5), 1)
    # The first second begins the first window.
    assert site.run(1, 11) == [1, 1, 1, 1, 1, 3, 3, 3, 3, 3, 3]
    assert site.steps[5].why == "busy for 100 % of 5 s"


@pytest.mark.parametrize(("load", "threads", "after"), [(4, 8, 2), (5, 8, 3), (1, 1, 2), (16, 8, 3)])
def test_busy_is_a_share_of_all_threads(load: int, threads: int, after: int) -> None:
    # On two workers: 25 %, 31 %, 50 %, 100 %; more than 30 % is too much here.
    rules = Rules(2, 9, overload=3, busyness=BusynessRules(most=30 if threads > 1 else 50, least=1))
    site, _ = farm(rules, 2, threads)
    site.run(load, 5)
    assert site.wanted == after


def test_at_the_most_it_says_so_and_stays() -> None:
    site, said = farm(Rules(1, 2, overload=2), 2)
    assert set(site.run(9, 9)) == {2}
    assert said[1:] == ["busyness: 100 %, but 2 is all there may be"] * 4


def test_a_worker_stops_after_so_many_idle_windows() -> None:
    site, _ = farm(Rules(1, 4, overload=2, busyness=BusynessRules(multiplier=3)), 3)
    wanted = site.run(0, 30)
    # 3 windows of 2 s each: after 6 s, and after 6 more.
    assert [wanted.index(count) for count in (3, 2, 1)] == [0, 6, 12]
    assert site.wanted == 1


def test_one_that_is_needed_again_makes_it_more_patient_and_time_less_so() -> None:
    rules = Rules(1, 4, overload=2, busyness=BusynessRules(multiplier=2, penalty=3))
    site, said = farm(rules, 2)
    site.run(0, 5)  # stopped after two windows
    assert site.wanted == 1
    site.run(2, 3)
    assert site.wanted == 2
    assert said[1:] == ["busyness: a worker was stopped and is needed again; from now on 5 windows"]
    site.run(0, 11)
    assert site.wanted == 1  # after five windows now
    site.run(0, 60)
    site.run(2, 2)
    assert site.wanted == 2
    assert said[2:] == ["busyness: from now on 4 windows"]


def test_windows_between_the_marks_are_not_idle_ones() -> None:
    rules = Rules(1, 4, overload=2, busyness=BusynessRules(multiplier=3))
    site, _ = farm(rules, 4, threads=4)
    site.run(0, 3)
    site.run(6, 2)  # 37 %: put off by a window
    assert site.run(0, 4) == [4, 4, 4, 3]
    site, _ = farm(rules, 4, threads=4)
    site.run(0, 3)
    site.run(6, 6)  # three of them: the count begins anew
    assert site.run(0, 6) == [4, 4, 4, 4, 4, 3]


def test_many_who_wait_bring_workers_before_the_window_ends() -> None:
    rules = Rules(1, 6, overload=30, busyness=BusynessRules(alert=16, backlog_step=2))
    site, _ = farm(rules, 1)
    assert [site.second(0, waiting) for waiting in (16, 17, 16, 17, 17, 17)] == [1, 3, 3, 5, 6, 6]
    assert site.steps[1].why == "17 requests waited"
    site, _ = farm(rules, 1)
    assert [site.second(0, 99, may_grow=False) for _ in range(3)] == [1, 1, 1]


def test_workers_of_a_peak_go_sooner() -> None:
    rules = Rules(1, 4, overload=2, busyness=BusynessRules(multiplier=20, backlog_multiplier=2))
    site, _ = farm(rules, 1)
    site.run(0, 2, waiting=40)
    assert site.wanted == 3
    wanted = site.run(0, 12)
    assert wanted[-1] == 1
    # Neither a calm nor a busy window: the peak is over, and the usual patience is back.
    site, _ = farm(rules, 1, threads=8)
    site.second(0, 40)
    assert site.wanted == 2
    site.run(6, 6)
    assert set(site.run(0, 30)) == {2}


@pytest.mark.parametrize("overload", [1, 3, 30])
def test_a_little_that_waits_for_long_brings_one(overload: int) -> None:
    """Also with windows of a second, in which uWSGI never looks at it."""
    site, _ = farm(Rules(1, 4, overload=overload, busyness=BusynessRules(nonzero=10)), 1)
    assert site.run(0, 10, waiting=1) == [1] * 10
    assert site.second(0, 1) == 2
    assert site.run(0, 9, waiting=1)[-1] <= 2
    site.second(0, 0)
    wanted = site.wanted
    assert site.run(0, 9, waiting=1)[-1] <= wanted


def test_a_worker_whose_loop_stands_still_is_busy_if_it_was() -> None:
    busyness = Busyness(Rules(1, 4, overload=2), silent)
    stuck = Pulse(7, 2, 1, ticks=5, busy_ticks=5)
    looks = [busyness.decide(Facts(now, 1, (stuck,))).delta for now in (10.0, 11.0, 12.0)]
    assert looks == [0, 0, 1]
    idle = Pulse(7, 2, 0, ticks=5, busy_ticks=5)
    assert busyness.decide(Facts(14.0, 1, (idle,))).delta == 0


def test_a_worker_that_came_in_the_window_counts_from_its_own_start() -> None:
    busyness = Busyness(Rules(2, 4, overload=4), silent)
    old, new = Pulse(7, 1, 1, 100, 100), Pulse(8, 1, 1, 2, 2)
    busyness.decide(Facts(10.0, 2, (old,)))
    step = busyness.decide(Facts(14.0, 2, (Pulse(7, 1, 1, 116, 104), new)))
    assert step == (1, "busy for 62 % of 4 s")  # 25 % and 100 %


def test_verbosely_it_says_what_it_sees() -> None:
    rules = Rules(1, 4, overload=2, busyness=BusynessRules(verbose=True, multiplier=2))
    site, said = farm(rules, 2, threads=2)
    site.run(0, 3)
    assert said[1:] == [
        "busyness: pid 100 0 %",
        "busyness: pid 101 0 %",
        "busyness: 0 % on average of 2 over 2 s",
        "busyness: a worker can be stopped in 2 s",
    ]
    site.run(1, 2)
    assert said[-1] == "busyness: 25 %: neither busy nor idle, 1 times in a row"
