"""cheaper's options as numbers that hold together, and what is said where they do not."""

from typing import Any

import pytest

from penstock.config.assemble import from_keywords
from penstock.config.settings import Settings
from penstock.config.settings.sizing import ALGORITHMS
from penstock.core.errors import StartError
from penstock.process.supervisor.cheaper.rules import BusynessRules, Rules, check, rules_of
from penstock.process.supervisor.cheaper.scaling import algorithm_of
from tests.process.supervisor.cheaper.farm import silent


def settings_of(**options: Any) -> Settings:
    return from_keywords({"bind": [], **options}, application=True)


def of(most: int = 8, **options: Any) -> tuple[Rules | None, list[str]]:
    said: list[str] = []
    return rules_of(settings_of(processes="auto", **options), most, said.append), said


def test_without_cheaper_there_are_none() -> None:
    assert of(cheaper_step=4) == (None, [])


def test_the_defaults_are_uwsgis() -> None:
    rules, said = of(cheaper=2)
    assert said == []
    assert rules == Rules(least=2, most=8, first=2, algorithm="spare", step=1, overload=3, idle=10.0)
    assert rules.busyness == BusynessRules(50, 25, 10, 2, False, 33, 3, 1, 60.0)


def test_every_option_has_its_place() -> None:
    rules, said = of(
        most=500, cheaper=8, cheaper_initial=16, cheaper_algo="busyness", cheaper_step=16, cheaper_overload=1,
        cheaper_idle="20s", cheaper_rss_limit_soft="1g", cheaper_rss_limit_hard="2g", cheaper_busyness_max=70,
        cheaper_busyness_min=20, cheaper_busyness_multiplier=30, cheaper_busyness_penalty=3,
        cheaper_busyness_verbose=True, cheaper_busyness_backlog_alert=16,
        cheaper_busyness_backlog_multiplier=4, cheaper_busyness_backlog_step=2,
        cheaper_busyness_backlog_nonzero=30,
    )  # fmt: skip
    assert said == []
    assert rules == Rules(
        8, 500, 16, "busyness", 16, 1, 20.0, 1 << 30, 2 << 30,
        BusynessRules(70, 20, 30, 3, True, 16, 4, 2, 30.0),
    )  # fmt: skip


def test_every_algorithm_that_is_offered_is_there() -> None:
    assert ALGORITHMS
    for name in ALGORITHMS:
        rules, _ = of(cheaper=2, cheaper_algo=name)
        assert rules is not None
        assert type(algorithm_of(rules, silent)).__name__.lower() == name


@pytest.mark.parametrize(
    ("initial", "first", "said"),
    [(0, 3, []), (5, 5, []), (8, 8, []), (9, 8, ["cheaper-initial 9: more than processes; it is 8"])],
)
def test_the_first_ones_are_within_bounds(initial: int, first: int, said: list[str]) -> None:
    rules, warned = of(cheaper=3, cheaper_initial=initial)
    assert rules is not None
    assert (rules.first, warned) == (first, said)


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ({"cheaper": 8}, ["cheaper 8: must be lower than processes, which is 8"]),
        ({"cheaper": 9}, ["cheaper 9: must be lower than processes, which is 8"]),
        ({"cheaper": 7}, []),
        ({}, []),
        ({"cheaper": 2, "cheaper_rss_limit_soft": 100}, []),
    ],
)
def test_what_cannot_be(options: dict[str, Any], wrong: list[str]) -> None:
    settings = settings_of(processes="auto", **options)
    assert check(settings, 8) == wrong
    if wrong:
        with pytest.raises(StartError, match=r"^cheaper .: must be lower than processes"):
            rules_of(settings, 8, silent)
